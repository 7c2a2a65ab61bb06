"""Random numbers are addressed by purpose, and no two purposes share any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.seeding import Purpose, episode_seeds, generator

EPISODE_PURPOSES = (Purpose.TRAINING, Purpose.VALIDATION, Purpose.TEST, Purpose.REPLAY)
run_seeds = st.integers(0, 2**64)


@given(run_seeds, st.sampled_from(Purpose), st.lists(st.integers(0, 2**31), max_size=3))
def test_the_same_address_gives_the_same_numbers(seed, purpose, address):
    first = generator(seed, purpose, *address).random(5)
    assert np.array_equal(first, generator(seed, purpose, *address).random(5))


def test_streams_do_not_depend_on_numpy_s_global_state():
    state = np.random.get_state()  # noqa: NPY002
    generator(1, Purpose.VARIATION, 2).random(3)
    episode_seeds(1, Purpose.TRAINING, 2, 3)
    assert np.array_equal(state[1], np.random.get_state()[1])  # noqa: NPY002


def test_the_stream_is_numpy_s_seed_sequence_at_the_address():
    reference = np.random.Generator(np.random.PCG64(np.random.SeedSequence(7, spawn_key=(5, 11))))
    assert np.array_equal(generator(7, Purpose.VARIATION, 11).random(4), reference.random(4))


def test_different_addresses_give_different_numbers():
    draws = {
        generator(seed, purpose, *address).random(2).tobytes()
        for seed in range(5)
        for purpose in Purpose
        for address in [(), (0,), (1,), (0, 0), (1, 0), (0, 1)]
    }
    assert len(draws) == 5 * len(Purpose) * 6


def test_neighbouring_streams_are_uncorrelated():
    rows = np.stack([generator(3, Purpose.VARIATION, generation).standard_normal(4000) for generation in range(20)])
    correlations = np.corrcoef(rows)[~np.eye(20, dtype=bool)]
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)


@given(run_seeds, st.sampled_from(EPISODE_PURPOSES), st.integers(0, 2**31), st.integers(0, 200))
def test_episode_seeds_differ_from_each_other_and_suit_signed_32_bits(seed, purpose, generation, episodes):
    seeds = episode_seeds(seed, purpose, generation, episodes)
    assert seeds.shape == (episodes,)
    assert len(set(seeds.tolist())) == episodes
    assert ((seeds >= 0) & (seeds < 2**31)).all()


@given(run_seeds, st.integers(0, 2**20), st.integers(1, 20))
def test_an_episode_keeps_its_seed_when_more_are_run(seed, generation, episodes):
    longer = episode_seeds(seed, Purpose.VALIDATION, generation, episodes + 10)
    assert np.array_equal(longer[:episodes], episode_seeds(seed, Purpose.VALIDATION, generation, episodes))


def test_training_validation_test_and_replay_never_share_an_episode():
    met = {
        purpose: {seed for generation in range(200) for seed in episode_seeds(0, purpose, generation, 50).tolist()}
        for purpose in EPISODE_PURPOSES
    }
    assert len(set.union(*met.values())) == sum(map(len, met.values()))
    # Not by luck: whatever the run, generation and episode, the lowest bits say the purpose.
    assert all({seed & 3 for seed in seeds} == {purpose} for purpose, seeds in met.items())


def test_episodes_change_every_generation():
    generations = [episode_seeds(5, Purpose.TRAINING, generation, 20) for generation in range(100)]
    flat = np.concatenate(generations)
    assert len(set(flat.tolist())) == flat.size


def test_episode_seeds_use_all_their_bits():
    seeds = episode_seeds(1, Purpose.TEST, 0, 4000)
    share = [(seeds >> bit & 1).mean() for bit in range(2, 31)]
    assert np.allclose(share, 0.5, atol=5 * 0.5 / np.sqrt(4000))


def test_two_episodes_that_draw_the_same_seed_get_different_seeds(monkeypatch):
    """A collision among 29 bits is too rare to wait for: here every sequence draws 8, 16, 24, …"""

    class Colliding:
        def __init__(self, *_, **__):
            pass

        def generate_state(self, draws):
            return np.arange(1, draws + 1, dtype=np.uint32) << 3

    monkeypatch.setattr(np.random, "SeedSequence", Colliding)
    assert episode_seeds(0, Purpose.TRAINING, 0, 4).tolist() == [4, 8, 12, 16]


@pytest.mark.parametrize("purpose", [Purpose.INITIALISATION, Purpose.VARIATION, Purpose.BOOTSTRAP])
def test_other_purposes_have_no_episodes(purpose):
    with pytest.raises(ValueError) as refused:
        episode_seeds(0, purpose, 0, 1)
    assert str(refused.value) == (
        f"episode_seeds.purpose must be training, validation, test or replay, got {purpose.name}"
    )
