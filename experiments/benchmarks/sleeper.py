"""An environment whose episodes sleep without using a processor, so that a benchmark measures the executor alone."""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Sleeper(gym.Env[Any, Any]):
    """One step, in which it sleeps.

    Args:
        seconds: that the step takes.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (2,), np.float64)
        self.action_space = spaces.Discrete(2)
        self._seconds = seconds

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(2), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self._seconds:
            time.sleep(self._seconds)
        return np.zeros(2), 1.0, True, False, {}
