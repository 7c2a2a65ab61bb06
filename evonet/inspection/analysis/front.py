"""The Pareto front of a run with several objectives: from its newest checkpoint, and validated from its summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evonet.experiment.run_files.run_directory import CHECKPOINTS
from evonet.inspection.loaded_run import LoadedRun
from evonet.pareto import non_dominated
from evonet.types import BoolArray, FloatArray, IntArray

_MAX_INDIVIDUALS = 20_000  # individuals; the time to find a front grows with the square of its size


@dataclass(frozen=True, eq=False)
class Front:
    """The last population of a run with several objectives.

    Attributes:
        directions: "maximise" or "minimise" by the name of the objective, in the order of the columns.
        values: the objectives of the n individuals that could be scored, as they were measured, `(n, m)`.
        ids: their ids, `(n,)`.
        best: which of them no other dominates, `(n,)`.
    """

    directions: dict[str, str]
    values: FloatArray
    ids: IntArray
    best: BoolArray


@dataclass(frozen=True, eq=False)
class ValidatedFront:
    """The individuals of a front on episodes that evolution never saw.

    Attributes:
        directions: "maximise" or "minimise" by the name of the objective, in the order of the columns.
        ids: ids of the n individuals, `(n,)`.
        training: their objectives in training, as they were measured, `(n, m)`.
        held_out: their objectives on the held-out episodes, `(n, m)`; NaN where an episode failed.
        episodes: number of held-out episodes.
    """

    directions: dict[str, str]
    ids: IntArray
    training: FloatArray
    held_out: FloatArray
    episodes: int

    @property
    def best(self) -> BoolArray:
        """Which of the individuals no other dominates on the held-out episodes, `(n,)`."""
        scored: BoolArray = np.array(np.isfinite(self.held_out).all(axis=1))
        scored[scored] = non_dominated(self.held_out[scored] * signs_of(self.directions))
        return scored


def validated_front(run: LoadedRun) -> ValidatedFront | None:
    """The validated front in the summary of a finished run; None if there is none."""
    summary = run.summary.get("front") if run.finished else None
    if summary is None or "corrected" not in summary or not {"training", "held_out"} <= set(summary["points"]):
        return None
    points, names = summary["points"], list(summary["objectives"])
    shape = len(points["ids"]), len(names)
    training, held_out = (
        np.array([points[stage][name] for name in names], dtype=np.float64).reshape(shape[::-1]).T
        for stage in ("training", "held_out")
    )
    ids = np.array(points["ids"], dtype=np.int64)
    return ValidatedFront(summary["objectives"], ids, training, held_out, summary["corrected"]["episodes"])


def signs_of(directions: Mapping[str, str]) -> FloatArray:
    """1 for each objective that is maximised, and -1 for each that is minimised, `(m,)`."""
    return np.array([-1.0 if direction == "minimise" else 1.0 for direction in directions.values()])


def front_of(run: LoadedRun) -> Front | None:
    """The front of a run; None if it has one objective, or nothing was saved or scored yet.

    Raises:
        ConfigError: the checkpoint holds no such population.
    """
    directions, checkpoint = run.settings.get("objectives"), run.newest_checkpoint
    if not directions or checkpoint is None:
        return None
    return run.read(CHECKPOINTS, lambda: _front(dict(directions), checkpoint.state["evolution"]["algorithm"]))


def _front(directions: dict[str, str], state: dict[str, object]) -> Front | None:
    if "objectives" not in state:
        return None
    raised = np.asarray(state["objectives"], dtype=np.float64)
    ids = np.asarray(state["ids"], dtype=np.int64)
    if raised.shape != (len(ids), len(directions)) or len(ids) > _MAX_INDIVIDUALS:
        raise ValueError(f"the objectives must have shape ({len(ids)}, {len(directions)}), got {raised.shape}")
    scored = np.isfinite(raised).all(axis=1)
    if not scored.any():
        return None
    return Front(directions, raised[scored] * signs_of(directions), ids[scored], non_dominated(raised[scored]))
