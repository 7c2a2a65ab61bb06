"""The time limit of an environment that was made."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.wrappers import TimeLimit


def time_limit(environment: gym.Env[Any, Any]) -> int | None:
    """The steps after which an environment truncates an episode: the least of its TimeLimit wrappers, or its spec's."""
    layer: Any = environment
    limits = []
    while isinstance(layer, gym.Wrapper):
        if isinstance(layer, TimeLimit):
            limits.append(layer._max_episode_steps)
        layer = layer.env
    own = getattr(getattr(layer, "spec", None), "max_episode_steps", None)
    return min(limits, default=own)
