"""Environments that tests register and that worker processes can import: well-behaved ones, and much trouble."""

import copy
import ctypes
import functools
import multiprocessing
import os
import resource
import signal
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium import spaces

MODULE = __name__


class Walk(gym.Env):
    """Guess the sign of a number that each step draws anew; an episode lasts 3 to 11 steps, as its seed says.

    The reward depends on the last observation, so whoever acts on another one scores otherwise.

    Args:
        trouble: what goes wrong, as the code below has it, or nothing.
        at: the step, counted from 0, with the trouble.
        seeds: of the episodes with trouble; all if None.
    """

    def __init__(self, trouble="", at=1, seeds=None):
        self.observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float64)
        self.action_space = spaces.Discrete(2)
        self._trouble, self._at, self._seeds = trouble, at, seeds

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._active = self._trouble if self._seeds is None or seed in self._seeds else ""
        if self._active == "raise in reset":
            raise RuntimeError("no way to begin\nand a second line")
        self._step = 0
        self._length = int(self.np_random.integers(3, 12))
        return self._observe(), {}

    def step(self, action):
        trouble = self._active if self._step == self._at else ""
        if trouble == "raise":
            raise ValueError(f"broken at step {self._step}\nand a second line")
        if trouble == "print":
            print("an environment talks", flush=True)
            os.write(1, b"and so does its C code\n")
        reward = {"nan reward": np.nan, "inf reward": np.inf}.get(trouble)
        if reward is None:
            reward = 1.0 + self._x[1] / 8 if action == (self._x[0] > 0) else -0.5
        self._step += 1
        observation = self._observe()
        if trouble == "nan observation":
            observation[1] = np.nan
        elif trouble == "inf observation":
            observation[2] = -np.inf
        elif trouble == "wrong shape":
            observation = observation[:2]
        elif trouble == "stretchable":
            observation = observation[:1]
        return observation, reward, self._step >= self._length, False, {}

    def _observe(self):
        self._x = self.np_random.normal(size=3)
        odd = {"wrong shape in reset": self._x[:1], "wrong type in reset": np.array(list("abc"))}
        return odd.get(self._active, self._x.copy())


class Endless(gym.Env):
    """A reward of one in each step, for ever; `ends` or `is_cut` after so many steps, if given."""

    def __init__(self, ends=None, is_cut=None, reward=1.0):
        self.observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.action_space = spaces.Discrete(2)
        self._ends, self._is_cut, self._reward = ends, is_cut, reward

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._step = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self._step += 1
        return np.zeros(2, np.float32), self._reward, self._step == self._ends, self._step == self._is_cut, {}


class Anything(Walk):
    """Takes any keyword arguments, and needs none."""

    def __init__(self, **arguments):
        super().__init__()
        self.arguments = arguments


class Shy(Endless):
    """Can be made in the process that runs the experiment, not in a worker."""

    def __init__(self, leaves=False):
        super().__init__(ends=2)
        if multiprocessing.parent_process() is not None:
            if leaves:
                os._exit(7)
            raise OSError("no licence for a second process")


class Moody(Endless):
    """Rewards drawn from where no seed reaches."""

    def step(self, action):
        observation, _, ended, cut, info = super().step(action)
        return observation, float(np.frombuffer(os.urandom(4), np.uint32)[0]) / 2**32, ended, cut, info


class Forgetful(Endless):
    """Each episode pays more than the one before: its reset leaves something behind."""

    def reset(self, *, seed=None, options=None):
        self._reward += 1.0
        return super().reset(seed=seed)


class Haunted(Walk):
    """Every reward is one more if the last episode in this instance had another seed."""

    _last = None

    def reset(self, *, seed=None, options=None):
        self._left = float(self._last not in (None, seed))
        self._last = seed
        return super().reset(seed=seed)

    def step(self, action):
        observation, reward, *rest = super().step(action)
        return observation, reward + self._left, *rest


class Threads(Endless):
    """The reward tells how many threads linear algebra may use here, 0 if nobody said."""

    def step(self, action):
        observation, _, ended, cut, info = super().step(action)
        return observation, float(os.environ.get("OPENBLAS_NUM_THREADS", "0")), ended, cut, info


class Expendable(Endless):
    """The reward is how readily the kernel ends this process when memory runs out: from -1000 to 1000 (Linux)."""

    def step(self, action):
        observation, _, ended, cut, info = super().step(action)
        return observation, float(Path("/proc/self/oom_score_adj").read_text(encoding="ascii")), ended, cut, info


def _segfault():
    ctypes.string_at(0)


def _killed():
    os.kill(os.getpid(), signal.SIGKILL)


def _hang():
    while True:
        time.sleep(0.01)


def _hang_in_c():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    libc = ctypes.PyDLL(None)  # which holds the interpreter's lock meanwhile: no other thread of Python runs
    while True:
        libc.sleep(1000)


