"""Acrobot-v1: `gymnasium.envs.classic_control.acrobot` (Sutton 1996), with the equations of the book."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evonet.environments.known.arithmetic import Column, bounded, sin_cos_rounded, where
from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.kernel import Columns, Kernel
from evonet.environments.known.parameter import attribute_parameter

TIME_STEP = 0.2
MAX_SPEED_1 = 4 * math.pi
MAX_SPEED_2 = 9 * math.pi
PI = math.pi
HALF_PI = math.pi / 2
G = 9.8


def start(rng: np.random.Generator) -> Sequence[float]:
    """Two angles and their velocities, each from [-0.1, 0.1), rounded to float32."""
    state: list[float] = rng.uniform(low=-0.1, high=0.1, size=(4,)).astype(np.float32).tolist()
    return state


def observe(state: Columns) -> Columns:
    """Cosine and sine of both angles, and both velocities."""
    theta1, theta2, dtheta1, dtheta2 = state
    sin1, cos1 = sin_cos_rounded(theta1)
    sin2, cos2 = sin_cos_rounded(theta2)
    return cos1, sin1, cos2, sin2, dtheta1, dtheta2


def step(state: Columns, actions: Columns, parameters: Columns) -> tuple[Columns, Column, Column]:  # noqa: ARG001
    """One Runge-Kutta step of 0.2 s: actions 0, 1, 2 are torques of -1, 0, 1 on the second joint."""
    theta1, theta2, dtheta1, dtheta2 = state
    torque = actions[0] - 1.0
    half = TIME_STEP / 2.0
    a1, b1 = _accelerations(theta1, theta2, dtheta1, dtheta2, torque)
    p2, q2 = dtheta1 + half * a1, dtheta2 + half * b1
    a2, b2 = _accelerations(theta1 + half * dtheta1, theta2 + half * dtheta2, p2, q2, torque)
    p3, q3 = dtheta1 + half * a2, dtheta2 + half * b2
    a3, b3 = _accelerations(theta1 + half * p2, theta2 + half * q2, p3, q3, torque)
    p4, q4 = dtheta1 + TIME_STEP * a3, dtheta2 + TIME_STEP * b3
    a4, b4 = _accelerations(theta1 + TIME_STEP * p3, theta2 + TIME_STEP * q3, p4, q4, torque)
    sixth = TIME_STEP / 6.0
    theta1 = _wrapped(theta1 + sixth * (dtheta1 + 2.0 * p2 + 2.0 * p3 + p4))
    theta2 = _wrapped(theta2 + sixth * (dtheta2 + 2.0 * q2 + 2.0 * q3 + q4))
    dtheta1 = dtheta1 + sixth * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
    dtheta2 = dtheta2 + sixth * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
    dtheta1 = bounded(dtheta1, -MAX_SPEED_1, MAX_SPEED_1)
    dtheta2 = bounded(dtheta2, -MAX_SPEED_2, MAX_SPEED_2)
    terminated = -_cos(theta1) - _cos(theta2 + theta1) > 1.0
    return (theta1, theta2, dtheta1, dtheta2), where(terminated, 0.0, -1.0), terminated


def _accelerations(
    theta1: Column, theta2: Column, dtheta1: Column, dtheta2: Column, torque: Column
) -> tuple[Column, Column]:
    """Angular accelerations; masses, lengths and moments of inertia are 1, centres of mass at 0.5."""
    sin2, cos2 = sin_cos_rounded(theta2)
    d1 = 0.25 + (1.25 + cos2) + 1.0 + 1.0
    d2 = (0.25 + 0.5 * cos2) + 1.0
    phi2 = 0.5 * G * _cos(theta1 + theta2 - HALF_PI)
    phi1 = -0.5 * np.square(dtheta2) * sin2 - dtheta2 * dtheta1 * sin2 + 1.5 * G * _cos(theta1 - HALF_PI) + phi2
    ddtheta2 = (torque + d2 / d1 * phi1 - 0.5 * np.square(dtheta1) * sin2 - phi2) / (1.25 - np.square(d2) / d1)
    ddtheta1 = -(d2 * ddtheta2 + phi1) / d1
    return ddtheta1, ddtheta2


def _cos(angle: Column) -> Column:
    return sin_cos_rounded(angle)[1]


def _wrapped(angle: Column) -> Column:
    """The angle from -pi to pi. In one step the faster joint cannot turn more than twice."""
    angle = where(angle > PI, angle - 2 * PI, angle)
    angle = where(angle > PI, angle - 2 * PI, angle)
    angle = where(angle < -PI, angle + 2 * PI, angle)
    return where(angle < -PI, angle + 2 * PI, angle)


ACROBOT = KnownEnvironment(
    kernel=Kernel(
        entry_point="gymnasium.envs.classic_control.acrobot:AcrobotEnv",
        start=start,
        observe=observe,
        step=step,
        network="single",
    ),
    names=Names(
        ("cos angle 1", "sin angle 1", "cos angle 2", "sin angle 2", "angular velocity 1", "angular velocity 2"),
        ("torque -1", "no torque", "torque +1"),
    ),
    parameters=(
        attribute_parameter("length of link 1 (m)", "LINK_LENGTH_1"),
        attribute_parameter("mass of link 1 (kg)", "LINK_MASS_1"),
        attribute_parameter("mass of link 2 (kg)", "LINK_MASS_2"),
    ),
)
