"""As much of a MongoDB replica set as a change stream needs, over its wire protocol; no free server has them.

Messages: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/; events and tokens as the server's.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import bson

_HEADER = struct.Struct("<4i")
_REPLY, _QUERY, _MSG = 1, 2004, 2013
Said = dict[str, Any]


class ReplicaSet:
    """Collections of one database, and what happened to them."""

    def __init__(self) -> None:
        self.url = ""
        self.address = ""
        self.set_name: str | None = "rs"
        self.refusal: Said | None = None
        """What it answers to whoever opens a change stream or goes on with one."""
        self.forgotten = 0
        """Changes before this one are not in its history any more."""
        self._documents: dict[str, dict[Any, Said]] = defaultdict(dict)
        self._changes: list[Said] = []
        self._cursors: dict[int, int] = {}

    def put(self, collection: str, fields: Said) -> None:
        """Insert or replace a document."""
        operation = "replace" if fields["_id"] in self._documents[collection] else "insert"
        self._documents[collection][fields["_id"]] = fields
        self.tell(operation, collection, documentKey={"_id": fields["_id"]}, fullDocument=fields)

    def remove(self, collection: str, identifier: Any) -> None:
        """Delete a document."""
        del self._documents[collection][identifier]
        self.tell("delete", collection, documentKey={"_id": identifier})

    def tell(self, operation: str, collection: str, **more: Any) -> None:
        """Add an event to the history."""
        number = len(self._changes) + 1
        event = {"_id": _token(number), "operationType": operation, "ns": {"db": "catalog", "coll": collection}}
        self._changes.append(event | more)

    def answer(self, command: Said) -> Said:
        """Answer a command."""
        name = next(iter(command))
        answers = {
            "listCollections": self._listed,
            "find": self._found,
            "aggregate": self._watched,
            "getMore": self._more,
        }
        if name.lower() in {"hello", "ismaster"}:
            return self._hello()
        return {"ok": 1.0} | answers.get(name, lambda _: {})(command)

    def _hello(self) -> Said:
        known = {"isWritablePrimary": True, "helloOk": True, "maxWireVersion": 21, "minWireVersion": 0, "ok": 1.0}
        known |= {"maxBsonObjectSize": 1 << 24, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000}
        if self.set_name is None:
            return known
        hosts = {"setName": self.set_name, "hosts": [self.address], "me": self.address, "primary": self.address}
        return known | hosts | {"logicalSessionTimeoutMinutes": 30}

    def _listed(self, _: Said) -> Said:
        names = [{"name": name, "type": "collection"} for name, documents in self._documents.items() if documents]
        return _batch("$cmd.listCollections", "firstBatch", names)

    def _found(self, command: Said) -> Said:
        return _batch(command["find"], "firstBatch", list(self._documents[command["find"]].values()))

    def _watched(self, command: Said) -> Said:
        options = command["pipeline"][0]["$changeStream"]
        assert options["fullDocument"] == "updateLookup"
        after = options.get("resumeAfter")
        if self.refusal is not None:
            return self.refusal
        if not isinstance(after, dict | None):
            return {"ok": 0.0, "code": 14, "codeName": "TypeMismatch", "errmsg": "resumeAfter is of the wrong type"}
        start = len(self._changes) if after is None else int(after["_data"])
        if start < self.forgotten:
            return {"ok": 0.0, "code": 286, "codeName": "ChangeStreamHistoryLost", "errmsg": "it is not in the oplog"}
        number = len(self._cursors) + 1
        self._cursors[number] = start
        return _batch("$cmd.aggregate", "firstBatch", [], number, start)

    def _more(self, command: Said) -> Said:
        if self.refusal is not None:
            return self.refusal
        number = command["getMore"]
        events = self._changes[self._cursors[number] :]
        self._cursors[number] = len(self._changes)
        return _batch("$cmd.aggregate", "nextBatch", events, number, len(self._changes))


def _token(number: int) -> Said:
    return {"_data": f"{number:08}"}


def _batch(name: str, batch: str, documents: list[Said], number: int = 0, position: int | None = None) -> Said:
    cursor = {"id": bson.Int64(number), "ns": f"catalog.{name}", batch: documents}
    return {"cursor": cursor if position is None else cursor | {"postBatchResumeToken": _token(position)}}


class _Connection(BaseRequestHandler):
    """Reads messages and answers them, until the client is gone."""

    server: _Server

    def handle(self) -> None:
        while header := self._read(_HEADER.size):
            length, request, _, operation = _HEADER.unpack(header)
            body = self._read(length - _HEADER.size)
            query = operation == _QUERY
            document = body[body.index(b"\0", 4) + 9 :] if query else body[5:]
            size = int.from_bytes(document[:4], "little")
            answer = bson.encode(self.server.replica_set.answer(bson.decode(document[:size])))
            answer = (struct.pack("<iqii", 8, 0, 0, 1) if query else struct.pack("<iB", 0, 0)) + answer
            self.request.sendall(_HEADER.pack(16 + len(answer), 0, request, _REPLY if query else _MSG) + answer)

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size and (more := self.request.recv(size - len(read))):
            read += more
        return read


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, replica_set: ReplicaSet) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.replica_set = replica_set


@contextmanager
def replica_set() -> Iterator[ReplicaSet]:
    """Give an empty one that listens."""
    served = ReplicaSet()
    with _Server(served) as server:
        served.address = f"127.0.0.1:{server.server_address[1]}"
        served.url = f"mongodb://{served.address}/catalog"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        server.shutdown()
        thread.join()
