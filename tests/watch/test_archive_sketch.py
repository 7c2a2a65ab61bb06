"""An archive as the numbers that a page draws."""

import json

import numpy as np
import pytest

from evonet.archives import CVTArchive, GridArchive, UnstructuredArchive
from evonet.watch.archive_sketch import MAX_SHOWN, archive_sketch

RANGES = {"x": (-1.0, 1.0), "y": (0.0, 10.0)}


def filled(archive, measures, fitness):
    archive.add(np.zeros((len(fitness), 1)), np.array(fitness, dtype=float), np.array(measures, dtype=float))
    return archive


def test_a_grid_over_two_measures_has_a_square_for_each_elite_the_fittest_last():
    archive = filled(GridArchive(RANGES, [4, 5], offset=0), [[-1, 0], [0.6, 9.9], [-0.1, 4.1]], [3, 1, 7])
    sketch = archive_sketch(archive)
    assert sketch["elites"] == [[0.875, 0.9, 1, 1], [0.125, 0.1, 3, 0], [0.375, 0.5, 7, 2]]
    assert sketch["size"] == [0.25, 0.2]
    assert (sketch["axes"], sketch["spans"]) == (["x", "y"], [[-1, 1], [0, 10]])
    assert (sketch["filled"], sketch["cells"], sketch["qd_score"]) == (3, 20, 11)


def test_squares_of_a_large_grid_show_the_fittest_of_several_cells():
    archive = GridArchive(RANGES, [100, 100], offset=0)
    centres = (np.arange(100) + 0.5) / 100
    across, up = np.meshgrid(2 * centres - 1, 10 * centres, indexing="ij")
    rng = np.random.default_rng(1)
    fitness = rng.permutation(10_000)
    filled(archive, np.stack([across.ravel(), up.ravel()], axis=1), fitness)
    sketch = archive_sketch(archive)
    assert sketch["size"] == [0.02, 0.02]
    assert len(sketch["elites"]) == MAX_SHOWN
    blocks = fitness.reshape(50, 2, 50, 2).max(axis=(1, 3))
    for x, y, value, row in sketch["elites"]:
        assert value == blocks[int(x * 50), int(y * 50)] == archive.elites.fitness[row]


@pytest.mark.parametrize(
    ("archive", "spans"),
    [
        (CVTArchive(RANGES, 30, offset=0), [[-1, 1], [0, 10]]),
        (UnstructuredArchive(["x", "y"], neighbours=1, threshold=0.01), [[-1, 0.6], [0, 9.9]]),
        (GridArchive(RANGES | {"z": (0.0, 1.0)}, [4, 4, 4], offset=0), [[-1, 1], [0, 10]]),
    ],
    ids=["cvt", "unstructured", "three measures"],
)
def test_elites_are_points_elsewhere(archive, spans):
    measures = np.array([[-1, 0, 0.5], [0.6, 9.9, 0.5]])[:, : len(archive.measure_names)]
    sketch = archive_sketch(filled(archive, measures, [3, 1]))
    assert (sketch["size"], sketch["spans"]) == (None, spans)
    shares = (measures[[1, 0], :2] - np.array(spans)[:, 0]) / np.ptp(spans, axis=1)
    assert np.array(sketch["elites"])[:, :2] == pytest.approx(np.round(shares, 4))


def test_one_measure_is_drawn_against_the_fitness():
    sketch = archive_sketch(filled(GridArchive({"x": (0.0, 4.0)}, [4], offset=0), [[0.5], [3.0]], [3, 1]))
    assert sketch["axes"] == ["x", "fitness"]
    assert sketch["elites"] == [[0.75, 0.0, 1, 1], [0.125, 1.0, 3, 0]]


def test_an_archive_without_elites_is_not_drawn():
    assert archive_sketch(GridArchive(RANGES, [4, 5])) is None


@pytest.mark.parametrize("far", [1e306, 1e-306])
def test_any_numbers_can_be_drawn(far):
    ranges = {"x": (-far, far), "y": (0.0, far)}
    for archive in (
        GridArchive(ranges, [3, 3]),
        CVTArchive(ranges, 5),
        UnstructuredArchive(["x", "y"], threshold=0.01),
    ):
        sketch = archive_sketch(filled(archive, [[-far, far], [far, 0]], [-1e308, 1e308]))
        json.dumps(sketch, allow_nan=False)
