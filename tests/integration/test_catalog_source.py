"""A catalog of documents as a source: from MongoDB and from JSONB to the versions of dimensions, each change once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pytest
from dependency_injector import providers
from psycopg_pool import ConnectionPool

from adapters.memory.product_catalog import MemoryCatalog
from adapters.mongo.product_catalog import MongoCatalog
from adapters.postgres.catalog import PostgresCatalog
from adapters.postgres.database import open_pool
from adapters.postgres.source_ledger import PostgresSourceLedger
from adapters.postgres.source_staging import PostgresStaging
from application.ingest.messages import REJECTED_TYPE, CloudEvent, decode_envelope, encode_command
from application.ports.message_stream import OutgoingMessage
from application.ports.product_catalog import CatalogChangesLostError, ProductCatalog
from application.ports.source_ledger import SourceShrankError
from application.sources import catalog as catalog_source
from application.sources import settling
from application.sources.catalog import CatalogIngest, Done
from domain.order.commands import OrderedLine, PlaceOrder
from entrypoints import pipeline
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.integration.killing import Killed, killing
from tests.integration.told import select, silent
from tests.mongo_server import fresh_mongo

Put = Callable[[str, Mapping[str, Any]], object]
Remove = Callable[[str, str], object]
_NUMBERS = count(1)
TEA = {"_id": "A", "name": "Assam", "category": "Tea", "supplier_id": "S", "unit_price": 4.5, "currency": "EUR"}
CHAI = TEA | {"_id": "C", "name": "Chai", "unit_price": 3}
SUPPLIER = {"_id": "S", "name": "Tokyo Traders", "country": "JP"}


def on(month: int, day: int = 1) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


class Owned(NamedTuple):
    """A catalog and its owner's ways to write into it."""

    catalog: ProductCatalog
    put: Put
    remove: Remove


@pytest.fixture
def pool(prepared: str) -> Iterator[ConnectionPool]:
    with open_pool(prepared, size=4) as pool:
        yield pool


@pytest.fixture(params=["postgres", "mongo"])
def owned(request: pytest.FixtureRequest, pool: ConnectionPool) -> Iterator[Owned]:
    if request.param == "postgres":
        kept = PostgresCatalog(pool)

        def remove(collection: str, identifier: str) -> None:
            left = [each.fields or {} for each in kept.documents(collection)]
            kept.put(collection, [each for each in left if each["_id"] != identifier], only=True)

        yield Owned(kept, lambda collection, fields: kept.put(collection, [fields]), remove)
        return
    with fresh_mongo() as mongo, closing(MongoCatalog(mongo.url)) as catalog:
        of = mongo.owner
        yield Owned(
            catalog,
            lambda collection, fields: of[collection].replace_one({"_id": fields["_id"]}, fields, upsert=True),
            lambda collection, identifier: of[collection].delete_one({"_id": identifier}),
        )


class Platform(NamedTuple):
    """The whole platform on a database, fed from a catalog and by orders."""

    container: Container
    conninfo: str
    ingest: CatalogIngest

    def take_in(self, moment: datetime, **options: Any) -> Done:
        """Take in what changed in the catalog, and carry the tables to the end."""
        done = self.ingest.run(moment, **options)
        pipeline.take_in(self.container, silent)
        pipeline.project(self.container, silent)
        return done

    def order(self, product_id: str, placed: datetime) -> None:
        """Take in an order for a unit of a product."""
        line = OrderedLine(line_no=1, product_id=product_id, quantity=1, unit_price=Decimal(9))
        number = f"{product_id}-{placed:%m-%d}"
        command = PlaceOrder(order_id=number, occurred_at=placed, customer_id="c", currency="EUR", lines=(line,))
        message = encode_command(command, message_id=str(next(_NUMBERS)), source="test")
        self.container.topic_log().publish([message])
        pipeline.take_in(self.container, silent)
        pipeline.project(self.container, silent)

    def quarantine(self) -> list[tuple[str, str]]:
        """Code and detail of what was set aside."""
        query = "SELECT code, detail FROM bronze.quarantine ORDER BY detail"
        return [(code, detail) for code, detail in select(self.conninfo, query)]


