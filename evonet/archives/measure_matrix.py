"""Measures as a matrix, in the order of the names that an archive or an algorithm has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from evonet.settings import did_you_mean
from evonet.types import FloatArray

Measures: TypeAlias = Mapping[str, ArrayLike] | ArrayLike
"""Measures of n individuals: `(n,)` by name, or a matrix `(n, k)` whose columns are in the order of the names."""


def measure_matrix(owner: str, measures: Measures | None, names: Sequence[str], n: int) -> FloatArray:
    """The measures `names` of n individuals, `(n, k)`.

    Args:
        owner: what takes the measures, for messages, such as "MAPElites.tell".
        measures: the measures, by name or as a matrix.
        names: the k names.
        n: number of individuals.

    Raises:
        ValueError: a measure is missing, or the shape is another.
    """
    if measures is None:
        raise ValueError(f"{owner} must get the measures {', '.join(names)} beside the fitness, got none")
    if isinstance(measures, Mapping):
        missing = next((name for name in names if name not in measures), None)
        if missing is not None:
            raise ValueError(f"{owner} must get the measure {missing!r}; {did_you_mean(missing, measures)}")
        columns = [np.asarray(measures[name], dtype=np.float64) for name in names]
        wrong = next((name for name, column in zip(names, columns, strict=True) if column.shape != (n,)), None)
        if wrong is not None:
            shape = columns[list(names).index(wrong)].shape
            raise ValueError(f"{owner} must get the measure {wrong!r} of shape ({n},), got {shape}")
        return np.stack(columns, axis=1) if columns else np.empty((n, 0))
    matrix = np.asarray(measures, dtype=np.float64)
    if matrix.shape != (n, len(names)):
        wanted = f"({n}, {len(names)}), a column for each of {', '.join(names)}"
        raise ValueError(f"{owner} must get measures of shape {wanted}, got {matrix.shape}")
    return matrix
