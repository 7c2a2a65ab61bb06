"""Scores have the mean of their returns, and an interval of the promised coverage."""

import numpy as np
import pytest

from evonet import Score
from evonet.scores import with_interval


def test_a_score_is_the_mean_of_its_returns():
    score = Score(np.array([1.0, 2.0, 6.0]))
    assert (score.mean, score.episodes) == (3.0, 3)
    low, high = score.interval
    assert 1.0 <= low < 3.0 < high <= 6.0


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_a_failed_episode_makes_the_score_the_worst_there_is(poison):
    score = Score(np.array([1.0, poison, 6.0]))
    assert score.mean == -np.inf
    assert score.interval == (-np.inf, -np.inf)


def test_equal_returns_leave_nothing_uncertain():
    assert Score(np.full(20, 7.0)).interval == (7.0, 7.0)
    assert Score(np.array([-3.0])).interval == (-3.0, -3.0)


def test_the_interval_is_the_same_every_time():
    returns = np.random.default_rng(0).normal(size=50)
    assert Score(returns).interval == Score(returns.copy()).interval


def test_the_interval_is_about_two_standard_errors_to_either_side():
    returns = np.random.default_rng(0).normal(10.0, 3.0, size=400)
    low, high = Score(returns).interval
    error = returns.std(ddof=1) / 20
    assert low == pytest.approx(returns.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(returns.mean() + 1.96 * error, abs=0.15 * error)


def test_the_interval_holds_the_true_mean_about_95_times_in_100():
    rng = np.random.default_rng(1)
    intervals = [Score(rng.exponential(size=100)).interval for _ in range(60)]
    held = sum(low <= 1.0 <= high for low, high in intervals)
    assert held / 60 >= 0.87


def test_more_episodes_narrow_the_interval():
    returns = np.random.default_rng(2).normal(size=1600)
    widths = [np.ptp(Score(returns[:n]).interval) for n in (25, 100, 400, 1600)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] / widths[-1] == pytest.approx(8.0, rel=0.3)


def test_a_score_reads_as_mean_interval_and_number_of_episodes():
    assert str(Score(np.array([2.0, 2.0]))) == "2 (2 to 2) over 2 episodes"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((-146.987, -154.839, -139.574), "-147 (-155 to -140)"),
        ((499.91, 499.61, 500.0), "499.9 (499.6 to 500)"),
        ((31.86, 31.11, 32.62), "31.9 (31.1 to 32.6)"),
        ((0.00123456, 0.0011, 0.0014), "0.0012 (0.0011 to 0.0014)"),
        ((1670.2, 1511.6, 1803.4), "1,670 (1,512 to 1,803)"),
        ((-0.2, -3.0, 3.0), "0 (-3 to 3)"),
        ((100000.0, 100000.0, 100000.0), "100,000 (100,000 to 100,000)"),
        ((1e20, 1e19, 2e20), "1e+20 (1e+19 to 2e+20)"),
    ],
)
def test_a_mean_has_as_many_digits_as_its_interval_allows(numbers, text):
    mean, low, high = numbers
    assert with_interval(mean, (low, high)) == text


def test_a_rounded_mean_stays_on_its_side_of_the_target():
    assert with_interval(474.8, (468.1, 481.2), 475.0) == "474.8 (468.1 to 481.2)"
    assert with_interval(475.2, (468.1, 481.2), 475.0) == "475 (468 to 481)"


def test_further_episodes_will_hardly_have_a_mean_below_what_is_expected():
    rng = np.random.default_rng(3)
    for n, further in ((100, 100), (100, 10), (50, 1000)):
        pairs = [(Score(rng.normal(size=n)).expected_at_least(further), rng.normal(size=further)) for _ in range(2000)]
        below = np.mean([returns.mean() < bound for bound, returns in pairs])
        assert 0.015 < below < 0.04


def test_equal_returns_leave_no_doubt_about_further_ones():
    assert Score(np.full(30, 500.0)).expected_at_least(100) == 500.0
