"""Registers the environments that come with evonet in Gymnasium.

Importing `evonet.environments` does it: `gymnasium.make("evonet/DoublePole-v0")` works after that, and
`gymnasium.make("evonet.environments:evonet/DoublePole-v0")` without.
"""

from __future__ import annotations

from gymnasium.envs.registration import register as register_in_gymnasium
from gymnasium.envs.registration import registry

from evonet.environments.known import double_pole

DOUBLE_POLE = "evonet/DoublePole-v0"


def register() -> None:
    """Register each environment that is not registered yet."""
    if DOUBLE_POLE not in registry:
        register_in_gymnasium(
            DOUBLE_POLE,
            entry_point=double_pole.ENTRY_POINT,
            max_episode_steps=double_pole.MAX_STEPS,
            reward_threshold=double_pole.REWARD_THRESHOLD,
        )
