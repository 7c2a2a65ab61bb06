"""A policy is the one place where an observation becomes an action: alone or in lanes, with memory or without."""

import copy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from evonet import Architecture, Champion, EpisodeReturn, NeuralNetwork
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import MalformedObservation
from evonet.errors import EnvironmentUnavailable
from evonet.policy import Policy

LANES = 5
NAMES = ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1", "MountainCarContinuous-v0", "Blackjack-v1"]


def task_for(name="Pendulum-v1", **settings):
    return EpisodeReturn(name, hidden=4, engine="gymnasium", **settings).task


def parts(task, *, normalised, seed=0):
    rng = np.random.default_rng(seed)
    inputs = task.architecture.num_inputs
    genomes = rng.normal(size=(LANES, task.architecture.genome_size))
    normaliser = ObservationNormaliser(9, rng.normal(size=inputs), rng.uniform(1, 9, inputs)) if normalised else None
    return genomes, normaliser


def observations_of(task, steps):
    """`steps` times an observation for each lane."""
    task.observation_space.seed(3)
    return [[task.observation_space.sample() for _ in range(LANES)] for _ in range(steps)]


@pytest.mark.parametrize("recurrent", [False, True], ids=["feedforward", "recurrent"])
@pytest.mark.parametrize("normalised", [False, True], ids=["raw", "normalised"])
@pytest.mark.parametrize("name", NAMES)
def test_an_action_is_encode_normalise_network_decode(name, normalised, recurrent):
    task = task_for(name, recurrent=recurrent)
    genomes, normaliser = parts(task, normalised=normalised)
    policy = Policy(task, genomes[:1], normaliser)
    network = NeuralNetwork.from_genome(task.architecture, genomes[0])
    for observation, *_ in observations_of(task, 4):
        inputs = task.encoder.encode(observation)
        if normaliser is not None:
            inputs = np.clip((inputs - normaliser.mean) / normaliser.deviation, -10, 10)
        expected = task.decoder.decode(network.predict(inputs)[None, :])[0]
        assert np.array_equal(policy.act(observation), expected)


@pytest.mark.parametrize("recurrent", [False, True], ids=["feedforward", "recurrent"])
@pytest.mark.parametrize("name", NAMES)
def test_a_lane_acts_as_it_would_alone(name, recurrent):
    task = task_for(name, recurrent=recurrent)
    genomes, normaliser = parts(task, normalised=True)
    together = Policy(task, genomes, normaliser)
    alone = [Policy(task, genome[None, :], normaliser) for genome in genomes]
    for observations in observations_of(task, 4):
        actions = [np.asarray(action).tobytes() for action in together.act_batch(observations)]
        assert actions == [
            np.asarray(policy.act(observation)).tobytes()
            for policy, observation in zip(alone, observations, strict=True)
        ]


def test_one_network_may_act_in_all_lanes():
    task = task_for(recurrent=True)
    genomes, _ = parts(task, normalised=False)
    shared = Policy(task, genomes[:1], lanes=LANES)
    copies = Policy(task, np.repeat(genomes[:1], LANES, axis=0))
    for observations in observations_of(task, 3):
        assert np.array_equal(shared.act_batch(observations), copies.act_batch(observations))


def test_a_lane_s_reset_forgets_its_episode_and_no_other():
    task = task_for(recurrent=True)
    genomes, _ = parts(task, normalised=False)
    policy, fresh, kept = (Policy(task, genomes) for _ in range(3))
    first, second = observations_of(task, 2)
    policy.act_batch(first)
    kept.act_batch(first)
    policy.reset(2)
    actions, of_the_fresh, of_the_kept = (each.act_batch(second) for each in (policy, fresh, kept))
    assert np.array_equal(actions[2], of_the_fresh[2])
    assert not np.array_equal(actions[2], of_the_kept[2])
    for lane in (0, 1, 3, 4):
        assert np.array_equal(actions[lane], of_the_kept[lane])
    policy.reset()
    assert np.array_equal(policy.act_batch(second), of_the_fresh)


