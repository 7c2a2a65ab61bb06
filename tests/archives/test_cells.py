"""Insertion into cells: by the reference, by ties, by thresholds; what a grid and centroids are."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from evonet.archives import CVTArchive, GridArchive

UNIT = {"x": (0, 1), "y": (0, 1)}
CASES = json.loads((Path(__file__).parent / "peer_insertions.json").read_text(encoding="utf-8"))
PROGRAM = Path(__file__).parents[2] / "experiments/quality_diversity/insertions.py"


@pytest.mark.parametrize("case", CASES, ids=["map_elites", "cma_mae"])
def test_what_enters_is_what_enters_the_peers_archive_ties_and_all(case):
    archive = GridArchive({"x": (0, 1), "y": (-1, 1)}, [3, 2], **case["settings"])
    for number, batch in enumerate(case["batches"]):
        ids = 10 * number + np.arange(10)
        insertion = archive.add(ids[:, None], batch["fitness"], batch["measures"], ids)
        assert insertion.status.tolist() == batch["status"]
        assert insertion.value == pytest.approx(batch["value"])
    elites = archive.elites
    order = np.argsort(elites.cells)
    assert elites.cells[order].tolist() == case["elites"]["cells"]
    assert elites.ids[order].tolist() == case["elites"]["ids"]
    assert elites.genomes[order, 0].tolist() == case["elites"]["ids"]


def test_the_peers_archives_take_the_same_of_many_random_solutions():
    pytest.importorskip("ribs")
    spec = importlib.util.spec_from_file_location("insertions_program", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = program  # dataclasses look their module up
    spec.loader.exec_module(program)
    rng = np.random.default_rng(0)
    batches = [program.Batch.random(rng, 500) for _ in range(10)]
    assert [name for name, (ours, peer) in program.pairs().items() if not program.equal(ours, peer, batches)] == []


def test_a_measure_beyond_its_range_counts_as_its_end_and_an_edge_belongs_to_the_upper_cell():
    archive = GridArchive({"x": (0, 1)}, [10])
    assert archive.cells_of(np.array([[-5.0], [0.3], [0.299], [1.0], [9.0]])).tolist() == [0, 3, 2, 9, 9]
    assert archive.edges["x"] == pytest.approx(np.arange(11) / 10)


def test_the_qd_score_counts_from_the_worst_that_was_inserted_unless_an_offset_is_given():
    archive = GridArchive({"x": (0, 1)}, [4])
    archive.add(np.zeros((3, 1)), [-3.0, 5.0, 2.0], [[0.1], [0.1], [0.9]])
    assert (archive.offset, archive.qd_score(), archive.qd_score(offset=0.0)) == (2.0, 3.0, 7.0)
    archive.add(np.zeros((1, 1)), [-10.0], [[0.5]])
    archive.add(np.zeros((1, 1)), [1.0], [[0.5]])
    assert (archive.offset, archive.qd_score()) == (-10.0, 38.0)
    assert (archive.coverage, archive.mean, archive.best.fitness) == (0.75, 8 / 3, 5.0)
    assert GridArchive({"x": (0, 1)}, [4], offset=-600).offset == -600


def test_a_threshold_moves_towards_the_mean_of_what_enters_by_the_rule_of_cma_mae():
    archive = GridArchive({"x": (0, 1)}, [1], learning_rate=0.1, threshold_min=0.0)
    archive.add(np.zeros((3, 1)), [2.0, -1.0, 4.0], [[0.5]] * 3)
    threshold = (1 - 0.9**2) * 3.0
    worse = archive.add(np.ones((1, 1)), [threshold + 0.5], [[0.5]])
    assert worse.value[0] == pytest.approx(0.5)
    assert worse.status[0] == 1
    assert archive.best.fitness == threshold + 0.5, "what is worse than the elite entered, above the threshold"
    elitist = archive.elitist_copy()
    elitist.add(np.zeros((2, 1)), [4.0, 3.0], [[0.5]] * 2)
    assert elitist.add(np.zeros((1, 1)), [3.5], [[0.5]]).status[0] == 0


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_a_solution_belongs_to_the_nearest_centroid_out_of_range_too(k):
    archive = CVTArchive({f"m{axis}": (-1, 3) for axis in range(k)}, 150)
    points = np.random.default_rng(0).uniform(-2, 4, (300, k))
    distances = ((points[:, None] - archive.centroids) ** 2).sum(axis=2)
    assert archive.cells_of(points).tolist() == distances.argmin(axis=1).tolist()


def test_centroids_are_a_seeds_and_share_the_space_evenly():
    first, again, other = (CVTArchive(UNIT, 50, centroids_seed=seed) for seed in (1, 1, 2))
    assert first.centroids.tolist() == again.centroids.tolist()
    assert first.centroids.tolist() != other.centroids.tolist()
    shares = np.bincount(first.cells_of(np.random.default_rng(0).random((20_000, 2))), minlength=50) / 20_000
    assert shares.min() > 0.012
    assert shares.max() < 0.03  # of random centroids the largest has 0.06


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ranges": {}}, "GridArchive.ranges must have at least one measure"),
        ({"ranges": {"x": (1, 0)}}, "GridArchive.ranges.x must be two finite numbers, the lower first, got (1, 0)"),
        ({"ranges": {"x": (0,)}}, "GridArchive.ranges.x must be two numbers, the least and the greatest, got (0,)"),
        ({"cells": [3]}, "GridArchive.cells must be a whole number of at least 1 for each of x, y, got [3]"),
        ({"cells": [3, 0]}, "GridArchive.cells must be a whole number of at least 1 for each of x, y, got [3, 0]"),
        ({"cells": [10**4, 10**4]}, "GridArchive.cells must make at most 10,000,000 cells, got 100,000,000"),
        ({"learning_rate": 0.1}, "GridArchive.threshold_min must be set where learning_rate is below 1, got none; "),
        ({"learning_rate": 2}, "GridArchive.learning_rate must be at most 1, got 2"),
    ],
)
def test_a_setting_that_makes_no_grid_is_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=r"^GridArchive") as refused:
        GridArchive(**({"ranges": UNIT, "cells": [3, 3]} | settings))
    assert str(refused.value).startswith(message)


def test_shapes_that_do_not_fit_are_refused():
    archive = GridArchive(UNIT, [3, 3])
    archive.add(np.zeros((1, 5)), [1.0], [[0.5, 0.5]])
    with pytest.raises(ValueError, match=r"^GridArchive.add must get genomes of shape \(2, 5\), got \(2, 4\)$"):
        archive.add(np.zeros((2, 4)), [1.0, 2.0], np.zeros((2, 2)))
    wanted = r"^GridArchive.add must get measures of shape \(2, 2\), a column for each of x, y, got \(2, 3\)$"
    with pytest.raises(ValueError, match=wanted):
        archive.add(np.zeros((2, 5)), [1.0, 2.0], np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"^GridArchive.at must get a number for each of x, y, got \(0.5,\)$"):
        archive.at(0.5)
    state = archive.state() | {"cells": np.array([9])}
    with pytest.raises(ValueError, match=r"^GridArchive.restore must get cells from 0 to 8$"):
        archive.restore(state)
