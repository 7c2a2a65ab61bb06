"""Pendulum-v1: `gymnasium.envs.classic_control.pendulum`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evonet.environments.known.arithmetic import Column, bounded, sin, sin_cos, single
from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.kernel import Columns, Kernel
from evonet.environments.known.parameter import argument_parameter, attribute_parameter

MAX_SPEED = 8.0
MAX_TORQUE = 2.0
TIME_STEP = 0.05
HIGHEST_START = np.array([math.pi, 1.0])
PI, TWO_PI = math.pi, 2 * math.pi
_MILLI = float(np.float32(0.001))


def start(rng: np.random.Generator) -> Sequence[float]:
    """An angle from [-pi, pi) and an angular velocity from [-1, 1)."""
    state: list[float] = rng.uniform(low=-HIGHEST_START, high=HIGHEST_START).tolist()
    return state


def observe(state: Columns) -> Columns:
    """Cosine and sine of the angle, and the angular velocity."""
    theta, theta_dot = state
    sine, cosine = sin_cos(theta)
    return cosine, sine, theta_dot


def step(state: Columns, actions: Columns, parameters: Columns) -> tuple[Columns, Column, Column]:
    """One step of 0.05 s under a torque from -2 to 2; it never terminates."""
    theta, theta_dot = state
    (action,) = actions
    (g,) = parameters
    torque = bounded(action, -MAX_TORQUE, MAX_TORQUE)
    angle = _normalised(theta)
    # Gymnasium's torque is a float32, and so are its square and its multiples; the sums are float64.
    costs = angle * angle + 0.1 * (theta_dot * theta_dot) + single(_MILLI * single(torque * torque))
    theta_dot = theta_dot + (3.0 * g / 2.0 * sin(theta) + single(3.0 * torque)) * TIME_STEP
    theta_dot = bounded(theta_dot, -MAX_SPEED, MAX_SPEED)
    theta = theta + theta_dot * TIME_STEP
    return (theta, theta_dot), -costs, False


def _normalised(angle: Column) -> Column:
    """The angle from -pi to pi: `((x + pi) % (2 pi)) - pi`."""
    shifted = angle + PI
    turned = shifted - TWO_PI * np.floor(shifted / TWO_PI)
    return turned - PI


PENDULUM = KnownEnvironment(
    kernel=Kernel(
        entry_point="gymnasium.envs.classic_control.pendulum:PendulumEnv",
        start=start,
        observe=observe,
        step=step,
        parameters={"g": 10.0},
    ),
    names=Names(("cos angle", "sin angle", "angular velocity"), ("torque",)),
    parameters=(
        argument_parameter("gravity (m/s²)", "g", 10.0),
        attribute_parameter("mass (kg)", "m"),
        attribute_parameter("length (m)", "l"),
    ),
)
