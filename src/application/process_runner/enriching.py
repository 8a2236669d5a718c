"""Enrichment at work: asks for route and weather of what was dispatched, and keeps the answers as events.

Each question is asked before the answer is appended, and never again once it is: whoever reads the log later finds
the answer there. A service that is away holds up nobody: its questions wait, longer each time. After `PATIENCE`
attempts the great circle is kept in place of the route, and weather that nobody knows stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from application.aggregates import CATALOG, SHIPMENT
from application.codec import topics_of
from application.ingest.states import Versioned
from application.ports.event_store import EventStore
from application.ports.geocoder import Geocoder
from application.ports.inbox import Reason
from application.ports.routes import RouteProvider
from application.ports.services import Coordinates, ServiceRefusedError, ServiceUnavailableError
from application.ports.weather import WeatherProvider
from application.process_runner.draft import Draft, RefusedError
from application.process_runner.histories import Loaded, load
from application.processes import enrichment
from application.processes.cause import Cause
from application.processes.enrichment import Journey, Spot
from application.processes.shipment_history import ShipmentHistory
from domain.catalog.events import LocationRegistered
from domain.shipment.events import ShipmentDispatched

ENRICHMENT = "enrichment"
BATCH = 20
PATIENCE = 9
FIRST_DELAY = timedelta(minutes=1)
"""Doubles with each attempt: nine of them take about four hours."""
UNAVAILABLE = "ServiceUnavailable"
REFUSED = "ServiceRefused"


class Services(NamedTuple):
    """Who is asked."""

    routes: RouteProvider
    weather: WeatherProvider
    places: Geocoder


class Enriching:
    """The process `enrichment` for a runner."""

    name = ENRICHMENT
    topics = topics_of(ShipmentDispatched, LocationRegistered)

    def __init__(self, store: EventStore, services: Services, batch_size: int = BATCH) -> None:
        self.batch_size = batch_size
        self.began: set[str] = set()
        self._store = store
        self._services = services
        self._shipments: dict[str, Loaded[ShipmentHistory]] = {}

    def catch_up(self, head: int) -> tuple[int, bool]:
        """Know nothing in advance."""
        return 0, True

    def state_of(self, stream_id: str) -> Versioned:
        """Return the state of a shipment."""
        return self._shipments[stream_id].versioned

    def decide(self, causes: Sequence[Cause], draft: Draft) -> None:
        """Ask about the shipments that left; those from a location that nobody registered wait for it."""
        dispatched = [cause for cause in causes if isinstance(cause.event, ShipmentDispatched)]
        shipments = {cause.stream_id for cause in dispatched}
        self._shipments = load(self._store, shipments, SHIPMENT, ShipmentHistory)
        origins = (_origin(each.history) for each in self._shipments.values())
        locations = load(self._store, {each for each in origins if each is not None}, CATALOG, _Nothing)
        for cause in dispatched:
            history = self._shipments[cause.stream_id].history
            origin = _origin(history)
            if origin is None:
                draft.done(cause)
            elif origin not in locations:
                draft.await_stream(cause, origin)
            else:
                entry = locations[origin].versioned[0]
                self._enrich(cause, enrichment.journey(history, entry.details), draft)

    def committed(self, draft: Draft) -> None:
        """Remember nothing."""

    def _enrich(self, cause: Cause, asked: Journey | None, draft: Draft) -> None:
        if asked is None:
            draft.done(cause)
            return
        asking = _Asking(self._services, asked, last=draft.attempts(cause) + 1 >= PATIENCE)
        commands = asking.commands()
        correlation_id = self._shipments[cause.stream_id].history.correlation_id
        try:
            draft.carry_out(commands, cause.event_id, correlation_id)
        except RefusedError as refused:
            draft.park(cause, refused.stream_id, Reason(refused.code, str(refused)))
            return
        if asking.away is not None:
            delay = FIRST_DELAY * 2 ** draft.attempts(cause)
            retry_after = timedelta(seconds=asking.away.retry_after)
            draft.await_time(cause, Reason(UNAVAILABLE, str(asking.away)), max(delay, retry_after))
        elif asking.unanswered is not None:
            draft.park(cause, cause.stream_id, asking.unanswered)
        else:
            draft.done(cause)


class _Nothing:
    """A history of which nothing is kept."""

    def __init__(self, _: str) -> None:
        pass

    def note(self, event: Any) -> None:
        """Keep nothing."""


class _Asking:
    """Asks about one journey; `away` is why some of it has to be asked again, `unanswered` why it never will be."""

    def __init__(self, services: Services, asked: Journey, *, last: bool) -> None:
        self.away: ServiceUnavailableError | None = None
        self.unanswered: Reason | None = None
        self._services = services
        self._asked = asked
        self._last = last

    def commands(self) -> list[Any]:
        """Return the commands that keep what was answered."""
        commands: list[Any] = []
        origin = self._find(self._asked.origin)
        if origin is None:
            return commands
        if self._asked.needs_weather:
            commands += self._weather(origin)
        if self._asked.needs_route:
            destination = self._find(self._asked.destination)
            commands += [] if destination is None else self._route(origin, destination)
        return commands

    def _route(self, origin: Coordinates, destination: Coordinates) -> list[Any]:
        try:
            route = self._services.routes.between(origin, destination)
        except ServiceUnavailableError as away:
            if not self._last:
                self.away = away
                return []
            return [enrichment.keep_great_circle(self._asked, origin, destination)]
        except ServiceRefusedError:
            return [enrichment.keep_great_circle(self._asked, origin, destination)]
        if route is None:
            return []
        return [enrichment.keep_route(self._asked, route.distance_km, route.duration_minutes, route.provider)]

    def _weather(self, origin: Coordinates) -> list[Any]:
        try:
            weather = self._services.weather.at(origin, self._asked.dispatched_at)
        except ServiceUnavailableError as away:
            self._gave_up(away)
            return []
        except ServiceRefusedError as refused:
            self.unanswered = Reason(REFUSED, str(refused))
            return []
        if weather is None:
            return []
        return [
            enrichment.keep_weather(
                self._asked,
                weather.observed_at,
                weather.provider,
                temperature_c=weather.temperature_c,
                precipitation_mm=weather.precipitation_mm,
                wind_speed_kmh=weather.wind_speed_kmh,
                weather_code=weather.weather_code,
            )
        ]

    def _find(self, spot: Spot) -> Coordinates | None:
        """Return where a place is; None where nobody knows, or nobody answers."""
        if spot.coordinates is not None:
            return Coordinates(*spot.coordinates)
        if spot.city is None:
            return None
        code = spot.country if spot.country is not None and len(spot.country) == 2 else None
        query = spot.city if code or not spot.country else f"{spot.city}, {spot.country}"
        try:
            place = self._services.places.find(query, code)
        except ServiceUnavailableError as away:
            self._gave_up(away)
            return None
        except ServiceRefusedError as refused:
            self.unanswered = Reason(REFUSED, str(refused))
            return None
        return place.centre if place else None

    def _gave_up(self, away: ServiceUnavailableError) -> None:
        if self._last:
            self.unanswered = Reason(UNAVAILABLE, str(away))
        else:
            self.away = away


def _origin(shipment: ShipmentHistory) -> str | None:
    location_id = shipment.plan.origin_location_id if shipment.plan else None
    return None if location_id is None else f"location-{location_id}"
