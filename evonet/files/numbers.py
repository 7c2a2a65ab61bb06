"""A file of float64 arrays; lines of journals refer to an array by its place in the file.

A network's genome may have millions of genes, too many for a line of JSON.
"""

from __future__ import annotations

import os
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from evonet.files.fields import LARGEST, Fields
from evonet.files.journal import Journal
from evonet.types import FloatArray

_ITEM_SIZE = 8  # bytes of a float64


def append_array(journal: Journal, array: FloatArray) -> dict[str, Any]:
    """Append an array `(size,)` to a file of numbers, and return the array's place for `array_at`.

    Raises:
        OSError: the file cannot be written.
    """
    place = {"start": journal.mark.length // _ITEM_SIZE, "size": array.size}
    journal.append(array.astype("<f8").tobytes())
    return place


def array_at(file: IO[bytes], place: Fields, size: int) -> FloatArray:
    """The array `(size,)` at a place in a file of numbers that `bounded.reading` opened, bit for bit.

    Raises:
        ValueError: the place has another size, or lies beyond the end of the file.
        OSError: the file cannot be read.
    """
    place.allow_only("start", "size")
    start, found = place.integer("start", 0, LARGEST // _ITEM_SIZE), place.integer("size")
    if found != size:
        raise ValueError(f"{size} numbers are expected, got {found}")
    if (start + size) * _ITEM_SIZE > os.fstat(file.fileno()).st_size:
        raise ValueError(f"{file.name} has no {size} numbers from number {start} on")
    file.seek(start * _ITEM_SIZE)
    return np.frombuffer(file.read(size * _ITEM_SIZE), "<f8").astype(np.float64)


def take_vector(
    arrays: dict[str, NDArray[Any]], name: str, size: int | None = None, *, faults: bool = False
) -> FloatArray:
    """Take a vector of finite numbers out of `arrays`; where there may be faults, NaN stands for them."""
    if name not in arrays:
        raise ValueError(f"the file must have an array {name!r}")
    vector = arrays.pop(name)
    shape = (size or max(1, vector.size),)
    if vector.dtype != np.float64 or vector.shape != shape:
        raise ValueError(f"{name} must be float64 of shape {shape}, got {vector.dtype} of shape {vector.shape}")
    if not (np.isfinite(vector) | (faults & np.isnan(vector))).all():
        raise ValueError(f"{name} must be finite")
    return vector
