"""A generated log: the star as of some positions is what plain Python makes of the log's prefix."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from adapters.memory.message_stream import MemoryMessageStream
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from application.aggregates import TOPICS
from application.ingest.service import Ingest
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from tests.prefixes import require_prefixes_to_agree
from tests.soak import SOAK

ORDERS = 8_200 if SOAK else 150
"""About 24 events an order: 200,000 in the long form."""
POSITIONS = 10 if SOAK else 3


def generate(conninfo: str) -> None:
    """Fill the log with what a simulated supply chain does."""
    settings = SimulationSettings(start=datetime(2026, 1, 5, tzinfo=UTC), seed=11, orders=ORDERS, days=60)
    stream = MemoryMessageStream(TOPICS)
    stream.publish(list(messages(settings)))
    with open_pool(conninfo, size=2) as pool, closing(PostgresEventStore(conninfo)) as store:
        Ingest(store, PostgresInbox(pool), stream, lambda: datetime.now(UTC)).catch_up()


def test_the_star_as_of_a_position_is_what_the_prefix_of_the_log_says(conninfo: str) -> None:
    generate(conninfo)
    require_prefixes_to_agree(conninfo, POSITIONS)
