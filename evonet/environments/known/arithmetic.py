"""Elementary functions as sums, products and quotients, so that every engine and every machine gets the same bits.

IEEE 754 fixes the result of +, -, *, /, the square root and rounding to the last bit. It does not fix that of a sine or
a hyperbolic tangent, and libraries differ. These here are polynomials after a reduction of the argument, as in fdlibm
(Sun Microsystems, 1993) and Cody and Waite, "Software Manual for the Elementary Functions" (1980); their errors stay
below one unit in the last place or so. All take and return columns of float64.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Column: TypeAlias = Any
"""One number of each of n episodes: an array `(n,)`, or one number where it is the same for all of them."""


def constants(*numbers: float) -> tuple[Any, ...]:
    """Numbers of a kernel as arrays without axes; NumPy combines one with an array in two thirds of a number's time."""
    return tuple(np.array(number, np.float64) for number in numbers)


_TWO_OVER_PI = 0.6366197723675814
# pi / 2 in three parts of 33 bits and a rest: multiples of each up to 2**20 are exact.
_HALF_PI_1, _HALF_PI_2, _HALF_PI_3 = 1.57079632673412561417e00, 6.07710050630396597660e-11, 2.02226624879595063154e-21
_S1, _S2, _S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
_S4, _S5, _S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
(_ONE,) = constants(1.0)
# The best for |x| <= 0.22: its error is an eighth of what rounding costs.
_SMALL_1, _SMALL_2 = constants(-0.16666666666665708, 0.00833333333140887)
_SMALL_3, _SMALL_4 = constants(-0.00019841257831972015, 2.7527781673288337e-06)
_C1, _C2, _C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
_C4, _C5, _C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11
_SIXTH_HIGH, _SIXTH_LOW = 0.1666666679084301, -1.241763432820638e-09  # 1/6: its upper 26 bits, and the rest
_TWENTYFOURTH_HIGH, _TWENTYFOURTH_LOW = 0.041666666977107525, -3.104408582051595e-10
_SPLITTER = 134217729.0  # 2**27 + 1
_QUARTER_PI = 0.7853981633974483

_ONE_OVER_LN2 = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LARGEST_EXPONENT = 708.0
_TANH_IS_ONE = 20.0


def where(condition: Column, x: Column, y: Column) -> Column:
    """`x` where the condition holds, else `y`."""
    return np.where(condition, x, y)


def bounded(x: Column, low: Column, high: Column) -> Column:
    """`x` clipped to [low, high]; NaN stays NaN."""
    return np.asarray(x).clip(low, high)  # `np.minimum` and `np.maximum` take thrice as long with a single bound


def double(x: Column) -> Column:
    """`x` as float64."""
    return x.astype(np.float64)


def single(x: Column) -> Column:
    """`x` rounded to float32, as float64."""
    return x.astype(np.float32).astype(np.float64)


def power_of_two(k: Column) -> Column:
    """2**k for whole k from -1022 to 1023, exact."""
    return ((k + 1023.0).astype(np.int64) << 52).view(np.float64)


def sin_cos(x: Column) -> tuple[Column, Column]:
    """Sine and cosine; to the last place or two up to |x| of a million, beyond that less and less."""
    quarters, angle, rest = _reduced_angle(x)
    return _turned(quarters, _sin_kernel(angle, rest), _cos_kernel(angle, rest))


def sin_cos_rounded(x: Column) -> tuple[Column, Column]:
    """Sine and cosine, nearly always the numbers nearest to the exact values; twice as slow as `sin_cos`.

    A library that rounds as well agrees in 996 of 1,000, and so chaotic environments take the same course.
    """
    quarters, angle, rest = _reduced_angle(x)
    sine, cosine = _sine_and_cosine(angle, rest)
    return _turned(quarters, sine, cosine)


def _reduced_angle(x: Column) -> tuple[Column, Column, Column]:
    """`(k, angle, rest)` such that x = k pi / 2 + angle + rest, |angle| <= pi / 4, and a rest below its last place."""
    quarters = np.rint(x * _TWO_OVER_PI)
    nearly = x - quarters * _HALF_PI_1
    correction = quarters * _HALF_PI_2
    angle = nearly - correction
    rest = ((nearly - angle) - correction) - quarters * _HALF_PI_3
    # The reduction fails for huge |x|; the angle stays bounded even there.
    return quarters, bounded(angle, -_QUARTER_PI, _QUARTER_PI), rest


def _turned(quarters: Column, sine: Column, cosine: Column) -> tuple[Column, Column]:
    """Sine and cosine of an angle plus `quarters` quarters of a circle, from those of the angle."""
    quadrant = quarters - 4.0 * np.floor(quarters * 0.25)
    odd = (quadrant == 1.0) | (quadrant == 3.0)
    sin, cos = where(odd, cosine, sine), where(odd, sine, cosine)
    return where(quadrant >= 2.0, -sin, sin), where((quadrant == 1.0) | (quadrant == 2.0), -cos, cos)


def sin(x: Column) -> Column:
    """Sine; see `sin_cos`."""
    return sin_cos(x)[0]


def cos(x: Column) -> Column:
    """Cosine; see `sin_cos`."""
    return sin_cos(x)[1]


