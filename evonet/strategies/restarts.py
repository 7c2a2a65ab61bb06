"""Restarts with growing populations: IPOP (Auger and Hansen 2005) and BIPOP (Hansen 2009), around any algorithm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.arithmetic import power
from evonet.operators.parents import Observe
from evonet.population import NO_PARENT, Population
from evonet.seeding import Purpose, generator
from evonet.settings import Count, Natural, check
from evonet.strategies.algorithm import AlgorithmFactory, check_factory, tell_with_episodes, uses_linear_algebra
from evonet.strategies.warm_start import Start
from evonet.types import BoolArray, FloatArray, IntArray

RestartPolicy = Literal["ipop", "bipop"]


class Restarts:
    """Restarts an algorithm, with a larger population, when it stagnates (Auger and Hansen 2005; Hansen 2009).

    A restart follows `stagnation` generations without a better best fitness, after `flat` generations in which all
    individuals were equally fit, or when the algorithm reports by `converged` that it has converged.

    IPOP multiplies the population size at each restart. BIPOP also has small populations, of random size between the
    first and half the last large one; the kind that has used fewer evaluations is next.

    Args:
        architecture: architecture of the networks that evolve.
        algorithm: a factory of the algorithm, called at the start and at each restart.
        policy: "ipop" or "bipop".
        factor: growth factor of the population size at a restart.
        stagnation: generations without a better best fitness; by default 10 + 30 genes / population size.
        flat: generations in which all individuals have the same fitness.
        max_population_size: greatest population size.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`; the first algorithm gets
            them, and those after a restart start afresh.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        architecture: Architecture,
        algorithm: AlgorithmFactory,
        policy: RestartPolicy = "ipop",
        factor: Annotated[float, Ge(1)] = 2.0,
        stagnation: Count | None = None,
        flat: Count = 10,
        max_population_size: Count = 10_000,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(Restarts, {"policy": policy, "factor": factor, "stagnation": stagnation, "flat": flat})
        check(Restarts, {"max_population_size": max_population_size, "seed": seed})
        check_factory("Restarts", algorithm)
        self.architecture = architecture
        self.policy = policy
        self.factor = factor
        self.stagnation = stagnation
        self.flat = flat
        self.max_population_size = max_population_size
        self.seed = seed
        self._make = algorithm
        self.restarts = 0
        self._sizes: list[int] = []  # of the populations so far, the present one last
        self._small = False
        self._growths = 0
        self._spent = {"large": 0, "small": 0}
        self._first_id = self._next_id = 0
        self._best, self._since_better, self._flat_for = -math.inf, 0, 0
        self._begin(None, {} if initial is None else {"initial": initial})
        self.population = self._in_whole_run()

    @property
    def population_size(self) -> int:
        """The population size of the algorithm that runs now."""
        return self._sizes[-1]

    @property
    def running(self) -> Any:
        """The algorithm that runs now."""
        return self._algorithm

    @property
    def uses_linear_algebra(self) -> bool:
        """Whether the algorithm's bits depend on the linear algebra library."""
        return uses_linear_algebra(self._algorithm)

    @property
    def mu(self) -> int | None:
        """How many of the fittest a race must find, as the algorithm that runs now has it; None if it has no `mu`."""
        mu: int | None = getattr(self._algorithm, "mu", None)
        return mu

    def ask(self) -> FloatArray:
        """The genomes to score next, `(n, genome_size)`; n grows with the restarts."""
        if self._is_stuck():
            self.restarts += 1
            self._first_id = self._next_id
            self._begin(self._next_size())
        genomes: FloatArray = self._algorithm.ask()
        self.population = self._in_whole_run()
        return genomes

    def tell(
        self,
        fitness: ArrayLike,
        *,
        returns: FloatArray | None = None,
        observe: Observe | None = None,
        measures: Mapping[str, FloatArray] | None = None,
    ) -> None:
        """Learn from the fitness `(n,)` of the genomes last asked for; higher is fitter.

        Args:
            fitness: `(n,)`.
            returns: return of each episode, `(n, episodes)`, for an algorithm whose `tell` takes them.
            observe: returns network inputs of the fittest, `(k, num_inputs)`, likewise.
            measures: each measure by name, `(n,)`, likewise.
        """
        numbers = np.asarray(fitness, np.float64)
        tell_with_episodes(self._algorithm, numbers, returns=returns, observe=observe, measures=measures)
        self.population = self._in_whole_run()
        scores = self.population.fitness
        assert scores is not None
        self._spent["small" if self._small else "large"] += len(scores)
        best = float(scores.max())
        if best > self._best:
            self._best, self._since_better = best, 0
        else:
            self._since_better += 1
        self._flat_for = self._flat_for + 1 if float(scores.min()) == best else 0

    def __repr__(self) -> str:
        return f"<Restarts: {self.restarts} so far, of {self._algorithm!r}>"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        return {
            "restarts": self.restarts,
            "sizes": np.array(self._sizes),
            "small": self._small,
            "growths": self._growths,
            "spent": dict(self._spent),
            "first_id": self._first_id,
            "next_id": self._next_id,
            "best": self._best,
            "since_better": self._since_better,
            "flat_for": self._flat_for,
            "algorithm": self._algorithm.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self.restarts = int(state["restarts"])
        self._sizes = [int(size) for size in state["sizes"]]
        self._begin(self._sizes[-1] if self.restarts else None, again=True)
        self._small, self._growths = bool(state["small"]), int(state["growths"])
        self._spent = {kind: int(count) for kind, count in state["spent"].items()}
        self._first_id, self._next_id = int(state["first_id"]), int(state["next_id"])
        self._best = float(state["best"])
        self._since_better, self._flat_for = int(state["since_better"]), int(state["flat_for"])
        self._algorithm.restore(state["algorithm"])
        self.population = self._in_whole_run()

    def _begin(self, size: int | None, start: Mapping[str, Any] = MappingProxyType({}), *, again: bool = False) -> None:
        """Make the algorithm for this restart, with its own seed."""
        rng = generator(self.seed, Purpose.VARIATION, self.restarts, 2)
        own_seed = int(rng.integers(2**31)) if self.restarts else self.seed
        settings = {} if size is None else {"population_size": size}
        self._algorithm: Any = self._make(architecture=self._searched, seed=own_seed, **settings, **start)
        self._best, self._since_better, self._flat_for = -math.inf, 0, 0
        if not again:
            self._sizes.append(int(self._algorithm.population_size if size is None else size))

    def _is_stuck(self) -> bool:
        if self._algorithm.population.fitness is None:  # the genomes are not scored yet
            return False
        patience = self.stagnation or 10 + math.ceil(30 * self._searched.genome_size / self.population_size)
        return (
            self._since_better >= patience
            or self._flat_for >= self.flat
            or bool(getattr(self._algorithm, "converged", False))
        )

    @property
    def _searched(self) -> Architecture:
        """The architecture of the networks that the algorithm searches."""
        return self.architecture

    def _next_size(self) -> int | None:
        """The population size after this restart; None for the algorithm's own."""
        first = self._sizes[0]
        if self.policy == "bipop" and self._growths and self._spent["small"] < self._spent["large"]:
            self._small = True
            luck = float(generator(self.seed, Purpose.VARIATION, self.restarts, 3).random())
            size = math.floor(first * float(power(self._large() / 2 / first, luck * luck)))
        else:
            self._small = False
            self._growths += 1
            size = self._large()
        return max(first, size // 2 * 2)  # mirrored samples come in pairs

    def _large(self) -> int:
        grown = self._sizes[0] * math.prod([self.factor] * self._growths)
        return min(round(grown), self.max_population_size)

    def _in_whole_run(self) -> Population:
        """The algorithm's population under ids that are unique in the whole run."""
        inner: Population = self._algorithm.population
        genomes, masks = self._placed(inner)
        ids: IntArray = inner.ids + self._first_id
        if len(ids):
            self._next_id = max(self._next_id, int(ids.max()) + 1)
        return Population(
            self.architecture,
            genomes,
            fitness=inner.fitness,
            ids=ids,
            parents=np.where(inner.parents == NO_PARENT, NO_PARENT, inner.parents + self._first_id),
            operators=inner.operators,
            operator_names=inner.operator_names,
            masks=masks,
        )

    def _placed(self, inner: Population) -> tuple[FloatArray, BoolArray | None]:
        """The genomes and masks of the algorithm's population as those of `architecture`."""
        return inner.genomes, inner.masks
