"""Statistics agree with SciPy, with figures computed by hand, and with simulations."""

import itertools
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evonet.errors import EvonetError
from evonet.extras import install_hint
from evonet.statistics import (
    bootstrap_interval,
    difference_of,
    holm,
    interquartile_mean,
    least_p,
    mann_whitney,
    mean,
    median,
    performance_profile,
    profile_band,
    quantiles,
    standard_error,
    superiority,
    wilson_interval,
)

INF = math.inf
few = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=8).map(np.array)


def array(*values):
    return np.array(values, dtype=np.float64)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array))
def test_quantiles_are_numpy_s(values):
    shares = [0.0, 0.1, 0.25, 0.5, 0.75, 0.975, 1.0]
    assert quantiles(values, shares) == pytest.approx(np.quantile(values, shares), rel=1e-12, abs=1e-12)


def test_quantiles_of_infinite_values_are_values():
    assert quantiles(array(-INF, -INF, 1, 2), [0.0, 0.25, 0.5, 1.0]).tolist() == [-INF, -INF, -INF, 2.0]
    assert quantiles(array(1, 2, INF, INF), [0.0, 0.5, 0.75, 1.0]).tolist() == [1.0, INF, INF, INF]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array))
def test_the_interquartile_mean_is_scipy_s_trimmed_mean(values):
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25), rel=1e-9, abs=1e-6)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array))
def test_the_median_is_numpy_s(values):
    assert median(values) == pytest.approx(np.median(values), rel=1e-12)


def test_strata_are_pooled():
    low, high = array(1, 2, 3, 4), array(10, 20, 30, 40)
    assert interquartile_mean(low, high) == np.mean([3, 4, 10, 20])
    assert median(low, high) == 7.0
    assert mean(low, high) == 110 / 8


def test_the_interquartile_mean_ignores_outliers_and_failures():
    values = array(4, 5, 6, 7, 8, 5, 6, 7)
    assert interquartile_mean(np.append(values, [1e9, -INF])) == interquartile_mean(values)
    assert median(array(-INF, -INF, -INF, 5)) == -INF
    assert median(array(1, 2, INF, INF)) == INF


def test_the_bootstrap_is_the_same_every_time_and_leaves_its_samples_alone():
    values = np.random.default_rng(0).normal(size=40)
    before = values.copy()
    assert bootstrap_interval(median, values) == bootstrap_interval(median, values)
    assert values.tolist() == before.tolist()