def sin_cos_small(x: Column) -> tuple[Column, Column]:
    """Sine and cosine of |x| <= 0.22, some twelve degrees, to the last place, four times as fast as `sin_cos`."""
    z = x * x
    sine = x + x * z * (_SMALL_1 + z * (_SMALL_2 + z * (_SMALL_3 + z * _SMALL_4)))
    return sine, np.sqrt(_ONE - sine * sine)


def _sin_kernel(x: Column, rest: Column) -> Column:
    """sin(x + rest) for |x| <= pi / 4 and a rest below x's last place (fdlibm, `__kernel_sin`)."""
    z = x * x
    v = z * x
    r = _S2 + z * (_S3 + z * (_S4 + z * (_S5 + z * _S6)))
    return x - ((z * (0.5 * rest - v * r) - rest) - v * _S1)


def _cos_kernel(x: Column, rest: Column) -> Column:
    """cos(x + rest) for |x| <= pi / 4 and a rest below x's last place (fdlibm, `__kernel_cos`)."""
    z = x * x
    r = z * (_C1 + z * (_C2 + z * (_C3 + z * (_C4 + z * (_C5 + z * _C6)))))
    half = 0.5 * z
    one = 1.0 - half
    return one + (((1.0 - one) - half) + (z * r - x * rest))


def _sine_and_cosine(x: Column, rest: Column) -> tuple[Column, Column]:
    """sin(x + rest) and cos(x + rest) for |x| <= pi / 4 and a rest below x's last place.

    Taylor series, the first terms of which, x³/6, x²/2 and x⁴/24, are taken to twice the precision by splitting
    numbers into halves whose products are exact (Dekker 1971).
    """
    x_high = _high_half(x)
    z = x * x
    z_rest = ((x_high * x_high - z) + 2.0 * x_high * (x - x_high)) + (x - x_high) * (x - x_high)
    z_high = _high_half(z)
    z_low = z - z_high

    cube = z * x
    cube_rest = ((z_high * x_high - cube) + z_high * (x - x_high) + z_low * x_high) + z_low * (x - x_high) + z_rest * x
    cube_high = _high_half(cube)
    term = -(cube_high * _SIXTH_HIGH)
    small = (cube - cube_high) * -_SIXTH_HIGH - cube * _SIXTH_LOW - cube_rest * (1.0 / 6.0)
    tail = 1.0 / 6227020800.0 + z * (-1.0 / 1307674368000.0 + z * (1.0 / 355687428096000.0))
    tail = 1.0 / 120.0 + z * (-1.0 / 5040.0 + z * (1.0 / 362880.0 + z * (-1.0 / 39916800.0 + z * tail)))
    small = small + (cube * z * tail + rest * (1.0 - 0.5 * z))
    sine = x + term
    sine = sine + (((x - sine) + term) + small)

    half = 0.5 * z
    square = z_high * z_high
    square_rest = (z + z_high) * z_low + 2.0 * z * z_rest
    square_high = _high_half(square)
    term = square_high * _TWENTYFOURTH_HIGH
    small = (square - square_high) * _TWENTYFOURTH_HIGH + square * _TWENTYFOURTH_LOW + square_rest * (1.0 / 24.0)
    tail = -1.0 / 87178291200.0 + z * (1.0 / 20922789888000.0 + z * (-1.0 / 6402373705728000.0))
    tail = -1.0 / 720.0 + z * (1.0 / 40320.0 + z * (-1.0 / 3628800.0 + z * (1.0 / 479001600.0 + z * tail)))
    small = small + ((z * z * z * tail - 0.5 * z_rest) - x * rest)
    below = 1.0 - half
    cosine = below + term
    return sine, cosine + (((1.0 - below) - half) + (((below - cosine) + term) + small))


def _high_half(x: Column) -> Column:
    """The upper 26 bits of x's 53."""
    big = x * _SPLITTER
    return big - (big - x)


def _reduced_exponential(x: Column) -> tuple[Column, Column]:
    """(2**k, e**r - 1) such that e**x = 2**k e**r, |r| <= ln(2) / 2; x from -708 to 708."""
    k = np.rint(x * _ONE_OVER_LN2)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    # The Taylor series: its first term left out, r**14 / 14!, is below 5e-18.
    tail = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
    tail = 1.0 / 3628800.0 + r * (1.0 / 39916800.0 + r * tail)
    tail = 1.0 / 40320.0 + r * (1.0 / 362880.0 + r * tail)
    tail = 1.0 / 720.0 + r * (1.0 / 5040.0 + r * tail)
    tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * tail)
    tail = 0.5 + r * (1.0 / 6.0 + r * tail)
    return power_of_two(k), r + r * r * tail


def exp(x: Column) -> Column:
    """e**x, with x clipped to ±708."""
    scale, above_one = _reduced_exponential(bounded(x, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
    return scale + scale * above_one


def tanh(x: Column) -> Column:
    """Hyperbolic tangent, as (e**2x - 1) / (e**2x + 1): accurate near zero too."""
    twice = 2.0 * bounded(x, -_TANH_IS_ONE, _TANH_IS_ONE)
    scale, above_one = _reduced_exponential(twice)
    numerator = scale * above_one + (scale - 1.0)
    return numerator / (numerator + 2.0)
