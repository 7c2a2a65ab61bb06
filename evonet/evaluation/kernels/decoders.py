"""How a network's outputs become an action, over columns; the rule is in `evonet.environments.spaces.ActionDecoder`.

Each decoder is called by the NumPy engine and writes its own source for the compiled one, which needs a line for each
number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonet.activations import Activation
from evonet.environments.known import Columns
from evonet.environments.known.arithmetic import Column, bounded, double, single, tanh, where
from evonet.environments.spaces import Squash
from evonet.types import FloatArray

_ZERO = np.array(0.0, np.float32)  # an array without axes, which NumPy compares in half the time that a number takes


@dataclass(frozen=True)
class GreatestOutput:
    """A Discrete action: the position of the greatest output, the first of equals.

    Attributes:
        choices: number of actions.
        first: the number of the first action.
        relative: whether the first output is 0 and not among the outputs, which are differences from it.
    """

    choices: int
    first: int
    relative: bool

    def __call__(self, outputs: Columns) -> Columns:
        """The action as one column of whole numbers."""
        best, value, *others = (_ZERO, *outputs) if self.relative else outputs
        better = value > best
        action = better.astype(np.float64)
        if self.first:
            action += self.first
        for k, other in enumerate(others, self.first + 2):
            best, value = where(better, value, best), other
            better = value > best
            action = where(better, float(k), action)
        return (action,)

    def source(self) -> str:
        """The function `decode` in Python."""
        values = ["0.0"] * self.relative + [f"outputs[{k}]" for k in range(self.choices - self.relative)]
        lines = [f"best, action = {values[0]}, {float(self.first)}"]
        for k, value in enumerate(values[1:], self.first + 1):
            lines.append(f"better = {value} > best")
            lines.append(f"best, action = where(better, {value}, best), where(better, {float(k)}, action)")
        return "def decode(outputs):\n    " + "\n    ".join([*lines, "return (action,)"])


@dataclass(frozen=True)
class StretchedOutputs:
    """A Box action: each output squashed to ±1 and stretched onto its bounds.

    Attributes:
        bounds: half the width, the middle, the lowest and the highest value of each number.
        squash: what takes outputs to ±1: "tanh", "clip", or the middle and scale of a bounded activation.
        narrow: whether the action is rounded to float32.
    """

    bounds: tuple[tuple[float, float, float, float], ...]
    squash: Squash | tuple[float, float]
    narrow: bool

    def __call__(self, outputs: Columns) -> Columns:
        """The action, a column for each of its numbers."""
        finish = single if self.narrow else double
        return tuple(
            finish(stretched(self._squashed(double(output)), *bounds))
            for output, bounds in zip(outputs, self.bounds, strict=True)
        )

    def _squashed(self, output: Column) -> Column:
        if self.squash == "tanh":
            return tanh(output)
        if self.squash == "clip":
            return bounded(output, -1.0, 1.0)
        middle, scale = self.squash
        return (output - middle) * scale

    def source(self) -> str:
        """The function `decode` in Python."""
        finish = "single" if self.narrow else "double"
        numbers = [
            f"{finish}(stretched({self._squash_source(f'double(outputs[{k}])')}, {', '.join(map(repr, bounds))})),"
            for k, bounds in enumerate(self.bounds)
        ]
        return f"def decode(outputs):\n    return ({' '.join(numbers)})"

    def _squash_source(self, output: str) -> str:
        if self.squash == "tanh":
            return f"tanh({output})"
        if self.squash == "clip":
            return f"bounded({output}, -1.0, 1.0)"
        middle, scale = self.squash
        return f"({output} - {middle!r}) * {scale!r}"


Decoder = GreatestOutput | StretchedOutputs


def box_decoder(low: FloatArray, high: FloatArray, activation: Activation, squash: Squash, dtype: object) -> Decoder:
    """The decoder for a Box with these bounds, as vectors, under an output activation."""
    numbers = np.stack([high / 2 - low / 2, low / 2 + high / 2, low, high], axis=1).tolist()
    bounds = tuple((reach, middle, least, most) for reach, middle, least, most in numbers)
    if activation.bounded:
        return StretchedOutputs(
            bounds, (activation.middle, 2.0 / (activation.high - activation.low)), dtype == np.float32
        )
    return StretchedOutputs(bounds, squash, dtype == np.float32)


def stretched(value: Column, reach: float, middle: float, low: float, high: float) -> Column:
    """From ±1 to the bounds of a Box, and cut there."""
    return bounded(value * reach + middle, low, high)
