"""The Pareto front of a run with several objectives, read from its newest checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonet.experiment.run_directory import CHECKPOINTS
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
    signs = [-1.0 if direction == "minimise" else 1.0 for direction in directions.values()]
    return Front(directions, raised[scored] * signs, ids[scored], non_dominated(raised[scored]))
