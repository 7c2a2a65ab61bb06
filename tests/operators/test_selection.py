"""Selections have the chances that theory gives them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.operators.selection import (
    LinearRank,
    RandomSelection,
    Roulette,
    StochasticUniversalSampling,
    Tournament,
    Truncation,
)
from evonet.testing.operators import parents_with

DRAWS = 100_000
MONOTONE = {
    "shifted": lambda f: f + 1000,
    "scaled": lambda f: f * 1e-200,
    "cubed": lambda f: f**3,
    "exponential": np.exp,
    "squashed": np.arctan,
}
FITNESS = np.array([3.0, -7.0, 0.0, 8.0, -2.0, 5.0, 1.0, -9.0])
RANKS = np.array([5, 1, 3, 7, 2, 6, 4, 0])


def shares(selection, fitness, seed=0, draws=DRAWS):
    parents = selection(np.random.default_rng(seed), parents_with(fitness), draws)
    return np.bincount(parents, minlength=len(fitness)) / draws


def assert_chances(selection, fitness, expected, seed=0):
    """Every share lies within five standard deviations of its chance; what has none is never drawn."""
    expected = np.asarray(expected, dtype=np.float64)
    assert np.isclose(expected.sum(), 1)
    share = shares(selection, fitness, seed)
    assert (np.abs(share - expected) <= 5 * np.sqrt(expected * (1 - expected) / DRAWS)).all(), (share, expected)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
def test_a_tournament_s_chances_rise_with_rank_to_the_power_of_its_size(size):
    n = len(FITNESS)
    expected = [((rank + 1) ** size - rank**size) / n**size for rank in RANKS.tolist()]
    assert_chances(Tournament(size), FITNESS, expected)


def test_a_tournament_among_equals_favours_nobody():
    assert_chances(Tournament(4), [1.0] * 5, [0.2] * 5)


@pytest.mark.parametrize(("fraction", "breeders"), [(0.01, 1), (0.125, 1), (0.25, 2), (0.3, 3), (0.5, 4), (1.0, 8)])
def test_truncation_lets_the_fittest_fraction_breed_alike(fraction, breeders):
    expected = np.where(len(RANKS) - breeders <= RANKS, 1 / breeders, 0)
    assert_chances(Truncation(fraction), FITNESS, expected)


@pytest.mark.parametrize("percent", range(1, 101))
def test_truncation_counts_the_breeders_of_a_hundred_exactly(percent):
    """0.07 * 100 is a hair above 7."""
    parents = Truncation(percent / 100)(np.random.default_rng(0), parents_with(np.arange(100.0)), 5000)
    assert parents.min() == 100 - percent


def test_truncation_of_a_tiny_fraction_keeps_one():
    assert set(Truncation(1e-12)(np.random.default_rng(0), parents_with(FITNESS), 50).tolist()) == {3}


ROULETTES = {
    "positive": ([1.0, 2.0, 3.0, 7.0], [0, 1, 2, 6]),
    "negative": ([-1.0, -2.0, -3.0, -7.0], [6, 5, 4, 0]),
    "across zero": ([-4.0, 0.0, 4.0], [0, 4, 8]),
    "equal": ([5.0] * 4, [1] * 4),
    "equal and negative": ([-5.0] * 3, [1] * 3),
    "zero": ([0.0] * 3, [1] * 3),
    "huge": ([1e308, -1e308, 0.0], [2, 0, 1]),
    "all of the range": ([1.7e308, -1.7e308, 1.7e308], [1, 0, 1]),
    "tiny": ([1e-300, 3e-300, 2e-300], [0, 2, 1]),
    "subnormal": ([0.0, 4e-320, 8e-320], [0, 1, 2]),
    "one stands out": ([0.0, 1e300, 1.0], [0, 1, 0]),
    "two": ([1.0, 2.0], [0, 1]),
    "alone": ([-3.0], [1]),
}


@pytest.mark.parametrize(("fitness", "leads"), ROULETTES.values(), ids=ROULETTES)
def test_a_roulette_s_chances_are_in_proportion_to_the_lead_over_the_least_fit(fitness, leads):
    assert_chances(Roulette(), fitness, np.array(leads) / sum(leads))


@pytest.mark.parametrize(("fitness", "leads"), ROULETTES.values(), ids=ROULETTES)
@pytest.mark.parametrize("count", [1, 2, 7, 100, 1001])
def test_universal_sampling_meets_the_chances_to_within_one(fitness, leads, count):
    expected = count * np.array(leads) / sum(leads)
    for seed in range(20):
        parents = StochasticUniversalSampling()(np.random.default_rng(seed), parents_with(fitness), count)
        met = np.bincount(parents, minlength=len(fitness))
        assert (np.abs(met - expected) < 1 + 1e-9).all()
        assert (met[expected == 0] == 0).all()


def test_universal_sampling_s_one_spin_is_uniform():
    """A single pointer is a roulette."""
    fitness = np.array([0.0, 1.0, 3.0, 6.0])
    parents, spin = parents_with(fitness), StochasticUniversalSampling()
    draws = [int(spin(np.random.default_rng(seed), parents, 1)[0]) for seed in range(4000)]
    expected = fitness / 10
    share = np.bincount(draws, minlength=4) / 4000
    assert (np.abs(share - expected) <= 5 * np.sqrt(expected * (1 - expected) / 4000)).all()


@pytest.mark.parametrize("pressure", [1.0, 1.3, 1.7, 2.0])
def test_linear_rank_s_chances_rise_in_equal_steps_up_to_the_pressure(pressure):
    n = len(FITNESS)
    expected = (2 - pressure + 2 * (pressure - 1) * RANKS / (n - 1)) / n
    assert np.isclose(n * expected.max(), pressure)
    assert_chances(LinearRank(pressure), FITNESS, expected)


def test_linear_rank_shares_the_ranks_of_equals():
    assert_chances(LinearRank(2.0), [1.0, 0.0, 1.0, 1.0, 0.0], np.array([3, 0.5, 3, 3, 0.5]) / 10)
    assert_chances(LinearRank(2.0), [4.0] * 5, [0.2] * 5)


def test_random_selection_is_blind():
    assert_chances(RandomSelection(), FITNESS, [1 / 8] * 8)


@pytest.mark.parametrize("selection", [Tournament(3), Truncation(0.4), LinearRank(1.8), RandomSelection()], ids=str)
@pytest.mark.parametrize("transform", MONOTONE.values(), ids=MONOTONE)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=15), st.integers(0, 2**32))
def test_selection_by_rank_sees_nothing_of_a_monotone_transform(selection, transform, fitness, seed):
    fitness = np.array(fitness, dtype=np.float64)
    plain = selection(np.random.default_rng(seed), parents_with(fitness), 20)
    assert np.array_equal(selection(np.random.default_rng(seed), parents_with(transform(fitness)), 20), plain)


@pytest.mark.parametrize("selection", [Roulette(), StochasticUniversalSampling()], ids=str)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=15), st.integers(0, 2**32))
def test_proportional_selection_sees_nothing_of_shift_and_scale(selection, fitness, seed):
    fitness = np.array(fitness, dtype=np.float64)
    plain = selection(np.random.default_rng(seed), parents_with(fitness), 20)
    for same in (fitness + 64, fitness - 1024, fitness * 4, fitness / 1024):
        assert np.array_equal(selection(np.random.default_rng(seed), parents_with(same), 20), plain)


def test_proportional_selection_is_no_selection_by_rank():
    lead = shares(Roulette(), [0.0, 1.0, 100.0])
    assert lead[2] > 0.98
    assert shares(LinearRank(2.0), [0.0, 1.0, 100.0])[2] < 0.7


def test_more_pressure_selects_a_fitter_lot():
    def mean_rank(selection):
        return float(shares(selection, FITNESS) @ RANKS)

    for weak, strong in pairwise([RandomSelection(), Tournament(2), Tournament(3), Tournament(8)]):
        assert mean_rank(strong) > mean_rank(weak) + 0.1
    for weak, strong in pairwise([RandomSelection(), LinearRank(1.3), LinearRank(2.0)]):
        assert mean_rank(strong) > mean_rank(weak) + 0.1
    for weak, strong in pairwise([Truncation(1.0), Truncation(0.5), Truncation(0.1)]):
        assert mean_rank(strong) > mean_rank(weak) + 0.1
