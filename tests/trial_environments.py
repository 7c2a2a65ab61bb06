"""Environments for the trial with which a run begins: one rule is broken by each."""

import os
import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from tests.environments_for_tests import Walk

MODULE = __name__


class SharedInfo(Walk):
    """The info of each step is one dictionary, which evonet does not read."""

    def reset(self, *, seed=None, options=None):
        self.info = {}
        return super().reset(seed=seed)[0], self.info

    def step(self, action):
        self.info["step"] = self._step
        return (*super().step(action)[:4], self.info)


class SharedObservation(Walk):
    """The observation of each step is one array, overwritten in place."""

    def reset(self, *, seed=None, options=None):
        self.mine = np.zeros(3)
        return self.shown(super().reset(seed=seed)[0]), {}

    def step(self, action):
        observation, *rest = super().step(action)
        return self.shown(observation), *rest

    def shown(self, observation):
        self.mine[:] = observation
        return self.mine


class FreshRandomNumbers(Walk):
    """A reset without a seed does not follow from the last seed; evonet always gives one."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=np.random.SeedSequence().entropy % 2**31 if seed is None else seed)


class SharedWorld(Walk):
    """All instances of a process walk one number on."""

    walked = 0

    def reset(self, *, seed=None, options=None):
        SharedWorld.walked = 0
        return super().reset(seed=seed)

    def step(self, action):
        SharedWorld.walked += 1
        observation, reward, *rest = super().step(action)
        return observation, reward + SharedWorld.walked, *rest


class OneAtATime(Walk):
    """One instance can be open in a process."""

    is_open = False

    def __init__(self):
        super().__init__()
        if OneAtATime.is_open:
            raise RuntimeError("the port is in use")
        OneAtATime.is_open = True

    def close(self):
        OneAtATime.is_open = False


class SharedAndForgetful(SharedWorld):
    """Instances share a world, and each counts its episodes."""

    episodes = 0

    def reset(self, *, seed=None, options=None):
        self.episodes += 1
        return super().reset(seed=seed)

    def step(self, action):
        observation, reward, *rest = super().step(action)
        return observation, reward + self.episodes, *rest


class HiddenNoise(Walk):
    """Observations have noise from outside the seed, rewards have none, so that returns repeat."""

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Box(-np.inf, np.inf, (4,), np.float64)

    def _observe(self):
        return np.append(super()._observe(), np.frombuffer(os.urandom(4), np.uint32)[0] / 2**32)

    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, 1.0, *rest


class Parents(Walk):
    """Each instance notes in a file the process that steps it."""

    def __init__(self, path):
        super().__init__()
        self._path = path

    def step(self, action):
        with Path(self._path).open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        return super().step(action)


class ClosesItself(Walk):
    """The end of an episode closes what the next one needs."""

    is_closed = False

    def step(self, action):
        if self.is_closed:
            raise RuntimeError("it is closed")
        result = super().step(action)
        self.is_closed = result[2] or result[3]
        return result


class Deprecated(Walk):
    """Each step warns of something."""

    def step(self, action):
        warnings.warn("deprecated", stacklevel=1)
        return super().step(action)


class Pixels(gym.Env):
    """A picture, alone or as a part of a Dict."""

    action_space = spaces.Discrete(2)

    def __init__(self, kind="box"):
        box = spaces.Box(0, 255, (2, 2), np.uint8)
        part = spaces.Box(0.0, 255.0, (2, 2), np.float32)
        self.observation_space = {"box": box, "dict": spaces.Dict({"a": spaces.Discrete(2), "b": part})}[kind]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 1.0, True, False, {}


for _kind in (
    SharedInfo,
    SharedObservation,
    FreshRandomNumbers,
    SharedWorld,
    OneAtATime,
    SharedAndForgetful,
    HiddenNoise,
    Parents,
    Pixels,
    ClosesItself,
    Deprecated,
):
    _id = f"trials/{_kind.__name__}-v0"
    if _id not in gym.registry:
        gym.register(_id, entry_point=_kind, max_episode_steps=30)
