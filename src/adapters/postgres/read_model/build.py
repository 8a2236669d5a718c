"""A build of silver and gold in a pair of schemas: create it, load it from the log, apply events to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from psycopg import Connection

from adapters.postgres.read_model.gold_definitions import GoldDefinition
from adapters.postgres.read_model.gold_refresh import find_touched, refresh_gold
from adapters.postgres.read_model.gold_tables import check_references, has_references, naming_the_file
from adapters.postgres.read_model.made import names
from adapters.postgres.read_model.schemas import Schemas
from adapters.postgres.read_model.silver_tables import SilverTable
from adapters.postgres.read_model.stages import Stage, contents, references
from adapters.postgres.read_model.statistics import analyze, due
from application.codec import Recorded
from application.projections.subject import Subject
from application.replay.folding import fold_stream, group_streams, subject_finder


class Build:
    """What silver and gold consist of, and how events get there; each method says where (`schemas`)."""

    def __init__(self, subjects: Sequence[Subject], gold: Sequence[GoldDefinition]) -> None:
        self.subjects = tuple(subjects)
        self.gold = gold
        self.silver = {table.name: SilverTable(table) for subject in subjects for table in subject.tables}
        self.keys = {name: silver.table.key for name, silver in self.silver.items()}
        self.keys |= {definition.name: definition.key for definition in gold}
        self.made = names(self.silver, gold)
        self._tables = [*self.silver, *(definition.name for definition in gold if definition.materialized)]
        self._subject_of = subject_finder(subjects)

    def create_silver(self, conn: Connection, schemas: Schemas) -> None:
        """Create both schemas and the silver tables, without keys and indexes."""
        schemas.create(conn)
        for table in self.silver.values():
            table.create(conn, schemas.silver)

    def create_empty(self, conn: Connection, schemas: Schemas) -> None:
        """Create everything but the foreign keys, which the first events that are applied bring with them."""
        self.create_silver(conn, schemas)
        _run(conn, contents(self.silver, self.gold, schemas))

    def finish(self, conn: Connection, schemas: Schemas) -> None:
        """Index silver, select gold from it, and gather statistics of both."""
        _run(conn, self.stages(schemas))

    def stages(self, schemas: Schemas) -> Iterator[Stage]:
        """Yield what is left to do once silver is loaded."""
        yield from contents(self.silver, self.gold, schemas)
        yield from references(self.silver, self.gold, self.keys, schemas)

    def apply(self, conn: Connection, schemas: Schemas, events: Sequence[Recorded], *, naming: bool = False) -> None:
        """Apply events that follow those already applied, within the caller's transaction.

        `naming` has a row that gold refuses looked for and named, which is slower: see `named_if_refused`.
        """
        schemas.use(conn)
        groups = group_streams(events, self._subject_of)
        stream_ids = {subject.name: list(streams) for subject, streams in groups.items()}
        before = find_touched(conn, self.gold, stream_ids, events[0].position)
        for subject, streams in groups.items():
            self._apply_to_subject(conn, schemas, subject, streams)
        grown = due(self._tables, events[0].position - 1, events[-1].position)
        analyze(conn, schemas.silver, [name for name in grown if name in self.silver])
        after = find_touched(conn, self.gold, stream_ids, events[0].position)
        for definition in self.gold:
            with naming_the_file(definition):
                refresh_gold(conn, schemas, definition, before, after, naming=naming)
        analyze(conn, schemas.gold, [name for name in grown if name not in self.silver])
        if not has_references(conn, schemas):  # to look at the first rows all at once costs a tenth of one by one
            _run(conn, references(self.silver, self.gold, self.keys, schemas))
        elif naming:
            check_references(conn, schemas, [each for each in self.gold if each.references], self.keys)

    def _apply_to_subject(
        self, conn: Connection, schemas: Schemas, subject: Subject, streams: dict[str, list[Recorded]]
    ) -> None:
        ids = list(streams)
        current = self._load_rows(conn, schemas, subject, ids)
        rows: dict[str, list[Any]] = {table.name: [] for table in subject.tables}
        for stream_id, stream in streams.items():
            known = current.get(stream_id)
            view = fold_stream(subject, None if known is None else subject.load(known), stream)
            if view is not None:
                for name, added in subject.rows(view).items():
                    rows[name] += added
        for table in subject.tables:
            if not table.append_only:
                self.silver[table.name].delete(conn, schemas.silver, ids)
            if rows[table.name]:
                self.silver[table.name].copy(conn, schemas.silver, rows[table.name])

    def _load_rows(
        self, conn: Connection, schemas: Schemas, subject: Subject, ids: Sequence[str]
    ) -> dict[str, dict[str, list[Any]]]:
        """Return rows by stream and table, for the streams that have rows."""
        names = [table.name for table in subject.tables if not table.append_only]
        streams: dict[str, dict[str, list[Any]]] = {}
        for name in names:
            for row in self.silver[name].load(conn, schemas.silver, ids):
                if row.stream_id not in streams:
                    streams[row.stream_id] = {each: [] for each in names}
                streams[row.stream_id][name].append(row)
        return streams


def _run(conn: Connection, stages: Iterable[Stage]) -> None:
    for stage in stages:
        for step in stage.steps:
            step.run(conn)