@pytest.mark.parametrize("statistic", [mean, median, interquartile_mean])
def test_the_bootstrap_agrees_with_scipy_s(statistic):
    values = np.random.default_rng(1).gamma(2.0, size=60)
    low, high = bootstrap_interval(statistic, values)
    theirs = stats.bootstrap(
        (values,), lambda x, axis: statistic(x), method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert low == pytest.approx(theirs.low, abs=0.08 * width)
    assert high == pytest.approx(theirs.high, abs=0.08 * width)


def test_strata_are_resampled_each_by_itself():
    """Tasks of 0 and of 1000 points: drawn from one urn, the share of each would vary and the interval be wide."""
    easy, hard = np.full(10, 1000.0), np.full(10, 0.0)
    assert bootstrap_interval(mean, easy, hard) == (500.0, 500.0)
    low, high = bootstrap_interval(mean, np.concatenate([easy, hard]))
    assert low < 400 < 600 < high
    few, many = np.full(2, 1000.0), np.full(18, 0.0)
    assert bootstrap_interval(mean, few, many) == (100.0, 100.0)


def test_the_interval_of_a_difference_holds_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(2)
    for statistic in (mean, median):
        samples = [(rng.normal(3, 1, size=30), rng.normal(1, 2, size=50)) for _ in range(60)]
        intervals = [bootstrap_interval(difference_of(statistic), *pair) for pair in samples]
        held = sum(low <= 2.0 <= high for low, high in intervals)
        assert held / 60 >= 0.87


def test_a_difference_of_infinities_has_no_interval():
    low, high = bootstrap_interval(difference_of(mean), array(-INF, 1), array(-INF, 2))
    assert math.isnan(low)
    assert math.isnan(high)


@pytest.mark.parametrize("successes", [0, 1, 7, 25, 49, 50])
def test_wilson_s_interval_is_scipy_s(successes):
    theirs = stats.binomtest(successes, 50).proportion_ci(method="wilson")
    assert wilson_interval(successes, 50) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_s_interval_worked_out_by_hand():
    z = 1.959963984540054
    assert wilson_interval(10, 10) == (pytest.approx(1 / (1 + z * z / 10)), 1.0)
    assert wilson_interval(0, 10) == (0.0, pytest.approx(z * z / 10 / (1 + z * z / 10)))
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_superiority_counts_the_pairs():
    assert superiority(array(3, 4), array(1, 2)) == 1.0
    assert superiority(array(1, 2), array(3, 4)) == 0.0
    assert superiority(array(1, 3), array(2, 3)) == (0 + 0 + 1 + 0.5) / 4
    assert superiority(array(INF, 1), array(-INF, INF)) == (1 + 0.5 + 1 + 0) / 4


@given(few, few)
def test_superiority_of_the_one_is_inferiority_of_the_other_and_scipy_s_u(first, second):
    share = superiority(first, second)
    assert share == pytest.approx(1 - superiority(second, first))
    assert share * len(first) * len(second) == pytest.approx(
        stats.mannwhitneyu(first, second, method="asymptotic").statistic if len({*first, *second}) > 1 else
        len(first) * len(second) / 2
    )  # fmt: skip
    assert mann_whitney(first, second).u == pytest.approx(share * len(first) * len(second))


@pytest.mark.parametrize(("n", "m"), [(1, 20), (20, 1), (2, 2), (3, 3), (5, 8), (8, 50)])
def test_the_rank_test_of_few_values_is_scipy_s_exact_one(n, m):
    rng = np.random.default_rng(n)
    first, second = rng.normal(size=n), rng.normal(1, size=m)
    assert mann_whitney(first, second).p == pytest.approx(stats.mannwhitneyu(first, second, method="exact").pvalue)


@pytest.mark.parametrize("seed", range(6))
def test_the_rank_test_of_few_values_with_ties_is_that_of_all_permutations(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 4, size=4).astype(float), rng.integers(0, 3, size=5).astype(float)
    joined = np.concatenate([first, second])
    ranks = stats.rankdata(joined)
    sums = np.array([ranks[list(rows)].sum() for rows in itertools.combinations(range(9), 4)])
    found = ranks[:4].sum()
    expected = min(1.0, 2 * min((sums <= found + 1e-9).mean(), (sums >= found - 1e-9).mean()))
    assert mann_whitney(first, second).p == pytest.approx(expected)
    assert mann_whitney(second, first).p == pytest.approx(expected)


def test_the_rank_test_of_many_values_is_scipy_s():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=40), rng.normal(0.4, size=30)
    theirs = stats.mannwhitneyu(first, second)
    assert mann_whitney(first, second) == (theirs.statistic, pytest.approx(theirs.pvalue))
    tied, other = first.round(), second.round()
    assert mann_whitney(tied, other).p == pytest.approx(stats.mannwhitneyu(tied, other).pvalue)


def test_three_runs_against_three_prove_nothing_however_far_apart():
    """SciPy's normal approximation has p = 0.047 here, where chance alone makes as much of one trial in ten."""
    ceiling, floor = np.full(3, 500.0), np.full(3, 100.0)
    assert stats.mannwhitneyu(ceiling, floor, method="asymptotic").pvalue < 0.05
    assert mann_whitney(ceiling, floor).p == pytest.approx(0.1)
    assert least_p(3, 3) == pytest.approx(0.1)


def test_equal_samples_do_not_differ():
    assert mann_whitney(np.full(50, 500.0), np.full(50, 500.0)).p == 1.0
    values = np.random.default_rng(0).normal(size=50)
    assert mann_whitney(values, values).p == pytest.approx(1.0, abs=0.01)


def test_the_rank_test_takes_infinities_in_their_order():
    solved, half = np.arange(100.0, 150.0), np.concatenate([np.arange(100.0, 125.0), np.full(25, INF)])
    assert mann_whitney(solved, half).p == mann_whitney(solved, np.where(half == INF, 1e9, half)).p < 0.05


