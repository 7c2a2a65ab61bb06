"""Separable CMA-ES, by the `cmaes` package."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from evonet.network import Architecture
from evonet.settings import Natural, PositiveFloat
from evonet.strategies.cmaes_package import PackageStrategy, PopulationSize


class SeparableCMAES(PackageStrategy):
    """Separable CMA-ES: learns a step size and a variance for each gene (Ros and Hansen 2008).

    Its cost is linear in the genome's size, and it learns faster than the full one where genes are many.

    Args:
        architecture: of the networks that evolve.
        population_size: genomes sampled in each generation; by default 4 + 3 ln(genome size).
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
        population_size: PopulationSize | None = None,
        sigma: PositiveFloat = 0.5,
        mean: float = 0.0,
        spread: Annotated[float, Ge(0)] = 0.0,
        evaluate_mean: bool = True,  # noqa: FBT001, FBT002 - a setting
        *,
        seed: Natural = 0,
    ) -> None:
        super().__init__(
            architecture, "SepCMA", population_size, sigma, mean, spread, evaluate_mean=evaluate_mean, seed=seed
        )
