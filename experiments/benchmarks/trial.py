"""What every cold start must reach: a CartPole-v1 champion that holds on 100 episodes it never saw.

A generation's best is validated when its training return is 475 or more. Peers get a validation that costs next to
nothing (NumPy on all 100 episodes at once, in place of the real environment one by one), which is generous to them. The
last step is the same for all: 100 fresh episodes in the real environment.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

TARGET = 475.0
EPISODES = 100
PATIENCE = 120.0  # seconds after which a contestant gives up
_HELD_OUT = range(20_000, 20_000 + EPISODES)
_FRESH = range(30_000, 30_000 + EPISODES)

Policy = Callable[[NDArray[np.float32]], Any]


class Trial:
    """One attempt: `passed` says when to stop, `finish` prints what became of it."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.generations = 0
        self.champion: Any = None
        self.validation = 0.0

    def passed(self, training: float, candidates: Sequence[Any], policy: Callable[[Any], Policy]) -> bool:
        """Whether it is time to stop, after a generation whose best return was `training`.

        Args:
            training: the best return in training.
            candidates: what may be the champion, first choice first.
            policy: a candidate as function of observations `(100, 4)` to actions `(100,)`.
        """
        self.generations += 1
        for candidate in candidates if training >= TARGET else ():
            self.validation = validated(policy(candidate))
            if self.validation >= TARGET:
                self.champion = candidate
                return True
        return time.monotonic() - self._start > PATIENCE

    def finish(self, policy: Callable[[Any], Policy]) -> None:
        """Test the champion in the real environment and print the outcome as JSON."""
        outcome: dict[str, Any] = {"generations": self.generations, "solved": self.champion is not None}
        if self.champion is not None:
            outcome |= {"validation": self.validation, "test": tested(policy(self.champion))}
        print(json.dumps(outcome), flush=True)


def validated(policy: Policy) -> float:
    """Mean return over the held-out episodes; 0 as soon as the target is out of reach."""
    starts = [np.random.Generator(np.random.PCG64(seed)).uniform(-0.05, 0.05, 4) for seed in _HELD_OUT]
    x, v, angle, spin = np.array(starts).T
    standing = np.ones(EPISODES, dtype=bool)
    lengths = np.zeros(EPISODES)
    for _ in range(500):
        actions = np.asarray(policy(np.stack((x, v, angle, spin), axis=1).astype(np.float32)))
        sine, cosine = np.sin(angle), np.cos(angle)
        common = (20.0 * actions - 10.0 + 0.05 * spin**2 * sine) / 1.1
        angular = (9.8 * sine - cosine * common) / (0.5 * (4.0 / 3.0 - 0.1 * cosine**2 / 1.1))
        linear = common - 0.05 * angular * cosine / 1.1
        x, v, angle, spin = x + 0.02 * v, v + 0.02 * linear, angle + 0.02 * spin, spin + 0.02 * angular
        lengths += standing
        standing &= (np.abs(x) <= 2.4) & (np.abs(angle) <= 12 * 2 * np.pi / 360)
        if (500 - lengths[~standing]).sum() > (500 - TARGET) * EPISODES:
            return 0.0
    return float(lengths.mean())


def tested(policy: Policy) -> float:
    """Mean return over the fresh episodes, one by one in the real environment."""
    import gymnasium

    environment = gymnasium.make("CartPole-v1")
    return sum(real_episode(environment, policy, seed) for seed in _FRESH) / EPISODES


def real_episode(environment: Any, policy: Policy, seed: int) -> float:
    """Return of one episode; the policy sees a batch of one."""
    observation, _ = environment.reset(seed=seed)
    total = 0.0
    while True:
        action = int(np.asarray(policy(observation[None, :]))[0])
        observation, reward, terminated, truncated, _ = environment.step(action)
        total += reward
        if terminated or truncated:
            return float(total)
