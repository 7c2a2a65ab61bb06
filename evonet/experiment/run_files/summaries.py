"""Readers of the summaries `run.json` and `study.json`; a value of the wrong type or range raises ConfigError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NotRequired, TypedDict, TypeVar, cast

from evonet.errors import ConfigError
from evonet.experiment.run_files.run_directory import SUMMARY
from evonet.files.bounded import LONGEST_DOCUMENT, read_json
from evonet.files.directory import reading_below
from evonet.files.fields import Fields

STUDY = "study.json"
LONGEST_STUDY = 96 << 20
"""The greatest size of `study.json`, in bytes."""

_LONGEST_NAME = 1 << 16  # characters; the size limit of a config excludes longer names
_MAX_MEASURES = 1000
_MAX_ON_A_FRONT = 1000
_MAX_RUNS = 1_000_000
_Summary = TypeVar("_Summary")


class ChampionSummary(TypedDict):
    """A champion and its three scores; a mean is None if an episode failed.

    `fitness` has the weighted fitness, `measures` mean and standard deviation of each measure by name, both for
    "validation" and "test".
    """

    individual: int
    generation: int
    training_fitness: float | None
    validation_mean: float | None
    validation_episodes: int | None
    test_mean: float | None
    test_interval: list[float | None] | None
    test_episodes: int | None
    genome_size: int
    fitness: NotRequired[dict[str, float | None]]
    measures: NotRequired[dict[str, dict[str, list[float | None]]]]


class ArchiveMetrics(TypedDict):
    """The metrics of an archive's elites; None where there are no cells, or no elites."""

    elites: int
    coverage: float | None
    qd_score: float
    best: float | None
    mean: float | None


class CorrectedMetrics(ArchiveMetrics):
    """The metrics of the elites with the fitness and measures that they have on held-out episodes."""

    episodes: int


class Movement(TypedDict):
    """How far the elites moved from training to the held-out episodes; None if all failed there.

    `fitness` is the median change, `measures` the median distance of each by name, and `same_cell` the share of elites
    that stay in their cell, None without cells.
    """

    fitness: float | None
    measures: dict[str, float | None]
    same_cell: float | None


class ArchiveSummary(ArchiveMetrics):
    """The metrics of an archive at the end of a run; QD scores count fitness from `offset`."""

    measures: list[str]
    cells: int | None
    offset: float
    corrected: NotRequired[CorrectedMetrics]
    moved: NotRequired[Movement]


class FrontMetrics(TypedDict):
    """How many individuals no other dominates, and the hypervolume of their objectives."""

    individuals: int
    hypervolume: float


class CorrectedFront(FrontMetrics):
    """The metrics of the front's individuals with the objectives that they have on held-out episodes."""

    episodes: int


class FrontPoints(TypedDict):
    """The individuals of a front, at most a thousand: ids, and the objectives by name; None if an episode failed."""

    ids: list[int]
    training: dict[str, list[float | None]]
    held_out: NotRequired[dict[str, list[float | None]]]


class FrontSummary(FrontMetrics):
    """The Pareto front at the end of a run; hypervolumes count from `reference`."""

    objectives: dict[str, str]
    reference: dict[str, float]
    corrected: NotRequired[CorrectedFront]
    points: FrontPoints


class PruningSummary(TypedDict):
    """What the pruning cost, and the inputs and the validation of the champion before it and after it."""

    generations: int
    evaluations: int
    environment_steps: int
    inputs_before: int
    inputs: int
    validation_mean_before: float
    validation_mean: float


class RefinementSummary(TypedDict):
    """What the refinement cost, the champion's validation before it, and whether a tuned network validated better."""

    strategy: str
    generations: int
    evaluations: int
    environment_steps: int
    validation_mean_before: float
    better: bool


class RunSummary(TypedDict):
    """The results and the cost of a finished run; `run_directory` is where the run was at its end.

    The seconds of validation and test are parts of `seconds`; a resumed run counts validation from its resumption.
    They are None in the summaries of older versions.
    """

    name: str
    run_directory: str
    environment: str | None
    seed: int
    engine: str
    generations: int
    evaluations: int
    environment_steps: int
    validation_steps: int
    seconds: float
    validation_seconds: float | None
    test_seconds: float | None
    stopped_by: str
    solved: bool
    target: float | None
    champion: ChampionSummary | None
    versions: dict[str, str]
    archive: NotRequired[ArchiveSummary]
    pruning: NotRequired[PruningSummary]
    refinement: NotRequired[RefinementSummary]
    front: NotRequired[FrontSummary]


class StudyRun(TypedDict):
    """A finished run in the summary of its study."""

    seed: int
    solved: bool
    evaluations: int
    test_mean: float | None