def test_genomes_are_read_at_each_action():
    task = task_for()
    genomes, _ = parts(task, normalised=False)
    policy = Policy(task, genomes[:1].copy())
    matrix = genomes[:1].copy()
    changing = Policy(task, matrix)
    (observations,) = observations_of(task, 1)
    assert changing.act(observations[0]) == policy.act(observations[0])
    matrix[:] = genomes[1]
    assert changing.act(observations[0]) == Policy(task, genomes[1:2]).act(observations[0])
    assert changing.act(observations[0]) != policy.act(observations[0])


def test_nothing_given_is_written_and_observations_stay_as_they_were_encoded():
    task = task_for(normalise_observations=True)
    genomes, normaliser = parts(task, normalised=True)
    before = genomes.copy(), copy.deepcopy(normaliser)
    policy = Policy(task, genomes, normaliser)
    (observations,) = observations_of(task, 1)
    given = copy.deepcopy(observations)
    policy.act_batch(observations)
    assert np.array_equal(observations, given)
    assert np.array_equal(policy.observations, given)
    assert not np.array_equal(policy.inputs, given)
    assert genomes.tobytes() == before[0].tobytes()
    assert normaliser.mean.tobytes() == before[1].mean.tobytes()


def test_a_malformed_observation_is_named():
    policy = Policy(task_for("CartPole-v1"), np.zeros((1, 4 * 4 + 4 + 4 * 2 + 2)))
    with pytest.raises(MalformedObservation, match=r"^an observation must have shape \(4,\), got \(3,\)$"):
        policy.act(np.zeros(3))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_an_observation_with_numbers_that_are_not_finite_has_no_action(number):
    policy = Policy(task_for("CartPole-v1"), np.zeros((1, 4 * 4 + 4 + 4 * 2 + 2)), lanes=2)
    for observations in ([np.full(4, number), np.zeros(4)], [np.zeros(4), np.array([0.0, 0.0, number, 0.0])]):
        with pytest.raises(MalformedObservation) as refused:
            policy.act_batch(observations)
        assert str(refused.value) == "an observation must have finite numbers, got NaN or infinity"


def test_without_a_task_there_is_no_policy():
    with pytest.raises(EnvironmentUnavailable) as refused:
        Policy(None, np.zeros((1, 9)))
    assert str(refused.value) == "this individual was scored by a function and has no environment to act in"


def test_an_engine_s_episodes_are_those_of_a_policy_by_hand():
    task = task_for("CartPole-v1")
    genomes, normaliser = parts(task, normalised=True)
    seeds = np.array([7, 8, 9])
    for genome in genomes[:2]:
        champion = Champion(task.architecture, genome, task=task, normaliser=normaliser)
        policy, totals = Policy(task, genome[None, :], normaliser), []
        with gym.make("CartPole-v1") as environment:
            for seed in seeds.tolist():
                policy.reset()
                observation, _ = environment.reset(seed=seed)
                total, over = 0.0, False
                while not over:
                    observation, reward, terminated, truncated, _ = environment.step(policy.act(observation))
                    total, over = total + float(reward), terminated or truncated
                totals.append(total)
        assert champion.run(seeds).returns[0].tolist() == totals


def test_parts_of_a_space_become_parts_of_an_action():
    action_space = spaces.Dict({"b": spaces.Discrete(3), "a": spaces.Box(-1.0, 1.0, (2,))})

    class Parts(gym.Env):
        def __init__(self):
            self.observation_space, self.action_space = spaces.MultiBinary(3), action_space

    task = task_for(Parts)
    assert task.architecture == Architecture(3, 4, 5, "tanh", "identity")
    action = Policy(task, np.ones((1, task.architecture.genome_size))).act(np.array([1, 0, 1], np.int8))
    assert action_space.contains(action)
