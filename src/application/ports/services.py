"""What the ports to services outside the platform share: places on the map, and what can go wrong."""

from __future__ import annotations

from typing import NamedTuple

from application.errors import PlatformError


class Coordinates(NamedTuple):
    """A place on earth in degrees (WGS 84): latitude from -90 to 90, longitude from -180 to 180."""

    latitude: float
    longitude: float


class ServiceUnavailableError(PlatformError):
    """The service does not answer, or not as it should; asking again after `retry_after` seconds may help."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceRefusedError(PlatformError):
    """The service does not answer this question, whoever asks and when; the message says why."""
