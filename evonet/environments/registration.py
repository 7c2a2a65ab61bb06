"""Registration of evonet's environments in Gymnasium.

`import evonet.environments` registers them, so that `gymnasium.make("evonet/DoublePole-v0")` works;
`gymnasium.make("evonet.environments:evonet/DoublePole-v0")` works without the import.
"""

from __future__ import annotations

from gymnasium.envs.registration import register as register_in_gymnasium
from gymnasium.envs.registration import registry

from evonet.environments.known import double_pole, maze

DOUBLE_POLE = "evonet/DoublePole-v0"
MAZE = "evonet/Maze-v0"


def register() -> None:
    """Register each environment that is not registered yet."""
    for name, module in ((DOUBLE_POLE, double_pole), (MAZE, maze)):
        if name not in registry:
            register_in_gymnasium(
                name,
                entry_point=module.ENTRY_POINT,
                max_episode_steps=module.MAX_STEPS,
                reward_threshold=module.REWARD_THRESHOLD,
            )
