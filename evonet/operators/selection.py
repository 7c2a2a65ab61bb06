"""Selection: which individuals become parents.

A selection maps `(rng, parents, count)` to the rows of `count` parents, `(count,)`, in random order, so that neighbours
may be paired. To add one, write a class and enter it in `SELECTIONS`.
"""

from __future__ import annotations

import math
from typing import Annotated, Protocol

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from evonet.arithmetic import exp, power
from evonet.operators.fitness_scaling import lead, ranks
from evonet.operators.parents import Parents
from evonet.settings import Count, Operator, PositiveFloat, frozen
from evonet.types import FloatArray, IntArray


class Selection(Protocol):
    """Chooses parents, mostly by their fitness."""

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        """Rows of the chosen parents, `(count,)`; the same row may be chosen many times."""
        ...


@frozen
class Tournament(Operator):
    """Chooses the fittest of `size` individuals drawn at random, with replacement (Goldberg and Deb 1991).

    Attributes:
        size: individuals in a tournament; 1 selects at random.
    """

    size: Count = 3

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        entrants = rng.integers(len(parents), size=(count, self.size))
        winners = parents.fitness[entrants].argmax(axis=1)
        rows: IntArray = entrants[np.arange(count), winners]
        return rows


@frozen
class Truncation(Operator):
    """Chooses any of the fittest `fraction`, with equal chances (Mühlenbein and Schlierkamp-Voosen 1993).

    Attributes:
        fraction: share of the population that may breed; at least one individual does.
    """

    fraction: Annotated[float, Gt(0), Le(1)] = 0.25

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        breeding = self.num_by_rank(len(parents))
        breeders = np.argsort(-parents.fitness, kind="stable")[:breeding]
        return breeders[rng.integers(breeding, size=count)]

    def num_by_rank(self, n: int) -> int:
        """How many of n individuals breed by their rank."""
        return max(1, math.ceil(round(self.fraction * n, 9)))  # 0.07 * 100 is 7.000000000000001


@frozen
class Roulette(Operator):
    """Chances in proportion to the lead over the least fit (Holland 1975, with a window against negative fitness).

    The least fit has no chance; where all are equally fit, all have the same.
    """

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        return _spin(_proportions(parents.fitness), rng.random(count))


@frozen
class LinearRank(Operator):
    """Chances that rise linearly with rank; equal fitness shares its ranks' mean (Baker 1985).

    Attributes:
        pressure: expected offspring of the fittest, from 1 (none) to 2 (the least fit has no chance).
    """

    pressure: Annotated[float, Ge(1), Le(2)] = 1.7

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        n = len(parents)
        heights = ranks(parents.fitness) / (n - 1) if n > 1 else np.ones(n)
        return _spin((2 - self.pressure) + 2 * (self.pressure - 1) * heights, rng.random(count))


@frozen
class ExponentialRank(Operator):
    """Chances fall by a constant factor from rank to rank; equals share their ranks' mean (Blickle and Thiele 1995).

    Attributes:
        base: ratio of an individual's chance to the next fitter one's; near 0 only the fittest are chosen.
    """

    base: Annotated[float, Gt(0), Lt(1)] = 0.95

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        heights = ranks(parents.fitness)
        return _spin(power(self.base, heights.max() - heights), rng.random(count))


@frozen
class Boltzmann(Operator):
    """Chances in proportion to exp(fitness / temperature), fitness in standard deviations (de la Maza and Tidor 1993).

    Attributes:
        temperature: near 0 only the fittest are chosen, a high one hardly selects; a schedule can anneal it.
    """

    temperature: PositiveFloat = 1.0

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        halved = parents.fitness / 2  # the difference of two huge numbers of opposite sign would overflow
        behind = halved - halved.max()
        spread = float((behind / max(-float(behind.min()), np.finfo(np.float64).tiny)).std()) * -float(behind.min())
        if spread == 0.0:
            return rng.integers(len(parents), size=count)
        with np.errstate(under="ignore", over="ignore"):
            return _spin(exp(behind / spread / self.temperature), rng.random(count))


@frozen
class EpsilonLexicase(Operator):
    """Chooses the best on one episode after another, in random order (La Cava, Spector and Danai 2016).

    Each parent is chosen with another order of the episodes. The individuals within the median absolute deviation of
    the best return on the first episode stay, of these the same on the second, and so on. So an individual that is the
    best in some episode can be chosen, whatever its mean.
    """

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        returns = parents.fitness[:, None] if parents.returns is None else parents.returns
        scores = np.where(np.isfinite(returns), returns, -np.inf) / 2
        centre = np.median(scores, axis=0)
        with np.errstate(invalid="ignore"):
            deviations = np.abs(scores - centre)
        epsilon = np.median(np.where(np.isnan(deviations), 0.0, deviations), axis=0)
        epsilon[~np.isfinite(epsilon)] = 0.0
        n, episodes = scores.shape
        order = rng.permuted(np.broadcast_to(np.arange(episodes), (count, episodes)), axis=1)
        alive = np.ones((count, n), np.bool_)
        for turn in range(episodes):  # all parents are chosen side by side, an episode at a time
            episode = order[:, turn]
            values = np.where(alive, scores[:, episode].T, -np.inf)
            best = values.max(axis=1)
            alive &= values >= (best - epsilon[episode])[:, None]
        keys = np.where(alive, rng.random((count, n)), -1.0)
        rows: IntArray = keys.argmax(axis=1)
        return rows


@frozen
class StochasticUniversalSampling(Operator):
    """Roulette with one spin and evenly spaced pointers, which keeps to the chances most closely (Baker 1987)."""

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        pointers = (np.arange(count) + rng.random()) / count
        rows = _spin(_proportions(parents.fitness), pointers)
        rng.shuffle(rows)
        return rows


@frozen
class RandomSelection(Operator):
    """Chooses any individual, with equal chances: no selection pressure."""

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        return rng.integers(len(parents), size=count)


SELECTIONS: dict[str, type[Selection]] = {
    "tournament": Tournament,
    "truncation": Truncation,
    "roulette": Roulette,
    "linear_rank": LinearRank,
    "exponential_rank": ExponentialRank,
    "boltzmann": Boltzmann,
    "epsilon_lexicase": EpsilonLexicase,
    "stochastic_universal_sampling": StochasticUniversalSampling,
    "random": RandomSelection,
}


def _proportions(fitness: FloatArray) -> FloatArray:
    """Leads over the least fit, or ones where all are equally fit."""
    leads = lead(fitness)
    return leads if leads.any() else np.ones_like(leads)


def _spin(weights: FloatArray, pointers: FloatArray) -> IntArray:
    """The index under each of the `pointers`, numbers in [0, 1), on a wheel cut in proportion to `weights`."""
    wheel = np.cumsum(weights)
    slots = np.searchsorted(wheel, pointers * wheel[-1], side="right")
    rows: IntArray = np.minimum(slots, np.flatnonzero(weights)[-1])
    return rows
