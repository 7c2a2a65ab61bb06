"""Mutations change as many genes, and by as much, as they promise."""

import math

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.operators.mutation import Gaussian, NeuronMutation, UniformReset
from evonet.testing.operators import parents_with

ARCHITECTURE = Architecture(3, 5, 2)
SIZE = ARCHITECTURE.genome_size
PARENTS = parents_with([0.0], architecture=ARCHITECTURE)
ROWS = 4000
RATES = [0.0, 1e-4, 0.01, 0.1, 0.24, 0.25, 0.26, 0.49, 0.5, 0.51, 0.9, 1.0]


def steps(mutation, seed=0, rows=ROWS, architecture=ARCHITECTURE):
    genomes = np.random.default_rng(99).normal(size=(rows, architecture.genome_size))
    return mutation(np.random.default_rng(seed), genomes, parents_with([0.0], architecture=architecture)) - genomes


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("mutation", [Gaussian, UniformReset])
def test_each_gene_changes_on_its_own_with_the_chance_given(mutation, rate):
    changed = steps(mutation(rate=rate)) != 0
    assert abs(changed.mean() - rate) <= 5 * math.sqrt(rate * (1 - rate) / changed.size)
    per_gene = changed.mean(axis=0)
    assert (np.abs(per_gene - rate) <= 5 * math.sqrt(rate * (1 - rate) / ROWS)).all()
    # Independent of each other: so many change together, in neighbours and over the ends of rows, as chance has it.
    flat = changed.ravel()
    for distance in (1, 2, SIZE):
        together = (flat[:-distance] & flat[distance:]).mean()
        assert abs(together - rate**2) <= 8 * math.sqrt(rate**2 * (1 - rate**2) / flat.size)
    counts = changed.sum(axis=1)
    variance = SIZE * rate * (1 - rate)
    assert abs(counts.var() - variance) <= 5 * math.sqrt((2 * variance**2 + variance) / ROWS)


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_a_matrix_of_any_size_gets_its_share(rate):
    """Small ones above all: what is drawn in advance must neither run short nor favour an end."""
    for rows, architecture in ((1, Architecture(1, 1, 1, bias=False)), (3, Architecture(2, 2, 1))):
        size = rows * architecture.genome_size
        genomes = np.zeros((rows, architecture.genome_size))
        rng, parents = np.random.default_rng(1), parents_with([0.0], architecture=architecture)
        changed = np.array([(Gaussian(rate=rate)(rng, genomes, parents) != 0).ravel() for _ in range(4000)])
        assert changed.shape == (4000, size)
        assert (np.abs(changed.mean(axis=0) - rate) <= 5 * math.sqrt(rate * (1 - rate) / 4000)).all()


def test_a_run_of_short_gaps_is_no_end_of_mutations():
    """The unluckiest generator chooses each gene, and soon runs out of what was drawn in advance."""

    class Unlucky:
        def standard_exponential(self, size):
            return np.zeros(size)

        def geometric(self, _, size):
            return np.ones(size, dtype=np.int64)

        def standard_normal(self, size):
            return np.ones(size)

    genomes = np.zeros((10, SIZE))
    assert (Gaussian(sigma=0.5, rate=0.01)(Unlucky(), genomes, PARENTS) == 0.5).all()


@pytest.mark.parametrize("rate", [5e-324, 1e-300, 1e-18])
def test_a_tiny_rate_changes_nothing_and_warns_of_nothing(rate):
    assert not steps(Gaussian(rate=rate)).any()
    assert not steps(UniformReset(rate=rate)).any()
    assert not steps(NeuronMutation(rate=rate)).any()


@pytest.mark.parametrize("sigma", [1e-3, 0.3, 20.0])
@pytest.mark.parametrize("rate", [0.1, 0.7, 1.0])
def test_a_gaussian_step_is_normal_around_zero(sigma, rate):
    # A gene near 1 and a step of 1e-3: the difference of both is exact to 1e-13 of the step.
    taken = steps(Gaussian(sigma=sigma, rate=rate))
    assert_normal(taken[taken != 0] / sigma)


