"""Registration of evonet's environments in Gymnasium.

`import evonet.environments` registers them, so that `gymnasium.make("evonet/DoublePole-v0")` works;
`gymnasium.make("evonet.environments:evonet/DoublePole-v0")` works without the import.
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