def test_the_rank_test_is_wrong_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    for n, values in ((6, rng.normal), (20, rng.normal)):
        wrong = [mann_whitney(values(size=n), values(size=n)).p < 0.05 for _ in range(300)]
        assert np.mean(wrong) < 0.08


def test_without_scipy_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(EvonetError) as refused:
        mann_whitney(np.arange(20.0), np.arange(20.0) + 0.5)
    assert str(refused.value) == (
        f"the Mann-Whitney test needs SciPy, which is not installed: {install_hint('report')}"
    )


def test_holm_s_correction_worked_out_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.4, 0.5]) == pytest.approx([0.8, 0.8])
    assert holm([0.9, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_a_profile_is_the_share_of_scores_that_reach_each_threshold():
    scores = array(-INF, 1, 2, 2)
    assert performance_profile(scores, array(-5, 1, 1.5, 2, 3)).tolist() == [0.75, 0.75, 0.5, 0.5, 0.0]


@pytest.mark.parametrize(("reached", "n"), [(2, 20), (8, 16), (21, 25), (26, 30)])
def test_a_profile_s_band_is_from_the_2_5_to_the_97_5_percent_quantile_of_resampled_shares(reached, n):
    """Of n scores drawn with replacement, the number that reach the threshold is binomial."""
    low, high = profile_band((np.arange(n) < reached).astype(float), array(1))
    expected = stats.binom.ppf([0.025, 0.975], n, reached / n) / n
    assert (low.item(), high.item()) == pytest.approx(tuple(expected))


def test_few_scores_beside_very_many_are_drawn_one_by_one(monkeypatch):
    monkeypatch.setattr("evonet.statistics._MANY", 1000)
    few, many = array(1, 2, 4), np.zeros(1_001)
    seen = set()

    def first(a, b):
        seen.update(a.ravel().tolist())
        assert b.shape == (len(a), 1_001)
        return a.mean(axis=-1)

    bootstrap_interval(first, few, many)
    assert seen == {1.0, 2.0, 4.0}


@pytest.mark.parametrize(("statistic", "deviation"), [(mean, 1.0), (median, 1.253), (interquartile_mean, 1.096)])
def test_of_many_scores_there_are_fewer_resamples_and_few_at_once(statistic, deviation, monkeypatch):
    monkeypatch.setattr("evonet.statistics._MANY", 1000)
    monkeypatch.setattr("evonet.statistics._VALUES_A_GROUP", 1)
    scores, shapes = np.random.default_rng(0).normal(size=4000), []

    def observed(resamples):
        shapes.append(resamples.shape)
        return statistic(resamples)

    low, high = bootstrap_interval(observed, scores)
    below, above = profile_band(scores, array(0, 1))
    assert {n for _, n in shapes} == {4000}
    assert max(rows for rows, _ in shapes) * 4000 <= 100 * 1000
    assert 100 <= sum(rows for rows, _ in shapes) < 300
    error = 1 / math.sqrt(4000)
    reach, centre = 1.96 * deviation * error, float(statistic(scores))
    assert [low, high] == pytest.approx([centre - reach, centre + reach], abs=0.4 * error)
    assert (above - below).tolist() == pytest.approx([2 * 1.96 * 0.5 * error, 2 * 1.96 * 0.366 * error], rel=0.1)


def test_a_profile_s_band_holds_it_and_narrows_with_more_runs():
    rng = np.random.default_rng(3)
    thresholds, widths = np.linspace(-2, 2, 9), []
    for n in (10, 40, 160):
        scores = rng.normal(size=n)
        low, high = profile_band(scores, thresholds)
        profile = performance_profile(scores, thresholds)
        assert (low <= profile).all()
        assert (profile <= high).all()
        widths.append((high - low).mean())
    assert widths == sorted(widths, reverse=True)


def test_the_standard_error_is_that_of_the_mean():
    values = np.random.default_rng(1).normal(size=12)
    assert standard_error(values) == pytest.approx(stats.sem(values))
    assert standard_error(values[:1]) == 0.0
