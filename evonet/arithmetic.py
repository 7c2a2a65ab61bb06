"""Elementary functions and sums whose bits are the same on every processor.

IEEE 754 fixes the result of +, -, *, / and the square root to the last bit. It does not fix a logarithm or a hyperbolic
tangent: NumPy and the C library choose an implementation by the processor's vector instructions. Nor does it fix the
order of a sum, which linear algebra libraries also choose by the processor. The functions of this module use only
operations that IEEE 754 fixes, each as a separate array operation, so that no compiler fuses a product with a sum.

All functions take and return float64 arrays, and map NaN to NaN. Small arrays are common, where a call of NumPy costs
more than the numbers: constants are arrays without axes, which NumPy combines with an array in half the time that it
needs for a Python number, and intermediate results are updated in place.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from functools import cache

import numpy as np

from evonet.types import FloatArray


def _constants(*values: float) -> tuple[FloatArray, ...]:
    return tuple(np.array(value, dtype=np.float64) for value in values)


# 1.5 * 2**52 added to a number below 2**51 and subtracted again rounds the number to a whole one. In between, the low
# bits of the sum hold the whole number. With the bias of an exponent added, they are the exponent of its power of two.
_ROUNDING, _ROUNDING_AND_BIAS = _constants(1.5 * 2.0**52, 1.5 * 2.0**52 + 1023.0)

# ln 2 and pi as sums of a 33-bit part, whose multiples up to 2**20 are exact, and a rest (fdlibm, Sun 1993).
_ONE_OVER_LN2, _ONE_OVER_PI = _constants(1.4426950408889634, 0.3183098861837907)
_LN2_HIGH, _LN2_LOW = _constants(6.93147180369123816490e-01, 1.90821492927058770002e-10)
_PI_HIGH, _PI_MIDDLE, _PI_LOW = _constants(
    2 * 1.57079632673412561417e00, 2 * 6.07710050630396597660e-11, 2 * 2.02226624879595063154e-21
)

# Coefficients of Lambert's continued fraction of the hyperbolic tangent, by their values.
_15, _105, _420, _945 = _constants(15, 105, 420, 945)
_42, _840, _10080, _75600, _332640, _665280 = _constants(42, 840, 10080, 75600, 332640, 665280)
_SINE = _constants(*((-1) ** n / math.factorial(2 * n + 1) for n in range(1, 11)))
_ARTANH = _constants(*(1 / (2 * n + 1) for n in range(1, 17)))

_LARGEST_EXPONENT = 708.0
_SIGMOID_IS_ZERO = 600.0
_LARGEST_ANGLE = 1e9
_TANH_STEP = 0.25
_TANH_IS_ONE = 18.25  # nearer to 1 than 4 units in the last place
_TANH_PLACES = 256  # in its table
_TANH_MIN, _TANH_MAX, _TANH_ROUNDING = _constants(-_TANH_IS_ONE, _TANH_IS_ONE, 1.5 * 2.0**52 * _TANH_STEP)
_TANH_PLACE_BITS, _EXPONENT_SHIFT = np.array(_TANH_PLACES - 1, np.int64), np.array(52, np.int64)
_MAX_PRODUCTS = 1 << 15  # in memory at once, so that they fit into a core's cache
_MAX_PRODUCTS_OF_A_ROW = 1 << 12


def tanh(x: FloatArray) -> FloatArray:
    """Hyperbolic tangent, within 4 units in the last place and never beyond ±1."""
    rest = x.clip(_TANH_MIN, _TANH_MAX)
    shifted = rest + _TANH_ROUNDING
    nearby = _tanh_table().take(shifted.view(np.int64) & _TANH_PLACE_BITS)
    shifted -= _TANH_ROUNDING
    rest -= shifted
    # For |rest| <= 1/8, tanh(rest) = odd / even with odd = ((z + 105) z + 945) rest and even = (15 z + 420) z + 945.
    z = rest * rest
    odd = z + _105
    odd *= z
    odd += _945
    odd *= rest
    even = z * _15
    even += _420
    even *= z
    even += _945
    # The addition theorem: (nearby even + odd) / (even + nearby odd).
    image: FloatArray = nearby * even
    image += odd
    odd *= nearby
    even += odd
    image /= even
    return image


@cache
def _tanh_table() -> FloatArray:
    """Hyperbolic tangents of the multiples of `_TANH_STEP`, `(256,)`; negative multiples are at the end."""
    context = Context(prec=40)
    table = np.ones(_TANH_PLACES)
    table[_TANH_PLACES // 2 :] = -1.0
    table[0] = -0.0  # preserves the sign of a zero that is added
    for place in range(1, round(_TANH_IS_ONE / _TANH_STEP)):
        power = context.exp(Decimal(2 * place * _TANH_STEP))
        table[place] = float(context.divide(power - 1, power + 1))
        table[-place] = -table[place]
    return table


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + e**-x), within 4 units in the last place; constant beyond ±600."""
    scale, even, odd = _exponential_parts(x, _SIGMOID_IS_ZERO)
    power: FloatArray = even + odd
    power *= scale
    even -= odd
    even += power
    power /= even
    return power


