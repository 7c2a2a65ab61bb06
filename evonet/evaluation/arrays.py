"""Helpers for the arrays of an evaluation."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_MAX_IN_A_PRODUCT = 8_192  # numbers; OpenBLAS multiplies more than 10,000 in threads

Array = TypeVar("Array", bound=NDArray[np.generic])


def surely_finite(numbers: NDArray[np.floating]) -> bool:
    """Whether one number that is computed from all `numbers` is finite; then all of them are.

    It costs less than a look at each number. False is no answer: finite numbers, too, can overflow in a product.
    """
    return math.isfinite(np.vdot(numbers, numbers) if numbers.size <= _MAX_IN_A_PRODUCT else numbers.sum())


def read_only(array: Array) -> Array:
    """A view of an array that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view