@pytest.fixture
def platform(prepared: str, owned: Owned) -> Iterator[Platform]:
    container = Container(settings=providers.Object(Settings(database_url=prepared)))
    ledger = container.source_ledger()
    yield Platform(container, prepared, CatalogIngest(owned.catalog, ledger, ledger, container.topic_log()))
    container.shutdown_resources()


def test_changes_become_versions_and_facts_point_at_those_valid_at_their_time(platform: Platform, owned: Owned) -> None:
    owned.put("suppliers", SUPPLIER)
    owned.put("products", TEA | {"updated_at": "2026-01-01T00:00:00Z"})
    owned.put("products", CHAI)
    owned.put("products", CHAI | {"_id": "D", "name": "Darjeeling"})
    assert platform.take_in(on(1, 5)) == Done(4, 4, 4, streamed=False)
    for product in ("A", "C", "D"):
        platform.order(product, on(2))

    owned.put("products", TEA | {"unit_price": 5.25, "updated_at": "2026-03-01T00:00:00Z"})
    owned.put("suppliers", SUPPLIER | {"name": "Tokyo Trading"})
    assert platform.take_in(on(3, 5)) == Done(4, 2, 2, streamed=False)
    for day in (2, 6):
        platform.order("A", on(3, day))

    owned.put("products", CHAI | {"retired": True, "updated_at": "2026-04-01T00:00:00Z"})
    owned.remove("products", "D")
    assert platform.take_in(on(4, 5)) == Done(3, 2, 2, streamed=False)
    for product in ("C", "D"):
        platform.order(product, on(4, 10))

    assert platform.take_in(on(5)) == Done(3, 0, 0, streamed=False), "a second run sends only what changed"
    assert platform.quarantine() == []

    begin = datetime(1900, 1, 1, tzinfo=UTC)
    versions = (
        "SELECT {0}_id, name, {1}, retired, valid_from, valid_to FROM gold.dim_{0} WHERE {0}_key <> 0 ORDER BY 1, 5"
    )
    assert select(platform.conninfo, versions.format("product", "unit_price")) == [
        ("A", "Assam", Decimal("4.5"), False, begin, on(3)),
        ("A", "Assam", Decimal("5.25"), False, on(3), None),
        ("C", "Chai", 3, False, begin, on(4)),
        ("C", "Chai", 3, True, on(4), None),
        ("D", "Darjeeling", 3, False, begin, on(4, 5)),
        ("D", "Darjeeling", 3, True, on(4, 5), None),
    ]
    assert select(platform.conninfo, versions.format("supplier", "country")) == [
        ("S", "Tokyo Traders", "JP", False, begin, on(3, 5)),
        ("S", "Tokyo Trading", "JP", False, on(3, 5), None),
    ]
    facts = (
        "SELECT order_id, p.unit_price, p.retired, s.name FROM gold.fact_order_line f "
        "JOIN gold.dim_product p USING (product_key) JOIN gold.dim_supplier s USING (supplier_key) ORDER BY 1"
    )
    assert select(platform.conninfo, facts) == [
        ("A-02-01", Decimal("4.5"), False, "Tokyo Traders"),
        ("A-03-02", Decimal("5.25"), False, "Tokyo Traders"),
        ("A-03-06", Decimal("5.25"), False, "Tokyo Trading"),
        ("C-02-01", 3, False, "Tokyo Traders"),
        ("C-04-10", 3, True, "Tokyo Trading"),
        ("D-02-01", 3, False, "Tokyo Traders"),
        ("D-04-10", 3, True, "Tokyo Trading"),
    ]


