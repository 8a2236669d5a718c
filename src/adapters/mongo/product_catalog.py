"""The `ProductCatalog` port on MongoDB's protocol."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient
from pymongo.change_stream import ChangeStream
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from adapters.mongo.documents import document_of, identifier_of, key_of
from application.ports.product_catalog import (
    CatalogChanges,
    CatalogChangesLostError,
    CatalogUnavailableError,
    Document,
)

ANSWER_MS = 5_000
SOCKET_MS = 60_000
"""For how long a server is looked for, and a connection waits for an answer."""
AT_ONCE = 1_000
"""Documents that the server sends at once."""
LOST = frozenset({260, 280, 286})
"""InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost."""
NONE_HERE = frozenset({9, 59, 115, 238, 40324, 40573})
"""What servers without change streams say: the stage or command is unknown, or only for replica sets."""
_WRITES = frozenset({"insert", "update", "replace", "delete"})
_HARMLESS = frozenset(
    {"create", "createIndexes", "dropIndexes", "modify", "shardCollection", "refineCollectionShardKey"}
)
# Times are aware; one that Python can't hold stays a number with a type of its own, and strays into no other field.
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
)


class MongoCatalog:
    """The database that the URL names; it is never written to."""

    def __init__(self, url: str) -> None:
        """Connect when it is first asked; raise CatalogUnavailableError for a URL that can't be used."""
        try:
            parts = parse_uri(url)
            name = parts["database"]
            if not name:
                raise ValueError("it names no database, as mongodb://host:27017/catalog does")
            limits = {
                "serverSelectionTimeoutMS": ANSWER_MS,
                "connectTimeoutMS": ANSWER_MS,
                "socketTimeoutMS": SOCKET_MS,
            }
            unset: dict[str, Any] = {
                option: limit for option, limit in limits.items() if option not in parts["options"]
            }
            self._client: MongoClient[dict[str, Any]] = MongoClient(url, appname="dataflow", **unset)
        except (PyMongoError, ValueError) as error:
            raise CatalogUnavailableError(f"the catalog's URL can't be used: {error}") from error
        self._database = self._client.get_database(name, codec_options=_CODEC)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def collections(self) -> list[str]:
        """Return the names of all collections but the server's own."""
        with _translated():
            return sorted(name for name in self._database.list_collection_names() if not name.startswith("system."))

    def documents(self, collection: str, after: str | None = None) -> Iterator[Document]:
        """Yield documents in the order of their `_id`.

        Of those up to `after` only the ones of its type are left out: a plain "greater" would leave out all types
        that stand behind it.
        """
        wanted = {} if after is None else {"_id": {"$not": {"$lte": identifier_of(after)}}}
        with _translated(), self._database[collection].find(wanted, batch_size=AT_ONCE).sort("_id", 1) as cursor:
            for bson in cursor:
                yield document_of(collection, bson)

    def keys(self, collection: str) -> Iterator[str]:
        """Yield the key of every document."""
        with _translated(), self._database[collection].find({}, {"_id": 1}, batch_size=AT_ONCE) as cursor:
            for bson in cursor:
                yield key_of(bson["_id"])

    @contextmanager
    def changes(self, token: str | None = None) -> Iterator[CatalogChanges | None]:
        """Open a change stream where the server has them: a replica set, or several behind a router."""
        with _translated():
            stream = self._opened(token)
        if stream is None:
            yield None
            return
        try:
            yield MongoChanges(stream)
        finally:
            stream.close()

    def probe(self) -> None:
        """Ask whether the server answers, and lets the collections be listed."""
        self.collections()

    def _opened(self, token: str | None) -> ChangeStream[dict[str, Any]] | None:
        hello = self._client.admin.command("hello")
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            return None
        try:
            resume_after = None if token is None else json_util.loads(token)
            return self._database.watch(full_document="updateLookup", resume_after=resume_after, batch_size=AT_ONCE)
        except (OperationFailure, TypeError, ValueError) as error:
            code = getattr(error, "code", None)
            if code in NONE_HERE:
                return None
            if token is not None:
                # Whatever it is: all documents can be read instead, unless that fails for the same reason.
                raise CatalogChangesLostError(f"there is no going on from the token: {error}") from error
            raise


class MongoChanges:
    """The `CatalogChanges` port on a change stream of a database."""

    def __init__(self, stream: ChangeStream[dict[str, Any]]) -> None:
        self._stream = stream

    @property
    def token(self) -> str | None:
        """The resume token after all that was read."""
        token = self._stream.resume_token
        return None if token is None else json_util.dumps(token)

    def read(self, limit: int, timeout: float) -> list[Document]:
        """Return what changed; the server holds each question for up to a second."""
        documents: list[Document] = []
        deadline = time.monotonic() + timeout
        while len(documents) < limit:
            with _translated():
                change = self._stream.try_next()
            if change is not None:
                documents += _changed(change)
            elif documents or time.monotonic() >= deadline:
                break
        return documents


def _changed(change: dict[str, Any]) -> list[Document]:
    operation = change["operationType"]
    if operation in _HARMLESS:
        return []
    if operation not in _WRITES:
        raise CatalogChangesLostError(f"the catalog's stream of changes tells of {operation}")
    collection = change["ns"]["coll"]
    bson = change.get("fullDocument")
    if bson is None:
        # Deleted, or updated and deleted before it could be looked up.
        return [Document(collection, key_of(change["documentKey"]["_id"]), None)]
    return [document_of(collection, bson)]


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's errors into the port's, in one line."""
    try:
        yield
    except OperationFailure as error:
        said = (error.details or {}).get("errmsg", str(error))
        if error.code in LOST:
            raise CatalogChangesLostError(f"changes of the catalog are lost: {said}") from error
        raise CatalogUnavailableError(f"the catalog refuses: {said}") from error
    except PyMongoError as error:
        said = str(error).split(" (configured timeouts")[0].split(", Timeout:")[0]
        raise CatalogUnavailableError(f"the catalog does not answer: {said}") from error
