"""Question: how does an environment of your own run as fast as CartPole?

By a kernel: the environment's step once more, as a function over columns of numbers, entered in `KNOWN`; see
`evonet/environments/known/README.md`. Here the environment is a cart-pole with a heavier and longer pole. The contract
check compares the kernel with the environment; then both run the same networks.

Command: python experiments/own_kernel.py
Finding: the kernel passes the check and gets the returns of the environment, in a small fraction of its time.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

from evonet.architecture import Architecture
from evonet.environments.known import KNOWN, Column, Columns, KnownEnvironment
from evonet.environments.known.arithmetic import sin_cos_small, where
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.kernels import KernelEngine
from evonet.task import Task
from evonet.testing import check_kernel

ID = "HeavyCartPole-v0"
MASS_CART, MASS_POLE, HALF_LENGTH = 2.0, 0.5, 1.0
TOTAL_MASS = MASS_POLE + MASS_CART
GRAVITY, FORCE, TIME_STEP = 9.8, 10.0, 0.02
X_LIMIT, THETA_LIMIT = 2.4, 12 * 2 * np.pi / 360


class HeavyCartPole(CartPoleEnv):
    """Gymnasium's cart-pole with other masses."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.masscart, self.masspole, self.length = MASS_CART, MASS_POLE, HALF_LENGTH
        self.total_mass = self.masspole + self.masscart
        self.polemass_length = self.masspole * self.length


gym.register(ID, entry_point=HeavyCartPole, max_episode_steps=500)


def step(state: Columns, actions: Columns, parameters: Columns) -> tuple[Columns, Column, Column]:
    """`HeavyCartPole.step` over columns."""
    x, x_dot, theta, theta_dot = state
    force = where(actions[0] == 1.0, FORCE, -FORCE)
    sine, cosine = sin_cos_small(theta)
    push = (force + MASS_POLE * HALF_LENGTH * np.square(theta_dot) * sine) / TOTAL_MASS
    turn = (GRAVITY * sine - cosine * push) / (HALF_LENGTH * (4.0 / 3.0 - MASS_POLE * np.square(cosine) / TOTAL_MASS))
    pull = push - MASS_POLE * HALF_LENGTH * turn * cosine / TOTAL_MASS
    new_x, new_theta = x + TIME_STEP * x_dot, theta + TIME_STEP * theta_dot
    terminated = (np.abs(new_x) > X_LIMIT) | (np.abs(new_theta) > THETA_LIMIT)
    return (new_x, x_dot + TIME_STEP * pull, new_theta, theta_dot + TIME_STEP * turn), 1.0, terminated


# Start states and observations are CartPole's own.
CARTPOLE = KNOWN["CartPole-v1"].kernel
assert CARTPOLE is not None
KERNEL = dataclasses.replace(CARTPOLE, entry_point=HeavyCartPole, step=step, parameters={})
KNOWN[ID] = KnownEnvironment(KERNEL)


def main(num_networks: int = 200) -> None:
    """Check the kernel, then compare both engines on random networks."""
    check_kernel(KERNEL, ID)
    print("the kernel agrees with the environment")

    environment = HeavyCartPole()
    task = Task(
        EnvironmentSpec(ID),
        environment.observation_space,
        environment.action_space,
        Architecture(4, 16, 2, hidden_activation="tanh", output_activation="identity"),
        squash="tanh",
        max_steps=500,
    )
    genomes = np.random.default_rng(0).standard_normal((num_networks, task.architecture.genome_size))
    numbers = np.arange(num_networks)
    returns = {}
    for engine in (GymnasiumEngine(task), KernelEngine(task)):
        engine.run(genomes, numbers, numbers, None)
        began = time.perf_counter()
        results = engine.run(genomes, numbers, numbers, None)
        seconds = time.perf_counter() - began
        engine.close()
        returns[engine.name] = results.returns
        print(f"{engine.name}: {results.steps / seconds:,.0f} steps a second")
    same = np.equal(*returns.values()).mean()
    print(f"{same:.1%} of {num_networks} returns are equal")


if __name__ == "__main__":
    main()
