"""The Pareto fronts of runs and studies beside each other, and their hypervolumes by one reference point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from evonet.inspection.analysis.front import Front, ValidatedFront, front_of, signs_of, validated_front
from evonet.inspection.comparison.compared import Compared, mean_over_runs
from evonet.inspection.loaded_run import load_run
from evonet.pareto import hypervolume
from evonet.types import FloatArray

_Front = TypeVar("_Front")
_MAX_POINTS = 500  # points of a front over more than two objectives; the volume of more takes long


@dataclass(frozen=True, eq=False)
class ComparedFronts:
    """The fronts of a comparison's runs and studies, which have the same objectives.

    Attributes:
        directions: "maximise" or "minimise" by the name of the objective.
        sides: for each run or study that has fronts, its name and the fronts of its runs.
        validated: the fronts on held-out episodes by the name of the run or study, where all of its runs have them.
        reference: the worst of each objective on any of the fronts, from which hypervolumes count, `(m,)`.
    """

    directions: dict[str, str]
    sides: list[tuple[str, list[Front]]]
    validated: dict[str, list[ValidatedFront]]
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
                    "training": self._metrics([each.values[each.best] for each in fronts]),
                    "held_out": self._metrics([each.held_out[each.best] for each in checked]) if checked else None,
                    "episodes": min(each.episodes for each in checked) if checked else None,
                }
                for name, fronts, checked in ((*side, self.validated.get(side[0])) for side in self.sides)
            ],
        }

    def _metrics(self, fronts: Sequence[FloatArray]) -> dict[str, Any]:
        """The means of size and hypervolume of fronts, `(n, m)` each, as they were measured."""
        sizes = [float(len(points)) for points in fronts]
        return {
            "individuals": mean_over_runs(sizes),
            "hypervolume": mean_over_runs([self._volume(points) for points in fronts]),
        }

    def _volume(self, points: FloatArray) -> float:
        if points.shape[1] > 2 and len(points) > _MAX_POINTS:
            return float("nan")
        signs = signs_of(self.directions)
        with np.errstate(over="ignore", invalid="ignore"):  # untrusted files may hold any number
            return hypervolume(points * signs, self.reference * signs)


def compared_fronts(compared: Sequence[Compared]) -> ComparedFronts | None:
    """The fronts of those runs and studies that have some; None without any, or if their objectives differ.

    Raises:
        ConfigError: a checkpoint cannot be read.
    """
    runs = {each.name: [load_run(path) for path in each.directories] for each in compared if _has_objectives(each)}
    sides = [(name, found) for name, each in runs.items() if (found := _known(map(front_of, each)))]
    every = [front for _, fronts in sides for front in fronts]
    if not every or any(front.directions != every[0].directions for front in every):
        return None
    directions = every[0].directions
    checked = {name: _known(map(validated_front, runs[name])) for name, _ in sides}
    complete = {name: found for name, found in checked.items() if len(found) == len(runs[name])}
    complete = {name: found for name, found in complete.items() if all(each.directions == directions for each in found)}
    signs = signs_of(directions)
    points = [front.values[front.best] for front in every]
    points += [each.held_out[each.best] for found in complete.values() for each in found]
    return ComparedFronts(directions, sides, complete, (np.concatenate(points) * signs).min(axis=0) * signs)


def _has_objectives(compared: Compared) -> bool:
    return isinstance(compared.settings.get("objectives"), dict)


def _known(found: Iterable[_Front | None]) -> list[_Front]:
    return [each for each in found if each is not None]
