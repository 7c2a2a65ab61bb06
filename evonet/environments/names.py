"""What the numbers of well-known environments mean, as their documentation names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """Names of a network's ends.

    Attributes:
        inputs: of the observation's components, in order.
        outputs: of the actions or their components, in order.
    """

    inputs: Sequence[str]
    outputs: Sequence[str]


_CART_POLE = Names(
    ("cart position", "cart velocity", "pole angle", "pole angular velocity"), ("push left", "push right")
)
_LANDER_INPUTS = ("x", "y", "x velocity", "y velocity", "angle", "angular velocity", "left leg down", "right leg down")
_CAR_INPUTS = ("position", "velocity")

KNOWN: dict[str, Names] = {
    "CartPole-v0": _CART_POLE,
    "CartPole-v1": _CART_POLE,
    "MountainCar-v0": Names(_CAR_INPUTS, ("push left", "no push", "push right")),
    "MountainCarContinuous-v0": Names(_CAR_INPUTS, ("force",)),
    "Pendulum-v1": Names(("cos angle", "sin angle", "angular velocity"), ("torque",)),
    "Acrobot-v1": Names(
        ("cos angle 1", "sin angle 1", "cos angle 2", "sin angle 2", "angular velocity 1", "angular velocity 2"),
        ("torque -1", "no torque", "torque +1"),
    ),
    "LunarLander-v3": Names(_LANDER_INPUTS, ("no engine", "left engine", "main engine", "right engine")),
    "LunarLanderContinuous-v3": Names(_LANDER_INPUTS, ("main engine", "side engines")),
    "FrozenLake-v1": Names(tuple(f"square {i}" for i in range(16)), ("left", "down", "right", "up")),
}


def names_for(environment_id: str | None, inputs: int, outputs: int) -> Names:
    """Names for so many inputs and outputs: the environment's if they are known and fit, else numbers."""
    known = KNOWN.get(environment_id or "")
    if known is not None and (len(known.inputs), len(known.outputs)) == (inputs, outputs):
        return known
    return Names([f"input {i}" for i in range(inputs)], [f"output {i}" for i in range(outputs)])
