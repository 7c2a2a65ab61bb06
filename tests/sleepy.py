"""An environment, and a fitness, that sleep where a test wants to meet them at work; elsewhere they are quick."""

import ctypes
import os
import signal
import time
from pathlib import Path

import gymnasium as gym

from tests.environments_for_tests import Walk, closeness

ASLEEP = "EVONET_TESTS_ASLEEP"
"""Names the file that a sleeper makes before it sleeps; without it, nobody sleeps."""
MODULE = __name__
SLEEPY = f"{MODULE}:evonet-tests/Sleepy-v0"


class Sleepy(Walk):
    """A walk; in episodes with the `sleepy` seeds each step takes half a second, if the process may sleep."""

    def __init__(self, sleepy=()):
        super().__init__()
        self._sleepy = sleepy
        self._pause = 0.0

    def reset(self, *, seed=None, options=None):
        self._pause = 0.5 if seed in self._sleepy and ASLEEP in os.environ else 0.0
        return super().reset(seed=seed, options=options)

    def step(self, action):
        if self._pause:
            Path(os.environ[ASLEEP]).touch()
            time.sleep(self._pause)
        return super().step(action)


def deep(genomes, episode_seeds):
    """The fitness that stays in compiled code for a minute, where no signal handler of Python's is called."""
    if ASLEEP in os.environ:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})  # another thread takes them
        Path(os.environ[ASLEEP]).touch()
        ctypes.CDLL(None).sleep(60)
    return closeness(genomes, episode_seeds)


if SLEEPY.rpartition(":")[2] not in gym.registry:
    gym.register(SLEEPY.rpartition(":")[2], entry_point=Sleepy, max_episode_steps=20)
