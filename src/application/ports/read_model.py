"""The read models: silver and gold, live behind a checkpoint, and built anew aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from application.codec import Recorded
from application.errors import PlatformError
from application.replay.certificate import Certificate, Rebuilt

PhaseProgress = Callable[[str, int, int], None]


class ReadModel(Protocol):
    """Tables that are a pure function of the log up to their checkpoint."""

    def position(self) -> int:
        """Return the position of the last event applied, 0 before the first."""

    def apply(self, events: Sequence[Recorded], after: int) -> None:
        """Apply events, in log order, that directly follow position `after`: all of them, or nothing.

        Rows and checkpoint move together; on return they are durable.

        Raises:
            CheckpointMovedError: the checkpoint is not at `after`, e.g. another follower was faster.
            RowRefusedError: a row that comes out of the events does not keep a constraint of its table.
            OtherVersionError: the tables lack what this version of the code has in them; rebuild.
            ReadModelUnavailableError: the database can't be reached; the events may or may not be applied.
            HeldByOthersError: somebody holds the checkpoint, and does nothing; no event is applied.
        """

    def rebuild(
        self,
        progress: PhaseProgress,
        *,
        accept_changes: bool = False,
        workers: int = 0,
        shards: int | None = None,
        onward: bool = False,
    ) -> Rebuilt:
        """Build everything anew from the log, aside, and swap it in if it equals the live tables.

        Ingest, followers and readers go on meanwhile; readers see the old tables or the new ones, never a
        mixture, and the old ones are kept. Where the two differ, the live tables stay, unless `accept_changes`
        (for a projection that was changed on purpose). Before the first event is applied there is nothing to
        compare: the build then goes to the end of the log. `workers` processes share the work, 0: this one does
        it; `shards` is into how many parts it is cut. A rebuild that was interrupted is gone on with, if the same
        code began it. `progress(phase, done, total)` counts events.

        `onward` is for live tables that are far behind the log, and for who holds the follower's role, so that they
        stand still: once a build is compared with them there, another one by the same code goes to the end of the log,
        and is swapped in if they stand there still. The certificate says how far it went.

        Raises:
            RebuildRunningError: another rebuild or verification is running.
            UndecodableEventError: an event that no decoder understands; nothing is changed.
            RowRefusedError: a row does not keep a constraint of its table; nothing is changed.
            CheckpointMovedError: the first follower started while a first build was under way, or somebody took on
                live tables that should stand still.
            DependentObjectsError: what others made of the tables would be left with the old ones, or be dropped.
            SchemaInTheWayError: schemas that have the names of those that a rebuild keeps are somebody else's.
            RightsNotCarriedError: this role can't give the new tables the rights that others have on the live ones.
            ReadersInTheWayError: long transactions kept reading, so the tables could not be swapped.
            HeldByOthersError: somebody holds the checkpoint, and does nothing; nothing is changed.
            WorkersLostError: worker processes died again and again.
            ReadModelUnavailableError: the database can't be reached; what is done is not lost.
        """

    def swap_back(self, progress: PhaseProgress, *, accept_changes: bool = False) -> Rebuilt:
        """Put back the tables that were live before the last swap, and keep those that are live now.

        They first catch up with the log, aside, so that nobody sees older figures. Raises as `rebuild` does, and

        Raises:
            NothingKeptError: there are none.
            OtherVersionError: another version of the code made them; `accept_changes` does it nevertheless.
        """

    def verify(self, progress: PhaseProgress, *, workers: int = 0, shards: int | None = None) -> Certificate:
        """Build everything anew aside, compare it with the live tables at one position, and drop it.

        Raises as `rebuild` does.
        """

    def verify_sample(self, streams: int, seed: int) -> Certificate:
        """Fold up to `streams` streams of the log again; compare their rows, and gold where they touch it.

        The streams are those of random events, the same ones for the same `seed` and log. Ingest, follower and
        readers go on meanwhile. Of a gold table, a bounded number of scopes is selected again.

        Raises:
            UndecodableEventError: an event that no decoder understands.
            ReadModelUnavailableError: the database can't be reached.
        """


class CheckpointMovedError(PlatformError):
    """The checkpoint is not where it was expected: another follower or rebuild moved it."""


class RebuildRunningError(PlatformError):
    """Another rebuild or verification is running; wait for its end."""


class ReadersInTheWayError(PlatformError):
    """Long transactions or a VACUUM hold the read models; end them and rebuild again. Nothing was changed."""


class DependentObjectsError(PlatformError):
    """What others made of tables that are replaced or dropped must not be lost with them. Nothing was changed."""


class RightsNotCarriedError(PlatformError):
    """Rebuild as the owner of the schemas, in all roles that own or give anything there. Nothing was changed."""


class RowRefusedError(PlatformError):
    """What projections and gold make of the log must keep the constraints of the tables. Nothing was changed."""


class WorkersLostError(PlatformError):
    """Worker processes died again and again. Nothing was changed."""


class NothingKeptError(PlatformError):
    """There are no tables of before a rebuild that could be put back."""


class OtherVersionError(PlatformError):
    """Another version of the code made these tables."""


class SchemaInTheWayError(PlatformError):
    """A schema that the read models need for themselves is there already, and is not theirs."""


class ReadModelUnavailableError(PlatformError):
    """The database of the read models can't be reached."""


class HeldByOthersError(ReadModelUnavailableError):
    """Another session of the database holds what is needed, e.g. the checkpoint, and does nothing."""
