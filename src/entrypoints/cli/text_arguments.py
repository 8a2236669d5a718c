"""Text on the command line: only UTF-8 can be kept, looked for or sent. Names of files may be of any bytes."""

from __future__ import annotations

import os
from typing import Any

import click


class Text(click.types.StringParamType):
    """Text in UTF-8."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text; bytes that are none arrive as half of a surrogate pair each."""
        text: str = super().convert(value, param, ctx)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail(f"{os.fsencode(text)!r} is not text in UTF-8", param, ctx)
        return text


TEXT = Text()


def taking_text(command: click.Command) -> click.Command:
    """Return a command, all of whose options and arguments of text, and those of its own commands, take `TEXT`."""
    for parameter in command.params:
        if parameter.type is click.STRING:
            parameter.type = TEXT
    if isinstance(command, click.Group):
        for each in command.commands.values():
            taking_text(each)
    return command
