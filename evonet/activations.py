"""Activations: what a neuron makes of the sum of its inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from evonet.settings import Among
from evonet.types import FloatArray

LEAK = 0.01
"""Slope of `leaky_relu` below zero."""


def _sigmoid(x: FloatArray) -> None:
    # 1 / (1 + exp(-x)) as a hyperbolic tangent: the same function, and nothing in it can overflow.
    np.multiply(x, 0.5, out=x)
    np.tanh(x, out=x)
    np.multiply(x, 0.5, out=x)
    np.add(x, 0.5, out=x)


def _tanh(x: FloatArray) -> None:
    np.tanh(x, out=x)


def _relu(x: FloatArray) -> None:
    np.maximum(x, 0.0, out=x)


def _leaky_relu(x: FloatArray) -> None:
    np.multiply(x, LEAK, out=x, where=x < 0.0)


def _identity(x: FloatArray) -> None:
    pass


def _sin(x: FloatArray) -> None:
    np.sin(x, out=x)


def _gaussian(x: FloatArray) -> None:
    np.clip(x, -1e150, 1e150, out=x)  # so that the square does not overflow; the image is 0 long before
    np.multiply(x, x, out=x)
    np.negative(x, out=x)
    np.exp(x, out=x)


def _step(x: FloatArray) -> None:
    np.heaviside(x, 0.0, out=x)


@dataclass(frozen=True)
class Activation:
    """A neuron's transfer function.

    Attributes:
        apply: replaces each element of a C-contiguous array by its image, in place.
        low: infimum of the image.
        high: supremum of the image.
        summary: the function in one line.
    """

    apply: Callable[[FloatArray], None]
    low: float
    high: float
    summary: str

    @property
    def bounded(self) -> bool:
        """Whether the image is a finite interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def middle(self) -> float:
        """Middle of a bounded image, 0 for an unbounded one: above it an output means yes, below it no."""
        return (self.low + self.high) / 2 if self.bounded else 0.0


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(_sigmoid, 0.0, 1.0, "1 / (1 + exp(-x)), from 0 to 1"),
    "tanh": Activation(_tanh, -1.0, 1.0, "hyperbolic tangent, from -1 to 1"),
    "relu": Activation(_relu, 0.0, math.inf, "max(0, x)"),
    "leaky_relu": Activation(_leaky_relu, -math.inf, math.inf, f"x above zero, {LEAK} x below"),
    "identity": Activation(_identity, -math.inf, math.inf, "x itself"),
    "sin": Activation(_sin, -1.0, 1.0, "sine, from -1 to 1"),
    "gaussian": Activation(_gaussian, 0.0, 1.0, "exp(-x²), from 0 to 1"),
    "step": Activation(_step, 0.0, 1.0, "1 above zero, else 0"),
}

ActivationName = Annotated[str, Among(ACTIVATIONS)]
"""The name of an activation, a key of `ACTIVATIONS`."""
