"""CMA-ES, by the `cmaes` package."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from evonet.network import Architecture
from evonet.settings import Natural, PositiveFloat
from evonet.strategies.cmaes_package import PackageStrategy


class CMAES(PackageStrategy):
    """CMA-ES: a normal distribution that learns its step size and its whole covariance (Hansen and Ostermeier 2001).

    The cost of a generation grows with the cube of the genome's size: for up to some hundred genes.

    Args:
        architecture: of the networks that evolve.
        population_size: genomes sampled in each generation; by default 4 + 3 ln(genome size). Of fewer than 4 no
            covariance can be learned.
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
        population_size: Annotated[int, Ge(4)] | None = None,
        sigma: PositiveFloat = 0.5,
        mean: float = 0.0,
        spread: Annotated[float, Ge(0)] = 0.0,
        evaluate_mean: bool = True,  # noqa: FBT001, FBT002 - a setting
        *,
        seed: Natural = 0,
    ) -> None:
        super().__init__(
            architecture, "CMA", population_size, sigma, mean, spread, evaluate_mean=evaluate_mean, seed=seed
        )
