"""Given events, when a command, then events or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest

from domain.shared.refusal import Refusal


class Scenario:
    """An aggregate with a history: `Scenario(decide, evolve).given(*events).when(command).then(*events)`."""

    def __init__(
        self,
        decide: Callable[[Any, Any], tuple[Any, ...]],
        evolve: Callable[[Any, Any], Any],
        history: tuple[Any, ...] = (),
    ) -> None:
        self.decide = decide
        self.evolve = evolve
        self.history = history

    def given(self, *events: Any) -> Scenario:
        return Scenario(self.decide, self.evolve, (*self.history, *events))

    def after(self, *commands: Any) -> Scenario:
        """Return the scenario in which the commands were decided, one after the other."""
        scenario = self
        for command in commands:
            scenario = scenario.given(*scenario.when(command).events())
        return scenario

    def when(self, command: Any) -> Decision:
        return Decision(self, command)

    @property
    def state(self) -> Any:
        return reduce(self.evolve, self.history, None)


class Decision:
    """A command put to a scenario."""

    def __init__(self, scenario: Scenario, command: Any) -> None:
        self.scenario = scenario
        self.command = command

    def events(self) -> tuple[Any, ...]:
        return self.scenario.decide(self.scenario.state, self.command)

    def then(self, *events: Any) -> None:
        """Assert that the command gives exactly these events."""
        assert self.events() == events

    def refused(self, refusal: type[Refusal], match: str | None = None) -> None:
        """Assert that exactly this refusal is raised, and that the state is as it was."""
        state = self.scenario.state
        with pytest.raises(refusal, match=match) as caught:
            self.scenario.decide(state, self.command)
        assert type(caught.value) is refusal
        assert state == self.scenario.state
