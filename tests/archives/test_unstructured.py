"""Novelty, and the archive that takes what is novel."""

import math

import numpy as np
import pytest

from evonet.archives import UnstructuredArchive


def archive_with(points, **settings):
    archive = UnstructuredArchive(["x", "y"], **({"threshold": 0.5, "neighbours": 2} | settings))
    archive.add(np.zeros((len(points), 1)), np.zeros(len(points)), points)
    return archive


def test_novelty_is_the_mean_distance_to_the_nearest_in_archive_and_population():
    rng = np.random.default_rng(0)
    known, others, points = rng.random((30, 2)), rng.random((20, 2)), rng.random((10, 2))
    archive = archive_with(known, neighbours=4)
    for beside in (np.empty((0, 2)), others):
        expected = [np.mean(sorted(math.dist(p, q) for q in [*known, *beside])[:4]) for p in points]
        assert archive.novelty(points, beside) == pytest.approx(expected)


def test_fewer_neighbours_than_wanted_are_enough_and_without_any_all_is_novel():
    archive = archive_with([[0.0, 0.0]], neighbours=15)
    assert archive.novelty(np.array([[3.0, 4.0]])).tolist() == [5.0]
    assert UnstructuredArchive(["x"], 1.0).novelty(np.array([[3.0]])).tolist() == [math.inf]


def test_what_is_novel_enters_and_a_fitter_near_one_takes_the_nearest_place_only_if_asked():
    points = [[0.1, 0.0], [2.0, 2.0], [0.05, 0.0], [0.0, 0.05]]
    for replace, status, ids in ((False, [0, 2, 0, 0], [-1, 1]), (True, [1, 2, 1, 0], [0, 1])):
        archive = archive_with([[0.0, 0.0]], replace=replace)
        insertion = archive.add(np.zeros((4, 1)), [7.0, 1.0, 6.0, -1.0], points, np.arange(4))
        assert insertion.status.tolist() == status
        assert insertion.value[1] == pytest.approx(math.sqrt(8))
        assert archive.elites.ids.tolist() == ids


def test_the_threshold_rises_when_many_enter_and_falls_when_none_does():
    archive = archive_with([[0.0, 0.0]], most_new=1, patience=2)
    archive.add(np.zeros((2, 1)), np.zeros(2), [[5.0, 0.0], [0.0, 5.0]])
    assert archive.threshold == pytest.approx(0.6)
    for expected in (0.6, 0.57, 0.57):
        archive.add(np.zeros((1, 1)), np.zeros(1), [[0.0, 0.0]], novelty=np.array([0.1]))
        assert archive.threshold == pytest.approx(expected)


def test_the_nearest_elite_is_at_a_place():
    archive = archive_with([[0.0, 0.0], [1.0, 1.0]])
    assert archive.at(x=0.9, y=0.6).measures == {"x": 1.0, "y": 1.0}
    assert math.isnan(archive.coverage)
