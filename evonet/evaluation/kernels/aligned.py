"""Arrays for episodes side by side that begin at a cache line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_LINE = 64  # bytes of a cache line


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Zeros, as `numpy.zeros` makes them, at the beginning of a cache line.

    Unaligned, each of the widest vectors would span two cache lines and take twice as long to read.
    """
    element = np.dtype(dtype)
    size = math.prod(shape) * element.itemsize
    buffer = np.zeros(size + _LINE, np.uint8)
    start = -buffer.__array_interface__["data"][0] % _LINE  # the address; `buffer.ctypes` would import a module
    return buffer[start : start + size].view(element).reshape(shape)
