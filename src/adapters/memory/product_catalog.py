"""The catalog in one process, with a stream of changes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from application.ports.product_catalog import CatalogChanges, Document


class MemoryCatalog:
    """The `ProductCatalog` port in memory."""

    def __init__(self) -> None:
        self._documents: dict[str, dict[str, Document]] = defaultdict(dict)
        self._changes: list[Document] = []

    def put(self, collection: str, fields: Mapping[str, Any]) -> None:
        """Keep a document in place of what its `_id` named before."""
        document = Document(collection, json.dumps(fields["_id"]), dict(fields))
        self._documents[collection][document.key] = document
        self._changes.append(document)

    def remove(self, collection: str, identifier: Any) -> None:
        """Remove a document."""
        key = json.dumps(identifier)
        del self._documents[collection][key]
        self._changes.append(Document(collection, key, None))

    def collections(self) -> list[str]:
        """Return the names of all collections."""
        return sorted(name for name, documents in self._documents.items() if documents)

    def documents(self, collection: str, after: str | None = None) -> Iterator[Document]:
        """Yield the documents of a collection in the order of their keys."""
        for key in sorted(self._documents[collection]):
            if after is None or key > after:
                yield self._documents[collection][key]

    def keys(self, collection: str) -> Iterator[str]:
        """Yield the key of every document."""
        yield from list(self._documents[collection])

    @contextmanager
    def changes(self, token: str | None = None) -> Iterator[CatalogChanges | None]:
        """Open the stream of changes; a token is how many were read."""
        yield _Changes(self._changes, len(self._changes) if token is None else int(token))

    def probe(self) -> None:
        """Answer always."""


class _Changes:
    """The `CatalogChanges` port in memory."""

    def __init__(self, changes: list[Document], read: int) -> None:
        self._changes = changes
        self._read = read

    @property
    def token(self) -> str:
        """How many changes were read."""
        return str(self._read)

    def read(self, limit: int, timeout: float) -> list[Document]:
        """Return what changed; nobody changes anything while one waits."""
        documents = self._changes[self._read : self._read + limit]
        self._read += len(documents)
        return documents
