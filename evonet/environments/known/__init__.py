"""What evonet knows about environments, one file for each; README.md shows how to add one.

`KNOWN["Mine-v0"] = KnownEnvironment(kernel=…)` makes an environment of one's own known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evonet.environments.known.acrobot import ACROBOT
from evonet.environments.known.arithmetic import Column
from evonet.environments.known.cartpole import CARTPOLE
from evonet.environments.known.double_pole import DOUBLE_POLE
from evonet.environments.known.environment import KnownEnvironment, Names, WrongNames, checked_names, names_in_metadata
from evonet.environments.known.frozen_lake import FROZEN_LAKE
from evonet.environments.known.ground_plan import GroundPlan
from evonet.environments.known.kernel import Columns, Kernel
from evonet.environments.known.lunar_lander import LUNAR_LANDER, LUNAR_LANDER_CONTINUOUS
from evonet.environments.known.maze import MAZE
from evonet.environments.known.mountain_car import MOUNTAIN_CAR
from evonet.environments.known.mountain_car_continuous import MOUNTAIN_CAR_CONTINUOUS
from evonet.environments.known.mujoco import MUJOCO, is_mujoco
from evonet.environments.known.parameter import Parameter, argument_parameter
from evonet.environments.known.pendulum import PENDULUM
from evonet.environments.specification import EnvironmentSpec

KNOWN: dict[str, KnownEnvironment] = {
    "Acrobot-v1": ACROBOT,
    "CartPole-v0": CARTPOLE,
    "CartPole-v1": CARTPOLE,
    "FrozenLake-v1": FROZEN_LAKE,
    "LunarLander-v3": LUNAR_LANDER,
    "LunarLanderContinuous-v3": LUNAR_LANDER_CONTINUOUS,
    "MountainCar-v0": MOUNTAIN_CAR,
    "MountainCarContinuous-v0": MOUNTAIN_CAR_CONTINUOUS,
    "Pendulum-v1": PENDULUM,
    "evonet/DoublePole-v0": DOUBLE_POLE,
    "evonet/Maze-v0": MAZE,
}
"""Known environments by the id under which Gymnasium registers them."""

_NOTHING = KnownEnvironment()


def known_environment(environment_id: str | None) -> KnownEnvironment:
    """What is known of the environment with this id, `module:` before it or not; perhaps nothing."""
    return KNOWN.get((environment_id or "").rpartition(":")[2], _NOTHING)


def kernels() -> dict[str, Kernel]:
    """All kernels by the id of their environment."""
    return {name: known.kernel for name, known in KNOWN.items() if known.kernel is not None}


def names_for(environment_id: str | None, inputs: int, outputs: int) -> Names:
    """Names of `inputs` inputs and `outputs` outputs: the environment's if they are known and fit, else numbers."""
    names = known_environment(environment_id).names
    if names is not None and (len(names.inputs), len(names.outputs)) == (inputs, outputs):
        return names
    return Names.numbered(inputs, outputs)


def parameters_of(environment: Any, sample: Any) -> Sequence[Parameter]:
    """The parameters of an environment that are known, or else those that a config gives as keyword arguments.

    Args:
        environment: the environment of a task; a callable has no parameters.
        sample: an instance of the environment.
    """
    if not isinstance(environment, EnvironmentSpec):
        return ()
    known = known_environment(environment.id)
    if known.parameters:
        return known.parameters
    if is_mujoco(sample):
        return MUJOCO.parameters
    return [
        argument_parameter(name, name, value)
        for name, value in environment.kwargs.items()
        if type(value) is float and value != 0.0
    ]


__all__ = [
    "KNOWN",
    "Column",
    "Columns",
    "GroundPlan",
    "Kernel",
    "KnownEnvironment",
    "Names",
    "Parameter",
    "WrongNames",
    "checked_names",
    "kernels",
    "known_environment",
    "names_for",
    "names_in_metadata",
    "parameters_of",
]