def assert_normal(z):
    """Mean, variance, skew and kurtosis of a standard normal sample, within five standard deviations."""
    n = z.size
    assert n > 1000
    assert abs(z.mean()) < 5 / math.sqrt(n)
    assert abs((z**2).mean() - 1) < 5 * math.sqrt(2 / n)
    assert abs((z**3).mean()) < 5 * math.sqrt(15 / n)
    assert abs((z**4).mean() - 3) < 5 * math.sqrt(96 / n)


def test_gaussian_steps_are_independent_of_the_genes():
    genomes = np.random.default_rng(1).normal(size=(ROWS, SIZE))
    taken = Gaussian(sigma=1.0, rate=1.0)(np.random.default_rng(2), genomes, PARENTS) - genomes
    assert abs(np.corrcoef(genomes.ravel(), taken.ravel())[0, 1]) < 5 / math.sqrt(taken.size)
    correlations = np.corrcoef(taken.T)[~np.eye(SIZE, dtype=bool)]
    assert np.abs(correlations).max() < 5 / math.sqrt(ROWS)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (3.0, 3.5), (-1e6, -10.0)])
def test_reset_genes_are_uniform_whatever_they_were(low, high):
    genomes = np.full((ROWS, SIZE), 1e9)
    mutants = UniformReset(low=low, high=high, rate=0.5)(np.random.default_rng(3), genomes, PARENTS)
    drawn = (mutants[mutants != 1e9] - low) / (high - low)
    n = drawn.size
    assert abs(n / mutants.size - 0.5) < 0.02
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert abs(drawn.mean() - 0.5) < 5 * math.sqrt(1 / 12 / n)
    assert abs(drawn.var() - 1 / 12) < 5 * math.sqrt(1 / 180 / n)
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    assert ((counts - n / 20) ** 2).sum() / (n / 20) < 19 + 5 * math.sqrt(38)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, -2.0)])
def test_an_empty_range_is_refused(low, high):
    with pytest.raises(ValueError) as refused:
        UniformReset(low=low, high=high)
    assert str(refused.value) == f"UniformReset.low must be below high ({high}), got {low}"


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.4, 1.0])
@pytest.mark.parametrize(
    "architecture",
    [ARCHITECTURE, Architecture(2, 3, 2, recurrent=True), Architecture(2, 3, 2, bias=False)],
    ids=str,
)
def test_neuron_mutation_changes_all_weights_of_some_neurons_and_no_others(rate, architecture):
    changed = steps(NeuronMutation(rate=rate), architecture=architecture) != 0
    owners = architecture.gene_neurons
    for neuron in np.unique(owners):
        genes = changed[:, owners == neuron]
        assert (genes.all(axis=1) == genes.any(axis=1)).all()
        assert abs(genes[:, 0].mean() - rate) <= 5 * math.sqrt(rate * (1 - rate) / ROWS)
    if 0 < rate < 1:
        neurons = changed[:, [int(np.flatnonzero(owners == neuron)[0]) for neuron in np.unique(owners)]]
        correlations = np.corrcoef(neurons.T)[~np.eye(neurons.shape[1], dtype=bool)]
        assert np.abs(correlations).max() < 5 / math.sqrt(ROWS)


def test_a_neuron_s_steps_are_normal_and_each_gene_has_its_own():
    taken = steps(NeuronMutation(sigma=2.0, rate=0.3))
    assert_normal(taken[taken != 0] / 2.0)
    first_neuron = taken[:, ARCHITECTURE.gene_neurons == 0]
    mutated = first_neuron[first_neuron.any(axis=1)]
    correlations = np.corrcoef(mutated.T)[~np.eye(mutated.shape[1], dtype=bool)]
    assert np.abs(correlations).max() < 5 / math.sqrt(len(mutated))


def test_sigma_scales_the_step_and_nothing_else():
    small, large = steps(Gaussian(sigma=0.5, rate=0.2)), steps(Gaussian(sigma=4.0, rate=0.2))
    assert np.array_equal(small != 0, large != 0)
    assert np.allclose(8 * small, large, atol=1e-14)
