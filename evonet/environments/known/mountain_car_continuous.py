"""MountainCarContinuous-v0: `gymnasium.envs.classic_control.continuous_mountain_car`.

Gymnasium keeps this car's state in float32, except the start state, which is drawn in float64. Sums and products of
float32 numbers, taken in float64 and rounded once, are those of float32; so the equations round where NumPy 2 does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonet.environments.known.arithmetic import Column, bounded, cos, single, where
from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.kernel import Columns, Kernel
from evonet.environments.known.parameter import attribute_parameter


def _rounded(number: float) -> float:
    return float(np.float32(number))


MIN_POSITION, MAX_POSITION = _rounded(-1.2), _rounded(0.6)
MAX_SPEED = _rounded(0.07)
GOAL_POSITION = _rounded(0.45)
POWER = _rounded(0.0015)


def start(rng: np.random.Generator) -> Sequence[float]:
    """A position from [-0.6, -0.4), at rest."""
    return rng.uniform(low=-0.6, high=-0.4), 0.0


def observe(state: Columns) -> Columns:
    """Position and velocity."""
    return state


def step(state: Columns, actions: Columns, parameters: Columns) -> tuple[Columns, Column, Column]:
    """One step under a force from -1 to 1; the reward is 100 at the goal, less a tenth of the force squared."""
    position, velocity = state
    (action,) = actions
    (goal_velocity,) = parameters
    force = bounded(action, -1.0, 1.0)
    tripled = 3.0 * position
    is_single = single(position) == position  # all positions but the first
    slope = cos(where(is_single, single(tripled), tripled))
    push = single(single(force * POWER) - single(0.0025 * slope))
    velocity = single(velocity + push)
    velocity = bounded(velocity, -MAX_SPEED, MAX_SPEED)
    position = single(position + velocity)
    position = bounded(position, MIN_POSITION, MAX_POSITION)
    velocity = where((position == MIN_POSITION) & (velocity < 0.0), 0.0, velocity)
    terminated = (position >= GOAL_POSITION) & (velocity >= np.float64(np.float32(goal_velocity)))
    reward = where(terminated, 100.0, 0.0) - action * action * 0.1
    return (position, velocity), reward, terminated


MOUNTAIN_CAR_CONTINUOUS = KnownEnvironment(
    kernel=Kernel(
        entry_point="gymnasium.envs.classic_control.continuous_mountain_car:Continuous_MountainCarEnv",
        start=start,
        observe=observe,
        step=step,
        parameters={"goal_velocity": 0.0},
        network="single",
    ),
    names=Names(("position", "velocity"), ("force",)),
    parameters=(attribute_parameter("engine power", "power"),),
)
