"""Crossovers put children together from whole pieces of their parents, with the chances that they promise."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.architecture import Architecture
from evonet.network import NeuralNetwork
from evonet.operators.crossover import Arithmetic, KPoint, NeuronCrossover, NoCrossover, OnePoint, UniformCrossover

ARCHITECTURE = Architecture(3, 5, 2)
SIZE = ARCHITECTURE.genome_size
N = 20_000
architectures = st.builds(
    Architecture,
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 6),
    bias=st.booleans(),
    recurrent=st.booleans(),
)


def origins(crossover, architecture=ARCHITECTURE, n=N, seed=0):
    """Which parent each gene came from, 0 or 1, `(n, genome_size)`."""
    shape = (n, architecture.genome_size)
    genes = crossover(np.random.default_rng(seed), np.zeros(shape), np.ones(shape), architecture)
    assert np.isin(genes, (0.0, 1.0)).all()
    return genes.astype(np.int64)


def cuts_of(genes):
    return np.flatnonzero(np.diff(genes))


def assert_alike(counts, kinds):
    """Counts of `kinds` equally likely outcomes: chi-squared within five standard deviations of its mean."""
    assert len(counts) == kinds
    counts = np.array(list(counts.values()) if isinstance(counts, dict) else counts)
    expected = counts.sum() / kinds
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert chi_squared < kinds - 1 + 5 * math.sqrt(2 * (kinds - 1))


def tally(keys):
    counts = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return counts


@pytest.mark.parametrize(
    "crossover",
    [
        OnePoint(rate=1),
        KPoint(rate=1, points=5),
        UniformCrossover(rate=1),
        UniformCrossover(rate=1, swap=0.3),
        NeuronCrossover(rate=1),
    ],
    ids=str,
)
@given(architectures, st.integers(0, 2**32))
def test_every_gene_is_one_parent_s_to_the_bit(crossover, architecture, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 5, architecture.genome_size))
    first[:, 0], second[:, 0], first[:, -1], second[:, -1] = -0.0, 0.0, 5e-324, -5e-324
    children = crossover(rng, first, second, architecture)
    bits, of_first, of_second = (genes.view(np.int64) for genes in (children, first, second))
    assert ((bits == of_first) | (bits == of_second)).all()


def test_one_point_cuts_once_anywhere_and_either_parent_begins():
    genes = origins(OnePoint(rate=1.0))
    keys = tally((int(row[0]), *cuts_of(row).tolist()) for row in genes)
    assert set(keys) == {(start, cut) for start in (0, 1) for cut in range(SIZE - 1)}
    assert_alike(keys, 2 * (SIZE - 1))


@pytest.mark.parametrize("points", [1, 2, 3, 8, SIZE - 2, SIZE - 1, SIZE, 1000])
def test_k_point_cuts_exactly_so_often(points):
    genes = origins(KPoint(rate=1.0, points=points), n=500)
    assert {len(cuts_of(row)) for row in genes} == {min(points, SIZE - 1)}


@pytest.mark.parametrize("points", [1, 2, 3, 4])
def test_k_point_s_places_are_all_equally_likely(points):
    architecture = Architecture(2, 2, 1, bias=False)  # six genes, five places
    genes = origins(KPoint(rate=1.0, points=points), architecture)
    keys = tally((int(row[0]), *cuts_of(row).tolist()) for row in genes)
    assert set(keys) == {(start, *cuts) for start in (0, 1) for cuts in combinations(range(5), points)}
    assert_alike(keys, 2 * math.comb(5, points))


def test_two_point_crossover_can_swap_the_first_gene_and_the_last():
    genes = origins(KPoint(rate=1.0, points=2))
    for ends in (genes[:, 0], genes[:, -1]):
        assert abs(ends.mean() - 0.5) < 5 * 0.5 / math.sqrt(N)


@pytest.mark.parametrize("swap", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("architecture", [ARCHITECTURE, Architecture(1, 1, 1, bias=False), Architecture(8, 4, 8)])
def test_uniform_takes_each_gene_on_its_own_with_the_chance_given(swap, architecture):
    genes = origins(UniformCrossover(rate=1.0, swap=swap), architecture)
    deviation = math.sqrt(swap * (1 - swap) / N)
    assert (np.abs(genes.mean(axis=0) - swap) <= 5 * deviation).all()
    if deviation:
        correlations = np.corrcoef(genes.T)[~np.eye(architecture.genome_size, dtype=bool)]
        assert np.abs(correlations).max() < 5.5 / math.sqrt(N)
        rows = np.corrcoef(genes[:-1].sum(axis=1), genes[1:].sum(axis=1))[0, 1]
        assert abs(rows) < 5 / math.sqrt(N)


def test_arithmetic_children_lie_on_the_line_at_places_drawn_evenly():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, N, SIZE))
    children = Arithmetic(rate=1.0)(rng, first, second, ARCHITECTURE)
    share = ((children - first) * (second - first)).sum(axis=1) / ((second - first) ** 2).sum(axis=1)
    assert np.allclose(children, first + share[:, None] * (second - first))
    assert share.min() >= 0
    assert share.max() <= 1
    assert_alike(np.histogram(share, bins=20, range=(0, 1))[0], 20)


def assert_whole_neurons(child, first, second):
    """Every hidden neuron and every output bias of `child` is one parent's, whole. Plain Python, by the networks."""
    architecture = child.architecture
    for index in range(architecture.num_hidden):
        neurons = [network.neuron("hidden", index) for network in (child, first, second)]
        own, *parents = [np.concatenate(neuron).tolist() for neuron in neurons]
        assert own in parents, f"hidden neuron {index} is neither parent's"
    if architecture.bias:
        for index in range(architecture.num_outputs):
            assert child.output_bias[index] in (first.output_bias[index], second.output_bias[index])


