"""Normal numbers for the steps of whole genomes, as slices of one table: a tenth of the cost of drawing each anew.

T. Salimans, J. Ho, X. Chen, S. Sidor and I. Sutskever, "Evolution strategies as a scalable alternative to reinforcement
learning", 2017, https://arxiv.org/abs/1703.03864, and F. P. Such et al., "Deep neuroevolution", 2017.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from evonet.types import FloatArray

_NUMBERS = 1 << 20  # 8 MB, drawn in 10 ms
_LONGEST_SLICE = _NUMBERS >> 4
_TABLE_SEED = 20170310


def normal_rows(rng: np.random.Generator, count: int, size: int) -> FloatArray:
    """Standard normal numbers, `(count, size)`, each row from a random place of the table.

    Rows longer than a sixteenth of the table are drawn anew.
    """
    if size > _LONGEST_SLICE:
        return rng.standard_normal((count, size))
    slices = _slices(size)
    rows: FloatArray = slices[rng.integers(len(slices), size=count)]
    return rows


@functools.lru_cache
def _slices(size: int) -> FloatArray:
    """A view of all slices of the table, a row each."""
    return sliding_window_view(_table(), size)


@functools.cache
def _table() -> FloatArray:
    """The table, with the same numbers in every process."""
    return np.random.Generator(np.random.PCG64(_TABLE_SEED)).standard_normal(_NUMBERS)
