"""A relay: one algorithm after another, the second from where the first has come (Talbi 2002)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evonet.architecture import Architecture
from evonet.seeding import Purpose, generator
from evonet.settings import Count, Natural, check
from evonet.strategies.algorithm import AlgorithmFactory, check_factory, search_distribution, uses_linear_algebra
from evonet.strategies.succession import Succession
from evonet.strategies.warm_start import Start
from evonet.types import FloatArray

_ADDRESS = 7  # of the second algorithm's seed; other algorithms use lower ones


class Relay(Succession):
    """Runs an algorithm, then a second one that starts where the first has come (relay hybrid, Talbi 2002).

    The second starts from the mean of the first one's search distribution or, if it has none, from its fittest
    individuals, as many of them as it takes. So a search begins with wide steps and goes on with narrow ones, or a
    genetic algorithm finds a region and CMA-ES the best point in it.

    Args:
        architecture: architecture of the networks that evolve.
        algorithm: a factory of the first algorithm.
        then: a factory of the second one.
        generations: generations of the first algorithm.
        fitness: the first algorithm ends, too, after a generation whose best fitness is at least this; without
            `generations`, it goes on until then. It also ends when it reports by `converged` that it has converged.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`, for the first algorithm.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range, or neither `generations` nor `fitness`
            is given.

    Attributes:
        in_second: whether the second algorithm runs.
    """

    def __init__(
        self,
        architecture: Architecture,
        algorithm: AlgorithmFactory,
        then: AlgorithmFactory,
        generations: Count | None = None,
        fitness: float | None = None,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(Relay, {"generations": generations, "fitness": fitness, "seed": seed})
        check_factory("Relay", algorithm)
        check_factory("Relay", then, setting="then")
        if generations is None and fitness is None:
            raise ValueError(
                "Relay needs generations or fitness, after which the second algorithm follows, got neither"
            )
        super().__init__(architecture)
        self.generations = generations
        self.fitness = fitness
        self.seed = seed
        self.in_second = False
        self._first, self._then = algorithm, then
        self._done, self._best = 0, -math.inf  # generations of the first algorithm, and the best fitness of the last
        self._run(self._made({} if initial is None else {"initial": initial}))
        later = then(architecture=architecture, seed=seed)  # a wrong setting is told now, not after hours
        self._uses_linear_algebra = uses_linear_algebra(self._algorithm) or uses_linear_algebra(later)

    @property
    def uses_linear_algebra(self) -> bool:
        """Whether the bits of either algorithm depend on the linear algebra library."""
        return self._uses_linear_algebra

    def _note(self, scores: FloatArray) -> None:
        if not self.in_second:
            self._done += 1
            self._best = float(scores.max())

    def __repr__(self) -> str:
        return f"<Relay: its {'second' if self.in_second else 'first'} algorithm, {self._algorithm!r}>"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        return super().state() | {"in_second": self.in_second, "done": self._done, "best": self._best}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self._done, self._best = int(state["done"]), float(state["best"])
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
        """Whether the first algorithm is."""
        return (
            (self.generations is not None and self._done >= self.generations)
            or (self.fitness is not None and self._best >= self.fitness)
            or bool(getattr(self._algorithm, "converged", False))
        )

    def _made(self, start: Mapping[str, Any]) -> Any:
        """The algorithm whose turn it is; the second one has a seed of its own."""
        if not self.in_second:
            return self._first(architecture=self.architecture, seed=self.seed, **start)
        own_seed = int(generator(self.seed, Purpose.VARIATION, 0, _ADDRESS).integers(2**31))
        return self._then(architecture=self.architecture, seed=own_seed, **start)
