"""CartPole-v0 and CartPole-v1 as a kernel: `gymnasium.envs.classic_control.cartpole` (Barto, Sutton, Anderson 1983)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evonet.environments.kernels.arithmetic import sin_cos_small, where
from evonet.environments.kernels.kernel import Column, Columns, Kernel

GRAVITY = 9.8
MASS_POLE = 0.1
TOTAL_MASS = MASS_POLE + 1.0
HALF_LENGTH = 0.5
# The pole's part in all that moves is m l / M. What accelerates the cart is told in units of it: so the equations are
# short.
POLE_SHARE = MASS_POLE * HALF_LENGTH / TOTAL_MASS
PUSH = 10.0 / TOTAL_MASS / POLE_SHARE
WEIGHT = GRAVITY / POLE_SHARE
INERTIA = 4.0 / 3.0 * HALF_LENGTH / POLE_SHARE - 1.0
TIME_STEP = 0.02
THETA_THRESHOLD = 12 * 2 * math.pi / 360
X_THRESHOLD = 2.4


def start(rng: np.random.Generator) -> Sequence[float]:
    """Position, velocity, angle and angular velocity, each from [-0.05, 0.05)."""
    state: list[float] = rng.uniform(low=-0.05, high=0.05, size=(4,)).tolist()
    return state


def observe(state: Columns) -> Columns:
    """The state itself."""
    return state


def step(state: Columns, actions: Columns, parameters: Columns) -> tuple[Columns, Column, Column]:
    """One Euler step of 0.02 s under a force of ±10 N."""
    x, x_dot, theta, theta_dot = state
    (action,) = actions
    (sutton_barto_reward,) = parameters
    sintheta, costheta = sin_cos_small(theta)  # an episode ends at 12 degrees
    temp = where(action == 1.0, PUSH, -PUSH) + theta_dot * theta_dot * sintheta
    thetaacc = (WEIGHT * sintheta - costheta * temp) / (INERTIA + sintheta * sintheta)
    xacc = temp - thetaacc * costheta
    x = x + TIME_STEP * x_dot
    x_dot = x_dot + TIME_STEP * POLE_SHARE * xacc
    theta = theta + TIME_STEP * theta_dot
    theta_dot = theta_dot + TIME_STEP * thetaacc
    terminated = (np.abs(x) > X_THRESHOLD) | (np.abs(theta) > THETA_THRESHOLD)
    reward = where(terminated, -1.0, 0.0) if sutton_barto_reward else 1.0
    return (x, x_dot, theta, theta_dot), reward, terminated


CARTPOLE = Kernel(
    entry_point="gymnasium.envs.classic_control.cartpole:CartPoleEnv",
    start=start,
    observe=observe,
    step=step,
    parameters={"sutton_barto_reward": False},
    network="single",
)
