"""The Pareto fronts of runs and studies beside each other, and their hypervolumes by one reference point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonet.inspection.analysis.front import Front, front_of
from evonet.inspection.comparison.compared import Compared
from evonet.inspection.loaded_run import load_run
from evonet.pareto import hypervolume
from evonet.statistics import bootstrap_interval, mean
from evonet.types import FloatArray

_MAX_POINTS = 500  # of a front over more than two objectives, whose volume takes long


@dataclass(frozen=True, eq=False)
class ComparedFronts:
    """The fronts of a comparison's runs and studies, which have the same objectives.

    Attributes:
        directions: "maximise" or "minimise" by the name of the objective.
        sides: for each run or study that has fronts, its name and the fronts of its runs.
        reference: the worst of each objective on any of the fronts, from which hypervolumes count, `(m,)`.
    """

    directions: dict[str, str]
    sides: list[tuple[str, list[Front]]]
    reference: FloatArray

    @property
    def data(self) -> dict[str, Any]:
        """The fronts' sizes and hypervolumes as plain data."""
        return {
            "objectives": self.directions,
            "reference": dict(zip(self.directions, self.reference.tolist(), strict=True)),
            "compared": [
                {
                    "name": name,
                    "runs": len(fronts),
                    "individuals": _mean([float(front.best.sum()) for front in fronts]),
                    "hypervolume": _mean([self._volume(front) for front in fronts]),
                }
                for name, fronts in self.sides
            ],
        }

    def _volume(self, front: Front) -> float:
        points = front.values[front.best]
        if points.shape[1] > 2 and len(points) > _MAX_POINTS:
            return float("nan")
        signs = _signs(self.directions)
        with np.errstate(over="ignore", invalid="ignore"):  # files of strangers may hold any number
            return hypervolume(points * signs, self.reference * signs)


def compared_fronts(compared: Sequence[Compared]) -> ComparedFronts | None:
    """The fronts of those runs and studies that have some; None without any, or if their objectives differ.

    Raises:
        ConfigError: a checkpoint cannot be read.
    """
    sides = [(each.name, _fronts(each)) for each in compared if each.settings.get("objectives")]
    sides = [(name, fronts) for name, fronts in sides if fronts]
    every = [front for _, fronts in sides for front in fronts]
    if not every or any(front.directions != every[0].directions for front in every):
        return None
    directions = every[0].directions
    signs = _signs(directions)
    worst = np.concatenate([front.values[front.best] * signs for front in every]).min(axis=0) * signs
    return ComparedFronts(directions, sides, worst)


def _fronts(compared: Compared) -> list[Front]:
    return [front for path in compared.directories if (front := front_of(load_run(path))) is not None]


def _signs(directions: dict[str, str]) -> FloatArray:
    return np.array([-1.0 if direction == "minimise" else 1.0 for direction in directions.values()])


def _mean(values: Sequence[float]) -> dict[str, Any] | None:
    known = np.array(values)
    if not np.isfinite(known).all():
        return None
    return {"mean": float(mean(known)), "interval": bootstrap_interval(mean, known) if known.size > 1 else None}
