"""Arrays of a few rows, lent to values and used again when these are over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from evonet.evaluation.kernel_engine.aligned import aligned_zeros
from evonet.evaluation.kernel_engine.operations import Array


class Block:
    """An array and its rows, each the same object whenever it is asked for.

    NumPy works in place at once where it reads and writes the same object; over two views of the same memory it thinks
    first.

    Args:
        array: `(k, …)`.
        rows: of the array, if there are such objects already.
    """

    def __init__(self, array: Array, rows: Sequence[Array] | None = None) -> None:
        self.array = array
        self.rows: list[Array] = list(array if rows is None else rows)

    def between(self, first: int, stop: int) -> Array:
        """The rows from `first` to `stop`; one row by itself."""
        if stop - first == 1:
            return self.rows[first]
        return self.array if stop - first == len(self.rows) else self.array[first:stop]


class FreeBlocks:
    """Blocks for values; of those that are free the last one given back is the first taken.

    Args:
        shape: of a row.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._free: dict[tuple[int, np.dtype[Any]], list[Block]] = {}
        self._lent: dict[int, tuple[Block, set[int]]] = {}

    def take(self, num_rows: int, dtype: np.dtype[Any], values: Iterable[int]) -> Block:
        """A block of so many rows for certain values, known by their numbers."""
        free = self._free.get((num_rows, dtype))
        block = free.pop() if free else Block(aligned_zeros((num_rows, *self._shape), dtype))
        self.lend(block, values)
        return block

    def lend(self, block: Block, values: Iterable[int]) -> None:
        """A block is free when all of these values are over."""
        waiting = set(values)
        self._lent.update(dict.fromkeys(waiting, (block, waiting)))

    def give_back(self, values: Iterable[int]) -> None:
        """These values are over; those that stand in no block are nothing to us."""
        for value in values:
            block, waiting = self._lent.pop(value, (None, {value}))
            waiting.discard(value)
            if block is not None and not waiting:
                self._free.setdefault((len(block.rows), block.array.dtype), []).append(block)
