import numpy as np

from evonet.operators.mutation import Gaussian
from evonet.operators.noise_table import normal_rows


def test_rows_are_standard_normal():
    rows = normal_rows(np.random.default_rng(1), 4000, 100)
    assert rows.shape == (4000, 100)
    assert abs(rows.mean()) < 0.01
    assert abs(rows.std() - 1) < 0.01
    assert abs(np.mean(np.abs(rows) > 1.959964) - 0.05) < 0.002


def test_genes_are_independent_of_each_other():
    rows = normal_rows(np.random.default_rng(2), 4000, 20)
    assert np.abs(np.corrcoef(rows.T) - np.eye(20)).max() < 0.08


def test_the_same_generator_gives_the_same_rows_and_they_may_be_written():
    first, second = (normal_rows(np.random.default_rng(3), 10, 7) for _ in range(2))
    assert np.array_equal(first, second)
    first[:] = 0
    assert np.array_equal(normal_rows(np.random.default_rng(3), 10, 7), second)


def test_long_rows_are_drawn_anew():
    rows = normal_rows(np.random.default_rng(4), 2, 100_000)
    assert np.array_equal(rows, np.random.default_rng(4).standard_normal((2, 100_000)))


def test_a_mutation_of_all_genes_takes_its_steps_from_the_table():
    genomes = np.ones((5, 8))
    mutants = Gaussian(sigma=0.5, rate=1.0)(np.random.default_rng(5), genomes, None)
    assert np.array_equal(mutants, 1 + 0.5 * normal_rows(np.random.default_rng(5), 5, 8))
