"""The base class of strategies by the `cmaes` package: the package samples and learns, evonet seeds and saves it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge

from evonet.architecture import Architecture
from evonet.errors import ConfigError
from evonet.extras import optional_package
from evonet.linear_algebra import single_threaded
from evonet.seeding import Purpose, generator
from evonet.settings import Natural, PositiveFloat, check
from evonet.strategies.fitness_shaping import shared_by_equals
from evonet.strategies.strategy import Strategy
from evonet.strategies.warm_start import Start, starting_genomes
from evonet.types import FloatArray

PopulationSize = Annotated[int, Ge(2)]


class PackageStrategy(Strategy):
    """Base of strategies that the `cmaes` package carries out.

    The package computes with NumPy's linear algebra, held to one thread: the bits depend on the processor, but not on
    its number of cores.

    Args:
        architecture: architecture of the networks that evolve.
        population_size: genomes sampled in each generation; by default 4 + 3 ln(genome size).
        sigma: first step size.
        mean: value of every gene of the first mean; in Python also what `initial` takes.
        spread: standard deviation of the first mean's genes around `mean`; 0 starts exactly at it.
        evaluate_mean: whether the mean is scored too, as one more individual: often the best policy of all.
        seed: seed of all random numbers.
        initial: the first mean instead of `mean`: a genome, or what has one, see `evonet.strategies.warm_start`.

    Attributes:
        package_class: name of the class in the package.

    Raises:
        ConfigError: the package is not installed.
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    uses_linear_algebra = True
    package_class: ClassVar[str]
    argument_rules: ClassVar[dict[str, Any]] = {"mean": float}

    def __init__(
        self,
        architecture: Architecture,
        population_size: PopulationSize | None = None,
        sigma: PositiveFloat = 0.5,
        mean: float | Start = 0.0,
        spread: Annotated[float, Ge(0)] = 0.0,
        evaluate_mean: bool = True,  # noqa: FBT001, FBT002 - a setting
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        super().__init__(architecture, seed=seed)
        place = f"{type(self).__name__}.initial"
        if initial is None and not np.isscalar(mean):
            place, initial, mean = f"{type(self).__name__}.mean", mean, 0.0
        settings = {"population_size": population_size, "sigma": sigma, "mean": mean, "spread": spread}
        check(type(self), settings | {"evaluate_mean": evaluate_mean})
        size = architecture.genome_size
        first: Any = mean if initial is None else starting_genomes(place, initial, architecture, most=1)[0]
        centre = np.full(size, first, dtype=np.float64) + spread * generator(
            seed, Purpose.INITIALISATION
        ).standard_normal(size)
        package = optional_package("cmaes", "this strategy needs the package cmaes", "strategies", ConfigError)
        with single_threaded():
            self._optimiser: Any = getattr(package, self.package_class)(
                centre, float(sigma), population_size=population_size
            )
        self._optimiser._funhist_values[:] = 0.0  # the package leaves it to whatever the memory held
        self.evaluate_mean = evaluate_mean

    @property
    def mu(self) -> int:
        """How many of the fittest a race must find: the better half of the samples, and the mean if it is scored."""
        return self._better_half + self.evaluate_mean

    @property
    def _better_half(self) -> int:
        """How many samples have positive weights."""
        return self.population_size // 2

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
        with single_threaded():
            return bool(self._optimiser.should_stop())

    def propose(self, rng: np.random.Generator) -> FloatArray:
        self._optimiser.reseed_rng(int(rng.integers(2**32)))
        with single_threaded():
            sampled = [self._optimiser.ask() for _ in range(self.population_size)]
        return np.array([*sampled, self.mean] if self.evaluate_mean else sampled)

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        n = self.population_size
        # The package minimises, so the fittest has place 0. Equally fit genomes share the mean of their places.
        places = shared_by_equals(fitness[:n], np.arange(n, dtype=np.float64))
        with single_threaded():
            self._optimiser.tell(list(zip(genomes[:n], places.tolist(), strict=True)))

    def state(self) -> dict[str, Any]:
        saved = {name: copy.copy(getattr(self._optimiser, name)) for name in self._saved_names()}
        return super().state() | {"optimiser": saved}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        for name in self._saved_names():
            setattr(self._optimiser, name, copy.copy(state["optimiser"][name]))

    def _saved_names(self) -> list[str]:
        """Names of the optimiser's attributes, except its random generator, which each generation seeds anew."""
        return [name for name in vars(self._optimiser) if name != "_rng"]
