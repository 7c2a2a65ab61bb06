"""Tasks and environments for the tests of kernels and their engines."""

import dataclasses

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from evonet.architecture import Architecture
from evonet.environments.known import KNOWN, Kernel, KnownEnvironment
from evonet.environments.known.arithmetic import where
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import ActionDecoder
from evonet.environments.specification import DEFAULT_MAX_STEPS, EnvironmentSpec
from evonet.network import ACTIVATIONS
from evonet.task import Task

TROUBLED = "TroubledWalk-v0"


def task_for(
    environment_id,
    hidden=16,
    activations=("tanh", "identity"),
    max_steps=None,
    normalise=False,
    squash="tanh",
    kwargs=None,
    wrappers=(),
    hard_reset=False,
    **architecture,
):
    specification = EnvironmentSpec(environment_id, kwargs=kwargs or {}, wrappers=wrappers, hard_reset=hard_reset)
    environment = specification.make()
    observation_space, action_space = environment.observation_space, environment.action_space
    limit = specification.time_limit(environment)
    environment.close()
    outputs = ActionDecoder(action_space, ACTIVATIONS[activations[1]], squash).size
    return Task(
        specification,
        observation_space,
        action_space,
        Architecture(observation_space.shape[0], hidden, outputs, *activations, **architecture),
        squash,
        max_steps or limit or DEFAULT_MAX_STEPS,
        normalise,
    )


def genomes_for(task, n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, task.architecture.genome_size))


def normaliser_for(task):
    if not task.normalise:
        return None
    inputs = task.architecture.num_inputs
    return ObservationNormaliser(100, np.linspace(-0.2, 0.1, inputs), np.linspace(1.0, 40.0, inputs))


def run(engine, task, genomes, episodes=2, normaliser=None):
    """Flat results of `episodes` per genome; the engine is closed."""
    individuals = np.repeat(np.arange(len(genomes)), episodes)
    seeds = np.tile(np.arange(100, 100 + episodes), len(genomes))
    try:
        return engine.run(genomes, individuals, seeds, normaliser or normaliser_for(task))
    finally:
        engine.close()


def bits(results):
    arrays = [results.returns, results.lengths, results.terminated]
    if results.observations is not None:
        arrays += [results.observations.sums, results.observations.squares]
    return [array.tobytes() for array in arrays], list(results.faults)


class TroubledWalk(gym.Env):
    """A walk to the right or left; beyond `far` steps from home, observation or reward is not a number."""

    def __init__(self, nan_observation=0.0, nan_reward=0.0, far=3.0, render_mode=None):
        self.observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)
        self.action_space = spaces.Discrete(2, start=1)
        self._nan_observation, self._nan_reward, self._far = nan_observation, nan_reward, far

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-1.0, 1.0, 1)
        return self.state.copy(), {}

    def step(self, action):
        self.state = self.state + (1.0 if action == 2 else -1.0)
        far = abs(self.state[0]) > self._far
        observation = np.where(far and self._nan_observation, np.nan, self.state)
        reward = np.nan if far and self._nan_reward else self.state[0]
        return observation, float(reward), bool(abs(self.state[0]) > 2 * self._far), False, {}


def walk_start(rng):
    return [*rng.uniform(-1.0, 1.0, 1).tolist(), 0.0]


def walk_observe(state):
    position, lost = state
    return (where(lost > 0.0, np.nan, position),)


def walk_step(state, actions, parameters):
    nan_observation, nan_reward, limit = parameters
    position = state[0] + where(actions[0] == 2.0, 1.0, -1.0)
    far = np.abs(position) > limit
    reward = where(far, np.nan, position) if nan_reward else position
    lost = where(far, 1.0, 0.0) if nan_observation else state[1]
    return (position, lost), reward, np.abs(position) > 2.0 * limit


WALK = Kernel(
    entry_point=TroubledWalk,
    start=walk_start,
    observe=walk_observe,
    step=walk_step,
    parameters={"nan_observation": 0.0, "nan_reward": 0.0, "far": 3.0},
)


def register_walk(monkeypatch):
    """Gymnasium and evonet know `TROUBLED` until the test is over."""
    monkeypatch.setitem(KNOWN, TROUBLED, KnownEnvironment(WALK))
    if TROUBLED not in gym.registry:
        gym.register(TROUBLED, entry_point=TroubledWalk, max_episode_steps=20)


def altered(kernel, **functions):
    """The kernel with other functions; a lie, for the contract to find."""
    return dataclasses.replace(kernel, **functions)
