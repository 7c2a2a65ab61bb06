"""Racing: individuals that can no longer be among the fittest of their generation run no more episodes.

V. Heidrich-Meisner and C. Igel, "Hoeffding and Bernstein races for selecting policies in evolutionary direct policy
search", ICML 2009. Their bounds need returns of a known range, which an environment does not tell, so the bound here is
Student's. As all individuals run the same episodes, it is a bound on the mean of paired differences.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

import numpy as np
from annotated_types import Ge, Gt, Lt

from evonet.errors import FitnessFunctionFailed, TooManyFaults
from evonet.evaluation.aggregation import episode_worth
from evonet.evaluation.results import EpisodeResults, Fault, ObservationSums
from evonet.settings import Settings
from evonet.strategies.algorithm import mu_of
from evonet.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.environments.normaliser import ObservationNormaliser


@dataclass(frozen=True)
class Race(Settings):
    """How individuals race: those that can no longer be among the fittest run no more episodes.

    All run a round of episodes. Then, and after each further round, an individual is dropped if it is worse than the
    individual of rank mu by a one-sided bound on the mean of their differences in the episodes so far. mu is the
    algorithm's: in a genetic algorithm the elites and those that survive or breed by their rank, in an evolution
    strategy the better half of the samples. Individuals that are dropped enter no archive, because they have no mean of
    all episodes.

    Attributes:
        round: episodes of a round.
        confidence: confidence of the bound, in each comparison.
    """

    round: Annotated[int, Ge(1)] = 2
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95

    def check(self, fitness: Any, algorithm: object, episodes: int) -> None:
        """Check that `algorithm` and `fitness` can race over at most so many `episodes`.

        Raises:
            ValueError: the algorithm has no `mu`, the fitness is not a mean of episodes, or there is only one round.
        """
        mu_of(algorithm)
        aggregation = getattr(fitness, "aggregation", "mean")
        if aggregation != "mean":
            raise ValueError(f"a race needs a fitness that is the mean of its episodes, got the {aggregation}")
        if episodes <= self.round:
            raise ValueError(f"a race needs more episodes than a round has ({self.round}), got {episodes}")

    def run(
        self,
        fitness: Any,
        genomes: FloatArray,
        episode_seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        mu: int,
        weights: Sequence[float],
    ) -> RaceResult:
        """Run the race, a pure function of its arguments.

        Args:
            fitness: runs the episodes, an `evonet.fitness.Fitness`.
            genomes: `(n, genome_size)`.
            episode_seeds: `(episodes,)`, of the episodes in their order.
            normaliser: normaliser of observations, or None.
            mu: how many of the fittest matter.
            weights: of the return and of each measure in what an episode is worth; empty where it is the return.
        """
        n, episodes = len(genomes), len(episode_seeds)
        rows, rounds = np.arange(n), list[_Round]()
        worth, count = np.full((n, episodes), np.nan), np.zeros(n, np.int64)
        for first in range(0, episodes, self.round):
            last = min(first + self.round, episodes)
            try:
                results = _run_rows(fitness, genomes, rows, episode_seeds[first:last], normaliser)
            except TooManyFaults as error:
                error.faults = [*_faults(rounds), *(_later(fault, first) for fault in error.faults)]
                raise
            if results.returns.shape[1] != last - first:
                raise FitnessFunctionFailed("a race needs a return of each episode, got one return for all of a round")
            rounds.append(_Round(rows, slice(first, last), results))
            worth[rows, first:last] = episode_worth(results, weights)
            count[rows] = last
            rows = rows[self.survivors(worth[rows, :last], mu)]
            if not len(rows):
                break
        return RaceResult(_joined(rounds, n, episodes), worth, count)

    def survivors(self, worth: FloatArray, mu: int) -> BoolArray:
        """Which individuals go on, `(n,)`: those that may be among the `mu` fittest.

        Args:
            worth: what each episode so far is worth, `(n, episodes)`; NaN for a failed one.
            mu: how many of the fittest matter.
        """
        episodes = worth.shape[1]
        scored = cast("BoolArray", np.isfinite(worth).all(axis=1))
        if episodes < 2 or np.count_nonzero(scored) <= mu:
            return scored
        with np.errstate(over="ignore", invalid="ignore"):
            means = np.where(scored, worth.mean(axis=1), -np.inf)
            differences = worth - worth[np.argsort(-means, kind="stable")[mu - 1]]
            standard_errors = differences.std(axis=1, ddof=1) / math.sqrt(episodes)
            bounds = differences.mean(axis=1) + student_quantile(self.confidence, episodes - 1) * standard_errors
        return cast("BoolArray", scored & ~(bounds < 0))


@dataclass(frozen=True)
class RaceResult:
    """What a race found.

    Attributes:
        results: `(n, episodes)`; an episode that was not run has a return of NaN and a length of 0, and is no fault.
        worth: what each episode is worth, `(n, episodes)`; NaN for one that failed or was not run.
        count: episodes that each individual ran, `(n,)`.
    """

    results: EpisodeResults
    worth: FloatArray
    count: IntArray

    def fitness(self) -> FloatArray:
        """The fitness `(n,)`: the mean over the episodes; an estimate for who was dropped, -inf for who failed.

        The estimate is the mean of those that ran all episodes, plus the individual's mean difference to them in the
        episodes that it ran; but no more than the least of their means.
        """
        episodes = self.worth.shape[1]
        scored = np.isfinite(self.worth) | (np.arange(episodes) >= self.count[:, None])
        without_fault = scored.all(axis=1)
        finished = without_fault & (self.count == episodes)
        fitness = np.where(finished, self.worth.mean(axis=1), -np.inf)
        dropped = np.flatnonzero(without_fault & ~finished)
        if not finished.any():
            fitness[dropped] = [self.worth[row, : self.count[row]].mean() for row in dropped]
            return fitness
        means = self.worth[finished].mean(axis=0)  # of each episode
        for row in dropped:
            count = self.count[row]
            estimate = means.mean() + (self.worth[row, :count] - means[:count]).mean()
            fitness[row] = min(estimate, fitness[finished].min())
        return fitness


@functools.cache
def student_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's distribution with some `degrees` of freedom, to six decimals; probability above 1/2.

    The distribution function is a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4); it is inverted by bisection.
    """
    low, high = 0.0, 1.0
    while _student_share(high, degrees) < probability:
        high *= 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _student_share(middle, degrees) < probability else (low, middle)
    return round(high, 6)


