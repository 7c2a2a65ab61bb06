"""A wrapper under which every episode is the same, for archives over one start or one terrain."""

from __future__ import annotations

from typing import Any

import gymnasium as gym


class FixedSeed(gym.Wrapper[Any, Any, Any, Any]):
    """Resets the environment with one seed, whatever seed it is given: all episodes begin alike.

    Held-out episodes are then those of training, so scores say nothing about other starts.

    Args:
        env: the environment.
        seed: the seed of every episode.

    Raises:
        ValueError: `seed` is below 0.
    """

    def __init__(self, env: gym.Env[Any, Any], seed: int = 0) -> None:
        super().__init__(env)
        if seed < 0:
            raise ValueError(f"FixedSeed.seed must be at least 0, got {seed}")
        self.seed = seed

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the episode of the wrapper's own seed."""
        return super().reset(seed=self.seed, options=options)