def _exhaust_memory():
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000, hard))
    try:
        hoard = []
        while True:
            hoard.append(np.zeros(1_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _raise():
    raise ValueError("no such thing")


TROUBLES = {
    1: _segfault,
    2: _killed,
    3: _hang,
    4: _exhaust_memory,
    5: _raise,
    6: functools.partial(os._exit, 3),
    7: functools.partial(os._exit, 0),
    8: _hang_in_c,
    9: functools.partial(sys.exit, "it leaves"),
    10: lambda: np.nan,
    11: lambda: np.inf,
}


class Obedient(gym.Env):
    """Does what the action says: 0 and above are rewards, -1 to -11 the troubles above, in the second step of three.

    Args:
        pause: seconds that a step takes.
        only: the trouble that every negative action makes, whichever number it says.
    """

    def __init__(self, pause=0.0, only=None):
        self.observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)
        self.action_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)
        self._pause, self._only = pause, only

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._step = 0
        return self.np_random.normal(size=1), {}

    def step(self, action):
        self._step += 1
        time.sleep(self._pause)
        reward = float(action[0])
        if round(reward) < 0 and self._step == 2:
            reward = TROUBLES[self._only or -round(reward)]()
        return self.np_random.normal(size=1), reward, self._step == 3, False, {}


class Slow(Obedient):
    """Takes its time to be made, not to act."""

    def __init__(self, pause=0.0):
        super().__init__()
        time.sleep(pause)


def _box(shape, low=-1.0, high=1.0):
    return spaces.Box(low, high, shape, np.float32)


NARROW = {
    "one action": (_box((2,)), spaces.Discrete(1)),
    "one observation": (spaces.Discrete(1), spaces.Discrete(2)),
    "a number": (_box(()), _box(())),
    "observations of size 0": (_box((0,)), spaces.Discrete(2)),
    "actions of size 0": (_box((2,)), _box((0,))),
    "a box without room": (_box((2,)), _box((1,), 0.5, 0.5)),
}


class Narrow(gym.Env):
    """Spaces with hardly anything in them; a reward of one in each of three steps."""

    def __init__(self, spaces):
        self.observation_space, self.action_space = copy.deepcopy(NARROW[spaces])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._step = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self._step += 1
        return self.observation_space.sample(), 1.0, self._step == 3, False, {}


class AnySpaces(gym.Env):
    """Samples of any observation space; the reward is a number made of all numbers in the action."""

    def __init__(self, observation_space, action_space):
        self.observation_space, self.action_space = copy.deepcopy(observation_space), action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self._step = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self._step += 1
        numbers = np.ravel(spaces.flatten(self.action_space, action)).astype(np.float64)
        reward = float(numbers @ np.arange(1, len(numbers) + 1))
        return self.observation_space.sample(), reward, self._step == 7, False, {}


class Wordy(Endless):
    """Observations that no network can read."""

    def __init__(self):
        super().__init__(ends=3)
        self.observation_space = spaces.Text(5)


class Impossible(gym.Env):
    """Cannot be made."""

    def __init__(self):
        raise OSError("the robot is not plugged in")


class Lacking(gym.Env):
    """Needs a package that is not there."""

    def __init__(self):
        raise gym.error.DependencyNotInstalled('MuJoCo is not installed, run `pip install "gymnasium[mujoco]"`')


class Doubled(gym.RewardWrapper):
    """Every reward `times` over: a wrapper of somebody's own."""

    def __init__(self, env, times=2.0):
        super().__init__(env)
        self._times = times

    def reward(self, reward):
        return reward * self._times


def make_walk():
    return Walk()


def make_spaces(observation_space, action_space):
    return functools.partial(AnySpaces, observation_space, action_space)


def closeness(genomes, episode_seeds):
    """A fitness function of somebody's own: how near a genome is to all ones, the same in every episode."""
    distance = ((np.asarray(genomes) - 1.0) ** 2).sum(axis=1)
    return np.repeat(-distance[:, None], len(episode_seeds), axis=1)


def failing(genomes, episode_seeds):
    """A fitness function that cannot score every third genome."""
    returns = closeness(genomes, episode_seeds)
    returns[::3] = np.nan
    return returns


def deadly(genomes, episode_seeds):
    """A fitness function that kills the process it runs in, if that is one that others started."""
    if multiprocessing.parent_process() is not None:
        _killed()
    return closeness(genomes, episode_seeds)


for _kind in (
    Walk,
    Endless,
    Anything,
    Expendable,
    Moody,
    Forgetful,
    Haunted,
    Threads,
    Wordy,
    Impossible,
    Lacking,
    Obedient,
    Slow,
    Shy,
    Narrow,
):
    _id = f"evonet-tests/{_kind.__name__}-v0"
    if _id not in gym.registry:
        gym.register(_id, entry_point=_kind, max_episode_steps=None if _kind is Endless else 20)
