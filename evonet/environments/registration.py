"""The environments that come with evonet, entered in Gymnasium's registry.

Importing `evonet.environments` enters them: `gymnasium.make("evonet/DoublePole-v0")` works after that, and
`gymnasium.make("evonet.environments:evonet/DoublePole-v0")` without.
"""

from __future__ import annotations

from gymnasium.envs.registration import register as enter
from gymnasium.envs.registration import registry

DOUBLE_POLE = "evonet/DoublePole-v0"


def register() -> None:
    """Enter what is not there yet."""
    if DOUBLE_POLE not in registry:
        enter(
            DOUBLE_POLE,
            entry_point="evonet.environments.double_pole:DoublePole",
            max_episode_steps=100_000,
            reward_threshold=100_000.0,
        )
