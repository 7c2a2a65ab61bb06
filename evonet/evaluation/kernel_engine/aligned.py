"""Arrays that are read fast: numbers that begin where a cache line does, and truth values that are bytes too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_LINE = 64  # bytes of a cache line


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Zeros, as `numpy.zeros` makes them, that begin at the beginning of a cache line.

    Wherever else they began, each vector of the widest kind would lie in two lines and take twice as long to read.
    """
    real = np.dtype(dtype)
    size = math.prod(shape) * real.itemsize
    buffer = np.zeros(size + _LINE, np.uint8)
    start = -buffer.__array_interface__["data"][0] % _LINE  # which, unlike `ctypes`, imports nothing
    return buffer[start : start + size].view(real).reshape(shape)


class Flags:
    """Truth values, as an array and as the bytes behind it: `0 in flags.bytes` says at once whether one is false.

    Args:
        shape: of the array.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.bytes = bytearray(math.prod(shape))
        self.array: NDArray[np.bool_] = np.frombuffer(self.bytes, np.bool_).reshape(shape)
