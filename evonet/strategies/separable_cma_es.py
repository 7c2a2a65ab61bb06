"""Separable CMA-ES, by the `cmaes` package."""

from __future__ import annotations

from evonet.strategies.cmaes_package import PackageStrategy


class SeparableCMAES(PackageStrategy):
    """Separable CMA-ES: learns a step size and a variance for each gene (Ros and Hansen 2008).

    Its cost is linear in the genome's size, and it learns faster than full CMA-ES where genes are many.
    """

    package_class = "SepCMA"