@pytest.mark.parametrize("swap", [0.5, 0.2])
@given(architectures, st.integers(0, 2**32))
def test_neuron_crossover_exchanges_whole_neurons(swap, architecture, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 4, architecture.genome_size))
    children = NeuronCrossover(rate=1.0, swap=swap)(rng, first, second, architecture)
    for genomes in zip(children, first, second, strict=True):
        assert_whole_neurons(*(NeuralNetwork.from_genome(architecture, genome) for genome in genomes))


@pytest.mark.parametrize("swap", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("architecture", [ARCHITECTURE, Architecture(2, 3, 2, recurrent=True)], ids=str)
def test_neurons_are_exchanged_on_their_own_with_the_chance_given(swap, architecture):
    genes = origins(NeuronCrossover(rate=1.0, swap=swap), architecture)
    one_of_each = [int(np.flatnonzero(architecture.gene_neurons == k)[0]) for k in range(architecture.num_neurons)]
    neurons = genes[:, one_of_each]
    assert np.array_equal(neurons[:, architecture.gene_neurons], genes)
    deviation = math.sqrt(swap * (1 - swap) / N)
    assert (np.abs(neurons.mean(axis=0) - swap) <= 5 * deviation).all()
    if deviation:
        correlations = np.corrcoef(neurons.T)[~np.eye(architecture.num_neurons, dtype=bool)]
        assert np.abs(correlations).max() < 5.5 / math.sqrt(N)


def test_a_network_of_both_parents_neurons_computes_with_them():
    """A child that took every hidden neuron from one parent differs from it by output biases alone."""
    architecture = Architecture(3, 4, 2, output_activation="identity")
    first, second = np.random.default_rng(1).normal(size=(2, 1, architecture.genome_size))
    for seed in range(2000):
        child = NeuronCrossover(rate=1.0)(np.random.default_rng(seed), first, second, architecture)[0]
        if np.array_equal(child[:-2], second[0, :-2]):
            break
    x = [0.3, -0.2, 0.9]
    network, parent = NeuralNetwork.from_genome(architecture, child), NeuralNetwork.from_genome(architecture, second[0])
    difference = network.predict(x) - parent.predict(x)
    assert np.allclose(difference, network.output_bias - parent.output_bias)


def test_no_crossover_copies_the_first_parent_whatever_its_rate():
    first, second = np.random.default_rng(0).normal(size=(2, 40, SIZE))
    for rate in (0.0, 0.5, 1.0):
        children = NoCrossover(rate=rate)(np.random.default_rng(0), first, second, ARCHITECTURE)
        assert np.array_equal(children, first)
        assert not np.shares_memory(children, first)


def test_one_point_with_more_points_is_refused():
    with pytest.raises(ValueError) as refused:
        OnePoint(points=2)
    assert str(refused.value) == "OnePoint.points must be 1, got 2; use KPoint for more"
