"""Logs of simulated supply chains in which much goes wrong, reproducible by their seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

from application.codec import Recorded
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import simulate
from domain.order.commands import AddOrderLines, IncreaseOrderLines, LineQuantity, PlaceOrder
from domain.shared.refusal import Refusal
from tests.integration.story import Story

GROWING = 0.1
"""How often an order grows when something else happens."""


def simulated(seed: int, start: date = date(2024, 1, 1)) -> list[Recorded]:
    """Return a log of all kinds of orders with more mishaps than usual; refusals leave nothing.

    Some orders grow: by lines in one place at least, by units in another.
    """
    settings = SimulationSettings(
        start=datetime(start.year, start.month, start.day, 12, tzinfo=UTC),
        seed=seed,
        orders=8,
        days=6,
        cancel_share=0.2,
        return_share=0.3,
        hold_share=0.2,
        delay_share=0.5,
        exception_share=0.4,
        failed_attempt_share=0.3,
    )
    story, chance = Story(), Random(seed)  # noqa: S311 - reproducible on purpose
    placed: list[PlaceOrder] = []
    missing = [AddOrderLines, IncreaseOrderLines]
    for timed in simulate(settings):
        with suppress(Refusal):
            story.tell(timed.command)
            if isinstance(timed.command, PlaceOrder):
                placed.append(timed.command)
            elif placed and chance.random() < GROWING:
                grow(story, placed, timed.command.occurred_at, chance, missing)
    return story.log


def grow(story: Story, placed: list[PlaceOrder], at: datetime, chance: Random, missing: list[type]) -> None:
    """Let an order grow that still may: in a way that the log has not yet, while there is one."""
    kind = chance.choice(missing or [AddOrderLines, IncreaseOrderLines])
    for order in chance.sample(placed, len(placed)):
        with suppress(Refusal):
            story.tell(more(kind, order, at, chance))
            missing[:] = [each for each in missing if each is not kind]
            return


def more(kind: type, order: PlaceOrder, at: datetime, chance: Random) -> AddOrderLines | IncreaseOrderLines:
    """Return a further line of an order, under a number that is free or not, or more units of one that it has."""
    line, units = chance.choice(order.lines), chance.randint(1, 9)
    if kind is IncreaseOrderLines:
        lines = (LineQuantity(line_no=line.line_no, quantity=units),)
        return IncreaseOrderLines(order_id=order.order_id, occurred_at=at, lines=lines)
    added = replace(line, line_no=chance.randint(1, 12), quantity=units)
    return AddOrderLines(order_id=order.order_id, occurred_at=at, lines=(added,))


def shuffled(log: list[Recorded], chance: Random) -> list[Recorded]:
    """Return the events with their streams mixed anew; each stream keeps its order."""
    streams: dict[str, Iterator[Recorded]] = {}
    for recorded in log:
        streams.setdefault(recorded.stream_id, iter([each for each in log if each.stream_id == recorded.stream_id]))
    turns = [recorded.stream_id for recorded in log]
    chance.shuffle(turns)
    return [next(streams[stream_id]) for stream_id in turns]
