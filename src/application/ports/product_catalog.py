"""Where products, suppliers, customers, carriers and locations are kept as documents, often by somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from application.errors import PlatformError


class Document(NamedTuple):
    """A document of a collection, or None in place of its fields where it is gone.

    `key` is its `_id` as JSON, unique in its collection. Fields hold what JSON can (numbers as int, float or
    Decimal) and times with their offset; what the store has besides stands there as an object with a name like
    `$binary`, so that nothing is lost or taken for something else.
    """

    collection: str
    key: str
    fields: Mapping[str, Any] | None


class CatalogChanges(Protocol):
    """A stream of what changes in a catalog."""

    @property
    def token(self) -> str | None:
        """Where to go on after all that was read; None where the stream can't tell before its first change."""

    def read(self, limit: int, timeout: float) -> list[Document]:
        """Return up to `limit` documents as they are after their changes, in the order of these.

        Waits up to `timeout` seconds for a first one; empty when nothing changed.

        Raises:
            CatalogChangesLostError: something happened that the stream can't tell document by document.
            CatalogUnavailableError: the catalog does not answer, or refuses.
        """


class ProductCatalog(Protocol):
    """Documents by collection, never written to through this port. All raise CatalogUnavailableError."""

    def collections(self) -> list[str]:
        """Return the names of all collections, in their order."""

    def documents(self, collection: str, after: str | None = None) -> Iterator[Document]:
        """Yield the documents of a collection in one order that stays; memory stays constant.

        With `after`, a key, those up to it may be left out, and none behind it is.
        """

    def keys(self, collection: str) -> Iterator[str]:
        """Yield the key of every document; memory stays constant."""

    def changes(self, token: str | None = None) -> AbstractContextManager[CatalogChanges | None]:
        """Open the stream of changes after a token, or from now on; None where the catalog has none.

        Raises:
            CatalogChangesLostError: there is no going on from this token; all documents have to be read.
        """

    def probe(self) -> None:
        """Raise CatalogUnavailableError unless the catalog answers."""


class CatalogUnavailableError(PlatformError):
    """The catalog does not answer, or refuses; the message is one line, without the password."""


class CatalogChangesLostError(PlatformError):
    """Changes of the catalog went by unseen, so that all documents have to be read."""
