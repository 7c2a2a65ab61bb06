"""CMA-ES, by the `cmaes` package."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from evonet.strategies.cmaes_package import PackageStrategy


class CMAES(PackageStrategy):
    """CMA-ES: a normal distribution that learns its step size and its whole covariance (Hansen and Ostermeier 2001).

    The cost of a generation grows with the cube of the genome's size, so it suits up to some hundred genes. It needs
    at least 4 individuals to learn a covariance.
    """

    package_class = "CMA"
    argument_rules: ClassVar[dict[str, Any]] = {
        **PackageStrategy.argument_rules,
        "population_size": Annotated[int, Ge(4)] | None,
    }
