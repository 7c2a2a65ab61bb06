"""The rule that ends a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Gt

from evonet.generation import Generation
from evonet.scores import Score
from evonet.settings import Count, Settings

_LIMITS = ("generations", "evaluations", "environment_steps", "seconds", "stagnation")


@dataclass(frozen=True)
class Stop(Settings):
    """Limits of a run, which stops after the generation in which it reaches the first of them.

    Attributes:
        generations: the number of generations.
        evaluations: number of genomes evaluated in training.
        environment_steps: number of environment steps in training.
        seconds: time in seconds, that of the validations and of the champion's test included. A generation that is not
            done in time is dropped. With this limit, the result depends on the machine.
        stagnation: generations without a better champion or, if there is no validation, without better fitness.
        target: validation mean at which the task is solved; "auto" means the environment's reward threshold, if the
            task is the registered one.
        confident: whether to continue until the validation predicts that the test will reach the target too.
    """

    generations: Count | None = 1000
    evaluations: Count | None = None
    environment_steps: Count | None = None
    seconds: Annotated[float, Gt(0)] | None = None
    stagnation: Count | None = None
    target: float | Literal["auto"] | None = "auto"
    confident: bool = False


class StopRule:
    """Decides after each generation whether a run is over.

    Args:
        stop: the limits.
        target: the validation mean at which the task is solved; None if there is no target.
        test_episodes: the number of episodes in the champion's test.
    """

    def __init__(self, stop: Stop, target: float | None, test_episodes: int) -> None:
        self._stop = stop
        self._target = target
        self._test_episodes = test_episodes
        self._best = -np.inf
        self._best_generation = 0
        self._latest = -np.inf
        self._validation: Score | None = None
        self._spent: dict[str, int] = {}

    def update(self, generation: Generation, seconds: float) -> str | None:
        """Take a generation into account; returns the reason why the run is over, None if it continues."""
        champion = generation.champion
        self._validation = champion.validation if champion else None
        self._latest = self._validation.mean if self._validation else float(generation.fitness.max())
        if self._latest > self._best:
            self._best, self._best_generation = self._latest, generation.number
        self._spent = {
            "generations": generation.number + 1,
            "evaluations": generation.evaluations,
            "environment_steps": generation.environment_steps,
            "stagnation": generation.number - self._best_generation,
        }
        return self.reason(seconds)

    def reason(self, seconds: float) -> str | None:
        """The reason why the run is over after its last generation and `seconds`; None if it continues."""
        if not self._spent:
            return None
        if self._target is not None and self._latest >= self._target and not self._likely_to_fail_test():
            return "target"
        spent = {**self._spent, "seconds": seconds}
        return next((name for name in _LIMITS if _reached(spent[name], getattr(self._stop, name))), None)

    def state(self) -> dict[str, Any]:
        """The state that `restore` takes."""
        return {
            "best": self._best,
            "best_generation": self._best_generation,
            "latest": self._latest,
            "validation": None if self._validation is None else self._validation.returns,
            "spent": self._spent,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self._best, self._best_generation = float(state["best"]), int(state["best_generation"])
        self._latest = float(state["latest"])
        returns = state["validation"]
        self._validation = None if returns is None else Score(np.array(returns, dtype=np.float64))
        counted = [name for name in _LIMITS if name != "seconds"] if state["spent"] else []
        self._spent = {name: int(state["spent"][name]) for name in counted}

    def _likely_to_fail_test(self) -> bool:
        if not self._stop.confident or self._validation is None or self._target is None:
            return False
        return self._validation.expected_at_least(self._test_episodes) < self._target


def _reached(value: float, limit: float | None) -> bool:
    return limit is not None and value >= limit
