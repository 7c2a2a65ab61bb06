"""When a run is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt

from evonet.evolution import Generation
from evonet.scores import Score
from evonet.settings import Count, Settings


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

    def reason(self, generation: Generation, seconds: float) -> str | None:
        """Why the run is over after `generation`, or None if it goes on."""
        champion = generation.champion
        validation = champion.validation if champion else None
        best = validation.mean if validation else float(generation.fitness.max())
        if best > self._best:
            self._best, self._best_generation = best, generation.number
        if self._target is not None and best >= self._target and not self._doubtful(validation):
            return "target"
        spent = {
            "generations": generation.number + 1,
            "evaluations": generation.evaluations,
            "environment_steps": generation.environment_steps,
            "seconds": seconds,
            "stagnation": generation.number - self._best_generation,
        }
        return next((name for name, value in spent.items() if _reached(value, getattr(self._stop, name))), None)

    def _doubtful(self, validation: Score | None) -> bool:
        if not self._stop.confident or validation is None or self._target is None:
            return False
        return validation.expected_at_least(self._test_episodes) < self._target


def _reached(value: float, limit: float | None) -> bool:
    return limit is not None and value >= limit
