"""Messages from files that somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from application.errors import PlatformError
from application.ports.message_stream import OutgoingMessage


class FileSource(Protocol):
    """Turns files into messages, as a mapping says."""

    def messages(self, path: Path, mapping: Path) -> Iterator[OutgoingMessage]:
        """Read the files in the folder `path` as the folder `mapping` says; yield a message for each row.

        A row that can't become a command is a message too: a rejected row with its file and line, for
        quarantine. Rejected rows of the files come first, then the commands in the mapping's order. The
        same files give the same message ids, so that reading them again adds nothing. Nothing is read
        before the first message is asked for.

        Raises:
            MappingError: the mapping is wrong; no message was yielded, unless a SELECT failed on a value.
            SourceFileError: a file is missing or can't be read.
        """


class MappingError(PlatformError):
    """A mapping is wrong; the message names its file and column, and what to do."""


class SourceFileError(PlatformError):
    """A file that the mapping names is missing or can't be read."""
