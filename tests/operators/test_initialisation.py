"""First genomes, and the bounds of genes."""

import math

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.operators.bounds import Bounds
from evonet.operators.crossover import SBX
from evonet.operators.initialisation import INITIALISATIONS, Normal, Orthogonal, UniformInitialisation, Xavier
from evonet.operators.mutation import Cauchy
from evonet.population import Population
from evonet.seeding import Purpose, generator

ARCHITECTURE = Architecture(4, 6, 3, recurrent=True)


def drawn(initialisation, count=3000, architecture=ARCHITECTURE):
    return initialisation(np.random.default_rng(1), count, architecture)


@pytest.mark.parametrize("kind", INITIALISATIONS.values(), ids=INITIALISATIONS)
def test_a_genetic_algorithm_begins_there(kind):
    algorithm = GeneticAlgorithm(ARCHITECTURE, 10, initialisation=kind(), seed=3)
    assert np.array_equal(algorithm.ask(), kind()(generator(3, Purpose.INITIALISATION), 10, ARCHITECTURE))


def test_the_default_is_a_standard_normal_draw():
    rng = generator(3, Purpose.INITIALISATION)
    algorithm = GeneticAlgorithm(ARCHITECTURE, 10, seed=3)
    assert np.array_equal(algorithm.ask(), Population.random(ARCHITECTURE, 10, rng).genomes)
    assert drawn(Normal(2.0)).std() == pytest.approx(2.0, rel=0.02)


def test_uniform_genes_fill_their_range():
    genomes = drawn(UniformInitialisation(-2.0, 3.0))
    assert (genomes.min(), genomes.max()) == pytest.approx((-2.0, 3.0), abs=0.01)
    with pytest.raises(ValueError, match=r"^UniformInitialisation.low must be below high \(1.0\), got 2.0"):
        UniformInitialisation(2.0, 1.0)


def test_xavier_weights_have_the_variance_of_the_paper_and_biases_none():
    views = ARCHITECTURE.views(drawn(Xavier()))
    for name, (fan_in, fan_out) in {
        "input_hidden_weights": (4, 6),
        "hidden_hidden_weights": (6, 6),
        "hidden_output_weights": (6, 3),
    }.items():
        assert views[name].var() == pytest.approx(2 / (fan_in + fan_out), rel=0.03)
        assert np.abs(views[name]).max() <= math.sqrt(6 / (fan_in + fan_out))
    assert not views["hidden_bias"].any()
    assert not views["output_bias"].any()


def test_orthogonal_weights_keep_lengths():
    views = ARCHITECTURE.views(drawn(Orthogonal(gain=2.0), 200))
    for name, short in {"input_hidden_weights": 4, "hidden_hidden_weights": 6, "hidden_output_weights": 3}.items():
        weights = views[name]
        product = (
            weights @ weights.transpose(0, 2, 1) if weights.shape[1] == short else weights.transpose(0, 2, 1) @ weights
        )
        assert np.allclose(product, 4 * np.eye(short), atol=1e-12)
        assert abs(weights.mean()) < 0.1
    assert not views["hidden_bias"].any()


@pytest.mark.parametrize("handling", ["clip", "reflect"])
def test_genes_stay_within_their_bounds(handling):
    bounds = Bounds(-1.0, 0.5, handling)
    algorithm = GeneticAlgorithm(ARCHITECTURE, 20, 2, crossover=SBX(eta=0.5), mutation=Cauchy(10.0, 0.5), bounds=bounds)
    for _ in range(5):
        genomes = algorithm.ask()
        assert genomes.min() >= -1.0
        assert genomes.max() <= 0.5
        algorithm.tell(genomes.sum(axis=1))


def test_reflected_genes_are_as_far_inside_as_they_were_outside():
    genes = np.array([[-1.25, 0.75, 0.25, -1.0, 0.5, 3.75, -9.0]])
    expected = [-0.75, 0.25, 0.25, -1.0, 0.5, 0.25, 0.0]
    assert Bounds(-1.0, 0.5, "reflect")(genes)[0].tolist() == pytest.approx(expected)
    assert Bounds(-1.0, 0.5)(genes)[0].tolist() == [-1.0, 0.5, 0.25, -1.0, 0.5, 0.5, -1.0]
    with pytest.raises(ValueError, match=r"^Bounds.low must be below high"):
        Bounds(1.0, 1.0)
