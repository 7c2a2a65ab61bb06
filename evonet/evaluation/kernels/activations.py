"""The activations of `evonet.network` as arithmetic that NumPy and a compiler carry out with the same bits.

Each takes and returns columns in the network's own precision. Constants of float32 that are exact (0, 1/2, 1) serve
both: they never widen a float32, and a float64 stays what it is.
"""

from __future__ import annotations

import numpy as np

from evonet.activations import LEAK
from evonet.environments.known.arithmetic import Column, bounded, double, exp, sin, tanh, where
from evonet.environments.known.kernel import Precision

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_LEAK_SINGLE = np.float32(LEAK)

# x P(x²) / Q(x²), the best such quotient on ±7.8 for the absolute error (1e-7); Q's highest coefficient is 1. They are
# arrays without axes, because NumPy combines one with an array in half the time that a number takes.
_MIN, _MAX = (np.array(x, np.float32) for x in (-7.8, 7.8))
_P0, _P1, _P2, _P3 = (
    np.array(p, np.float32) for p in (4014459.402212971, 519136.8240643657, 11875.415746049255, 46.24500348752465)
)
_Q0, _Q1, _Q2, _Q3 = (
    np.array(q, np.float32) for q in (4014461.4727934264, 1857282.9164129023, 95716.66016896637, 962.5150156008859)
)


def _tanh_single(x: Column) -> Column:
    x = bounded(x, _MIN, _MAX)
    z = x * x
    numerator = z * _P3
    numerator += _P2
    numerator *= z
    numerator += _P1
    numerator *= z
    numerator += _P0
    numerator *= x
    denominator = z + _Q3
    denominator *= z
    denominator += _Q2
    denominator *= z
    denominator += _Q1
    denominator *= z
    denominator += _Q0
    numerator /= denominator
    return numerator


def _sigmoid_single(x: Column) -> Column:
    return _tanh_single(x * _HALF) * _HALF + _HALF


def _sigmoid_double(x: Column) -> Column:
    return tanh(x * _HALF) * _HALF + _HALF


def _relu(x: Column) -> Column:
    return np.maximum(x, _ZERO)


def _leaky_relu_single(x: Column) -> Column:
    return where(x < _ZERO, x * _LEAK_SINGLE, x)


def _leaky_relu_double(x: Column) -> Column:
    return where(x < _ZERO, x * LEAK, x)


def _identity(x: Column) -> Column:
    return x


def _sin(x: Column) -> Column:
    return sin(double(x))


def _gaussian(x: Column) -> Column:
    wide = double(x)
    return exp(-(wide * wide))


def _step(x: Column) -> Column:
    return where(x > _ZERO, _ONE, _ZERO)


_BOTH = {"relu": _relu, "identity": _identity, "sin": _sin, "gaussian": _gaussian, "step": _step}

ACTIVATIONS = {
    "single": {**_BOTH, "sigmoid": _sigmoid_single, "tanh": _tanh_single, "leaky_relu": _leaky_relu_single},
    "double": {**_BOTH, "sigmoid": _sigmoid_double, "tanh": tanh, "leaky_relu": _leaky_relu_double},
}
"""By precision and name; the result of `sin` and `gaussian` is float64, to be rounded to the network's precision."""

PRECISIONS: dict[Precision, type[np.floating]] = {"single": np.float32, "double": np.float64}
