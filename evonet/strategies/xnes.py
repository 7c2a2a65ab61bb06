"""xNES, by the `cmaes` package."""

from __future__ import annotations

from evonet.strategies.cmaes_package import PackageStrategy


class XNES(PackageStrategy):
    """xNES: the natural gradient of a normal distribution with its whole covariance (Glasmachers et al. 2010).

    The cost of an individual grows with the cube of the genome's size, so it suits small networks.
    """

    package_class = "XNES"

    @property
    def _better_half(self) -> int:
        return (self.population_size + 1) // 2  # the middle one of an odd number has a weight, too
