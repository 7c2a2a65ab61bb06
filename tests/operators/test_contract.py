"""What every operator promises. A new one is held to it the moment it is entered in its registry."""

import dataclasses
import random
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evonet.network import Architecture
from evonet.operators.crossover import CROSSOVERS
from evonet.operators.mutation import MUTATIONS
from evonet.operators.selection import SELECTIONS
from evonet.settings import argument_hints

REGISTRIES = {"selection": SELECTIONS, "crossover": CROSSOVERS, "mutation": MUTATIONS}
OPERATORS = [
    pytest.param(kind, id=f"{role}-{name}") for role, registry in REGISTRIES.items() for name, kind in registry.items()
]
SETTINGS = [
    pytest.param(kind, name, id=f"{kind.__name__}.{name}")
    for registry in REGISTRIES.values()
    for kind in registry.values()
    for name in argument_hints(kind)
]
each_selection = pytest.mark.parametrize("kind", SELECTIONS.values(), ids=SELECTIONS)
each_crossover = pytest.mark.parametrize("kind", CROSSOVERS.values(), ids=CROSSOVERS)
each_mutation = pytest.mark.parametrize("kind", MUTATIONS.values(), ids=MUTATIONS)
each_mixing_crossover = pytest.mark.parametrize(
    "kind", [kind for name, kind in CROSSOVERS.items() if name != "none"], ids=[n for n in CROSSOVERS if n != "none"]
)

seeds = st.integers(0, 2**32)
genes = st.floats(-1e150, 1e150)
architectures = st.builds(
    Architecture,
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(1, 5),
    bias=st.booleans(),
    recurrent=st.booleans(),
)
fitnesses = arrays(np.float64, st.integers(1, 12), elements=st.floats(allow_nan=False, allow_infinity=False))
SHAPES = [
    Architecture(1, 1, 1, bias=False),
    Architecture(3, 5, 2),
    Architecture(2, 3, 1, recurrent=True),
    Architecture(7, 1, 9, bias=False, recurrent=True),
]


def always(kind, **settings):
    """The crossover where it crosses every pair."""
    return kind(**settings) if kind is CROSSOVERS["none"] else kind(rate=1.0, **settings)


def genome_matrices(data, architecture, how_many):
    rows = data.draw(st.integers(0, 6))
    shape = (rows, architecture.genome_size)
    matrices = [data.draw(arrays(np.float64, shape, elements=genes)) for _ in range(how_many)]
    for matrix in matrices:
        matrix.flags.writeable = False  # whoever writes an input raises
    return matrices


def global_randomness():
    return random.getstate(), np.random.get_state()[1].tobytes()  # noqa: NPY002


@pytest.mark.parametrize("kind", OPERATORS)
def test_an_operator_is_made_of_frozen_settings_with_defaults(kind):
    operator = kind()
    assert dataclasses.is_dataclass(operator)
    assert kind() == operator
    assert hash(kind()) == hash(operator)
    assert not hasattr(operator, "__dict__") or set(vars(operator)) == {f.name for f in dataclasses.fields(kind)}
    for name in [f.name for f in dataclasses.fields(kind)] or ["anything"]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(operator, name, 1)


