"""Optimisers that climb a gradient: Adam and ClipUp."""

from __future__ import annotations

import numpy as np

from evonet.arithmetic import length, power
from evonet.types import FloatArray

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


def adam(
    gradient: FloatArray, first: FloatArray, second: FloatArray, step: int, rate: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The step to take, and the new first and second moments, all `(d,)` (Kingma and Ba 2015, algorithm 1).

    Args:
        gradient: `(d,)`.
        first: moving average of gradients so far.
        second: moving average of their squares so far.
        step: number of this step, from 1.
        rate: step size.
    """
    first = _BETA_1 * first + (1 - _BETA_1) * gradient
    second = _BETA_2 * second + (1 - _BETA_2) * gradient**2
    unbiased_first = first / (1 - power(_BETA_1, step))
    unbiased_second = second / (1 - power(_BETA_2, step))
    return rate * unbiased_first / (np.sqrt(unbiased_second) + _EPSILON), first, second


def clip_up(
    gradient: FloatArray, velocity: FloatArray, rate: float, max_speed: float, momentum: float = 0.9
) -> FloatArray:
    """The new velocity, which is the step to take, `(d,)` (Toklu, Liskowski and Srivastava 2020, algorithm 1).

    Only the gradient's direction counts, and the velocity's length is at most `max_speed`.
    """
    steepness = length(gradient)
    velocity = momentum * velocity
    if steepness > 0.0:
        velocity = velocity + gradient * (rate / steepness)
    speed = length(velocity)
    return velocity * (max_speed / speed) if speed > max_speed else velocity
