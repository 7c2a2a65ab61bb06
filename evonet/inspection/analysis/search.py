"""What an algorithm did that names no parents, such as a strategy that samples around a mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.inspection.lineage import Lineage
from evonet.population import NO_PARENT
from evonet.types import FloatArray

_BREEDS = "genetic_algorithm"  # its first generation has no parents, but is a beginning of ancestry


@dataclass(frozen=True, eq=False)
class Search:
    """The way of an algorithm that names no parents.

    Attributes:
        algorithm: the algorithm's type in the config.
        sigma: step size after each generation, `(generations,)`; None if the algorithm has none.
        mean_distance: distance of the mean from the first mean, `(generations,)`; None likewise.
        rises: number of generations whose best fitness exceeded that of the generation before.
        champions: number of generations that found a new champion.
        generations: number of generations.
    """

    algorithm: str
    sigma: FloatArray | None
    mean_distance: FloatArray | None
    rises: int
    champions: int
    generations: int


def search_of(settings: Mapping[str, Any], metrics: Mapping[str, NDArray[Any]], lineage: Lineage) -> Search | None:
    """What the algorithm did; None if it names parents, so that the champion has an ancestry."""
    algorithm = (settings.get("algorithm") or {}).get("type", _BREEDS)
    if algorithm == _BREEDS or (lineage.parents != NO_PARENT).any() or "best" not in metrics:
        return None
    champions = metrics["champion_generation"]
    return Search(
        str(algorithm),
        metrics.get("sigma"),
        metrics.get("mean_distance"),
        int((np.diff(metrics["best"]) > 0).sum()),
        len(np.unique(champions[champions >= 0])),
        len(metrics["best"]),
    )
