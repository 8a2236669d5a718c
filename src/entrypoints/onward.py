"""Rebuilds of read models that are far behind the log: proved where they stand, and built on to its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from application.ports.read_model import PhaseProgress
from application.ports.role_lock import RoleTakenError
from application.replay.certificate import Rebuilt
from application.replay.lag import far_behind, told
from entrypoints.container import Container
from entrypoints.pipeline import PROJECT, holding


def rebuild(
    container: Container,
    progress: PhaseProgress,
    say: Callable[[str], None],
    *,
    accept_changes: bool,
    workers: int,
    shards: int | None,
) -> Rebuilt:
    """Rebuild the read models; where they are far behind and nobody follows them, up to the end of the log.

    `say` is told which of the two, where they are far behind. Raises as `ReadModel.rebuild` does.
    """
    with ExitStack() as held:
        onward = _stand_still(held, container, say)
        return container.read_model().rebuild(
            progress, accept_changes=accept_changes, workers=workers, shards=shards, onward=onward
        )


def stands_far_behind(container: Container) -> bool:
    """Tell whether a rebuild that begins now would go on to the end of the log."""
    with ExitStack() as held:
        return _stand_still(held, container, lambda _: None)


def faster_than_following(position: int, head: int, follower: str = "`dataflow project`") -> str | None:
    """Say of live tables that are far behind the log what to do once the follower is stopped; None of others.

    Those that have applied nothing are none of them: the follower begins with a build.
    """
    if not position or not far_behind(position, head):
        return None
    return f"{told(position, head)}: `dataflow rebuild`, with {follower} stopped, takes less time than following"


def _stand_still(held: ExitStack, container: Container, say: Callable[[str], None]) -> bool:
    """Hold the follower's role while read models are far behind; tell whether they are, and nobody else holds it."""
    position, head = container.read_model().position(), container.event_store().head()
    if not position or not far_behind(position, head):
        return False
    behind = told(position, head)
    try:
        held.enter_context(holding(container, PROJECT))
    except RoleTakenError:
        say(f"{behind}, and are followed: they are rebuilt as far as that. With the follower stopped, up to its end")
        return False
    say(f"{behind}: a build is compared with them there, and built on to its end; nobody can follow meanwhile")
    return True
