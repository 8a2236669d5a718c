"""The whole platform at once: `dataflow demo`, and its page: `dataflow dashboard`."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from threading import Event

import click

from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from entrypoints import pipeline
from entrypoints.cli.answers import print_kpis
from entrypoints.cli.context import platform, read_settings, stop_signal
from entrypoints.cli.output import console, progress
from entrypoints.cli.sources import live_settings, past_start, publish_live
from entrypoints.container import Container
from entrypoints.page import require_servable, serve
from entrypoints.settings import Settings

DAYS = 90
IDLE = 0.05


@click.command()
@click.option("--orders", default=1_000, show_default=True, type=click.IntRange(1), help="Orders of the past.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same messages.")
@click.option("--rate", default=0.1, show_default=True, type=click.FloatRange(0, min_open=True), help="Orders/s.")
@click.option("--exit", "end", is_flag=True, help="End after the report, without the live part.")
def demo(orders: int, seed: int, rate: float, end: bool) -> None:
    """Run everything on the embedded default: 90 made-up days, then live, with a page to watch it."""
    settings = read_settings()
    if not end:
        require_servable(settings)
    started = time.monotonic()
    with platform(settings) as container, container.roles().hold("demo"):
        _past(container, orders, seed)
        print_kpis(container)
        console.print(f"from start to report: {time.monotonic() - started:,.1f} s; data in {settings.home}")
        if not end:
            _live(container, settings, seed, rate)


@click.command()
def dashboard() -> None:
    """Serve the page with the main figures."""
    settings = read_settings()
    with platform(settings) as container, stop_signal() as stop:
        container.read_model()
        serve(settings, stop)


def _past(container: Container, orders: int, seed: int) -> None:
    if container.inbox().balance().received:
        console.print("this data folder has data already: going on with it")
    else:
        made = messages(SimulationSettings(start=past_start(DAYS), seed=seed, orders=orders, days=DAYS))
        with progress(f"{orders:,} orders of {DAYS} days", "messages") as report:
            count = pipeline.publish(container, made, report)
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


def _live(container: Container, settings: Settings, seed: int, rate: float) -> None:
    """Go on live until stopped; an error of one part ends all."""
    now = datetime.now(UTC)
    run = live_settings(container, seed, now.strftime("%y%m%d%H%M%S"), rate)
    ingest, follower = container.ingest(), container.follower()
    with (
        pipeline.holding(container, pipeline.CONSUME),
        pipeline.holding(container, pipeline.PROJECT),
        stop_signal() as stop,
        ThreadPoolExecutor(4) as threads,
    ):
        console.print(f"live: {rate:g} orders a second, Ctrl-C ends it", soft_wrap=True)
        parts: list[Callable[[], object]] = [
            lambda: publish_live(container, run, stop),
            lambda: ingest.run(stop),
            lambda: _follow(follower.step, stop),
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
