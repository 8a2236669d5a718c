"""The `ProductCatalog` port on PostgreSQL: JSONB documents, the embedded default."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from application.errors import PlatformError
from application.ports.event_store import StoreUnavailableError
from application.ports.product_catalog import CatalogChanges, CatalogUnavailableError, Document

AT_ONCE = 1_000
"""Documents that are fetched at once."""
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_PUT = (
    "INSERT INTO catalog.documents (collection, key, body) VALUES (%s, %s, %s::jsonb) "
    "ON CONFLICT (collection, key) DO UPDATE SET body = excluded.body WHERE documents.body <> excluded.body"
)
_KEEP_ONLY = "DELETE FROM catalog.documents WHERE collection = %s AND NOT key = ANY(%s)"
_KEYS = "SELECT key FROM catalog.documents WHERE collection = %s ORDER BY key"
_DOCUMENTS = "SELECT key, body::text FROM catalog.documents WHERE collection = %s AND key > %s ORDER BY key"


class UnusableDocumentError(PlatformError):
    """A document can't be kept; the message names it."""


class PostgresCatalog:
    """Documents in the schema `catalog` of the platform's database. It has no stream of changes."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def put(self, collection: str, documents: Sequence[Mapping[str, Any]], *, only: bool = False) -> int:
        """Keep documents, each in place of what its `_id` named before; with `only` remove all others.

        Returns how many documents differ from before. All of them are kept, or none.

        Raises:
            UnusableDocumentError: a document has no `_id`, or holds what JSONB can't.
        """
        keyed = {_key(collection, each): _ENCODER.encode(each).decode() for each in documents}
        differ = 0
        with _connected(self._pool) as connection:
            for key, body in keyed.items():
                try:
                    differ += connection.execute(_PUT, [collection, key, body]).rowcount
                except psycopg.DataError as error:
                    said = str(error).splitlines()[0]
                    raise UnusableDocumentError(f"{collection} {key} can't be kept: {said}") from error
            if only:
                differ += connection.execute(_KEEP_ONLY, [collection, list(keyed)]).rowcount
        return differ

    def collections(self) -> list[str]:
        """Return the names of the collections that hold documents."""
        with _connected(self._pool) as connection:
            rows = connection.execute("SELECT DISTINCT collection FROM catalog.documents ORDER BY collection")
            return [name for (name,) in rows]

    def documents(self, collection: str, after: str | None = None) -> Iterator[Document]:
        """Yield documents in the order of their keys, through a cursor on the server."""
        for key, body in self._rows(_DOCUMENTS, [collection, after or ""]):
            yield Document(collection, key, _DECODER.decode(body))

    def keys(self, collection: str) -> Iterator[str]:
        """Yield the key of every document."""
        for (key,) in self._rows(_KEYS, [collection]):
            yield key

    @contextmanager
    def changes(self, token: str | None = None) -> Iterator[CatalogChanges | None]:
        """Give no stream of changes."""
        yield None

    def probe(self) -> None:
        """Ask whether the database answers."""
        self.collections()

    def _rows(self, query: str, values: Collection[Any]) -> Iterator[tuple[Any, ...]]:
        with _connected(self._pool) as connection, connection.cursor("catalog") as cursor:
            cursor.itersize = AT_ONCE
            yield from cursor.execute(query.encode(), list(values))


@contextmanager
def _connected(pool: ConnectionPool) -> Iterator[psycopg.Connection]:
    try:
        with translated(), pool.connection() as connection:
            yield connection
    except StoreUnavailableError as error:
        raise CatalogUnavailableError(str(error)) from error


def _key(collection: str, document: Mapping[str, Any]) -> str:
    if document.get("_id") is None:
        raise UnusableDocumentError(f"{collection}: a document has no _id: {_ENCODER.encode(document).decode()[:100]}")
    return _ENCODER.encode(document["_id"]).decode()
