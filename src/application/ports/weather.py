"""The weather at a place and time, as somebody measured or modelled it; never invented."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from application.ports.services import Coordinates


class Weather(NamedTuple):
    """The weather at a full hour; a figure that the provider does not know is None, and at least one is known.

    `observed_at` is in UTC. `temperature_c` is that at 2 m in degrees Celsius, `precipitation_mm` the sum of the
    hour before, `wind_speed_kmh` that at 10 m, `weather_code` a code of WMO table 4677. Wherever the weather is
    shown, `attribution` is shown with it.
    """

    observed_at: datetime
    provider: str
    attribution: str
    temperature_c: float | None
    precipitation_mm: float | None
    wind_speed_kmh: float | None
    weather_code: int | None


class WeatherProvider(Protocol):
    """Knows what the weather was."""

    def at(self, place: Coordinates, when: datetime) -> Weather | None:
        """Return the weather at a place at the full hour nearest to `when` (with a UTC offset) that is past.

        None where it is not known: too long ago, missing in the provider's records, or not yet past; a forecast
        is no observation.

        Raises:
            ServiceUnavailableError: the provider does not answer now.
            ServiceRefusedError: the provider does not answer this question, e.g. for these coordinates.
        """

    def probe(self) -> None:
        """Ask whether the provider answers, past any cache; raises as `at` does."""
