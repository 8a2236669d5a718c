"""The whole platform at once: `dataflow demo`, and its page: `dataflow dashboard`."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from threading import Event

import click

from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages, messages_by_day
from entrypoints import pipeline
from entrypoints.cli.answers import print_kpis
from entrypoints.cli.context import platform, read_settings, stop_signal
from entrypoints.cli.output import console, progress
from entrypoints.cli.quality import check_loaded
from entrypoints.cli.sources import DECIDED_BY, PLATFORM, live_settings, past_start, publish_live
from entrypoints.container import Container
from entrypoints.monitoring.processing import command_of, runner_of
from entrypoints.monitoring.running import holding_all
from entrypoints.page import require_servable, serve
from entrypoints.settings import PROCESSES, Settings

DAYS = 90
IDLE = 0.05


@click.command()
@click.option("--orders", default=1_000, show_default=True, type=click.IntRange(1), help="Orders of the past.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same messages.")
@click.option("--rate", default=0.1, show_default=True, type=click.FloatRange(0, min_open=True), help="Orders/s.")
@DECIDED_BY
@click.option("--exit", "end", is_flag=True, help="End after the report, without the live part.")
def demo(orders: int, seed: int, rate: float, decided_by: str, end: bool) -> None:
    """Run everything on the embedded default: 90 made-up days, then live, with a page to watch it."""
    settings = read_settings()
    if not end:
        require_servable(settings)
    started = time.monotonic()
    with platform(settings) as container, container.roles().hold("demo"):
        _past(container, _past_settings(orders, seed, decided_by))
        print_kpis(container)
        console.print(f"from start to report: {time.monotonic() - started:,.1f} s; data in {settings.home}")
        if not end:
            _live(container, settings, _live_settings(container, seed, rate, decided_by))


@click.command()
def dashboard() -> None:
    """Serve the page with the main figures."""
    settings = read_settings()
    with platform(settings) as container, stop_signal() as stop:
        container.read_model()
        serve(settings, stop)


def _past_settings(orders: int, seed: int, decided_by: str) -> SimulationSettings:
    decides = decided_by == PLATFORM
    return SimulationSettings(start=past_start(DAYS), seed=seed, orders=orders, days=DAYS, platform_decides=decides)


def _past(container: Container, made: SimulationSettings) -> None:
    if container.inbox().balance().received:
        console.print("this data folder has data already: going on with it")
    elif made.platform_decides:
        past_day_by_day(container, made)
    else:
        with progress(f"{made.orders:,} orders of {DAYS} days", "messages") as report:
            count = pipeline.publish(container, messages(made), report)
        console.print(f"{count:,} messages published")
    with progress("taking in", "messages") as report:
        pipeline.take_in(container, report)
    balance = container.inbox().balance()
    console.print(
        f"{balance.received:,} received = {balance.applied:,} applied + {balance.duplicate:,} duplicates "
        f"+ {balance.quarantined:,} quarantined"
    )
    with progress("projecting", "events") as report:
        pipeline.project(container, report)
    check_loaded(container)


def past_day_by_day(container: Container, made: SimulationSettings) -> None:
    """Take in each day and decide about it, as it would have been: later messages rest on what was decided."""
    runners = [runner_of(container, name) for name in PROCESSES]
    ingest = container.ingest()
    published = decided = 0
    with (
        progress(f"{made.orders:,} orders of {DAYS} days", "messages") as report,
        pipeline.holding(container, pipeline.CONSUME),
        holding_all(container, command_of(PROCESSES).held),
    ):
        for day in messages_by_day(made):
            published += pipeline.publish(container, day, lambda _done, _total: None)
            ingest.catch_up()
            decided += sum(runner.run() for runner in runners)
            report(published)
    console.print(f"{published:,} messages published; processes acted on {decided:,} events")


def _live_settings(container: Container, seed: int, rate: float, decided_by: str) -> SimulationSettings:
    return live_settings(container, seed, datetime.now(UTC).strftime("%y%m%d%H%M%S"), rate, decided_by)


def _live(container: Container, settings: Settings, run: SimulationSettings) -> None:
    """Go on live until stopped; an error of one part ends all."""
    ingest, follower = container.ingest(), container.follower()
    names = PROCESSES if run.platform_decides else ()
    steps = [follower.step, *(runner_of(container, name).step for name in names)]
    with (
        pipeline.holding(container, pipeline.CONSUME),
        pipeline.holding(container, pipeline.PROJECT),
        stop_signal() as stop,
        ThreadPoolExecutor(3 + len(steps)) as threads,
    ):
        console.print(f"live: {run.orders_per_second:g} orders a second, Ctrl-C ends it", soft_wrap=True)
        parts: list[Callable[[], object]] = [
            lambda: publish_live(container, run, stop),
            lambda: ingest.run(stop),
            *(partial(_follow, step, stop) for step in steps),
            lambda: serve(settings, stop),
        ]
        running = [threads.submit(part) for part in parts]
        done, _ = wait(running, return_when=FIRST_EXCEPTION)
        stop.set()
        for each in done:
            each.result()


def _follow(step: Callable[[], int], stop: Event) -> None:
    while not stop.is_set():
        if not step():
            stop.wait(IDLE)