def _student_share(t: float, degrees: int) -> float:
    """The share of Student's distribution below `t`, which is at least 0."""
    cosine_squared = degrees / (degrees + t * t)
    sine, odd = math.sqrt(1 - cosine_squared), degrees % 2
    term = math.sqrt(cosine_squared) if odd else 1.0
    total = term if degrees > 1 else 0.0
    for power in range(2 + odd, degrees - 1, 2):
        term *= cosine_squared * (power - 1) / power
        total += term
    if odd:
        return 0.5 + (math.asin(sine) + sine * total) / math.pi
    return 0.5 + sine * total / 2


def _run_rows(
    fitness: Any,
    genomes: FloatArray,
    rows: IntArray,
    episode_seeds: IntArray,
    normaliser: ObservationNormaliser | None,
) -> EpisodeResults:
    """Run some rows of the genomes; if the fitness takes `rows`, its failures count against all genomes."""
    results: EpisodeResults
    if "rows" in inspect.signature(fitness).parameters:
        results = fitness(genomes, episode_seeds, normaliser, rows=rows)
    else:
        results = fitness(genomes[rows], episode_seeds, normaliser)
    return results


class _Round(NamedTuple):
    """The rows that ran, the episodes that they ran, and the results."""

    rows: IntArray
    episodes: slice
    results: EpisodeResults


def _later(fault: Fault, episodes: int) -> Fault:
    """A fault of a round, with its episode counted from the start of the race; `episodes` came before the round."""
    return replace(fault, episode=fault.episode + episodes)


def _faults(rounds: list[_Round]) -> list[Fault]:
    """The faults of rounds, by individual and episode of the whole race."""
    faults = [
        replace(_later(fault, ran.start), individual=int(rows[fault.individual]))
        for rows, ran, results in rounds
        for fault in results.faults
    ]
    return sorted(faults, key=lambda fault: (fault.individual, fault.episode))


def _joined(rounds: list[_Round], n: int, episodes: int) -> EpisodeResults:
    """The results `(n, episodes)` of rounds."""
    first = rounds[0].results
    sums = None
    if first.observations is not None:
        sums = np.zeros((2, n, episodes, first.observations.sums.shape[-1]))
    measures = None if first.measures is None else np.full((n, episodes, first.measures.shape[-1]), np.nan)
    returns, lengths = np.full((n, episodes), np.nan), np.zeros((n, episodes), np.int64)
    terminated = np.zeros((n, episodes), np.bool_)
    for rows, ran, results in rounds:
        returns[rows, ran], lengths[rows, ran] = results.returns, results.lengths
        terminated[rows, ran] = results.terminated
        if sums is not None and results.observations is not None:
            for place, each in enumerate(results.observations):
                sums[place, rows, ran] = each.reshape(*results.returns.shape, -1)
        if measures is not None:
            measures[rows, ran] = results.measures
    observations = None if sums is None else ObservationSums(*sums.reshape(2, n * episodes, -1))
    return EpisodeResults(returns, lengths, terminated, _faults(rounds), observations, measures=measures)