def exp(x: FloatArray) -> FloatArray:
    """e**x, within 4 units in the last place; 0 below -708, constant above 708."""
    scale, even, odd = _exponential_parts(x, _LARGEST_EXPONENT)
    return scale * ((even + odd) / (even - odd)) * (x >= -_LARGEST_EXPONENT)


def _exponential_parts(x: FloatArray, limit: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`(scale, even, odd)` such that e**x = scale * (even + odd) / (even - odd), for x clipped to ±`limit`."""
    rest = x.clip(-limit, limit)
    halvings = rest * _ONE_OVER_LN2
    halvings += _ROUNDING_AND_BIAS
    scale = (halvings.view(np.int64) << _EXPONENT_SHIFT).view(np.float64)  # 2**halvings
    halvings -= _ROUNDING_AND_BIAS
    rest -= halvings * _LN2_HIGH
    halvings *= _LN2_LOW
    rest -= halvings
    # For |rest| <= ln(2) / 2, tanh(rest / 2) = odd / even by Lambert's continued fraction, with
    # odd = ((42 z + 10080) z + 332640) rest and even = ((z + 840) z + 75600) z + 665280.
    z = rest * rest
    odd = z * _42
    odd += _10080
    odd *= z
    odd += _332640
    odd *= rest
    even = z + _840
    even *= z
    even += _75600
    even *= z
    even += _665280
    return scale, even, odd


def sin(x: FloatArray) -> FloatArray:
    """Sine, within 4 units in the last place for |x| up to 3 million, less accurate beyond; x is clipped to ±1e9."""
    x = x.clip(-_LARGEST_ANGLE, _LARGEST_ANGLE)
    shifted = x * _ONE_OVER_PI + _ROUNDING
    half_turns = shifted - _ROUNDING
    rest = ((x - half_turns * _PI_HIGH) - half_turns * _PI_MIDDLE) - half_turns * _PI_LOW
    z = rest * rest
    sine = rest + rest * (z * _polynomial(_SINE, z))
    sign = shifted.view(np.int64) << 63  # set after an odd number of half turns
    return np.minimum(np.maximum((sine.view(np.int64) ^ sign).view(np.float64), -1.0), 1.0)


def cos(x: FloatArray) -> FloatArray:
    """Cosine, with an absolute error below 1e-15 for |x| up to 3 million."""
    half = sin(0.5 * x)
    return 1.0 - 2.0 * (half * half)


def log(x: FloatArray | float) -> FloatArray:
    """Natural logarithm of numbers above zero, within 4 units in the last place; -inf for 0."""
    zero = np.equal(x, 0.0)
    mantissa, exponent = np.frexp(np.where(zero, 1.0, x))
    small = mantissa < 2.0 / 3.0
    mantissa, exponent = np.where(small, 2.0 * mantissa, mantissa), exponent - small
    rest = _log_ratio((mantissa - 1.0) / (0.5 * (mantissa + 1.0)))
    return np.where(zero, -np.inf, exponent * _LN2_HIGH + (exponent * _LN2_LOW + rest))


def log1p(x: FloatArray | float) -> FloatArray:
    """log(1 + x) for x from -0.5 to 1, within 4 units in the last place, however near to zero x is."""
    return _log_ratio(np.divide(x, np.add(np.multiply(x, 0.5), 1.0)))


def _log_ratio(x: FloatArray) -> FloatArray:
    """log((2 + x) / (2 - x)) = 2 artanh(x / 2), for |x| <= 2/3."""
    half = 0.5 * x
    z = half * half
    return x + x * (z * _polynomial(_ARTANH, z))


def power(base: FloatArray | float, exponent: FloatArray | float) -> FloatArray:
    """`base ** exponent` for bases of at least 0; the relative error grows with |exponent * log(base)|."""
    zero = np.equal(base, 0.0)
    raised = exp(exponent * log(np.where(zero, 1.0, base)))
    return np.where(zero & np.not_equal(exponent, 0.0), 0.0, raised)


def _polynomial(coefficients: tuple[FloatArray, ...], x: FloatArray) -> FloatArray:
    """The polynomial with these coefficients, the constant first, by Horner's rule."""
    total = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        total += coefficient
        total *= x
    total += coefficients[0]
    return total


def add_up(terms: FloatArray) -> FloatArray:
    """The sum over the first axis of `terms (k, …)`, k at least 1, as a view of `terms`, which is overwritten."""
    for low, high, result in halvings(terms, terms[:1]):
        np.add(low, high, result)
    total: FloatArray = terms[0]
    return total


def halvings(terms: FloatArray, total: FloatArray) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    """Additions `(low, high, result)` of views that leave the sum of `terms (k, …)` in `total (1, …)`, if k is over 1.

    Half of the terms are added to the other half until one is left, so the order depends only on k.
    """
    additions = []
    count = len(terms)
    while count > 1:
        half = count // 2
        low = terms[:half]
        additions.append((low, terms[count - half : count], low if count > 2 else total))
        count -= half
    return additions


def weighted_sum(weights: FloatArray, rows: FloatArray) -> FloatArray:
    """`weights (n,) @ rows (n, d)`, `(d,)`, summed by halves."""
    n, size = rows.shape
    total = np.empty(size)
    columns = max(1, _MAX_PRODUCTS // max(n, 1))
    for first in range(0, size, columns):
        part = slice(first, first + columns)
        total[part] = add_up(weights[:, None] * rows[:, part])
    return total


def matrix_product(first: FloatArray, second: FloatArray) -> FloatArray:
    """`first (…, p, q) @ second (…, q, r)`, `(…, p, r)`, with products added in the order of q."""
    total: FloatArray = first[..., :, 0, None] * second[..., None, 0, :]
    for i in range(1, first.shape[-1]):
        total += first[..., :, i, None] * second[..., None, i, :]
    return total


def length(vector: FloatArray) -> float:
    """Euclidean length of a `vector (d,)`, d at least 1."""
    return float(np.sqrt(add_up(vector * vector)))


class WeightedSums:
    """A layer's sums of inputs times weights, for many networks, in an order that depends only on the layer's size.

    Linear algebra libraries choose the order, and whether a product is rounded before it is added, by the processor and
    by the number of rows. Here, one array operation computes the products and others add them, so the bits are the same
    on every processor, for every number of rows and every memory layout. Large layers are summed in blocks of inputs,
    and many rows in blocks of rows, so that products fit into the processor's cache.

    Rows are the last axis of the products; it is fastest if they are that of the arguments in memory, too.

    Args:
        weights: weights `(n, inputs, outputs)`, referenced and read at each call; n is 1 if all rows share them.
        sums: array that the sums are written to, `(rows, outputs)`.
    """

    def __init__(self, weights: FloatArray, sums: FloatArray) -> None:
        _, inputs, outputs = weights.shape
        self._block = min(inputs, max(1, _MAX_PRODUCTS_OF_A_ROW // outputs))
        rows = max(1, min(len(sums), _MAX_PRODUCTS // (self._block * outputs)))
        products = np.empty((self._block, outputs, rows))
        self._more = np.empty_like(products) if self._block < inputs else None
        self._parts = []
        for first in range(0, len(sums), rows):
            part = slice(first, first + rows)
            total = sums[part].T[None]
            terms = total if self._block == 1 else products[..., : total.shape[2]]
            own = weights if len(weights) == 1 else weights[part]
            self._parts.append((part, own.transpose(1, 2, 0), terms, halvings(terms, total)))

    def add_up(self, inputs: FloatArray) -> None:
        """Write the sums of `inputs (rows, inputs)`."""
        for part, weights, products, additions in self._parts:
            columns = inputs.T[:, None, part]
            if self._more is None:
                np.multiply(columns, weights, products)
            else:
                self._add_up_blocks(columns, weights, products, self._more[..., : products.shape[2]])
            for low, high, result in additions:
                np.add(low, high, result)

    def _add_up_blocks(self, columns: FloatArray, weights: FloatArray, products: FloatArray, more: FloatArray) -> None:
        np.multiply(columns[: self._block], weights[: self._block], products)
        for first in range(self._block, len(columns), self._block):
            block = slice(first, first + self._block)
            size = len(columns[block])
            np.multiply(columns[block], weights[block], more[:size])
            np.add(products[:size], more[:size], products[:size])
