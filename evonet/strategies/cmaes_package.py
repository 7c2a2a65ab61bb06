"""What the three strategies of the `cmaes` package share: how it is driven by addressed random numbers, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from evonet.errors import ConfigError
from evonet.network import Architecture
from evonet.packages import optional_package
from evonet.settings import Natural, PositiveFloat, check
from evonet.strategies.shaping import shared_by_equals
from evonet.strategies.strategy import Strategy
from evonet.types import FloatArray

PopulationSize = Annotated[int, Ge(2)]

_MACHINERY = ("_rng", "_funhist_values")  # neither has a part in what is proposed and learned


class PackageStrategy(Strategy):
    """Base of strategies that `cmaes` carries out.

    Args:
        architecture: of the networks that evolve.
        optimiser: class of the package.
        population_size: genomes sampled in each generation; by default the package's choice for the genome's size.
        sigma: first step size.
        mean: every gene of the first mean.
        spread: deviation of the first mean's genes around that; 0 starts exactly there.
        evaluate_mean: whether the mean is scored too, as one more individual: often the best policy of all.
        seed: of all random numbers.

    Raises:
        ConfigError: the package is not installed.
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        architecture: Architecture,
        optimiser: str,
        population_size: PopulationSize | None,
        sigma: PositiveFloat,
        mean: float,
        spread: Annotated[float, Ge(0)],
        *,
        evaluate_mean: bool,
        seed: Natural,
    ) -> None:
        super().__init__(architecture, seed=seed)
        settings = {"population_size": population_size, "sigma": sigma, "mean": mean, "spread": spread}
        check(type(self), settings | {"evaluate_mean": evaluate_mean})
        rng = self._initial()
        centre = np.full(architecture.genome_size, float(mean)) + spread * rng.standard_normal(architecture.genome_size)
        self._optimiser: Any = getattr(_package(), optimiser)(centre, float(sigma), population_size=population_size)
        self._optimiser._funhist_values[:] = 0.0
        self.evaluate_mean = evaluate_mean

    def _initial(self) -> np.random.Generator:
        from evonet.seeding import Purpose, generator

        return generator(self.seed, Purpose.INITIALISATION)

    @property
    def population_size(self) -> int:
        """Genomes sampled in each generation; the mean is one more."""
        return int(self._optimiser.population_size)

    @property
    def mean(self) -> FloatArray:
        """The mean of the search distribution, `(genome_size,)`."""
        mean: FloatArray = self._optimiser._mean.copy()
        return mean

    @property
    def sigma(self) -> float:
        """The step size."""
        return float(self._optimiser._sigma)

    @property
    def converged(self) -> bool:
        """Whether the distribution has become too narrow, too wide or too lopsided to go on."""
        return bool(self._optimiser.should_stop())

    def propose(self, rng: np.random.Generator) -> FloatArray:
        self._optimiser.reseed_rng(int(rng.integers(2**32)))
        sampled = [self._optimiser.ask() for _ in range(self.population_size)]
        return np.array([*sampled, self._optimiser._mean] if self.evaluate_mean else sampled)

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        n = self.population_size
        # The package minimises and sees places only. Equals share their places' mean; their order would be chance.
        places = shared_by_equals(fitness[:n], np.arange(n, dtype=np.float64))
        self._optimiser.tell(list(zip(genomes[:n], places.tolist(), strict=True)))

    def state(self) -> dict[str, Any]:
        kept = {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in vars(self._optimiser).items()
            if name not in _MACHINERY and isinstance(value, np.ndarray | float | int)
        }
        return super().state() | {"optimiser": kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        kept = state["optimiser"]
        for name, now in vars(self._optimiser).items():
            if name in kept:
                setattr(
                    self._optimiser, name, np.array(kept[name]) if isinstance(kept[name], np.ndarray) else kept[name]
                )
            elif now is None or (isinstance(now, np.ndarray) and name not in _MACHINERY):
                setattr(self._optimiser, name, None)  # a decomposition that was not there


def _package() -> Any:
    return optional_package("cmaes", "this strategy needs the package cmaes", "strategies", ConfigError)
