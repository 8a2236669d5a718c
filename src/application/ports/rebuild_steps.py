"""A rebuild in steps, each of which may run on another machine, and again where it was killed."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from application.errors import PlatformError
from application.replay.certificate import Certificate, Rebuilt
from application.replay.shards import Plan, Shard, ShardDone


class RebuildSteps(Protocol):
    """Plan, load each shard, finish, certify, put in place; the order is the caller's to keep.

    All but `load` raise RebuildRunningError while another rebuild or verification works, and
    ReadModelUnavailableError where the database can't be reached. Between two steps nothing is held: a rebuild that
    somebody else starts then goes on with this one and puts it in place, whereupon the next step raises BuildGoneError.
    """

    def plan(self, shards: int, as_of: datetime | int | None = None, into: str | None = None) -> Plan:
        """Plan a build, into so many shards, or return the one that was left by the same code.

        With `as_of` and `into` it is one that is kept beside the live one, under that name, as `Builds.make` makes it,
        and raises what that raises.
        """

    def load(self, shard: Shard) -> ShardDone:
        """Load a shard; where it is done, return what came of it.

        Raises:
            BuildGoneError: its build is not there any more.
            UndecodableEventError: an event that no decoder understands.
            RowRefusedError: a row does not keep a constraint of its table; `finish` raises it, too.
            ReadModelUnavailableError: the database can't be reached.
        """

    def finish(self, build: str) -> int:
        """Make a build whose shards are loaded complete, and catch up with the live one; return its position.

        A build as of some time stays there.

        Raises:
            BuildGoneError, and ShardsMissingError where not all of its shards are loaded.
        """

    def certify(self, build: str, *, accept_changes: bool = False) -> Certificate | None:
        """Compare a build with the live tables, None where nothing is live; drop it if it differs, unless accepted.

        Raises:
            BuildGoneError: it is not there any more.
        """

    def put_in_place(self, build: str, certificate: Certificate | None) -> Rebuilt:
        """Swap in a build that was certified; where that is done already, say so.

        Raises:
            BuildGoneError: it is not there any more, and not because it was put in place.
            NotCertifiedError: there was nothing live to compare it with, and a follower has started since.
            DependentObjectsError, SchemaInTheWayError, RightsNotCarriedError, ReadersInTheWayError: it can't be swapped
                in.
        """


class BuildGoneError(PlatformError):
    """A build that was planned is not there any more: it was dropped, or somebody else put it in place."""


class ShardsMissingError(PlatformError):
    """A build can't be finished before all of its shards are loaded."""


class NotCertifiedError(PlatformError):
    """A build is swapped in uncertified only where nothing is live yet. Nothing was changed."""
