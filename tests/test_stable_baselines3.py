"""A champion is a policy as Stable-Baselines3 has it: its own tools run it unchanged."""

import gymnasium as gym
import numpy as np
import pytest

from evonet.champion import Champion
from evonet.environments.normaliser import ObservationNormaliser
from evonet.fitness import EpisodeReturn

CASES = {
    "Discrete actions": ("CartPole-v1", {}),
    "Box actions": ("Pendulum-v1", {}),
    "Discrete observations": ("FrozenLake-v1", {}),
    "recurrent": ("CartPole-v1", {"recurrent": True}),
    "normalised": ("MountainCarContinuous-v0", {"normalise_observations": True}),
    "recurrent and normalised": ("Pendulum-v1", {"recurrent": True, "normalise_observations": True}),
}
SEEDS = np.array([11, 12, 13])


def champion(name, normalise_observations=False, **network):
    fitness = EpisodeReturn(name, hidden=5, normalise_observations=normalise_observations, max_steps=60, **network)
    shape, rng = fitness.architecture, np.random.default_rng(4)
    normaliser = None
    if normalise_observations:
        normaliser = ObservationNormaliser(9, rng.normal(size=shape.num_inputs), rng.uniform(1, 9, shape.num_inputs))
    return Champion(shape, rng.normal(size=shape.genome_size), task=fitness.task, normaliser=normaliser)


def stepped(winner, seeds):
    """Returns of episodes side by side, the actions by `predict` on all observations at once."""
    environments = [winner.task.make_environment() for _ in seeds]
    observations = [environment.reset(seed=int(seed))[0] for environment, seed in zip(environments, seeds, strict=True)]
    totals, over, state, starts = np.zeros(len(seeds)), np.zeros(len(seeds), bool), None, np.ones(len(seeds), bool)
    for _ in range(winner.task.max_steps):
        actions, state = winner.predict(np.array(observations), state=state, episode_start=starts)
        for i, environment in enumerate(environments):
            if not over[i]:
                observations[i], reward, terminated, truncated, _ = environment.step(actions[i])
                totals[i] += reward
                over[i] = terminated or truncated
        starts = np.zeros(len(seeds), bool)
    return totals


@pytest.mark.parametrize("case", CASES)
def test_actions_for_a_batch_are_those_for_one_after_the_other(case):
    name, rest = CASES[case]
    winner = champion(name, **rest)
    assert stepped(winner, SEEDS).tolist() == winner.run(SEEDS).returns[0].tolist()


@pytest.mark.parametrize("case", CASES)
def test_one_observation_gets_one_action(case):
    name, rest = CASES[case]
    winner = champion(name, **rest)
    environment = winner.task.make_environment()
    observation, _ = environment.reset(seed=3)
    action, state = winner.predict(observation, deterministic=True)
    winner.reset()
    assert np.array_equal(action, winner.act(observation))
    assert environment.action_space.contains(action if action.shape else environment.action_space.dtype.type(action))
    assert (state is None) == (not winner.architecture.recurrent)


def test_an_episode_s_start_forgets_the_one_before():
    winner = champion("Pendulum-v1", recurrent=True)
    observations = np.random.default_rng(0).normal(size=(2, 3))
    fresh, _ = winner.predict(observations)
    state = (np.random.default_rng(1).normal(size=(2, 5)),)
    kept, _ = winner.predict(observations, state=state, episode_start=np.array([False, False]))
    mixed, _ = winner.predict(observations, state=state, episode_start=np.array([True, False]))
    assert not np.array_equal(kept[0], fresh[0])
    assert np.array_equal(mixed[0], fresh[0])
    assert np.array_equal(mixed[1], kept[1])


@pytest.mark.filterwarnings("ignore")  # its own imports warn
@pytest.mark.parametrize("case", CASES)
def test_evaluate_policy_runs_a_champion_unchanged(case):
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import DummyVecEnv

    name, rest = CASES[case]
    winner = champion(name, **rest)

    def make():
        return Monitor(gym.make(name, max_episode_steps=winner.task.max_steps))

    returns, lengths = evaluation.evaluate_policy(winner, make(), n_eval_episodes=3, return_episode_rewards=True)
    assert (len(returns), len(lengths)) == (3, 3)
    environments = DummyVecEnv([make, make])
    environments.seed(11)  # the first episodes get the seeds 11 and 12
    first, _ = evaluation.evaluate_policy(winner, environments, n_eval_episodes=2, return_episode_rewards=True)
    assert sorted(first) == pytest.approx(sorted(winner.run(SEEDS[:2]).returns[0].tolist()), abs=1e-4)
