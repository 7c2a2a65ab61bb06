"""Activation functions of neurons, with the same bits on every processor."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from evonet import arithmetic
from evonet.foreign import import_module
from evonet.settings import OneOf
from evonet.types import FloatArray

LEAK = 0.01
"""Slope of `leaky_relu` below zero."""


_BLOCK = 4096  # numbers whose intermediate results fit into the processor's cache


def _replace(x: FloatArray, function: Callable[[FloatArray], FloatArray]) -> None:
    """Replace each element of a C-contiguous array by its image, a block of a large array at a time."""
    if x.size <= _BLOCK:
        x[...] = function(x)
        return
    flat = x.reshape(-1)
    for first in range(0, len(flat), _BLOCK):
        flat[first : first + _BLOCK] = function(flat[first : first + _BLOCK])


def _sigmoid(x: FloatArray) -> None:
    _replace(x, arithmetic.sigmoid)


def _tanh(x: FloatArray) -> None:
    _replace(x, arithmetic.tanh)


def _relu(x: FloatArray) -> None:
    np.maximum(x, 0.0, out=x)
    np.add(x, 0.0, out=x)  # the maximum of 0.0 and -0.0 may be either; the sum is 0.0


def _leaky_relu(x: FloatArray) -> None:
    np.multiply(x, LEAK, out=x, where=x < 0.0)


def _identity(x: FloatArray) -> None:
    pass


def _sin(x: FloatArray) -> None:
    _replace(x, arithmetic.sin)


def _gaussian(x: FloatArray) -> None:
    np.clip(x, -1e150, 1e150, out=x)  # keeps the square finite; the image of such numbers is 0
    np.multiply(x, x, out=x)
    np.negative(x, out=x)
    _replace(x, arithmetic.exp)


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
        """Middle of a bounded image, 0 for an unbounded one; MultiBinary actions use it as a threshold."""
        return (self.low + self.high) / 2 if self.bounded else 0.0


class Activations(dict[str, Activation]):
    """Activations by name.

    An architecture is checked against the names that are entered. So a name `module:NAME` that is not entered comes
    only from an architecture that another process has checked and sent here; its module is imported.
    """

    def __missing__(self, name: str) -> Activation:
        module, _, attribute = name.rpartition(":")
        if not module:
            raise KeyError(name)
        activation = getattr(import_module(module), attribute)
        assert isinstance(activation, Activation)
        self[name] = activation
        return activation


ACTIVATIONS = Activations(
    {
        "sigmoid": Activation(_sigmoid, 0.0, 1.0, "1 / (1 + exp(-x)), from 0 to 1"),
        "tanh": Activation(_tanh, -1.0, 1.0, "hyperbolic tangent, from -1 to 1"),
        "relu": Activation(_relu, 0.0, math.inf, "max(0, x)"),
        "leaky_relu": Activation(_leaky_relu, -math.inf, math.inf, f"x above zero, {LEAK} x below"),
        "identity": Activation(_identity, -math.inf, math.inf, "x itself"),
        "sin": Activation(_sin, -1.0, 1.0, "sine, from -1 to 1"),
        "gaussian": Activation(_gaussian, 0.0, 1.0, "exp(-x²), from 0 to 1"),
        "step": Activation(_step, 0.0, 1.0, "1 above zero, else 0"),
    }
)
"""The activations that a config or a constructor may name."""

ActivationName = Annotated[str, OneOf(ACTIVATIONS)]
"""The name of an activation, a key of `ACTIVATIONS`."""
