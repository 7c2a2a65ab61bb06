"""When a run is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Gt

from evonet.evolution import Generation
from evonet.scores import Score
from evonet.settings import Count, Settings

_LIMITS = ("generations", "evaluations", "environment_steps", "seconds", "stagnation")


@dataclass(frozen=True)
class Stop(Settings):
    """A run stops after the generation in which the first of these is reached.

    Attributes:
        generations: so many.
        evaluations: so many genomes scored in training.
        environment_steps: so many steps in training.
        seconds: so long; what the run finds then depends on the machine.
        stagnation: so many generations without a better champion, or without validation, without better fitness.
        target: validation mean from which the task is solved; "auto" takes the environment's own threshold.
        confident: whether to go on until the validation leaves little doubt that the test will reach the target too.
    """

    generations: Count | None = 1000
    evaluations: Count | None = None
    environment_steps: Count | None = None
    seconds: Annotated[float, Gt(0)] | None = None
    stagnation: Count | None = None
    target: float | Literal["auto"] | None = "auto"
    confident: bool = False


class StopRule:
    """Watches a run's generations.

    Args:
        stop: the limits.
        target: the validation mean to reach, None if there is none.
        test_episodes: on which the champion will be tested.
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

    def reason(self, generation: Generation, seconds: float) -> str | None:
        """Why the run is over after `generation`, or None if it goes on."""
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
        return self.still(seconds)

    def still(self, seconds: float) -> str | None:
        """The same of the generation seen last: on resume the limits may be others."""
        if not self._spent:
            return None
        if self._target is not None and self._latest >= self._target and not self._doubtful():
            return "target"
        spent = {**self._spent, "seconds": seconds}
        return next((name for name in _LIMITS if _reached(spent[name], getattr(self._stop, name))), None)

    def state(self) -> dict[str, Any]:
        """All that `restore` needs."""
        return {
            "best": self._best,
            "best_generation": self._best_generation,
            "latest": self._latest,
            "validation": None if self._validation is None else self._validation.returns,
            "spent": self._spent,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, which is copied."""
        self._best, self._best_generation = float(state["best"]), int(state["best_generation"])
        self._latest = float(state["latest"])
        returns = state["validation"]
        self._validation = None if returns is None else Score(np.array(returns, dtype=np.float64))
        counted = [name for name in _LIMITS if name != "seconds"] if state["spent"] else []
        self._spent = {name: int(state["spent"][name]) for name in counted}

    def _doubtful(self) -> bool:
        if not self._stop.confident or self._validation is None or self._target is None:
            return False
        return self._validation.expected_at_least(self._test_episodes) < self._target


def _reached(value: float, limit: float | None) -> bool:
    return limit is not None and value >= limit
