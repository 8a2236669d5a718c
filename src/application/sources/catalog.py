"""A catalog of documents as a source: what changes becomes messages, by its stream of changes or by comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from application.ports.message_stream import MessageStream
from application.ports.product_catalog import CatalogChanges, CatalogChangesLostError, Document, ProductCatalog
from application.ports.source_ledger import Outbox, Reading, SourceLedger, SourceShrankError
from application.sources.documents import SHAPES, CatalogDocuments, document_changes, kept_document
from application.sources.outgoing import publish_waiting
from application.sources.settling import settle_all

PAGE = 2_000
"""Documents that are compared, and kept, in one transaction."""
SOURCE = "catalog"
RESUME = "$resume"
"""Under which name the token of the stream of changes is kept, beside the marks of collections."""
WHOLE, EMPTY = "whole", "empty"
"""Marks of collections that were read to their end; another one is the key to go on after."""

Report = Callable[[int], None]


class Done(NamedTuple):
    """What a run read from the catalog, and what came of it; `streamed` says whether a stream told what changed."""

    documents_read: int
    documents_changed: int
    messages: int
    streamed: bool


class CatalogIngest:
    """Brings the platform up to what a catalog says now.

    Documents are kept page by page with the mark up to which was read, then mapped, then published, each in a
    transaction of its own: whatever is killed when, the next run goes on with what was kept, and what did not
    change since is sent no second time.
    """

    source = SOURCE

    def __init__(self, catalog: ProductCatalog, ledger: SourceLedger, outbox: Outbox, stream: MessageStream) -> None:
        self._ports = _Ports(catalog, ledger, outbox, stream)

    def run(
        self,
        now: datetime,
        report: Report = lambda _: None,
        *,
        wait: float = 0,
        accept_deletes: bool = False,
    ) -> Done:
        """Read what changed and publish its messages; where changes are streamed, wait for a first one.

        Raises:
            CatalogUnavailableError, StoreUnavailableError, StreamUnavailableError: run again later.
            SourceShrankError: documents are gone that had better not be; the others were taken in.
        """
        run = _Run(self._ports, now, report)
        try:
            streamed = run.take_in(run.marks.get(RESUME) or None, wait, accept_deletes)
        except CatalogChangesLostError:
            streamed = run.take_in(None, 0, accept_deletes)
        return Done(run.read, run.changed, run.published, streamed)


class _Ports(NamedTuple):
    """What a run works with."""

    catalog: ProductCatalog
    ledger: SourceLedger
    outbox: Outbox
    stream: MessageStream


class _Run:
    """One run and its counts."""

    def __init__(self, ports: _Ports, now: datetime, report: Report) -> None:
        self._catalog, self._ledger, self._outbox, self._stream = ports
        self._now = now
        self._report = report
        self.read = self.changed = self.published = 0
        self.marks = dict(self._ledger.progress(SOURCE).marks)
        self._collections = dict.fromkeys([*SHAPES, *self._catalog.collections(), *(set(self.marks) - {RESUME})])
        self._settle()

    def take_in(self, token: str | None, wait: float, accept_deletes: bool) -> bool:
        """Go on from a token; without one, or where changes are not streamed, read all."""
        with self._catalog.changes(token) as changes:
            if token is None or changes is None:
                for collection in list(self._collections):
                    # Where a stream goes on from here, all must be read after it was opened, so from the start.
                    mark = self.marks.get(collection)
                    after = mark if changes is None and mark not in {WHOLE, EMPTY} else None
                    self._scan(collection, after)
                    self._forget_gone(collection, mark, accept_deletes)
                resume = (changes.token if changes is not None else None) or ""
                if resume != self.marks.get(RESUME, ""):
                    self._keep([], {RESUME: resume})
            if changes is not None:
                self._follow(changes, wait)
            return changes is not None

    def _follow(self, changes: CatalogChanges, wait: float) -> None:
        while documents := changes.read(PAGE, wait):
            wait = 0
            self._collections.update(dict.fromkeys(each.collection for each in documents))
            latest = {(each.collection, each.key): each for each in documents}
            self._keep(list(latest.values()), {RESUME: changes.token or ""})

    def _scan(self, collection: str, after: str | None) -> None:
        for page in _pages(self._catalog.documents(collection, after)):
            self._keep(page, {collection: page[-1].key})

    def _forget_gone(self, collection: str, mark: str | None, accept_deletes: bool) -> None:
        """Compare the keys alone, since a scan may have been resumed; then the collection is read to its end."""
        with self._ledger.stage(SOURCE) as staging:
            there = staging.add_keys(collection, ((key, None) for key in self._catalog.keys(collection)))
            if not there and mark not in {None, EMPTY} and not accept_deletes:
                raise SourceShrankError(
                    f"{collection}: all documents are gone; is it the right catalog? If they were deleted, "
                    "run again with --accept-deletes"
                )
            marks = {} if mark is None and not there else {collection: WHOLE if there else EMPTY}
            reading = Reading(self._now, complete=[collection], marks=marks, accept_deletes=accept_deletes)
            self.changed += staging.finish(reading)
        self._settle()

    def _keep(self, documents: Sequence[Document], marks: dict[str, str]) -> None:
        with self._ledger.stage(SOURCE) as staging:
            self.read += staging.add_rows(kept_document(each) for each in documents)
            self.changed += staging.finish(Reading(self._now, marks=marks))
        self._report(self.read)
        self._settle()

    def _settle(self) -> None:
        publish_waiting(self._outbox, self._stream, SOURCE, self._note)
        mapping = CatalogDocuments(self._collections)
        for _ in settle_all(SOURCE, mapping, self._ledger, document_changes):
            publish_waiting(self._outbox, self._stream, SOURCE, self._note)

    def _note(self, published: int) -> None:
        self.published += published


def _pages(documents: Iterator[Document]) -> Iterator[list[Document]]:
    while page := list(islice(documents, PAGE)):
        yield page
