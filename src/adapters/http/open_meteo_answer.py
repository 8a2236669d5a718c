"""What Open-Meteo answers: columns over hours or days, with their units, in the names of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Annotated, Literal, NamedTuple, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct, ValidationError

V = TypeVar("V")

Column = list[float | str | None]
Section = Literal["hourly", "daily"]


class Quantity(NamedTuple):
    """A column of figures: the unit it must have, and the values that can be true."""

    unit: str
    least: float
    most: float


TEMPERATURE = Quantity("°C", -100, 70)
PRECIPITATION = Quantity("mm", 0, 2_000)
WIND_SPEED = Quantity("km/h", 0, 500)
WEATHER_CODE = Quantity("wmo code", 0, 99)
_FORMER_NAMES = {"weathercode": "weather_code", "windspeed": "wind_speed"}


class OpenMeteoAnswer(Struct):
    """The answer as it comes; coordinates are those of the grid's cell, not those that were asked for."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    utc_offset_seconds: Annotated[int, Meta(ge=-86_400, le=86_400)]
    timezone: str
    hourly: dict[str, Column] = {}
    hourly_units: dict[str, str] = {}
    daily: dict[str, Column] = {}
    daily_units: dict[str, str] = {}

    def times(self, section: Section) -> list[datetime]:
        """Return the beginning of each hour or day, in UTC.

        Raises:
            ValidationError: there are none, or they are no times.
        """
        zone = self._zone()
        texts = _present(self._columns(section), "time")
        try:
            return [datetime.fromisoformat(str(text)).replace(tzinfo=zone).astimezone(UTC) for text in texts]
        except (ValueError, OverflowError) as error:
            raise ValidationError(f"a time in {section} that is none: {error}") from error

    def figures(self, section: Section, name: str, quantity: Quantity) -> list[float | None]:
        """Return a column by its name of today; a figure that is missing is None.

        Raises:
            ValidationError: the column is missing, has another unit or length, or values that can't be true.
        """
        columns = self._columns(section)
        column = _present(columns, name)
        unit = _in_names_of_today(self._units(section)).get(name)
        if unit != quantity.unit:
            raise ValidationError(f"{name} in {unit!r} instead of {quantity.unit!r}")
        if len(column) != len(_present(columns, "time")):
            raise ValidationError(f"{name} has another length than the times")
        for value in column:
            if isinstance(value, str) or (value is not None and not quantity.least <= value <= quantity.most):
                raise ValidationError(f"{name} can't be {value!r}")
        return cast(list[float | None], column)

    def _columns(self, section: Section) -> Mapping[str, Column]:
        return _in_names_of_today(self.hourly if section == "hourly" else self.daily)

    def _units(self, section: Section) -> Mapping[str, str]:
        return self.hourly_units if section == "hourly" else self.daily_units

    def _zone(self) -> tzinfo:
        """Return the zone of the times, which have no offset; `utc_offset_seconds` is that of one moment only."""
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            return timezone(timedelta(seconds=self.utc_offset_seconds))


class OpenMeteoError(Struct):
    """What was wrong with the question."""

    error: Literal[True]
    reason: str


def read_open_meteo(body: bytes) -> OpenMeteoAnswer | OpenMeteoError:
    """Decode a body; raises msgspec.DecodeError for anything but an answer or an error of Open-Meteo."""
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "error" in fields:
        return msgspec.json.decode(body, type=OpenMeteoError)
    return msgspec.json.decode(body, type=OpenMeteoAnswer)


def _in_names_of_today(columns: Mapping[str, V]) -> dict[str, V]:
    return {_name_of_today(name): column for name, column in columns.items()}


def _name_of_today(name: str) -> str:
    for former, today in _FORMER_NAMES.items():
        if name.startswith(former):
            return today + name.removeprefix(former)
    return name


def _present(columns: Mapping[str, Column], name: str) -> Sequence[float | str | None]:
    if name not in columns:
        raise ValidationError(f"there is no column {name}")
    return columns[name]
