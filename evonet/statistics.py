"""Statistics of scores: robust means, bootstrap intervals, rank tests and performance profiles.

The methods are those that Agarwal et al. (2021, "Deep reinforcement learning at the edge of the statistical
precipice") recommend for few runs with skewed scores. Bootstraps have a fixed random stream, so the same data give the
same interval. Values may be infinite, for example for a run without success, but not NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from evonet.extras import optional_package
from evonet.seeding import Purpose, generator
from evonet.types import FloatArray, IntArray

Statistic: TypeAlias = Callable[..., FloatArray]
"""Function of resamples `(b, n_k)`, one argument for each of k samples, that returns a value for each, `(b,)`."""

CONFIDENCE = 0.95
_RESAMPLES = 2_000
_BLOCK = 100  # resamples in memory at once
_MANY = 100_000  # values, beyond which there are fewer resamples, so that time and memory stay bounded
_MIN_RESAMPLES = 100
_VALUES_A_GROUP = 5  # that many values are at least in a group, if there are many
_NORMAL = 1.959963984540054  # 97.5 % quantile of the standard normal distribution
_FEW, _FEW_TOGETHER = 8, 400  # values in the smaller sample, and in both, up to which a rank test is exact


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


class RankTest(NamedTuple):
    """The result of a Mann-Whitney test.

    Attributes:
        u: number of pairs in which the first sample's value is higher, ties counted half.
        p: two-sided p-value.
    """

    u: float
    p: float


def quantiles(values: FloatArray, shares: Sequence[float]) -> FloatArray:
    """Quantiles `(k,)` of `values (n,)` at `shares (k,)`, interpolated linearly.

    The results are those of `np.quantile`, which slows the start of a run by importing NumPy's masked arrays.
    """
    places = np.asarray(shares) * (len(values) - 1)
    found: FloatArray = np.interp(places, np.arange(len(values)), np.sort(values))
    return found


def standard_error(values: FloatArray) -> float:
    """The standard error of the mean of `values (n,)`; 0 for a single one."""
    return float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0


def bootstrap_interval(statistic: Statistic, *samples: FloatArray) -> Interval:
    """95 % percentile bootstrap interval of a statistic (Efron and Tibshirani 1993).

    Each sample is resampled separately, so several samples are strata, for example the runs of each task, or of each
    side of a comparison. Of more than 100,000 values there are fewer resamples: 1,000 and less, but at least 100. A
    sample of more than 100,000 values is resampled in groups of neighbours, each with its mean, because single draws of
    a million values take a second; the groups are far narrower than the interval of any statistic of this module.

    Args:
        statistic: function of resamples `(b, n_k)` of all samples.
        *samples: samples, `(n_k,)` each.
    """
    rng = generator(0, Purpose.BOOTSTRAP)
    block, count, size = _BLOCK, _RESAMPLES, sum(map(len, samples))
    if size > _MANY:
        block, count = max(1, _BLOCK * _MANY // (4 * size)), max(_MIN_RESAMPLES, _RESAMPLES * _MANY // (2 * size))
    with np.errstate(invalid="ignore"):
        sources = [(sample, _grouped(sample)) for sample in samples]
        estimates = [
            statistic(*(_resampled(rng, block, *source) for source in sources)) for _ in range(0, count, block)
        ]
    joined = np.concatenate(estimates)
    if np.isnan(joined).any():  # infinity minus infinity
        return Interval(math.nan, math.nan)
    low, high = quantiles(joined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high))


def _grouped(sample: FloatArray) -> tuple[FloatArray, IntArray] | None:
    """Means and sizes of groups of neighbours in the order of many values, `(groups,)` each; None for fewer values."""
    if len(sample) <= _MANY:
        return None
    count = _MANY // _VALUES_A_GROUP
    starts = np.arange(count) * len(sample) // count
    sizes = np.diff(starts, append=len(sample))
    return np.add.reduceat(np.sort(sample), starts) / sizes, sizes


def _resampled(
    rng: np.random.Generator, block: int, sample: FloatArray, groups: tuple[FloatArray, IntArray] | None
) -> FloatArray:
    """Resamples of a sample `(n,)`, or of its groups, `(block, n)`."""
    n = len(sample)
    if groups is None:
        return sample[rng.integers(n, size=(block, n))]
    means, sizes = groups
    return np.array([np.repeat(means, counts) for counts in rng.multinomial(n, sizes / n, size=block)])


def mean(*strata: FloatArray) -> FloatArray:
    """The mean of all strata, over the last axis."""
    found: FloatArray = np.concatenate(strata, axis=-1).mean(axis=-1)
    return found


def median(*strata: FloatArray) -> FloatArray:
    """The median of all strata, over the last axis."""
    ordered = np.sort(np.concatenate(strata, axis=-1), axis=-1)
    n = ordered.shape[-1]
    lower, upper = ordered[..., (n - 1) // 2], ordered[..., n // 2]
    found: FloatArray = np.where(lower == upper, lower, (lower + upper) / 2)  # also where both are infinite
    return found


def interquartile_mean(*strata: FloatArray) -> FloatArray:
    """The mean of the middle half of all strata, over the last axis (Agarwal et al. 2021).

    The lowest and the highest quarter, rounded down, are left out. The statistic is less sensitive to outliers than the
    mean, and more efficient than the median.
    """
    ordered = np.sort(np.concatenate(strata, axis=-1), axis=-1)
    cut = ordered.shape[-1] // 4
    found: FloatArray = ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)
    return found


def difference_of(statistic: Statistic) -> Statistic:
    """The statistic of a first sample minus that of a second."""
    return lambda first, second: statistic(first) - statistic(second)


def wilson_interval(successes: int, trials: int) -> Interval:
    """95 % interval of a success rate (Wilson 1927); from 0 to 1 without trials.

    Unlike the normal interval, it stays within 0 and 1 and has a width even if all trials succeed.
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    rate, weight = successes / trials, _NORMAL**2 / trials
    centre = (rate + weight / 2) / (1 + weight)
    half = _NORMAL * math.sqrt(rate * (1 - rate) / trials + weight / trials / 4) / (1 + weight)
    low = 0.0 if successes == 0 else centre - half  # exactly, without rounding errors
    high = 1.0 if successes == trials else centre + half
    return Interval(low, high)


