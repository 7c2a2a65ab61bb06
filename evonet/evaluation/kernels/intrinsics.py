"""What generated modules import: Numba's options, and a kernel's arithmetic for single numbers instead of arrays.

Imports Numba; imported only where something is compiled.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic

from evonet.environments.known import arithmetic

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}  # no fastmath, which changes bits

# A small function is inlined before types are inferred, and costs no compilation of its own. A large one would then be
# compiled again in each place that calls it; so it is compiled once, and LLVM inlines it, or loops would stay scalar.
inlined = partial(numba.njit, inline="always", **OPTIONS)
compiled = partial(numba.njit, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True, **OPTIONS)


@intrinsic
def float_of_bits(typing_context: Any, bits: Any) -> Any:  # noqa: ARG001 - the signature is Numba's
    """The float64 that has the bits of an int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return numba.float64(numba.int64), generate


@intrinsic
def select(typing_context: Any, condition: Any, x: Any, y: Any) -> Any:
    """`x` if the condition holds, else `y`, without a branch."""
    chosen = typing_context.unify_types(x, y)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = [context.cast(builder, arguments[i], signature.args[i], chosen) for i in (1, 2)]
        return builder.select(arguments[0], *values)

    return chosen(condition, x, y), generate


INTRINSICS = {"float_of_bits": float_of_bits, "select": select}


def where(condition: Any, x: Any, y: Any) -> Any:
    """`arithmetic.where` of single numbers."""
    return select(condition, x, y)  # type: ignore[call-arg]


def bounded(x: Any, low: Any, high: Any) -> Any:
    """`arithmetic.bounded` of single numbers."""
    x = select(x < low, low, x)  # type: ignore[call-arg]
    return select(x > high, high, x)


def double(x: Any) -> Any:
    """`arithmetic.double` of a single number."""
    return np.float64(x)


def single(x: Any) -> Any:
    """`arithmetic.single` of a single number."""
    return np.float64(np.float32(x))


def power_of_two(k: Any) -> Any:
    """`arithmetic.power_of_two` of a single number."""
    return float_of_bits(np.int64(k + 1023.0) << 52)  # type: ignore[call-arg]


def to_float32(x: Any) -> Any:
    """A number as float32."""
    return np.float32(x)


SCALAR = {
    arithmetic.where: where,
    arithmetic.bounded: bounded,
    arithmetic.double: double,
    arithmetic.single: single,
    arithmetic.power_of_two: power_of_two,
}
"""The few functions of `arithmetic` that are written for arrays, and what stands in their place."""
