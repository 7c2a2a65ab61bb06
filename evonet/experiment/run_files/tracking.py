"""Trackers, which send the metrics of each generation, and at the end the test's score, to other tools.

A resumed run has the same metrics, bit for bit, as one that never stopped; so each tracker continues where it ended.
"""

from __future__ import annotations

import json
import numbers
import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from evonet.errors import ConfigError
from evonet.experiment.run_files.run_directory import METRICS_TABLE, RunDirectory, journal_name, to_json, unwritable
from evonet.extras import optional_package
from evonet.files.bounded import read_lines
from evonet.files.fields import Fields
from evonet.files.journal import Journal

_PROJECT = "evonet"
_RUN_TAG = "evonet.run_directory"
_WANDB_FOLDER = re.compile(r"(?:offline-)?run-\d+_\d+-(\w+)")  # with the run's id; a number follows within a second


class Tracker(Protocol):
    """Receives the metrics of each generation, and at the end the champion's score in the test.

    Args:
        directory: the run directory, whose journals end before `generation`.
        config: the resolved config.
        generation: the first generation to be written; positive where a stopped run continues.

    Raises:
        ConfigError: the tracker's package is not installed.
    """

    def __init__(self, directory: RunDirectory, config: Mapping[str, Any], generation: int = 0) -> None: ...

    @staticmethod
    def package() -> Any:
        """Import the package that the tracker needs; None if it needs none.

        Raises:
            ConfigError: the package is not installed.
        """
        ...

    def write(self, metrics: Mapping[str, Any]) -> None:
        """Write the metrics of a generation, which have the keys of `metrics.jsonl`."""
        ...

    def write_test(self, mean: float, generation: int) -> None:
        """Write the champion's mean return in the test, -inf if an episode failed, beside the last generation."""
        ...

    def close(self) -> None:
        """Write buffered metrics, and close the tracker."""
        ...


class TensorBoard:
    """Event files for TensorBoard, in a folder of the run directory: a curve for each metric, over generations.

    Where a stopped run continues, its events from `generation` on are discarded.
    """

    def __init__(self, directory: RunDirectory, config: Mapping[str, Any], generation: int = 0) -> None:
        folder = directory.location / "tensorboard"
        self._writer = self.package().SummaryWriter(str(folder), purge_step=generation or None)

    @staticmethod
    def package() -> Any:
        return _package("tensorboard", "tensorboardX", "tensorboardX")

    def write(self, metrics: Mapping[str, Any]) -> None:
        for name, value in _scalars(metrics).items():
            self._writer.add_scalar(name, value, int(metrics["generation"]))
        self._writer.flush()

    def write_test(self, mean: float, generation: int) -> None:
        self._writer.add_scalar(_TEST, mean, generation)

    def close(self) -> None:
        self._writer.close()


class Csv:
    """The table `metrics.csv` in the run directory: a row for each generation, a cell without a value is empty.

    The column `test_mean` has a value in the last row of a finished run. Where a stopped run continues, and at the end,
    the rows so far are made anew from `metrics.jsonl`.

    Raises:
        ConfigError: `metrics.jsonl` cannot be read.
        RunDirectoryError: the table cannot be written.
    """

    def __init__(self, directory: RunDirectory, config: Mapping[str, Any], generation: int = 0) -> None:
        self._directory = directory
        self._path = directory.path / METRICS_TABLE
        self._begin()

    def _begin(self, test_mean: float | None = None) -> None:
        """Make the table anew from `metrics.jsonl`, with `test_mean` in its last row."""
        journal = journal_name("metrics")
        with self._directory.files.reading(journal) as file:
            rows = list(read_lines(file, Fields.all, journal))
        self._columns: list[str] = []
        try:
            self._table = Journal(self._directory.files, METRICS_TABLE)
        except OSError as error:
            raise unwritable(self._path, error) from error
        for number, row in enumerate(rows, 1):
            self._append_row(row, test_mean if number == len(rows) else None)

    @staticmethod
    def package() -> None:
        """Nothing to import."""

    def write(self, metrics: Mapping[str, Any]) -> None:
        self._append_row(metrics, None)

    def write_test(self, mean: float, generation: int) -> None:
        self.close()
        self._begin(mean)

    def _append_row(self, metrics: Mapping[str, Any], test_mean: float | None) -> None:
        row = json.loads(to_json({**metrics, "test_mean": test_mean}))  # infinities and NaN become null there too
        if not self._columns:
            self._columns = list(row)
            self._append(self._columns)
        self._append(["" if row[name] is None else str(row[name]) for name in self._columns])

    def _append(self, cells: Sequence[str]) -> None:
        try:
            self._table.append_line(",".join(cells))  # names and numbers, which need no quotes
        except OSError as error:
            raise unwritable(self._path, error) from error

    def close(self) -> None:
        self._table.close()


