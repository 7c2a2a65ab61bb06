"""Trackers: they pass a run's metrics on to other tools while it runs."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from evonet.errors import ConfigError
from evonet.packages import optional_package

FOLDER = "tensorboard"


class Tracker(Protocol):
    """Takes a line of metrics after each generation."""

    def write(self, metrics: Mapping[str, Any]) -> None:
        """Pass on the metrics of a generation, as `metrics.jsonl` has them."""
        ...

    def close(self) -> None:
        """Write out what waits."""
        ...


class TensorBoard:
    """Event files for TensorBoard, in a folder of the run directory: a curve for each metric, over generations.

    Args:
        directory: of the run.
        generation: the first that will be written; what a stopped run wrote from there on no longer counts.

    Raises:
        ConfigError: tensorboardX is not installed.
    """

    def __init__(self, directory: Path, generation: int = 0) -> None:
        need = "tracking: tensorboard needs tensorboardX"
        package = optional_package("tensorboardX", need, "tensorboard", ConfigError)
        self._writer = package.SummaryWriter(str(directory / FOLDER), purge_step=generation or None)

    def write(self, metrics: Mapping[str, Any]) -> None:
        generation = int(metrics["generation"])
        for name, value in metrics.items():
            if name != "generation" and isinstance(value, numbers.Real):
                self._writer.add_scalar(f"{_GROUPS.get(name, 'fitness')}/{name}", float(value), generation)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


_GROUPS = {
    "evaluations": "effort",
    "environment_steps": "effort",
    "validation_steps": "effort",
    "diversity": "population",
    "faults": "population",
    "champion": "champion",
    "champion_generation": "champion",
    "validation_mean": "champion",
}

TRACKERS: dict[str, type[TensorBoard]] = {"tensorboard": TensorBoard}
"""Trackers by name; each is made with the run directory and the first generation."""


def make_trackers(names: Sequence[str], directory: Path, generation: int = 0) -> list[Tracker]:
    """The trackers called `names` for the run in `directory`, of which `generation` is the next."""
    return [TRACKERS[name](directory, generation) for name in names]
