"""The first build of the read models: in shards, since to follow a long log from its start takes ten times as long."""

from __future__ import annotations

import logging
import os
import time

from application.ports.read_model import (
    DependentObjectsError,
    PhaseProgress,
    ReadersInTheWayError,
    RebuildRunningError,
    RightsNotCarriedError,
    SchemaInTheWayError,
    WorkersLostError,
)
from application.replay.lag import far_behind
from entrypoints.container import Container

_WAIT = 0.5
_OBSTACLES = (
    DependentObjectsError,
    ReadersInTheWayError,
    RightsNotCarriedError,
    SchemaInTheWayError,
    WorkersLostError,
)

log = logging.getLogger(__name__)


def build_first(container: Container, progress: PhaseProgress) -> int:
    """Build read models that have applied nothing up to the end of a long log; return how many events that took.

    0: there is something live, or little to do, or somebody keeps the empty tables from being replaced, or has rights
    on them that this role can't pass on, or a schema of the name under which they would be kept, or the workers die;
    follow the log. Whoever calls holds the follower's role. Raises as `ReadModel.rebuild` does, but waits for another
    rebuild.
    """
    read_model = container.read_model()
    while not read_model.position() and far_behind(0, container.event_store().head()):
        try:
            return read_model.rebuild(progress, workers=os.cpu_count() or 1).events
        except RebuildRunningError:
            progress("waiting for another rebuild", 0, 0)
            time.sleep(_WAIT)
        except _OBSTACLES as error:
            log.warning("the read models are followed from the start of the log, which takes longer: %s", error)
            return 0
    return 0
