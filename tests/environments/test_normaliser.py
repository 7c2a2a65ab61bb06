"""The normaliser has the mean and spread of all its observations, however they were divided into episodes."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.environments.normaliser import ObservationNormaliser

lengths = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=4), min_size=1, max_size=5)
scales = st.sampled_from([(0.0, 1.0), (5.0, 0.1), (-300.0, 20.0), (1e4, 1.0), (0.0, 1e6)])


def after(normaliser, episodes):
    """The normaliser after `episodes`, a list of `(length, inputs)`: sums of deviations, as an engine adds them up."""
    deviations = [episode - normaliser.mean for episode in episodes]
    return normaliser.merged(
        np.array([len(episode) for episode in episodes]),
        np.array([d.sum(axis=0) for d in deviations]),
        np.array([(d * d).sum(axis=0) for d in deviations]),
    )


def generations_of(lengths, scale, seed, inputs=3):
    rng = np.random.default_rng(seed)
    mean, deviation = scale
    return [[rng.normal(mean, deviation, (n, inputs)) for n in generation] for generation in lengths]


@given(lengths, scales, st.integers(0, 2**32))
def test_mean_and_deviation_are_numpy_s_over_all_observations(lengths, scale, seed):
    generations = generations_of(lengths, scale, seed)
    normaliser = ObservationNormaliser.fresh(3)
    for episodes in generations:
        normaliser = after(normaliser, episodes)
    seen = np.concatenate([episode for episodes in generations for episode in episodes])
    assert normaliser.count == len(seen)
    if len(seen) == 0:
        assert not normaliser.mean.any()
    else:
        assert np.allclose(normaliser.mean, seen.mean(axis=0), rtol=1e-9, atol=1e-9 * scale[1])
    if len(seen) < 2:
        assert (normaliser.deviation == 1).all()
    else:
        # The first generation's sums are deviations from zero: a mean of m costs m²/σ² of the digits.
        tolerance = 1e-9 + 1e-14 * (scale[0] / scale[1]) ** 2
        expected = seen.std(axis=0)
        varied = expected > 1e-3 * scale[1]
        assert np.allclose(normaliser.deviation[varied], expected[varied], rtol=100 * tolerance)


@given(lengths, st.integers(0, 2**32))
def test_merging_in_pieces_equals_merging_at_once(lengths, seed):
    generations = generations_of(lengths, (2.0, 3.0), seed)
    pieces = ObservationNormaliser.fresh(3)
    for episodes in generations:
        pieces = after(pieces, episodes)
    at_once = after(ObservationNormaliser.fresh(3), [episode for episodes in generations for episode in episodes])
    assert pieces.count == at_once.count
    assert np.allclose(pieces.mean, at_once.mean, rtol=1e-9, atol=1e-9)
    assert np.allclose(pieces.sum_sq_dev, at_once.sum_sq_dev, rtol=1e-9, atol=1e-9)


def test_the_same_merges_give_the_same_bits():
    generations = generations_of([[3, 5], [7, 2, 9]], (1.0, 2.0), 4)
    twins = [ObservationNormaliser.fresh(3), ObservationNormaliser.fresh(3)]
    for episodes in generations:
        twins = [after(twin, episodes) for twin in twins]
    assert twins[0].mean.tobytes() == twins[1].mean.tobytes()
    assert twins[0].sum_sq_dev.tobytes() == twins[1].sum_sq_dev.tobytes()


def test_normalised_observations_have_mean_0_and_deviation_1():
    seen = np.random.default_rng(0).normal([3, -50], [0.1, 7], (500, 2))
    normaliser = after(ObservationNormaliser.fresh(2), [seen[:200], seen[200:]])
    normaliser.normalise(seen)
    assert np.allclose(seen.mean(axis=0), 0, atol=1e-9)
    assert np.allclose(seen.std(axis=0), 1, rtol=1e-9)


@pytest.mark.parametrize("shape", [(2,), (5, 2), (4, 3, 2)])
def test_normalise_works_in_place_on_any_leading_axes(shape):
    normaliser = ObservationNormaliser(4, np.array([1.0, -2.0]), np.array([16.0, 1.0]))
    assert normaliser.deviation.tolist() == [2.0, 0.5]
    observations = np.random.default_rng(0).normal(size=shape)
    expected = (observations - [1.0, -2.0]) / [2.0, 0.5]
    assert normaliser.normalise(observations) is None
    assert np.allclose(observations, np.clip(expected, -10, 10), rtol=1e-15)


def test_a_fresh_normaliser_only_clips_to_ten():
    observations = np.array([[-11.0, -10.0, 0.3], [9.9, 10.0, 1e300]])
    ObservationNormaliser.fresh(3).normalise(observations)
    assert observations.tolist() == [[-10.0, -10.0, 0.3], [9.9, 10.0, 10.0]]


def test_an_input_that_never_varies_is_only_centred():
    episode = np.column_stack([np.full(50, 7.0), np.arange(50.0)])
    normaliser = after(ObservationNormaliser.fresh(2), [episode])
    assert normaliser.deviation[0] == 1.0
    episode[0, 0] = 7.5
    normaliser.normalise(episode)
    assert np.allclose(episode[:, 0], np.r_[0.5, np.zeros(49)])


def test_spread_is_never_negative_by_rounding():
    for value in (0.1, 1e8 + 0.1, -1e15 / 3):
        normaliser = ObservationNormaliser.fresh(1)
        for _ in range(5):
            normaliser = after(normaliser, [np.full((7, 1), value)] * 3)
            assert normaliser.sum_sq_dev[0] >= 0
            assert np.isfinite(normaliser.deviation).all()


def test_one_observation_says_nothing_about_spread():
    assert after(ObservationNormaliser.fresh(1), [np.array([[5.0]])]).deviation.tolist() == [1.0]


def test_no_observations_change_nothing():
    normaliser = after(ObservationNormaliser.fresh(2), [np.ones((3, 2))])
    assert after(normaliser, [np.zeros((0, 2))] * 4) is normaliser


def test_merging_leaves_the_old_one_and_the_sums_as_they_were():
    normaliser = after(ObservationNormaliser.fresh(2), [np.random.default_rng(0).normal(size=(9, 2))])
    before = copy.deepcopy(normaliser)
    arguments = (np.array([2, 3]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]]))
    kept = copy.deepcopy(arguments)
    merged = normaliser.merged(*arguments)
    assert merged.count == 14
    assert (normaliser.count, normaliser.mean.tobytes(), normaliser.sum_sq_dev.tobytes()) == (
        before.count,
        before.mean.tobytes(),
        before.sum_sq_dev.tobytes(),
    )
    assert all(np.array_equal(a, b) for a, b in zip(arguments, kept, strict=True))
    assert not np.shares_memory(merged.mean, normaliser.mean)


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ObservationNormaliser.fresh(2).count = 3


def test_it_survives_pickling():
    normaliser = after(ObservationNormaliser.fresh(2), [np.random.default_rng(0).normal(size=(9, 2))])
    normaliser.deviation  # noqa: B018 - a cached value may not be in the way
    twin = pickle.loads(pickle.dumps(normaliser))
    observations = np.random.default_rng(1).normal(size=(4, 2))
    same = observations.copy()
    normaliser.normalise(observations)
    twin.normalise(same)
    assert observations.tobytes() == same.tobytes()
