"""Verify a sample: fold some streams of the log again, and compare their rows, and the gold that they touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

from psycopg import Connection, sql

from adapters.postgres.read_model import log
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.certify import JSON_ROW, issue
from adapters.postgres.read_model.events_behind import with_events
from adapters.postgres.read_model.gold_definitions import GoldDefinition
from adapters.postgres.read_model.gold_refresh import find_touched
from adapters.postgres.read_model.schemas import LIVE
from application.codec import Recorded, decode
from application.projections.subject import Subject
from application.replay.certificate import Certificate, TableCertificate
from application.replay.folding import fold_stream, subject_finder
from application.replay.sample import ROUNDS, Row, compare_rows, draw_positions

Rows = Mapping[str, Iterable[Any]]
SCOPES = 100
"""Scopes of a gold table that are selected again at most: a product touches all its order lines."""
_DRAW = (
    "SELECT DISTINCT s.originator_id FROM unnest(%s::bigint[]) AS p CROSS JOIN LATERAL"
    " (SELECT originator_id FROM events.stored_events WHERE notification_id BETWEEN p AND %s"
    " ORDER BY notification_id LIMIT 1) AS s ORDER BY 1"
)
_STREAM = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM events.stored_events"
    " WHERE originator_id = %s AND notification_id <= %s ORDER BY originator_version"
)


class Sample:
    """A verification of some streams, within a transaction that sees one moment and no swap."""

    def __init__(self, conn: Connection, build: Build, subjects: Sequence[Subject], seed: int) -> None:
        self._conn = conn
        self._build = build
        self._subjects = subjects
        self._subject_of = subject_finder(subjects)
        self._seed = seed
        self._chance = Random(seed)  # noqa: S311 - a sample that can be repeated, not a secret
        self._position = 0

    def verify(self, streams: int) -> Certificate:
        """Fold up to so many streams again and compare; the certificate is kept."""
        started_at = datetime.now(UTC)
        with self._conn.transaction():
            self._hold_one_moment()
            self._position = log.read_checkpoint(self._conn)
            ids = self._draw(streams)
            tables = [*self._silver(ids), *self._gold(ids)]
            tables = with_events(self._conn, tables, self._position)
            return issue(self._conn, self._position, tables, "sample", started_at, streams=len(ids), seed=self._seed)

    def _hold_one_moment(self) -> None:
        self._conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # Before the first snapshot: a swap is waited for, and none begins until the end.
        table = sql.Identifier(LIVE.silver, next(iter(self._build.silver)))
        self._conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(table))
        LIVE.use(self._conn)

    def _draw(self, streams: int) -> list[str]:
        """Return the streams of events at random positions: each event is as likely as any other."""
        drawn: dict[str, None] = {}
        for _ in range(ROUNDS):
            if len(drawn) >= streams:
                break
            positions = draw_positions(self._chance, self._position, streams - len(drawn))
            drawn |= dict.fromkeys(id_ for (id_,) in self._conn.execute(_DRAW, [positions, self._position]))
        return list(drawn)[:streams]

    def _silver(self, ids: Sequence[str]) -> Iterator[TableCertificate]:
        folded: dict[str, list[Any]] = {name: [] for name in self._build.silver}
        for stream_id in ids:
            for name, rows in self._fold(stream_id).items():
                folded[name] += rows
        prefixes = {table.name: subject.prefix for subject in self._subjects for table in subject.tables}
        for name, silver in self._build.silver.items():
            own = [stream_id for stream_id in ids if stream_id.startswith(prefixes[name])]
            if own:
                columns = silver.table.columns
                sides = (silver.load(self._conn, LIVE.silver, own), folded[name])
                live, again = ([dict(zip(columns, silver.table.values(row), strict=True)) for row in s] for s in sides)
                yield compare_rows(f"{LIVE.silver}.{name}", silver.table.key, live, again)

    def _fold(self, stream_id: str) -> Rows:
        """Return the rows by table that a stream's events make."""
        subject = self._subject_of(stream_id)
        with self._conn.cursor(binary=True) as cursor:
            events = cursor.execute(_STREAM, [stream_id, self._position])
            recorded = [Recorded(event[0], stream_id, event[2], decode(*event)) for event in events]
        view = None if subject is None else fold_stream(subject, None, recorded)
        return {} if subject is None or view is None else subject.rows(view)

    def _gold(self, ids: Sequence[str]) -> Iterator[TableCertificate]:
        """Select again what the streams touch; it stands on live silver, whose rows were compared before."""
        by_subject: dict[str, list[str]] = {}
        for stream_id in ids:
            subject = self._subject_of(stream_id)
            if subject is not None:
                by_subject.setdefault(subject.name, []).append(stream_id)
        touched = find_touched(self._conn, self._build.gold, by_subject)
        for definition in self._build.gold:
            scopes = sorted({*touched.scopes.get(definition.name, ()), *touched.ends.get(definition.name, ())})
            if definition.scope is not None and scopes:
                chosen = self._chance.sample(scopes, min(SCOPES, len(scopes)))
                table, view = (LIVE.gold, definition.name), (LIVE.silver, f"{definition.name}_source")
                sides = (self._rows(definition, each, chosen) for each in (table, view))
                yield compare_rows(".".join(table), definition.key, *sides)

    def _rows(self, definition: GoldDefinition, relation: tuple[str, str], scopes: Sequence[str]) -> list[Row]:
        query = sql.SQL("SELECT to_jsonb(t)::text FROM {} AS t WHERE {} = ANY(%s)").format(
            sql.Identifier(*relation), sql.Identifier(definition.scope or "")
        )
        return [JSON_ROW.decode(row) for (row,) in self._conn.execute(query, [scopes])]
