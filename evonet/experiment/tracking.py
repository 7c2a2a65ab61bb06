"""Trackers, which send the metrics of each generation to other tools during a run."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from evonet.errors import ConfigError
from evonet.extras import optional_package

FOLDER = "tensorboard"


class Tracker(Protocol):
    """Receives the metrics of each generation."""

    def write(self, metrics: Mapping[str, Any]) -> None:
        """Write the metrics of a generation, which have the keys of `metrics.jsonl`."""
        ...

    def close(self) -> None:
        """Write buffered metrics, and close the tracker."""
        ...


class TensorBoard:
    """Event files for TensorBoard, in a folder of the run directory: a curve for each metric, over generations.

    Args:
        directory: the run directory.
        generation: the first generation to be written; events of a stopped run are discarded from there on.

    Raises:
        ConfigError: tensorboardX is not installed.
    """

    def __init__(self, directory: Path, generation: int = 0) -> None:
        self._writer = self.package().SummaryWriter(str(directory / FOLDER), purge_step=generation or None)

    @staticmethod
    def package() -> Any:
        """Import the package that writes event files."""
        need = "tracking: tensorboard needs tensorboardX"
        return optional_package("tensorboardX", need, "tensorboard", ConfigError)

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
    "connections": "population",
    "hidden_neurons": "population",
    "champion_connections": "champion",
    "champion_hidden_neurons": "champion",
    "faults": "population",
    "champion": "champion",
    "champion_generation": "champion",
    "validation_mean": "champion",
}

TRACKERS: dict[str, type[TensorBoard]] = {"tensorboard": TensorBoard}
"""Trackers by name; their arguments are the run directory and the first generation."""


def require_trackers(names: Sequence[str]) -> None:
    """Import the packages of the trackers called `names`, so that a missing package is an error before a run begins.

    Raises:
        ConfigError: a package is not installed.
    """
    for name in names:
        TRACKERS[name].package()


def make_trackers(names: Sequence[str], directory: Path, generation: int = 0) -> list[Tracker]:
    """Make the trackers called `names` for the run in `directory`, whose next generation is `generation`."""
    return [TRACKERS[name](directory, generation) for name in names]
