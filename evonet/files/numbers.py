"""Arrays of a journal, in a file beside it: float64 numbers one after another, each array found by its position.

A network's genome may have millions of genes, for which a line of JSON is too long.
"""

from __future__ import annotations

import os
from typing import IO, Any

import numpy as np

from evonet.files.fields import LARGEST, Fields
from evonet.files.journal import Journal
from evonet.types import FloatArray

_BYTES = 8  # of a number


def append_array(journal: Journal, array: FloatArray) -> dict[str, Any]:
    """Add an array `(size,)` to a file of numbers; returns its place, as `array_at` takes it.

    Raises:
        OSError: it cannot be written.
    """
    place = {"start": journal.mark.length // _BYTES, "size": array.size}
    journal.append(array.astype("<f8").tobytes())
    return place


def array_at(file: IO[bytes], place: Fields, size: int) -> FloatArray:
    """The array `(size,)` at a place in a file of numbers that `bounded.reading` opened, to the last bit.

    Raises:
        ValueError: there are not as many numbers.
        OSError: it cannot be read.
    """
    place.allow_only("start", "size")
    start, found = place.integer("start", 0, LARGEST // _BYTES), place.integer("size")
    if found != size:
        raise ValueError(f"{size} numbers are expected, got {found}")
    if (start + size) * _BYTES > os.fstat(file.fileno()).st_size:
        raise ValueError(f"{file.name} has no {size} numbers from number {start} on")
    file.seek(start * _BYTES)
    return np.frombuffer(file.read(size * _BYTES), "<f8").astype(np.float64)
