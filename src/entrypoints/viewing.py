"""The platform as the dashboard's pages ask it: opened when first asked, and anew after it was away."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Lock
from typing import NamedTuple, TypeVar, cast

from application.errors import PlatformError
from application.ingest.quarantine import Retried
from application.ports.analytics import AnalyticsUnavailableError, Member, Period
from application.ports.builds import KeptBuild
from application.ports.event_store import StoreUnavailableError
from application.ports.listings import Star
from application.queries.definitions import Fact
from application.queries.explain import ExplainedFigure, ExplainedMessage, explain_event
from application.queries.policies import DEFAULT, Policy, find_policy
from application.queries.views.choice import Choice, options
from application.queries.views.elsewhere import SHOWN, days_elsewhere, facts_of_figure
from application.queries.views.explaining import explained
from application.queries.views.history import Version, history
from application.queries.views.inventory import Inventory, inventory
from application.queries.views.orders import Orders, orders
from application.queries.views.overview import Overview, overview
from application.queries.views.pipeline import Pipeline, Sample, pipeline
from application.queries.views.seen import LastSeen, Seen
from application.queries.views.shipments import Shipments, shipments
from application.queries.views.suppliers import Suppliers, suppliers
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.settings import Settings

View = TypeVar("View")
_AWAY = (AnalyticsUnavailableError, StoreUnavailableError)
_SHARED = ("analytics", "inbox", "event_store", "builds", "policies", "archive", "quality", "certificates", "revision")
_SAMPLES, _CERTIFICATES = 240, 20
_OPTIONS_MINUTES = 5
_PATIENCE, _FRAME_PATIENCE = 1.2, 0.4
"""Seconds that a reader waits for newer figures, and for newer choices of the filters, before the last are shown."""
_CONNECTION_SECONDS = 1.0
"""Seconds without a connection after which the database counts as away."""


class NothingYetError(PlatformError):
    """There is nothing to show; the message says why, and which command changes it."""


class Frame(NamedTuple):
    """What all pages share: the options of their filters, the builds that are kept, the policy in force."""

    options: dict[str, list[Member]]
    builds: tuple[KeptBuild, ...]
    policy: Policy


class Freshness(NamedTuple):
    """The position that figures are true up to, and how far the log is ahead of it.

    Where the chosen days have no data at all, and others have, `elsewhere` are the days from the first to the last.
    """

    position: int
    behind: int
    elsewhere: Period | None = None


class Viewing:
    """What pages show, each for a choice and a kept build (None: live); sessions share one of these."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._now = now
        self._seen = LastSeen()
        self._samples: deque[Sample] = deque(maxlen=_SAMPLES)
        self._lock = Lock()
        self._opened: tuple[Container, ExitStack] | None = None

    def frame(self) -> Seen[Frame]:
        """Return what all pages share; the options of the filters may be some minutes old."""
        now = self._now()

        def found() -> dict[str, list[Member]]:
            return options(self._star(None)) if self._container().event_store().head() else {}

        def make() -> Frame:
            container = self._container()
            known = self._see("options", lambda: f"{now:%Y%m%d%H}{now.minute // _OPTIONS_MINUTES}", found, None).view
            builds = tuple(build for build in container.builds().all() if build.ready)
            return Frame(known, builds, find_policy(container.policies().history(), DEFAULT.name))

        return self._see("frame", now.isoformat, make, _FRAME_PATIENCE)

    def overview(self, choice: Choice, build: str | None) -> tuple[Seen[Overview], Freshness]:
        """Return the overview."""
        return self._page("overview", choice, build, lambda star: overview(star, self._container().inbox(), choice))

    def orders(self, choice: Choice, build: str | None) -> tuple[Seen[Orders], Freshness]:
        """Return the orders."""
        return self._page("orders", choice, build, lambda star: orders(star, choice))

    def shipments(self, choice: Choice, build: str | None) -> tuple[Seen[Shipments], Freshness]:
        """Return the shipments."""
        return self._page("shipments", choice, build, lambda star: shipments(star, choice))

    def inventory(self, choice: Choice, build: str | None) -> tuple[Seen[Inventory], Freshness]:
        """Return the inventory."""
        return self._page("inventory", choice, build, lambda star: inventory(star, choice))

    def suppliers(self, choice: Choice, build: str | None) -> tuple[Seen[Suppliers], Freshness]:
        """Return the suppliers."""
        return self._page("suppliers", choice, build, lambda star: suppliers(star, choice))

    def explained(self, name: str, choice: Choice, build: str | None) -> tuple[Seen[ExplainedFigure], Freshness]:
        """Return a figure within the filters that its fact knows, and rows behind it."""
        facts = facts_of_figure(name)
        return self._page(f"explain {name}", choice, build, lambda star: explained(star, name, choice), facts)

    def pipeline(self) -> tuple[Seen[Pipeline], Freshness]:
        """Return the pipeline, always as it is now."""
        now = self._now()

        def make() -> tuple[Pipeline, Freshness]:
            container = self._container()
            inbox, freshness = container.inbox(), self._freshness(None)
            head = freshness.position + freshness.behind
            balance = inbox.balance()
            self._samples.append(Sample(now, balance.received, head, freshness.position))
            shown = pipeline(
                inbox,
                balance,
                tuple(self._samples),
                run=container.quality().last(),
                certificates=container.certificates().latest(_CERTIFICATES),
                builds=container.builds().all(),
            )
            return shown, freshness

        return _apart(self._see("pipeline", now.isoformat, make))

    def history(self, stream_id: str) -> tuple[Version, ...]:
        """Return the versions of a stream; raises as `application.queries.views.history.history` does."""
        return self._asked(lambda: history(self._container().event_store(), stream_id))

    def message(self, event: str) -> ExplainedMessage:
        """Return an event and the message as received; raises as `explain_event` does."""
        return self._asked(
            lambda: explain_event(self._container().event_store(), self._container().archive(), event),
        )

    def payload(self, number: int) -> bytes:
        """Return a quarantined message as received; raises as `Quarantine.payload` does."""
        return self._asked(lambda: self._container().quarantine().payload(number))

    def retry(self, numbers: list[int], actor: str) -> list[Retried]:
        """Retry quarantined messages; raises as `Quarantine.retry` does."""
        results = self._asked(lambda: self._container().quarantine().retry(numbers, actor=actor))
        self._seen.forget("pipeline")
        return results

    def discard(self, numbers: list[int], actor: str, reason: str) -> None:
        """Discard quarantined messages; raises as `Quarantine.discard` does."""
        self._asked(lambda: self._container().quarantine().discard(numbers, actor=actor, reason=reason))
        self._seen.forget("pipeline")

    def close(self) -> None:
        """Close what was opened."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened[1].close()

    def _page(
        self,
        page: str,
        choice: Choice,
        build: str | None,
        make: Callable[[Star], View],
        facts: Sequence[Fact] | None = None,
    ) -> tuple[Seen[View], Freshness]:
        """Make a page's view; what is late depends on the time too, so that none is older than ten minutes."""
        question = (page, build, choice.period, tuple(sorted(choice.members.items())), choice.policy.label)

        def revision() -> str:
            found = f"kept {build}" if build else self._container().revision()()
            return f"{found} {choice.now:%Y%m%d%H}{choice.now.minute // 10}"

        def both() -> tuple[View, Freshness]:
            self._require_something()
            # The position is read first: figures may be a moment newer than it says, never older.
            freshness, star = self._freshness(build), self._star(build)
            elsewhere = days_elsewhere(star, SHOWN[page] if facts is None else facts, choice)
            return make(star), freshness._replace(elsewhere=elsewhere)

        return _apart(self._see(question, revision, both))

    def _require_something(self) -> None:
        """Check that there are figures; messages, of which there may be many, are counted only to say why not."""
        container = self._container()
        if not container.event_store().head():
            balance = container.inbox().balance()
            if not balance.received:
                raise NothingYetError("No message was received yet: `dataflow generate` makes some up.")
            if not balance.applied:
                raise NothingYetError("No message could be applied: `dataflow quarantine list` says why.")
        if not container.analytics().position():
            raise NothingYetError("The read models are empty: run `dataflow project`.")

    def _star(self, build: str | None) -> Star:
        container = self._container()
        return container.builds().open(build)[1] if build else cast(Star, container.analytics())

    def _freshness(self, build: str | None) -> Freshness:
        position = self._star(build).position()
        return Freshness(position, 0 if build else max(0, self._container().event_store().head() - position))

    def _see(
        self,
        question: object,
        revision: Callable[[], str],
        make: Callable[[], View],
        patience: float | None = _PATIENCE,
    ) -> Seen[View]:
        ask, make_it = (lambda: self._asked(revision)), (lambda: self._asked(make))
        return self._seen.see(question, ask, make_it, self._now(), patience)

    def _asked(self, ask: Callable[[], View]) -> View:
        """Ask the platform; where it is away, the next question opens it anew."""
        try:
            return ask()
        except _AWAY:
            self.close()
            raise

    def _container(self) -> Container:
        with self._lock:
            if self._opened is None:
                with ExitStack() as stack:
                    container = stack.enter_context(platform(self._settings))
                    container.pool_patience.override(_CONNECTION_SECONDS)
                    # What is shared is made here, by one thread.
                    for name in _SHARED:
                        container.providers[name]()
                    self._opened = container, stack.pop_all()
            return self._opened[0]


def _apart(seen: Seen[tuple[View, Freshness]]) -> tuple[Seen[View], Freshness]:
    return Seen(seen.view[0], seen.at, seen.problem, seen.late), seen.view[1]
