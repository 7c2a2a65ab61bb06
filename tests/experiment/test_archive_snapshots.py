"""The journal of how an archive filled: which generations it has, what it holds, the same bytes after a resumption."""

import itertools
import json
import shutil

import numpy as np
import pytest

from evonet.archives import GridArchive, UnstructuredArchive
from evonet.errors import ConfigError
from evonet.experiment.run_files.archive_snapshots import has_snapshot
from evonet.inspection.archive_history import archive_snapshots
from evonet.inspection.loaded_run import load_run
from tests.stopped_runs import EAGER, exact_files, go_on, run_stopped, run_whole

CONFIG = """
seed: 3
environment: {id: CartPole-v1, max_steps: 60}
network: {hidden: 0, skip: true}
measures: {lean: {of: observation, index: 2, take: mean}}
algorithm:
  type: map_elites
  population_size: 8
  archive: {type: grid, ranges: {lean: [-0.1, 0.1], return: [0, 60]}, cells: [6, 5]}
evaluation: {episodes: 1, workers: 1}
validation: {episodes: 2}
test: {episodes: 2}
stop: {generations: 12, target: null}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("snapshots"), CONFIG)


def grid(cells=(3, 3)):
    archive = GridArchive({"x": (0, 1), "y": (0, 1)}, cells)
    archive.add(np.zeros((1, 1)), [1.0], [[0.5, 0.5]])
    return archive


def test_there_are_four_snapshots_in_each_doubling_of_the_generations():
    found = [number for number in range(100) if has_snapshot(number, grid())]
    assert found == [*range(8), 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96]
    assert sum(has_snapshot(number, grid()) for number in range(1 << 14)) == 8 + 4 * 11


def test_archives_without_cells_or_elites_or_with_very_many_cells_have_none():
    novel = UnstructuredArchive(["x"], 0.1)
    novel.add(np.zeros((1, 1)), [1.0], [[0.5]])
    empty = GridArchive({"x": (0, 1)}, [3])
    assert [has_snapshot(0, each) for each in (grid((100, 100)), grid((100, 101)), novel, empty)] == [
        True, False, False, False,
    ]  # fmt: skip


def test_a_snapshot_has_the_cells_and_their_fitness_of_its_generation(whole):
    run = load_run(whole)
    snapshots = archive_snapshots(run, 100)
    assert [each.generation for each in snapshots] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]
    for each in snapshots:
        assert len(each.cells) / 30 == pytest.approx(run.metrics["coverage"][each.generation])
        assert each.fitness.max() == run.metrics["archive_best"][each.generation]
    filled = [set(each.cells.tolist()) for each in snapshots] + [set(run.archive.elites.cells.tolist())]
    assert all(before <= after for before, after in itertools.pairwise(filled))
    assert len(filled[0]) < len(filled[-1])
    assert [each.generation for each in archive_snapshots(run, 4)] == [0, 3, 6, 10]


@pytest.mark.parametrize("after", [0, 6, 9])
@pytest.mark.parametrize("eager", [(), EAGER], ids=["throttled", "eager"])
def test_a_resumed_run_has_the_same_bytes(after, eager, whole, tmp_path):
    stopped = run_stopped(tmp_path, CONFIG, *eager, after=after)
    go_on(stopped)
    assert "archive.jsonl" in exact_files(stopped)
    assert exact_files(stopped) == exact_files(whole)


def test_a_crash_before_the_first_checkpoint_leaves_no_line_twice(whole, tmp_path):
    stopped = run_stopped(tmp_path, CONFIG, *EAGER, after=3)
    shutil.rmtree(stopped / "checkpoints")
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)


def test_a_run_without_an_archive_has_no_such_journal(tmp_path):
    text = (
        CONFIG[: CONFIG.index("  type: map_elites")] + "  population_size: 8\n" + CONFIG[CONFIG.index("evaluation") :]
    )
    path = run_whole(tmp_path, text, "stop.generations=2")
    assert not (path / "archive.jsonl").exists()
    assert archive_snapshots(load_run(path), 9) == []


def test_a_run_of_an_earlier_version_has_no_snapshots(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run/archive.jsonl").unlink()
    assert archive_snapshots(load_run(tmp_path / "run"), 9) == []


LINE = {"generation": 0, "elites": 1, "cells": {"start": 0, "size": 1}, "fitness": {"start": 1, "size": 1}}


@pytest.mark.parametrize(
    ("line", "numbers", "reason"),
    [
        ({**LINE, "elites": 31}, [0.0, 1.0], "archive.elites must be a whole number from 1 to 30, got 31"),
        ({**LINE, "elites": 0}, [0.0, 1.0], "archive.elites must be a whole number from 1 to 30, got 0"),
        ({**LINE, "elites": 2}, [0.0, 1.0], "2 numbers are expected, got 1"),
        ({**LINE, "more": 1}, [0.0, 1.0], "more"),
        (LINE, [0.0], "has no 1 numbers from number 1 on"),
        (LINE, [30.0, 1.0], "archive.cells must be whole numbers from 0 to 29"),
        (LINE, [-1.0, 1.0], "archive.cells must be whole numbers from 0 to 29"),
        (LINE, [0.5, 1.0], "archive.cells must be whole numbers from 0 to 29"),
        (LINE, [np.nan, 1.0], "archive.cells must be whole numbers from 0 to 29"),
        (LINE, [1e300, 1.0], "archive.cells must be whole numbers from 0 to 29"),
        (LINE, [0.0, np.inf], "archive.fitness must be finite"),
    ],
)
def test_a_snapshot_that_is_not_of_the_archive_is_refused_by_the_file(line, numbers, reason, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run/archive.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    np.array(numbers).astype("<f8").tofile(tmp_path / "run/arrays.f64")
    with pytest.raises(ConfigError) as refused:
        archive_snapshots(load_run(tmp_path / "run"), 9)
    assert str(refused.value).startswith(f"{tmp_path / 'run/archive.jsonl'}: cannot be read: ")
    assert reason in str(refused.value)