def test_what_is_not_believed_ends_in_quarantine_and_goes_on_once_it_is_mended(
    platform: Platform, owned: Owned
) -> None:
    owned.put("products", TEA)
    owned.put("products", CHAI | {"unit_price": "3.00"})
    owned.put("products", CHAI | {"_id": "N", "name": {"en": "Nilgiri"}})
    owned.put("clicks", {"_id": 7, "page": "home"})
    for moment in (on(1), on(1, 2)):
        platform.take_in(moment)
        (_, unknown), (code, text), (_, nested) = platform.quarantine()
        assert unknown.startswith("clicks 7: clicks is no collection of a catalog; it has suppliers, carriers, ")
        assert (code, text) == ("DocumentRejected", 'products C: unit_price is the text "3.00"; it takes a number')
        assert nested == 'products N: name is an object: {"en":"Nilgiri"}; it takes text'
    broken = {name: value for name, value in TEA.items() if name != "unit_price"} | {"price": 5}
    owned.put("products", broken)
    owned.put("products", CHAI)
    platform.take_in(on(2))
    assert platform.quarantine()[1] == (
        "DocumentRejected",
        "products A: unit_price missing; null says that something is not known",
    )
    owned.put("products", TEA | {"unit_price": 5})
    owned.remove("clicks", 7)  # type: ignore[arg-type]
    platform.take_in(on(3), accept_deletes=True)
    assert len(platform.quarantine()) == 4
    prices = "SELECT product_id, unit_price, valid_from FROM silver.product_versions ORDER BY 1, version"
    assert select(platform.conninfo, prices)[1:] == [("A", 5, on(3)), ("C", 3, datetime(1900, 1, 1, tzinfo=UTC))]
    sources = "SELECT source FROM bronze.quarantine ORDER BY 1"
    assert select(platform.conninfo, sources) == [("clicks 7",), ("products A",), ("products C",), ("products N",)]


def test_an_entry_that_comes_back_is_refused_by_the_domain(platform: Platform, owned: Owned) -> None:
    owned.put("products", TEA)
    owned.put("products", CHAI)
    platform.take_in(on(1))
    owned.remove("products", "A")
    platform.take_in(on(2))
    owned.put("products", TEA)
    platform.take_in(on(3))
    assert [code for code, _ in platform.quarantine()] == ["CatalogEntryAlreadyRegistered"]


class Feed:
    """A catalog's way into the ledger, and what was published."""

    def __init__(self, catalog: ProductCatalog, pool: ConnectionPool) -> None:
        self._ledger = PostgresSourceLedger(pool)
        self._catalog = catalog
        self.published: list[CloudEvent] = []

    def run(self, **options: Any) -> tuple[Done, list[str]]:
        """Take in what changed; return what was read, and what was published as short text."""
        before = len(self.published)
        done = CatalogIngest(self._catalog, self._ledger, self._ledger, self).run(on(6), **options)
        return done, [_short(event) for event in self.published[before:]]

    def publish(self, messages: list[OutgoingMessage]) -> None:
        self.published.extend(decode_envelope(message.payload) for message in messages)

    def distinct(self) -> list[str]:
        """What was published, each message once, by its id."""
        return list({event.id: _short(event) for event in self.published}.values())


def _short(event: CloudEvent) -> str:
    data = msgspec.json.decode(event.data)
    if event.type == REJECTED_TYPE:
        return f"{data['code']}: {data['detail']}"
    shown = "".join(f" {data[name]}" for name in ("name", "unit_price") if data.get(name) is not None)
    return f"{event.type.split('.')[1]} {event.subject}{shown}"


class Scanned(MemoryCatalog):
    """A catalog without a stream of changes, as most are."""

    def changes(self, token: str | None = None) -> Any:
        return PostgresCatalog(None).changes(token)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [MemoryCatalog, Scanned])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "step",
    [
        (PostgresSourceLedger, "stage", 2),
        (PostgresStaging, "finish", 1),
        (PostgresStaging, "finish", 3),
        (PostgresSourceLedger, "settle", 1),
        (PostgresSourceLedger, "settle", 3),
        (Feed, "publish", 1),
        (Feed, "publish", 2),
        (PostgresSourceLedger, "forget", 2),
    ],
    ids=lambda step: f"{step[1]} {step[2]}",
)
def test_killed_at_any_point_nothing_is_lost_or_doubled(
    pool: ConnectionPool,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[MemoryCatalog],
    step: tuple[Any, str, int],
    moment: str,
) -> None:
    monkeypatch.setattr(catalog_source, "PAGE", 1)
    monkeypatch.setattr(settling, "GROUPS", 1)
    catalog = kind()
    feed = Feed(catalog, pool)
    catalog.put("suppliers", SUPPLIER)
    catalog.put("products", TEA)
    with killing(monkeypatch, step, moment), pytest.raises(Killed):
        feed.run()
    # Meanwhile the catalog goes on: what was kept first must not be told twice, nor in other words.
    catalog.put("products", CHAI)
    catalog.put("products", TEA | {"unit_price": 5})
    catalog.remove("suppliers", "S")
    catalog.put("suppliers", SUPPLIER | {"_id": "Z"})
    feed.run()
    feed.run()
    published = feed.distinct()
    assert [text for text in published if "product-A" in text] in (
        ["RegisterProduct product-A Assam 4.5", "ReviseProduct product-A Assam 5"],
        ["RegisterProduct product-A Assam 5"],
    )
    assert [text for text in published if "supplier-S" in text] in (
        ["RegisterSupplier supplier-S Tokyo Traders", "RetireSupplier supplier-S"],
        [],
    )
    assert sorted(text for text in published if "product-A" not in text and "supplier-S" not in text) == [
        "RegisterProduct product-C Chai 3",
        "RegisterSupplier supplier-Z Tokyo Traders",
    ]
    assert feed.run()[1] == []


