"""Reuses the memory of genome matrices, because the system clears new pages as slowly as children are bred."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from evonet.types import FloatArray

_THRESHOLD = 1 << 24  # bytes


class MatrixPool:
    """Matrices of one shape; each new one uses the memory of an old one that is no longer referenced.

    A matrix is referenced as long as any view of it exists: a row, a network, a population.
    """

    def __init__(self) -> None:
        self._leases: list[tuple[FloatArray, weakref.ref[_Lease]]] = []

    def take(self, shape: tuple[int, ...]) -> FloatArray:
        """A matrix of this shape; its numbers are whatever its memory held before."""
        free = [memory for memory, lease in self._leases if lease() is None and memory.shape == shape]
        self._leases = [(memory, lease) for memory, lease in self._leases if lease() is not None]
        memory = free[0] if free else np.empty(shape)
        lease = _Lease(memory)
        self._leases.append((memory, weakref.ref(lease)))
        return np.asarray(lease)

    def __reduce__(self) -> tuple[type[MatrixPool], tuple[()]]:
        return MatrixPool, ()  # a copy has memory of its own


class _Lease:
    """The object that all views of a matrix refer to: Python frees it together with the last view."""

    def __init__(self, memory: FloatArray) -> None:
        self._memory = memory
        self.__array_interface__: dict[str, Any] = memory.__array_interface__


def raise_mmap_threshold() -> None:
    """Let the C library keep the freed memory of arrays up to 16 MB, so that it need not be cleared anew.

    The GNU C library maps large arrays on their own and gives them back to the kernel, until it has seen one as large
    as this freed (mallopt(3), M_MMAP_THRESHOLD). Other libraries are not affected.
    """
    np.empty(_THRESHOLD, np.uint8)
