"""Change streams through MongoDB's own driver: resumed by token, across connections, and what is done without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from adapters.mongo.product_catalog import MongoCatalog
from adapters.postgres.database import open_pool
from adapters.postgres.source_ledger import PostgresSourceLedger
from application.ingest.messages import decode_envelope
from application.ports.message_stream import OutgoingMessage
from application.ports.product_catalog import CatalogChangesLostError, CatalogUnavailableError, Document
from application.sources.catalog import CatalogIngest, Done
from tests.change_stream_server import ReplicaSet, replica_set

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TEA = {"_id": "A", "name": "Assam", "category": "Tea", "supplier_id": None, "unit_price": 4.5, "currency": "EUR"}
CHAI = TEA | {"_id": "C", "name": "Chai"}
LOST = {"ok": 0.0, "code": 286, "codeName": "ChangeStreamHistoryLost", "errmsg": "the oplog has rolled over"}


@pytest.fixture
def server() -> Iterator[ReplicaSet]:
    with replica_set() as server:
        yield server


def _read(server: ReplicaSet, token: str | None) -> tuple[list[Document], str | None]:
    """What changed after a token, on a connection of its own, and the token to go on from."""
    with closing(MongoCatalog(server.url)) as catalog, catalog.changes(token) as changes:
        assert changes is not None
        return changes.read(100, 0), changes.token


def test_a_token_goes_on_where_it_was_on_any_connection(server: ReplicaSet) -> None:
    server.put("products", CHAI)
    read, token = _read(server, None)
    assert read == []
    server.put("products", TEA)
    server.put("products", TEA | {"unit_price": 5})
    server.remove("products", "C")
    server.tell("create", "suppliers")
    read, after = _read(server, token)
    assert [(each.key, (each.fields or {}).get("unit_price")) for each in read] == [
        ('"A"', 4.5),
        ('"A"', 5),
        ('"C"', None),
    ]
    assert _read(server, token)[0] == read, "until it is kept, it can be read again"
    assert _read(server, after)[0] == []
    server.put("suppliers", {"_id": 7})
    assert _read(server, after)[0] == [Document("suppliers", "7", {"_id": 7})]


def test_a_limit_leaves_the_rest_to_the_next_reading(server: ReplicaSet) -> None:
    with closing(MongoCatalog(server.url)) as catalog:
        with catalog.changes() as changes:
            assert changes is not None
            for number in range(3):
                server.put("products", {"_id": number})
            assert [each.key for each in changes.read(2, 0)] == ["0", "1"]
            token = changes.token
        assert [each.key for each in _read(server, token)[0]] == ["2"]


def test_a_document_that_was_updated_and_then_deleted_is_gone(server: ReplicaSet) -> None:
    _, token = _read(server, None)
    server.tell("update", "products", documentKey={"_id": "A"}, fullDocument=None)
    assert _read(server, token)[0] == [Document("products", '"A"', None)]


@pytest.mark.parametrize("operation", ["drop", "rename", "dropDatabase", "invalidate"])
def test_what_documents_cant_tell_is_lost(server: ReplicaSet, operation: str) -> None:
    _, token = _read(server, None)
    server.tell(operation, "products")
    with pytest.raises(CatalogChangesLostError, match=operation):
        _read(server, token)


def test_a_history_that_is_gone_is_lost_at_the_start_and_on_the_way(server: ReplicaSet) -> None:
    _, token = _read(server, None)
    with closing(MongoCatalog(server.url)) as catalog, catalog.changes(token) as changes:
        assert changes is not None
        server.refusal = LOST
        with pytest.raises(CatalogChangesLostError, match="the oplog has rolled over"):
            changes.read(1, 0)
    with pytest.raises(CatalogChangesLostError):
        _read(server, token)


@pytest.mark.parametrize("token", ["nonsense", "[1]", '{"$binary": 1}'])
def test_a_token_of_something_else_is_lost(server: ReplicaSet, token: str) -> None:
    with pytest.raises(CatalogChangesLostError):
        _read(server, token)


@pytest.mark.parametrize("code", [None, 40573, 40324])
def test_a_server_without_change_streams_is_told_by_what_it_says(server: ReplicaSet, code: int | None) -> None:
    if code is None:
        server.set_name = None
    else:
        server.refusal = {"ok": 0.0, "code": code, "errmsg": "not here"}
    with closing(MongoCatalog(server.url)) as catalog, catalog.changes() as changes:
        assert changes is None


def test_a_refusal_is_said_in_its_words(server: ReplicaSet) -> None:
    server.refusal = {"ok": 0.0, "code": 13, "codeName": "Unauthorized", "errmsg": "not authorized on catalog"}
    with (
        closing(MongoCatalog(server.url)) as catalog,
        pytest.raises(CatalogUnavailableError, match="the catalog refuses: not authorized on catalog"),
        catalog.changes(),
    ):
        pass


class Feed:
    """The catalog's way into the ledger, a connection a run, and what was published."""

    def __init__(self, server: ReplicaSet, pool: ConnectionPool) -> None:
        self._server = server
        self._ledger = PostgresSourceLedger(pool)
        self.published: list[str] = []

    def run(self) -> tuple[Done, list[str]]:
        before = len(self.published)
        with closing(MongoCatalog(self._server.url)) as catalog:
            done = CatalogIngest(catalog, self._ledger, self._ledger, self).run(NOW)
        return done, self.published[before:]

    def publish(self, messages: list[OutgoingMessage]) -> None:
        events: list[Any] = [decode_envelope(message.payload) for message in messages]
        self.published += [f"{event.type.split('.')[1]} {event.subject}" for event in events]


def test_each_run_goes_on_with_what_changed_since_and_a_lost_stream_with_all(server: ReplicaSet, conninfo: str) -> None:
    with open_pool(conninfo, size=2) as pool:
        feed = Feed(server, pool)
        server.put("products", TEA)
        assert feed.run() == (Done(1, 1, 1, streamed=True), ["RegisterProduct product-A"])
        assert feed.run() == (Done(0, 0, 0, streamed=True), [])
        server.put("products", CHAI)
        assert feed.run() == (Done(1, 1, 1, streamed=True), ["RegisterProduct product-C"])
        server.put("products", TEA | {"unit_price": 5})
        server.remove("products", "C")
        server.forgotten = 4
        done, published = feed.run()
        assert done == Done(1, 2, 2, streamed=True)
        assert sorted(published) == ["RetireProduct product-C", "ReviseProduct product-A"]
        server.put("products", CHAI | {"_id": "D"})
        assert feed.run() == (Done(1, 1, 1, streamed=True), ["RegisterProduct product-D"])
