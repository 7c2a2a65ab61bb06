"""The environments that come with evonet, entered in Gymnasium's registry.

Gymnasium finds `register` as a plugin when it is imported, so `gymnasium.make("evonet/DoublePole-v0")` needs no import
of evonet; `evonet.environments.specification` calls it too, for a checkout that was never installed.
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