@pytest.mark.parametrize("kind", OPERATORS)
def test_an_operator_says_what_it_does(kind):
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}(")  # what dataclass writes where nobody did


@pytest.mark.parametrize(("kind", "name"), SETTINGS)
def test_a_setting_of_the_wrong_type_is_refused_by_name(kind, name):
    for value in ("0.5", [1]):
        with pytest.raises((TypeError, ValueError)) as refused:
            kind(**{name: value})
        assert str(refused.value).startswith(f"{kind.__name__}.{name} must be ")
        assert str(refused.value).endswith(f", got {value!r}")


@pytest.mark.parametrize(("kind", "name"), SETTINGS)
def test_a_setting_out_of_range_is_refused_by_name(kind, name):
    hint = argument_hints(kind)[name]
    number, *bounds = get_args(hint) or (hint,)
    if number not in (int, float):
        pytest.skip("no range")
    wrong = [] if number is int else [float("nan"), float("inf")]
    for bound in bounds:
        wrong += [bound.ge - 1] if isinstance(bound, Ge) else []
        wrong += [bound.le + 1] if isinstance(bound, Le) else []
        wrong += [bound.gt] if isinstance(bound, Gt) else []
        wrong += [bound.lt] if isinstance(bound, Lt) else []
    assert wrong, "a setting needs a range"
    for value in wrong:
        with pytest.raises(ValueError) as refused:
            kind(**{name: value})
        assert str(refused.value).startswith(f"{kind.__name__}.{name} must be ")
        assert str(refused.value).endswith(f", got {value!r}")


@each_selection
@given(fitnesses, st.integers(0, 30), seeds)
def test_a_selection_returns_as_many_valid_indices_as_asked(kind, fitness, count, seed):
    fitness.flags.writeable = False
    before, outside = fitness.copy(), global_randomness()
    parents = kind()(np.random.default_rng(seed), fitness, count)
    assert parents.shape == (count,)
    assert np.issubdtype(parents.dtype, np.integer)
    assert ((parents >= 0) & (parents < len(fitness))).all()
    assert np.array_equal(parents, kind()(np.random.default_rng(seed), fitness, count))
    assert np.array_equal(fitness, before)
    assert global_randomness() == outside


@each_selection
def test_a_selection_depends_on_its_generator(kind):
    fitness = np.arange(20.0)
    draws = {kind()(np.random.default_rng(seed), fitness, 30).tobytes() for seed in range(10)}
    assert len(draws) == 10


@each_selection
@pytest.mark.parametrize("fitness", [[0.0], [-1e308], [1e308, -1e308], [5e-324, 0.0], [3.0, 3.0, 3.0]], ids=str)
@pytest.mark.parametrize("strength", ["least", "most"])
def test_a_selection_serves_the_smallest_populations_at_any_pressure(kind, fitness, strength):
    pressures = {"least": {"size": 1, "fraction": 1.0, "pressure": 1.0}, "most": {"size": 50, "pressure": 2.0}}
    settings = {name: value for name, value in pressures[strength].items() if name in argument_hints(kind)}
    parents = kind(**settings)(np.random.default_rng(0), np.array(fitness), 8)
    assert set(parents.tolist()) <= set(range(len(fitness)))


@each_selection
@pytest.mark.parametrize("fitness", [np.arange(12.0), -(np.arange(12.0) ** 2), np.repeat([0.0, 1.0, 5.0], 4)])
def test_a_fitter_individual_never_has_the_smaller_chance(kind, fitness):
    order = np.random.default_rng(1).permutation(len(fitness))
    n = 60_000
    share = np.bincount(kind()(np.random.default_rng(2), fitness[order], n), minlength=12) / n
    rising = share[np.argsort(fitness[order], kind="stable")]
    groups = [rising[np.sort(fitness) == value].mean() for value in np.unique(fitness)]
    assert all(better >= worse - 5 * np.sqrt((worse + better) / n) for worse, better in pairwise(groups))


@each_selection
def test_neighbours_are_in_random_order_so_that_they_may_be_paired(kind):
    n = 40_000
    parents = kind()(np.random.default_rng(3), np.arange(10.0), n)
    first, second = parents[::2], parents[1::2]
    share = np.bincount(parents, minlength=10) / n
    to_itself, chance = (first == second).mean(), (share**2).sum()
    assert abs(to_itself - chance) < 5 * np.sqrt(chance / len(first))
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(len(first))
    assert abs(np.corrcoef(parents, np.arange(n))[0, 1]) < 5 / np.sqrt(n)


@each_crossover
@given(architectures, st.floats(0, 1), seeds, st.data())
def test_a_crossover_keeps_shape_and_inputs_and_follows_its_generator(kind, architecture, rate, seed, data):
    first, second = genome_matrices(data, architecture, 2)
    kept, outside = (first.copy(), second.copy()), global_randomness()
    for crossover in (kind(), kind(rate=rate), kind(rate=0.0), always(kind)):
        children = crossover(np.random.default_rng(seed), first, second, architecture)
        assert children.shape == first.shape
        assert children.dtype == np.float64
        assert np.isfinite(children).all()
        assert not np.shares_memory(children, first)
        assert not np.shares_memory(children, second)
        again = crossover(np.random.default_rng(seed), first, second, architecture)
        assert children.tobytes() == again.tobytes()
    assert np.array_equal(first, kept[0])
    assert np.array_equal(second, kept[1])
    assert global_randomness() == outside


@each_crossover
@given(architectures, seeds, st.data())
def test_equal_parents_have_a_child_equal_to_them(kind, architecture, seed, data):
    (genomes,) = genome_matrices(data, architecture, 1)
    children = always(kind)(np.random.default_rng(seed), genomes, genomes.copy(), architecture)
    assert np.array_equal(children, genomes)


@each_crossover
def test_without_rate_every_child_is_its_first_parent(kind):
    architecture = Architecture(3, 5, 2)
    first, second = np.random.default_rng(0).normal(size=(2, 50, architecture.genome_size))
    children = kind(rate=0.0)(np.random.default_rng(1), first, second, architecture)
    assert np.array_equal(children, first)


@each_mixing_crossover
def test_the_rate_is_the_share_of_pairs_that_are_crossed(kind):
    n, architecture = 20_000, Architecture(4, 8, 3)
    first, second = np.zeros((n, architecture.genome_size)), np.ones((n, architecture.genome_size))
    whole = always(kind)(np.random.default_rng(5), first, second, architecture).any(axis=1).mean()
    for rate in (0.1, 0.5, 0.9):
        children = kind(rate=rate)(np.random.default_rng(6), first, second, architecture)
        share = children.any(axis=1).mean()
        assert abs(share - rate * whole) < 5 * np.sqrt(rate * whole * (1 - rate * whole) / n) + 0.005


@each_mixing_crossover
@pytest.mark.parametrize("architecture", SHAPES, ids=str)
def test_every_gene_can_be_exchanged_and_every_gene_can_stay(kind, architecture):
    first, second = np.zeros((2000, architecture.genome_size)), np.ones((2000, architecture.genome_size))
    children = always(kind)(np.random.default_rng(7), first, second, architecture)
    assert children.any(axis=0).all(), "a gene can never come from the second parent"
    assert (children < 1).any(axis=0).all(), "a gene can never come from the first parent"


@each_mutation
@given(architectures, seeds, st.data())
def test_a_mutation_keeps_shape_and_inputs_and_follows_its_generator(kind, architecture, seed, data):
    (genomes,) = genome_matrices(data, architecture, 1)
    kept, outside = genomes.copy(), global_randomness()
    rates = [{}] + [{"rate": rate} for rate in (0.0, 0.3, 0.7, 1.0, 1e-300) if "rate" in argument_hints(kind)]
    for settings in rates:
        mutants = kind(**settings)(np.random.default_rng(seed), genomes, architecture)
        assert mutants.shape == genomes.shape
        assert mutants.dtype == np.float64
        assert np.isfinite(mutants).all()
        assert not np.shares_memory(mutants, genomes)
        again = kind(**settings)(np.random.default_rng(seed), genomes, architecture)
        assert mutants.tobytes() == again.tobytes()
    assert np.array_equal(genomes, kept)
    assert global_randomness() == outside


@each_mutation
@pytest.mark.parametrize("architecture", SHAPES, ids=str)
def test_every_gene_of_every_row_can_be_mutated(kind, architecture):
    rng = np.random.default_rng(8)
    genomes = rng.uniform(-1, 1, (3000, architecture.genome_size))
    changed = kind()(rng, genomes, architecture) != genomes
    assert changed.any(axis=0).all(), "a gene is never mutated"
    few = sum(kind()(rng, genomes[:4], architecture) != genomes[:4] for _ in range(1500))
    assert few.all(), "a gene of the first or last row is never mutated"


@each_mutation
def test_mutants_differ_from_their_parents_and_from_each_other(kind):
    architecture = Architecture(4, 16, 2)
    exchanging = kind is MUTATIONS["cosyne_permutation"]  # it makes no new genes, so that like parents stay alike
    parents = np.random.default_rng(9).normal(size=(60 if exchanging else 1, architecture.genome_size)).repeat(
        1 if exchanging else 60, axis=0
    )
    mutants = kind()(np.random.default_rng(9), parents, architecture)
    changed = mutants[(mutants != parents).any(axis=1)]
    assert len(changed) > 30
    assert len(np.unique(changed, axis=0)) == len(changed)
