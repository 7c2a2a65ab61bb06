"""Restarts with growing populations: IPOP (Auger and Hansen 2005) and BIPOP (Hansen 2009), around any algorithm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from evonet.architecture import Architecture
from evonet.arithmetic import power
from evonet.seeding import Purpose, generator
from evonet.settings import Count, Natural, check
from evonet.strategies.algorithm import AlgorithmFactory, check_factory
from evonet.strategies.succession import Succession
from evonet.strategies.warm_start import Start
from evonet.types import FloatArray

RestartPolicy = Literal["ipop", "bipop"]


class Restarts(Succession):
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

    # These three count from the last restart on.
    _best: float
    _since_better: int
    _flat_for: int

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
        super().__init__(architecture)
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
        self._run(self._begun(None, {} if initial is None else {"initial": initial}))

    @property
    def population_size(self) -> int:
        """The population size of the algorithm that runs now."""
        return self._sizes[-1]

    def _record(self, scores: FloatArray) -> None:
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
        return super().state() | {
            "restarts": self.restarts,
            "sizes": np.array(self._sizes),
            "small": self._small,
            "growths": self._growths,
            "spent": dict(self._spent),
            "best": self._best,
            "since_better": self._since_better,
            "flat_for": self._flat_for,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self.restarts = int(state["restarts"])
        self._sizes = [int(size) for size in state["sizes"]]
        self._small, self._growths = bool(state["small"]), int(state["growths"])
        self._spent = {kind: int(count) for kind, count in state["spent"].items()}
        self._run(self._made(self._sizes[-1] if self.restarts else None, {}))
        self._best = float(state["best"])
        self._since_better, self._flat_for = int(state["since_better"]), int(state["flat_for"])
        super().restore(state)

    def _successor(self) -> Any:
        if not self._is_stuck():
            return None
        self.restarts += 1
        return self._begun(self._next_size(), {})

    def _begun(self, size: int | None, start: Mapping[str, Any]) -> Any:
        """A new algorithm, from which the counts begin anew."""
        algorithm = self._made(size, start)
        self._sizes.append(int(algorithm.population_size if size is None else size))
        self._best, self._since_better, self._flat_for = -math.inf, 0, 0
        return algorithm

    def _made(self, size: int | None, start: Mapping[str, Any]) -> Any:
        """An algorithm for this restart, with a seed of its own."""
        rng = generator(self.seed, Purpose.VARIATION, self.restarts, 2)
        own_seed = int(rng.integers(2**31)) if self.restarts else self.seed
        settings = {} if size is None else {"population_size": size}
        return self._make(architecture=self._searched, seed=own_seed, **settings, **start)

    def _is_stuck(self) -> bool:
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
