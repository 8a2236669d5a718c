"""`process` at work: one or more processes along the log, watched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Event

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from application.ports.cases import CaseBook
from application.ports.event_store import ConcurrencyConflictError
from application.process_runner.runner import Runner, Tally
from entrypoints.container import Container
from entrypoints.monitoring.following import Command, Steps, follow
from entrypoints.monitoring.metrics import FollowMetrics
from entrypoints.monitoring.tracing import BatchTracer
from entrypoints.monitoring.watch import Watch
from entrypoints.settings import PROCESSES, Settings

STEP = "decide"
IDLE_SECONDS = 0.05


def command_of(names: Sequence[str]) -> Command:
    """Return the command that runs processes of these names; each is a role of its own."""
    roles = tuple(f"process {name}" for name in names)
    return Command("process", STEP, IDLE_SECONDS, passing=(ConcurrencyConflictError,), roles=roles)


def runner_of(container: Container, name: str) -> Runner:
    """Return the runner of a process."""
    runner: Runner = {"fulfilment": container.fulfilment, "enrichment": container.enrichment}[name]()
    return runner


class Processing:
    """Processes on one opened platform, each a step in turn."""

    def __init__(self, steps: dict[str, Steps], cases: CaseBook) -> None:
        self._steps = steps
        self._cases = cases

    def step(self) -> int:
        """Let each process do its next step; return how much it was in all."""
        return sum(each.step() for each in self._steps.values())

    def gauges(self) -> list[Metric]:
        """Ask how far each process is behind the log, and what waits or was refused."""
        gauges = [gauge for each in self._steps.values() for gauge in each.gauges()]
        cases = GaugeMetricFamily(
            "dataflow_process_cases", "Events that could not be carried out.", labels=["process", "status"]
        )
        for name in self._steps:
            for status, count in self._cases.counts(name).items():
                cases.add_metric([name, status.value], count)
        return [*gauges, cases]


def process(
    settings: Settings,
    names: Sequence[str],
    stop: Event,
    done: Callable[[int], None],
    *,
    once: bool,
    retry_parked: bool = False,
) -> Tally:
    """Run processes until `stop` is set, through all outages; or `once` to the end of the log, and fail at one.

    `done(count)` is called after each step. With `retry_parked`, what the domain refused is tried again first. Returns
    what all of them did.
    """
    watch = Watch()
    command = command_of(names)
    metrics = FollowMetrics(command.role, watch)
    tally = Tally()

    def begin(container: Container, tracer: BatchTracer | None) -> Processing:
        runners = {name: runner_of(container, name) for name in names}
        for runner in runners.values():
            runner.tally = tally
        if retry_parked:
            _retry(runners.values())
        steps = {
            name: Steps(
                Command(f"process_{name}", STEP, IDLE_SECONDS),
                container.event_store(),
                step=runner.step,
                position=runner.checkpoint,
                metrics=metrics,
                tracer=tracer,
            )
            for name, runner in runners.items()
        }
        return Processing(steps, container.cases())

    follow(command, begin, settings, stop, done, watch=watch, metrics=metrics, once=once)
    return tally


def process_figures(container: Container) -> dict[str, int]:
    """Return, of each process that ran or is switched on, how far it is behind the log and its open cases."""
    figures = {}
    head = container.event_store().head()
    for name in PROCESSES:
        position = container.event_store().checkpoint(name)
        if not position and name not in container.settings().processes:
            continue
        counts = container.cases().counts(name)
        figures[f"{name}_position"] = position
        figures[f"{name}_behind"] = head - position
        figures |= {f"{name}_{status.value}": count for status, count in counts.items()}
    return figures


def _retry(runners: Iterable[Runner]) -> None:
    for runner in runners:
        runner.retry_parked()
