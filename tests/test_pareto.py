"""Comparison by several objectives, against definitions written out one pair at a time."""

import itertools

import numpy as np
import pytest

from evonet.pareto import crowded_order, crowding_distances, hypervolume, non_dominated, ranks

POINTS = [
    np.random.default_rng(seed).integers(0, 6, size=(40, objectives)).astype(float)
    for seed, objectives in itertools.product(range(3), (1, 2, 3, 4))
]


def dominates(a, b):
    return (a >= b).all() and (a > b).any()


@pytest.mark.parametrize("values", POINTS)
def test_the_front_is_what_no_other_row_dominates(values):
    expected = [not any(dominates(other, row) for other in values) for row in values]
    assert non_dominated(values).tolist() == expected


@pytest.mark.parametrize("values", POINTS)
def test_a_rank_is_one_more_than_that_of_the_worst_row_that_dominates(values):
    found = ranks(values)
    for row, rank in zip(values, found, strict=True):
        above = [found[other] for other in range(len(values)) if dominates(values[other], row)]
        assert rank == max(above, default=-1) + 1


def test_the_crowding_of_three_rows_between_the_ends():
    front = np.array([[0.0, 10.0], [1.0, 6.0], [4.0, 5.0], [8.0, 0.0]])
    assert np.allclose(crowding_distances(front), [np.inf, 4 / 8 + 5 / 10, 7 / 8 + 6 / 10, np.inf])


def test_a_front_in_one_place_has_no_crowding():
    assert crowding_distances(np.ones((3, 2))).tolist() == [0.0, 0.0, 0.0]


def test_rows_are_ordered_by_rank_then_by_crowding_and_unscored_ones_are_last():
    values = np.array([[0.0, 10.0], [1.0, 6.0], [4.0, 5.0], [8.0, 0.0], [np.nan, 20.0], [0.0, 0.0], [1.0, 6.0]])
    order = crowded_order(values)
    assert np.argsort(-order, kind="stable").tolist() == [0, 3, 2, 6, 1, 5, 4]
    assert order[0] == order[3]
    assert order[4] == -np.inf


@pytest.mark.parametrize("values", POINTS)
def test_the_hypervolume_is_the_count_of_unit_cells_below_the_front(values):
    reference = np.full(values.shape[1], -1.0)
    cells = np.array(list(itertools.product(range(-1, 6), repeat=values.shape[1]))) + 0.5
    covered = (cells[:, None, :] < values[None, :, :]).all(axis=2).any(axis=1).sum()
    assert hypervolume(values, reference) == pytest.approx(covered)


def test_rows_that_are_not_better_than_the_reference_add_nothing():
    assert hypervolume(np.array([[2.0, 2.0], [5.0, 0.0]]), np.zeros(2)) == 4.0
    assert hypervolume(np.empty((0, 2)), np.zeros(2)) == 0.0
    assert hypervolume(np.empty((0, 3)), np.zeros(3)) == 0.0
