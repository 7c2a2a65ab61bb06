"""Replacement: which individuals survive, and which may become parents.

A replacement maps `(rng, fitness (n,), ids (n,), elites)` to the rows of those that survive, the fittest first, and the
rows of those that may breed, None for all. The rest of the next generation are children. Survivors are scored again
on the next generation's episodes, so that no lucky score lasts. If individuals survive or breed by rank alone, its
method `num_by_rank(n)` says how many, for a race must find these. To add one, write a class and enter it in
`REPLACEMENTS`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import numpy as np
from annotated_types import Gt, Lt

from evonet.settings import Count, Operator, frozen
from evonet.types import FloatArray, IntArray


class Replacement(Protocol):
    """Decides which individuals survive and which may breed."""

    def __call__(
        self, rng: np.random.Generator, fitness: FloatArray, ids: IntArray, elites: int
    ) -> tuple[IntArray, IntArray | None]:
        """Rows of the survivors, fewer than n and at least the fittest `elites`; rows of the breeders, None for all."""
        ...


@frozen
class Generational(Operator):
    """Children take the places of all but the elites (Holland 1975; De Jong 1975 for elites)."""

    def __call__(
        self, rng: np.random.Generator, fitness: FloatArray, ids: IntArray, elites: int
    ) -> tuple[IntArray, IntArray | None]:
        return _fittest(fitness, elites), None


@frozen
class Plus(Operator):
    """(mu + lambda): the fittest mu of parents and children together live on, and only they breed (Schwefel 1977).

    Parents and children, mu + lambda, are the population; elites are among the mu.

    Attributes:
        mu: share of the population that survives; at least one individual survives and at least one is replaced.
    """

    mu: Annotated[float, Gt(0), Lt(1)] = 0.25

    def __call__(
        self, rng: np.random.Generator, fitness: FloatArray, ids: IntArray, elites: int
    ) -> tuple[IntArray, IntArray | None]:
        parents = _fittest(fitness, max(self.num_by_rank(len(fitness)), elites))
        return parents, parents

    def num_by_rank(self, n: int) -> int:
        """How many of n individuals survive by their rank."""
        return _share(self.mu, n)


@frozen
class Comma(Operator):
    """(mu, lambda): the fittest mu breed and die, and lambda children are the next population (Schwefel 1977).

    Elites survive here too; the strict (mu, lambda) needs `elites` to be 0.

    Attributes:
        mu: share of the population that breeds; at least one individual does.
    """

    mu: Annotated[float, Gt(0), Lt(1)] = 0.25

    def __call__(
        self, rng: np.random.Generator, fitness: FloatArray, ids: IntArray, elites: int
    ) -> tuple[IntArray, IntArray | None]:
        return _fittest(fitness, elites), _fittest(fitness, self.num_by_rank(len(fitness)))

    def num_by_rank(self, n: int) -> int:
        """How many of n individuals breed by their rank."""
        return _share(self.mu, n)


@frozen
class SteadyState(Operator):
    """Breeds few children a generation; all others survive, and all may breed (Whitley 1989; Syswerda 1991).

    Attributes:
        children: number of children in each generation; at most one for each individual that is no elite.
        victims: the individuals that children replace: the least fit, the oldest or random ones, never the elites.
    """

    children: Count = 2
    victims: Literal["worst", "oldest", "random"] = "worst"

    def __call__(
        self, rng: np.random.Generator, fitness: FloatArray, ids: IntArray, elites: int
    ) -> tuple[IntArray, IntArray | None]:
        ranking = _fittest(fitness, len(fitness))
        rest = ranking[elites:]
        if self.victims == "oldest":
            rest = rest[np.argsort(-ids[rest], kind="stable")]
        elif self.victims == "random":
            rest = rng.permutation(rest)
        survivors = np.concatenate([ranking[:elites], rest[: max(len(rest) - self.children, 0)]])
        return survivors[np.argsort(-fitness[survivors], kind="stable")], None

    def num_by_rank(self, n: int) -> int:
        """How many of n individuals survive by their rank; 0 if rank does not decide."""
        return max(n - self.children, 0) if self.victims == "worst" else 0


REPLACEMENTS: dict[str, type[Replacement]] = {
    "generational": Generational,
    "plus": Plus,
    "comma": Comma,
    "steady_state": SteadyState,
}


def _fittest(fitness: FloatArray, count: int) -> IntArray:
    """Rows of the `count` fittest, the fittest first; of equals, the earlier row first."""
    return np.argsort(-fitness, kind="stable")[:count]


def _share(share: float, n: int) -> int:
    """A share of n individuals as a number, at least 1 and less than n."""
    return min(max(1, round(share * n)), n - 1)
