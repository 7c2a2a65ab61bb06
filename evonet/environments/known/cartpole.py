"""CartPole-v0 and CartPole-v1: `gymnasium.envs.classic_control.cartpole` (Barto, Sutton, Anderson 1983)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from evonet.environments.known.arithmetic import Column, constants, sin_cos_small, where
from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.kernel import Columns, Kernel
from evonet.environments.known.parameter import attribute_parameter

MASS_POLE = 0.1
TOTAL_MASS = MASS_POLE + 1.0
LENGTH = 0.5  # half the pole's
FORCE = 10.0
GRAVITY, TIME_STEP, FOUR_THIRDS_LENGTH = constants(9.8, 0.02, LENGTH * 4.0 / 3.0)
# Gymnasium divides both by the total mass in every step, which would cost a third of the time.
PUSH, TWICE_PUSH = constants(FORCE / TOTAL_MASS, 2 * FORCE / TOTAL_MASS)
(POLE_SHARE,) = constants(MASS_POLE * LENGTH / TOTAL_MASS)
X_THRESHOLD, THETA_THRESHOLD = constants(2.4, 12 * 2 * math.pi / 360)


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
    push = TWICE_PUSH * action - PUSH  # to the left for 0, to the right for 1
    sintheta, costheta = sin_cos_small(theta)  # an episode ends at 12 degrees
    temp = push + POLE_SHARE * np.square(theta_dot) * sintheta
    thetaacc = (GRAVITY * sintheta - costheta * temp) / (FOUR_THIRDS_LENGTH - POLE_SHARE * np.square(costheta))
    xacc = temp - POLE_SHARE * thetaacc * costheta
    x = x + TIME_STEP * x_dot
    x_dot = x_dot + TIME_STEP * xacc
    theta = theta + TIME_STEP * theta_dot
    theta_dot = theta_dot + TIME_STEP * thetaacc
    terminated = (np.abs(x) > X_THRESHOLD) | (np.abs(theta) > THETA_THRESHOLD)
    reward = where(terminated, -1.0, 0.0) if sutton_barto_reward else 1.0
    return (x, x_dot, theta, theta_dot), reward, terminated


def _derive_masses(environment: Any) -> None:
    environment.total_mass = environment.masspole + environment.masscart
    environment.polemass_length = environment.masspole * environment.length


CARTPOLE = KnownEnvironment(
    kernel=Kernel(
        entry_point="gymnasium.envs.classic_control.cartpole:CartPoleEnv",
        start=start,
        observe=observe,
        step=step,
        parameters={"sutton_barto_reward": False},
        network="single",
    ),
    names=Names(("cart position", "cart velocity", "pole angle", "pole angular velocity"), ("push left", "push right")),
    parameters=(
        attribute_parameter("pole length (half, m)", "length", _derive_masses),
        attribute_parameter("pole mass (kg)", "masspole", _derive_masses),
        attribute_parameter("cart mass (kg)", "masscart", _derive_masses),
        attribute_parameter("force (N)", "force_mag"),
        attribute_parameter("gravity (m/s²)", "gravity"),
    ),
)