class StudyFailure(TypedDict):
    """A run of a study that ended with an error."""

    seed: int
    error: str


class StudySummary(TypedDict):
    """The part of a study's summary that is read back."""

    environment: str | None
    target: float | None
    runs: list[StudyRun]
    failures: list[StudyFailure]


def read_run_summary(run: Path) -> RunSummary:
    """The summary of the finished run in the directory `run`.

    Raises:
        ConfigError: the summary cannot be read, or is invalid.
    """
    return _read(run / SUMMARY, LONGEST_DOCUMENT, _run, "a run")


def read_study_summary(study: Path) -> StudySummary:
    """The summary of the study in the directory `study`.

    Raises:
        ConfigError: the summary cannot be read, or is invalid.
    """
    return _read(study / STUDY, LONGEST_STUDY, _study, "a study")


def _read(path: Path, max_bytes: int, parse: Callable[[Fields], _Summary], what: str) -> _Summary:
    with reading_below(path) as file:
        entries = read_json(file, max_bytes)
    try:
        return parse(Fields(entries, "summary"))
    except ValueError as error:
        raise ConfigError(f"{path}: not the summary of {what}: {error}") from error


def _run(fields: Fields) -> RunSummary:
    summary: RunSummary = {
        "name": fields.text("name", _LONGEST_NAME),
        "run_directory": fields.text("run_directory", _LONGEST_NAME),
        "environment": fields.optional("environment", fields.text),
        "seed": fields.integer("seed"),
        "engine": fields.word("engine"),
        "generations": fields.integer("generations"),
        "evaluations": fields.integer("evaluations"),
        "environment_steps": fields.integer("environment_steps"),
        "validation_steps": fields.integer("validation_steps"),
        "seconds": fields.finite("seconds", 0.0),
        "validation_seconds": _if_present(fields, "validation_seconds"),
        "test_seconds": _if_present(fields, "test_seconds"),
        "stopped_by": fields.word("stopped_by"),
        "solved": fields.boolean("solved"),
        "target": fields.optional("target", fields.finite),
        "champion": fields.optional("champion", lambda key: _champion(fields.fields(key))),
        "versions": _versions(fields),
    }
    if fields.has("archive"):
        summary["archive"] = _archive(fields.fields("archive"))
    if fields.has("pruning"):
        summary["pruning"] = _pruning(fields.fields("pruning"))
    if fields.has("refinement"):
        summary["refinement"] = _refinement(fields.fields("refinement"))
    if fields.has("front"):
        summary["front"] = _front(fields.fields("front"))
    return summary


def _archive(fields: Fields) -> ArchiveSummary:
    names = fields.items("measures", _MAX_MEASURES)
    cells = fields.optional("cells", fields.integer)
    summary: dict[str, Any] = {
        "measures": [Fields({"name": name}, "summary.archive.measures").word("name") for name in names],
        "cells": cells,
        "offset": fields.finite("offset"),
        **_archive_metrics(fields, cells),
    }
    if fields.has("corrected"):
        corrected = fields.fields("corrected")
        summary["corrected"] = {"episodes": corrected.integer("episodes", 1), **_archive_metrics(corrected, cells)}
    if fields.has("moved"):
        moved = fields.fields("moved")
        summary["moved"] = {
            "fitness": moved.optional("fitness", moved.finite),
            "measures": _numbers_by_name(moved.fields("measures")),
            "same_cell": moved.optional("same_cell", moved.finite),
        }
    return cast("ArchiveSummary", summary)


def _front(fields: Fields) -> FrontSummary:
    objectives, points = fields.fields("objectives"), fields.fields("points")
    ids = points.items("ids", _MAX_ON_A_FRONT)
    summary: dict[str, Any] = {
        "objectives": {name: objectives.word(name) for name in objectives.all()},
        "reference": _numbers_by_name(fields.fields("reference")),
        **_front_metrics(fields),
        "points": {"ids": [Fields({"id": each}, "summary.front.points").integer("id") for each in ids]},
    }
    for name in ("training", "held_out"):
        if points.has(name):
            columns = points.fields(name)
            summary["points"][name] = {column: _column(columns, column, len(ids)) for column in summary["objectives"]}
    if fields.has("corrected"):
        corrected = fields.fields("corrected")
        summary["corrected"] = {"episodes": corrected.integer("episodes", 1), **_front_metrics(corrected)}
    return cast("FrontSummary", summary)


def _front_metrics(fields: Fields) -> FrontMetrics:
    return {"individuals": fields.integer("individuals"), "hypervolume": fields.finite("hypervolume", 0.0)}