def superiority(first: FloatArray, second: FloatArray) -> float:
    """The share of pairs in which the first sample's value is higher, ties counted half.

    This is the effect size A of Vargha and Delaney (2000): 0.5 if neither sample tends to be higher, 1 if the first
    always is.
    """
    below = np.searchsorted(np.sort(second), first, side="left")
    not_above = np.searchsorted(np.sort(second), first, side="right")
    return float((below + not_above).mean() / 2 / len(second))


def mann_whitney(first: FloatArray, second: FloatArray) -> RankTest:
    """Mann and Whitney's test (1947) of whether two samples differ.

    The p-value is exact if a sample is small, otherwise SciPy's normal approximation. Scores at a task's maximum are
    tied, and for few tied values the approximation is too small.

    Raises:
        EvonetError: SciPy is needed and not installed.
    """
    distinct, ranks = np.unique(np.concatenate([first, second]), return_inverse=True)  # infinities in their order
    n, m = len(first), len(second)
    u = superiority(first, second) * n * m
    if len(distinct) == 1:
        return RankTest(u, 1.0)
    if min(n, m) <= _FEW and n + m <= _FEW_TOGETHER:
        return RankTest(u, _exact_p(ranks, ranks[:n] if n <= m else ranks[n:]))
    test = _scipy_stats().mannwhitneyu(ranks[:n], ranks[n:], method="asymptotic")
    return RankTest(u, min(float(test.pvalue), 1.0))


def _exact_p(ranks: IntArray, chosen: IntArray) -> float:
    """Twice the share of all samples of the same size whose rank sum is at least as extreme as that of `chosen`.

    Args:
        ranks: ranks of all values, equal for ties, `(n + m,)`.
        chosen: ranks of the smaller sample.
    """
    ties = np.bincount(ranks)
    midranks = 2 * np.cumsum(ties) - ties  # doubled, so that they are whole numbers
    values = midranks[ranks]
    size, most = len(chosen), int(np.sort(values)[-len(chosen) :].sum())
    ways = np.zeros((size + 1, most + 1))  # ways[k, s]: number of choices of k values with the sum s
    ways[0, 0] = 1.0
    for value in values:
        ways[1:, value:] += ways[:-1, : most + 1 - value].copy()
    shares = ways[size] / ways[size].sum()
    found = int(midranks[chosen].sum())
    return float(min(1.0, 2 * min(shares[: found + 1].sum(), shares[found:].sum())))


def least_p(first: int, second: int) -> float:
    """The smallest p that the Mann-Whitney test can give for samples of these sizes."""
    return min(1.0, 2 / math.comb(first + second, first))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for multiple tests (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def performance_profile(scores: FloatArray, thresholds: FloatArray) -> FloatArray:
    """The share of `scores (…, n)` that reach each of `thresholds (k,)`, `(…, k)` (Agarwal et al. 2021).

    A profile that is above another everywhere is better for every threshold.
    """
    n = scores.shape[-1]
    below = np.array([np.searchsorted(row, thresholds) for row in np.sort(scores, axis=-1).reshape(-1, n)])
    found: FloatArray = ((n - below) / n).reshape(*scores.shape[:-1], len(thresholds))
    return found


def profile_band(scores: FloatArray, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lower and upper edge of the pointwise 95 % bootstrap band of a performance profile, `(k,)` each."""
    rng = generator(0, Purpose.BOOTSTRAP)
    if len(scores) > _MANY:  # the number of resampled scores that reach a threshold is binomial
        reached = performance_profile(scores, thresholds)
        blocks = [rng.binomial(len(scores), reached, size=(_RESAMPLES, len(thresholds))) / len(scores)]
    else:
        blocks = [
            performance_profile(scores[rng.integers(len(scores), size=(_BLOCK, len(scores)))], thresholds)
            for _ in range(0, _RESAMPLES, _BLOCK)
        ]
    shares = np.sort(np.concatenate(blocks), axis=0)
    edges = [quantiles(column, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]) for column in shares.T]
    low, high = np.array(edges).T
    return low, high


def _scipy_stats() -> Any:
    return optional_package("scipy.stats", "the Mann-Whitney test needs SciPy", "report")
