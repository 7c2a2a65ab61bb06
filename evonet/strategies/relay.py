"""A relay: an algorithm, then another one that starts from the result of the first (Talbi 2002)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from evonet.architecture import Architecture
from evonet.seeding import Purpose, generator
from evonet.settings import Count, Natural, check
from evonet.strategies.algorithm import (
    AlgorithmFactory,
    check_factory,
    evaluates_mean,
    search_distribution,
    uses_linear_algebra,
)
from evonet.strategies.succession import Succession
from evonet.strategies.warm_start import Start
from evonet.types import FloatArray

_ADDRESS = 7  # of the second algorithm's seed; other algorithms use lower ones


class Relay(Succession):
    """Runs an algorithm, then a second one that starts from the result of the first (relay hybrid, Talbi 2002).

    The second starts from the mean of the first one's search distribution or, if it has none, from its fittest
    individuals, as many of them as it takes. So a search begins with wide steps and goes on with narrow ones, or a
    genetic algorithm finds a region and CMA-ES the best point in it.

    Args:
        architecture: architecture of the networks that evolve.
        algorithm: a factory of the first algorithm.
        then: a factory of the second one.
        generations: generations after which the first algorithm ends.
        until_fitness: the first algorithm ends after a generation whose best fitness is at least this; with
            `generations` too, as soon as one of the two is reached. It also ends when its `converged` is true.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`, for the first algorithm.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range, neither `generations` nor
            `until_fitness` is given, or one of the algorithms fills an archive, which a relay would not keep.

    Attributes:
        in_second: whether the second algorithm runs.
        evaluate_mean: whether both algorithms sample around a mean, and score it.
    """

    def __init__(
        self,
        architecture: Architecture,
        algorithm: AlgorithmFactory,
        then: AlgorithmFactory,
        generations: Count | None = None,
        until_fitness: float | None = None,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(Relay, {"generations": generations, "until_fitness": until_fitness, "seed": seed})
        check_factory("Relay", algorithm)
        check_factory("Relay", then, setting="then")
        if generations is None and until_fitness is None:
            raise ValueError("Relay needs generations or until_fitness, which end the first algorithm, got neither")
        super().__init__(architecture)
        self.generations = generations
        self.until_fitness = until_fitness
        self.seed = seed
        self.in_second = False
        self._first, self._then = algorithm, then
        self._first_generations, self._last_best = 0, -math.inf
        self._run(self._made({} if initial is None else {"initial": initial}))
        # Wrong settings of the second algorithm shall raise before the run.
        second = then(architecture=architecture, seed=seed, initial=np.zeros(architecture.genome_size))
        for setting, each in (("algorithm", self._algorithm), ("then", second)):
            if hasattr(each, "archive"):
                raise ValueError(f"Relay.{setting} must not fill an archive, got {type(each).__name__}")
        self.evaluate_mean = evaluates_mean(self._algorithm) and evaluates_mean(second)
        self._can_race = getattr(second, "mu", None) is not None
        self._uses_linear_algebra = uses_linear_algebra(self._algorithm) or uses_linear_algebra(second)

    @property
    def mu(self) -> int | None:
        """How many of the fittest a race must find, as the algorithm that runs now has it; None if one has no `mu`."""
        return super().mu if self._can_race else None

    @property
    def uses_linear_algebra(self) -> bool:
        """Whether the bits of either algorithm depend on the linear algebra library."""
        return self._uses_linear_algebra

    def _record(self, scores: FloatArray) -> None:
        if not self.in_second:
            self._first_generations += 1
            self._last_best = float(scores.max())

    def __repr__(self) -> str:
        return f"<Relay: its {'second' if self.in_second else 'first'} algorithm, {self._algorithm!r}>"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        return super().state() | {"in_second": self.in_second, "done": self._first_generations, "best": self._last_best}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self._first_generations, self._last_best = int(state["done"]), float(state["best"])
        self.in_second = bool(state["in_second"])
        self._run(self._made({}))
        super().restore(state)

    def _successor(self) -> Any:
        if self.in_second or not self._is_over():
            return None
        self.in_second = True
        found = search_distribution(self._algorithm)
        return self._made({"initial": self._algorithm.population if found is None else found[0]})

    def _is_over(self) -> bool:
        """Whether the first algorithm has ended."""
        return (
            (self.generations is not None and self._first_generations >= self.generations)
            or (self.until_fitness is not None and self._last_best >= self.until_fitness)
            or bool(getattr(self._algorithm, "converged", False))
        )

    def _made(self, start: Mapping[str, Any]) -> Any:
        """A new algorithm of the kind that runs now; the second one has a seed of its own."""
        if not self.in_second:
            return self._first(architecture=self.architecture, seed=self.seed, **start)
        own_seed = int(generator(self.seed, Purpose.VARIATION, 0, _ADDRESS).integers(2**31))
        return self._then(architecture=self.architecture, seed=own_seed, **start)