def test_a_scan_that_was_killed_goes_on_behind_what_it_kept(
    pool: ConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_source, "PAGE", 2)
    catalog = Scanned()
    feed = Feed(catalog, pool)
    for number in range(1, 7):
        catalog.put("carriers", {"_id": str(number), "name": "x"})
    with killing(monkeypatch, (PostgresStaging, "finish", 4), "before"), pytest.raises(Killed):
        feed.run()
    assert sorted(feed.distinct()) == [f"RegisterCarrier carrier-{number} x" for number in (1, 2, 3, 4)]
    catalog.remove("carriers", "1")
    done, published = feed.run()
    assert done.documents_read == 2
    assert sorted(published) == [
        "RegisterCarrier carrier-5 x",
        "RegisterCarrier carrier-6 x",
        "RetireCarrier carrier-1",
    ], "and what is gone meanwhile is seen"


def test_a_stream_tells_only_what_changed(pool: ConnectionPool) -> None:
    catalog = MemoryCatalog()
    feed = Feed(catalog, pool)
    catalog.put("suppliers", SUPPLIER)
    catalog.put("products", TEA)
    assert feed.run()[0] == Done(2, 2, 2, streamed=True)
    catalog.put("products", TEA | {"unit_price": 5})
    catalog.put("products", TEA | {"unit_price": 6})
    catalog.put("clicks", {"_id": "7"})
    catalog.remove("suppliers", "S")
    done, published = feed.run()
    assert done == Done(3, 3, 3, streamed=True)
    assert published[:2] == ["RetireSupplier supplier-S", "ReviseProduct product-A Assam 6"]
    assert published[2].startswith("DocumentRejected: clicks 7: ")
    assert feed.run() == (Done(0, 0, 0, streamed=True), [])


def test_a_lost_stream_has_all_read_again(pool: ConnectionPool, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = MemoryCatalog()
    feed = Feed(catalog, pool)
    catalog.put("suppliers", SUPPLIER)
    catalog.put("products", TEA)
    feed.run()
    catalog.put("products", CHAI)
    catalog.remove("products", "A")
    opened = catalog.changes

    def lost(token: str | None = None) -> Any:
        if token is not None:
            raise CatalogChangesLostError("the history is gone")
        return opened(token)

    with monkeypatch.context() as patched:
        patched.setattr(catalog, "changes", lost)
        done, published = feed.run()
    assert done == Done(2, 2, 2, streamed=True)
    assert sorted(published) == ["RegisterProduct product-C Chai 3", "RetireProduct product-A"]
    catalog.put("products", CHAI | {"unit_price": 4})
    assert feed.run() == (Done(1, 1, 1, streamed=True), ["ReviseProduct product-C Chai 4"])


def test_the_wrong_catalog_retires_nothing(pool: ConnectionPool) -> None:
    catalog = Scanned()
    feed = Feed(catalog, pool)
    catalog.put("carriers", {"_id": "f", "name": "Fast"})
    feed.run()
    with pytest.raises(SourceShrankError, match="carriers: all documents are gone; is it the right catalog"):
        Feed(Scanned(), pool).run()
    assert feed.run()[1] == []
    catalog.remove("carriers", "f")
    assert feed.run(accept_deletes=True)[1] == ["RetireCarrier carrier-f"]
    assert feed.run()[1] == []


def test_another_catalog_with_the_same_documents_changes_nothing(pool: ConnectionPool) -> None:
    catalog, own = Scanned(), PostgresCatalog(pool)
    catalog.put("products", TEA)
    Feed(catalog, pool).run()
    own.put("products", [TEA | {"unit_price": Decimal("4.50")}])
    assert Feed(own, pool).run()[1] == []