class MLflow:
    """A run of MLflow, in the folder `mlflow` of the run directory unless MLFLOW_TRACKING_URI is set.

    Where a stopped run continues, so does its run of MLflow, and generations that it has already are left out.
    """

    def __init__(self, directory: RunDirectory, config: Mapping[str, Any], generation: int = 0) -> None:
        self._mlflow = self.package()
        address = os.environ.get("MLFLOW_TRACKING_URI")
        if address is None:
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 refuses a folder without it
            address = (directory.location / "mlflow").as_uri()
        self._client = self._mlflow.MlflowClient(tracking_uri=address)
        project = os.environ.get("MLFLOW_EXPERIMENT_NAME", _PROJECT)
        known = self._client.get_experiment_by_name(project)
        experiment = self._client.create_experiment(project) if known is None else known.experiment_id
        place = str(directory.location)
        found = self._client.search_runs([experiment], f"tags.`{_RUN_TAG}` = {json.dumps(place)}") if generation else []
        if found:
            self._run = found[0].info.run_id
            self._client.update_run(self._run, status="RUNNING")
        else:
            tags = {_RUN_TAG: place, "evonet.config": to_json(config)[:_LONGEST_TAG]}
            self._run = self._client.create_run(experiment, run_name=directory.path.name, tags=tags).info.run_id
        written = self._client.get_metric_history(self._run, _ALWAYS_THERE) if found else []
        self._last = max((metric.step for metric in written), default=-1)

    @staticmethod
    def package() -> Any:
        return _package("mlflow", "mlflow", "MLflow")

    def write(self, metrics: Mapping[str, Any]) -> None:
        generation, now = int(metrics["generation"]), int(time.time() * 1000)
        if generation > self._last:
            metric = self._mlflow.entities.Metric
            values = [metric(name, value, now, generation) for name, value in _scalars(metrics).items()]
            self._client.log_batch(self._run, metrics=values)

    def write_test(self, mean: float, generation: int) -> None:
        metric = self._mlflow.entities.Metric(_TEST, mean, int(time.time() * 1000), generation)
        self._client.log_batch(self._run, metrics=[metric])

    def close(self) -> None:
        self._client.set_terminated(self._run)


class WeightsAndBiases:
    """A run of Weights & Biases in the run directory, offline for `wandb sync` unless WANDB_MODE says otherwise.

    Where a stopped run continues, its metrics are added to the same run of Weights & Biases.
    """

    def __init__(self, directory: RunDirectory, config: Mapping[str, Any], generation: int = 0) -> None:
        wandb = self.package()
        names = sorted(folder.name for folder in (directory.location / "wandb").glob("*run-*"))
        ids = [found[1] for name in names if (found := _WANDB_FOLDER.match(name))] if generation else []
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", _PROJECT),
            name=directory.path.name,
            id=ids[-1] if ids else None,
            resume="allow",
            config=dict(config),
            dir=str(directory.location),
            mode=os.environ.get("WANDB_MODE", "offline"),
            settings=wandb.Settings(console="off", silent=True),
        )

    @staticmethod
    def package() -> Any:
        return _package("wandb", "wandb", "wandb")

    def write(self, metrics: Mapping[str, Any]) -> None:
        self._run.log(_scalars(metrics), step=int(metrics["generation"]))

    def write_test(self, mean: float, generation: int) -> None:
        self._run.summary[_TEST] = mean  # a step before that of a run that continues would be refused

    def close(self) -> None:
        self._run.finish()


_GROUPS = {
    "evaluations": "effort",
    "environment_steps": "effort",
    "validation_steps": "effort",
    "raced_episodes": "effort",
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
_ALWAYS_THERE, _TEST = "effort/evaluations", "champion/test_mean"
_LONGEST_TAG = 5000  # characters that every MLflow server takes

TRACKERS: dict[str, type[Tracker]] = {
    "tensorboard": TensorBoard,
    "csv": Csv,
    "mlflow": MLflow,
    "wandb": WeightsAndBiases,
}


def require_trackers(names: Sequence[str]) -> None:
    """Import the packages of the trackers called `names`, so that a missing package is an error before a run begins.

    Raises:
        ConfigError: a package is not installed.
    """
    for name in names:
        TRACKERS[name].package()


def make_trackers(
    names: Sequence[str], directory: RunDirectory, config: Mapping[str, Any], generation: int = 0
) -> list[Tracker]:
    """Make the trackers called `names`, with the arguments of `Tracker`; a name that is given twice counts once."""
    return [TRACKERS[name](directory, config, generation) for name in dict.fromkeys(names)]


def _scalars(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that are numbers, by names such as "fitness/best", whose first part is a heading in the tools."""
    return {
        name if "/" in name else f"{_GROUPS.get(name, 'fitness')}/{name}": float(value)
        for name, value in metrics.items()
        if name != "generation" and isinstance(value, numbers.Real)
    }


def _package(tracker: str, module: str, name: str) -> Any:
    return optional_package(module, f"tracking: {tracker} needs {name}", tracker, ConfigError)
