"""A wrapper that appends noise to the observations, to see whether evolution leaves out inputs that do not matter."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray


class NoiseInputs(gym.ObservationWrapper[Any, Any, Any]):
    """Appends standard normal numbers, new at each step, to an observation that is a vector.

    The seed of an episode decides its noise too. An episode that is reset without a seed goes on with the noise of the
    one before it.

    Args:
        env: the environment.
        count: how many numbers are appended.

    Raises:
        ValueError: the observations are no vectors, or `count` is below 1.
    """

    def __init__(self, env: gym.Env[Any, Any], count: int = 8) -> None:
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
            raise ValueError(f"NoiseInputs.env must have vectors as observations, got {space}")
        if count < 1:
            raise ValueError(f"NoiseInputs.count must be at least 1, got {count}")
        unbounded = np.full(count, np.inf, space.dtype)
        self.observation_space = gym.spaces.Box(
            np.concatenate([space.low, -unbounded]), np.concatenate([space.high, unbounded]), dtype=space.dtype
        )
        self.count = count
        self._rng = _noise(0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and with a seed its noise."""
        if seed is not None:
            self._rng = _noise(seed)
        return super().reset(seed=seed, options=options)

    def observation(self, observation: NDArray[Any]) -> NDArray[Any]:
        """The observation and the noise behind it."""
        noise = self._rng.standard_normal(self.count)
        return np.concatenate([observation, noise.astype(observation.dtype)])


def _noise(seed: int) -> np.random.Generator:
    """The generator of an episode's noise, which is not the environment's own."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(1,))))