def _column(fields: Fields, name: str, size: int) -> list[float | None]:
    numbers = fields.items(name, _MAX_ON_A_FRONT)
    if len(numbers) != size:
        raise ValueError(f"summary.front.points must have {size} numbers of {name!r}, got {len(numbers)}")
    entries = [Fields({"number": number}, f"summary.front.points.{name}") for number in numbers]
    return [entry.optional("number", entry.finite) for entry in entries]


def _numbers_by_name(fields: Fields) -> dict[str, float | None]:
    return {
        Fields({"name": name}, "summary").word("name"): fields.optional(name, fields.finite) for name in fields.all()
    }


def _archive_metrics(fields: Fields, cells: int | None) -> ArchiveMetrics:
    return {
        "elites": fields.integer("elites"),
        "coverage": None if cells is None else fields.finite("coverage"),
        "qd_score": fields.finite("qd_score"),
        "best": fields.optional("best", fields.finite),
        "mean": fields.optional("mean", fields.finite),
    }


def _pruning(fields: Fields) -> PruningSummary:
    counts = "generations", "evaluations", "environment_steps", "inputs_before", "inputs"
    summary: dict[str, Any] = {name: fields.integer(name) for name in counts}
    summary |= {name: fields.finite(name) for name in ("validation_mean_before", "validation_mean")}
    return cast("PruningSummary", summary)


def _refinement(fields: Fields) -> RefinementSummary:
    return {
        "strategy": fields.word("strategy"),
        "generations": fields.integer("generations"),
        "evaluations": fields.integer("evaluations"),
        "environment_steps": fields.integer("environment_steps"),
        "validation_mean_before": fields.finite("validation_mean_before"),
        "better": fields.boolean("better"),
    }


def _if_present(fields: Fields, key: str) -> float | None:
    """A number that summaries of older versions lack; None without it."""
    return fields.finite(key, 0.0) if fields.has(key) else None


def _champion(fields: Fields) -> ChampionSummary:
    champion: ChampionSummary = {
        "individual": fields.integer("individual"),
        "generation": fields.integer("generation"),
        "training_fitness": fields.optional("training_fitness", fields.finite),
        "validation_mean": fields.optional("validation_mean", fields.finite),
        "validation_episodes": fields.optional("validation_episodes", fields.integer),
        "test_mean": fields.optional("test_mean", fields.finite),
        "test_interval": fields.optional("test_interval", lambda key: _interval(fields, key)),
        "test_episodes": fields.integer("test_episodes", 1),
        "genome_size": fields.integer("genome_size", 1),
    }
    if fields.has("fitness"):
        worth = fields.fields("fitness").allow_only("validation", "test")
        champion["fitness"] = {name: worth.optional(name, worth.finite) for name in worth.all()}
    if fields.has("measures"):
        scores = fields.fields("measures").allow_only("validation", "test")
        champion["measures"] = {name: _measures(scores.fields(name)) for name in scores.all()}
    return champion


def _measures(fields: Fields) -> dict[str, list[float | None]]:
    return {Fields({"name": name}, "measures").word("name"): _pair(fields, name) for name in fields.all()}


def _pair(fields: Fields, key: str) -> list[float | None]:
    """Mean and standard deviation, null if an episode failed."""
    both = Fields(dict(zip(("mean", "deviation"), fields.items(key, 2), strict=False)), f"summary.measures.{key}")
    return [both.optional("mean", both.finite), both.optional("deviation", both.finite)]


def _interval(fields: Fields, key: str) -> list[float | None]:
    bounds = Fields(dict(zip(("low", "high"), fields.items(key, 2), strict=False)), f"summary.champion.{key}")
    return [bounds.optional("low", bounds.finite), bounds.optional("high", bounds.finite)]


def _versions(fields: Fields) -> dict[str, str]:
    versions = fields.fields("versions")
    return {name: versions.word(name) for name in fields.mapping("versions")}


def _study(fields: Fields) -> StudySummary:
    runs = [Fields(entry, f"summary.runs[{i}]") for i, entry in enumerate(fields.items("runs", _MAX_RUNS))]
    failures = enumerate(fields.items("failures", _MAX_RUNS))
    failed = [Fields(entry, f"summary.failures[{i}]") for i, entry in failures]
    return {
        "environment": fields.optional("environment", fields.text),
        "target": fields.optional("target", fields.finite),
        "runs": [
            {
                "seed": run.integer("seed"),
                "solved": run.boolean("solved"),
                "evaluations": run.integer("evaluations"),
                "test_mean": run.optional("test_mean", run.finite),
            }
            for run in runs
        ],
        "failures": [{"seed": run.integer("seed"), "error": str(run.get("error"))} for run in failed],
    }
