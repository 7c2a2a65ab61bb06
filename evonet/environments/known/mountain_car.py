"""MountainCar-v0: `gymnasium.envs.classic_control.mountain_car` (Moore 1990)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonet.environments.known.arithmetic import Column, bounded, cos, where
from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.kernel import Columns, Kernel
from evonet.environments.known.parameter import attribute_parameter

MIN_POSITION, MAX_POSITION = -1.2, 0.6
MAX_SPEED = 0.07
GOAL_POSITION = 0.5
FORCE = 0.001
GRAVITY = 0.0025


def start(rng: np.random.Generator) -> Sequence[float]:
    """A position from [-0.6, -0.4), at rest."""
    return rng.uniform(low=-0.6, high=-0.4), 0.0


def observe(state: Columns) -> Columns:
    """Position and velocity."""
    return state


def step(state: Columns, actions: Columns, parameters: Columns) -> tuple[Columns, Column, Column]:
    """One step: actions 0, 1, 2 push left, not at all, right."""
    position, velocity = state
    (action,) = actions
    (goal_velocity,) = parameters
    velocity = velocity + ((action - 1.0) * FORCE + cos(3.0 * position) * -GRAVITY)
    velocity = bounded(velocity, -MAX_SPEED, MAX_SPEED)
    position = position + velocity
    position = bounded(position, MIN_POSITION, MAX_POSITION)
    velocity = where((position == MIN_POSITION) & (velocity < 0.0), 0.0, velocity)
    terminated = (position >= GOAL_POSITION) & (velocity >= goal_velocity)
    return (position, velocity), -1.0, terminated


MOUNTAIN_CAR = KnownEnvironment(
    kernel=Kernel(
        entry_point="gymnasium.envs.classic_control.mountain_car:MountainCarEnv",
        start=start,
        observe=observe,
        step=step,
        parameters={"goal_velocity": 0.0},
        network="single",
    ),
    names=Names(("position", "velocity"), ("push left", "no push", "push right")),
    parameters=(attribute_parameter("engine force", "force"), attribute_parameter("gravity", "gravity")),
)
