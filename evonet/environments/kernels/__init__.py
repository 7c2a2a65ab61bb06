"""Environments written as functions over columns of numbers, for engines that run a whole batch at once.

An environment of your own joins them by one line, `KERNELS["Mine-v0"] = Kernel(…)`; `evonet.testing.check_kernel` holds
it against the environment itself, and `experiments/own_kernel.py` shows both.
"""

from evonet.environments.kernels.acrobot import ACROBOT
from evonet.environments.kernels.cartpole import CARTPOLE
from evonet.environments.kernels.double_pole import DOUBLE_POLE
from evonet.environments.kernels.kernel import Column, Columns, Kernel
from evonet.environments.kernels.mountain_car import MOUNTAIN_CAR
from evonet.environments.kernels.mountain_car_continuous import MOUNTAIN_CAR_CONTINUOUS
from evonet.environments.kernels.pendulum import PENDULUM

KERNELS: dict[str, Kernel] = {
    "Acrobot-v1": ACROBOT,
    "CartPole-v0": CARTPOLE,
    "CartPole-v1": CARTPOLE,
    "MountainCar-v0": MOUNTAIN_CAR,
    "MountainCarContinuous-v0": MOUNTAIN_CAR_CONTINUOUS,
    "Pendulum-v1": PENDULUM,
    "evonet/DoublePole-v0": DOUBLE_POLE,
}

__all__ = ["KERNELS", "Column", "Columns", "Kernel"]
