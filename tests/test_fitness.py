"""Fitness: how returns become one number, whose environments it serves, and what it says to those it refuses."""

import functools
import re
from decimal import Decimal

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evonet import (
    Architecture,
    EpisodeReturn,
    FunctionFitness,
    GeneticAlgorithm,
    NetworkFitness,
    Validation,
    evolve,
)
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.environments.wrappers import Wrapper
from evonet.errors import (
    ConfigError,
    EnvironmentUnavailable,
    EvonetError,
    FitnessFunctionFailed,
    UnsuitableEnvironment,
)
from evonet.evaluation.results import EpisodeResults
from evonet.fitness import Fitness, aggregate
from evonet.foreign import without_place
from evonet.function_fitness import function_fitness
from tests.environments_for_tests import MODULE, Endless, Walk, Wordy, closeness, failing, make_walk

WALK = f"{MODULE}:evonet-tests/Walk-v0"
SEEDS = np.array([3, 1, 4])
matrices = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-1e6, 1e6))


def plain(fitness, n=4, seeds=SEEDS):
    genomes = np.random.default_rng(1).normal(size=(n, fitness.architecture.genome_size))
    return genomes, fitness(genomes, seeds)


@pytest.mark.parametrize(
    ("aggregation", "quantile", "expected"),
    [
        ("mean", 0.9, [4.0, -2.0]),
        ("min", 0.9, [1.0, -2.0]),
        ("median", 0.9, [2.0, -2.0]),
        ("quantile", 0.0, [1.0, -2.0]),
        ("quantile", 0.5, [2.0, -2.0]),
        ("quantile", 0.75, [5.5, -2.0]),
        ("quantile", 1.0, [9.0, -2.0]),
    ],
)
def test_returns_of_episodes_become_one_fitness(aggregation, quantile, expected):
    returns = np.array([[9.0, 1.0, 2.0], [-2.0, -2.0, -2.0]])
    assert aggregate(returns, aggregation, quantile).tolist() == expected
    fitness = EpisodeReturn(make_walk, aggregation=aggregation, quantile=quantile)
    assert fitness.aggregate(returns).tolist() == expected


@pytest.mark.parametrize("aggregation", ["mean", "min", "median", "quantile"])
@given(returns=matrices, poison=st.sampled_from([np.nan, np.inf, -np.inf]), data=st.data())
def test_one_failed_episode_makes_an_individual_the_last_and_touches_no_other(aggregation, returns, poison, data):
    row = data.draw(st.integers(0, len(returns) - 1))
    before = aggregate(returns, aggregation, 0.25)
    returns[row, data.draw(st.integers(0, returns.shape[1] - 1))] = np.nan
    after = aggregate(returns, aggregation, 0.25)
    assert after[row] == -np.inf
    assert np.delete(after, row).tolist() == np.delete(before, row).tolist()
    assert np.isfinite(before).all()


@given(matrices)
def test_the_order_of_the_episodes_is_of_no_account(returns):
    for aggregation in ("min", "median", "quantile"):
        assert np.array_equal(aggregate(returns, aggregation, 0.25), aggregate(returns[:, ::-1], aggregation, 0.25))


def test_every_genome_meets_every_seed():
    fitness = EpisodeReturn(make_walk, hidden=3)
    genomes, results = plain(fitness)
    assert results.returns.shape == results.lengths.shape == results.terminated.shape == (4, 3)
    for i, genome in enumerate(genomes):
        for e, seed in enumerate(SEEDS):
            alone = fitness(genome[None], np.array([seed]))
            assert alone.returns[0, 0] == results.returns[i, e]
            assert alone.lengths[0, 0] == results.lengths[i, e]
    assert len(np.unique(results.lengths, axis=0)) == 1  # the episode's length is its seed's, whoever acts
    assert len(np.unique(results.lengths)) > 1


def test_both_kinds_are_what_the_loop_asks_of_a_fitness():
    architecture = Architecture(2, 2, 1)
    assert isinstance(EpisodeReturn(make_walk), Fitness)
    assert isinstance(FunctionFitness(closeness, architecture), Fitness)
    assert not isinstance(closeness, Fitness)


@pytest.mark.parametrize(
    "environment", [WALK, EnvironmentSpec(WALK), make_walk, Walk, functools.partial(Walk)], ids=range(5)
)
def test_an_environment_may_be_an_id_a_specification_or_anything_that_makes_it(environment):
    genomes, expected = plain(EpisodeReturn(Walk, hidden=3))
    fitness = EpisodeReturn(environment, hidden=3)
    assert fitness(genomes, SEEDS).returns.tobytes() == expected.returns.tobytes()
    assert (fitness.architecture.num_inputs, fitness.architecture.num_outputs) == (3, 2)


@pytest.mark.parametrize(
    ("environment", "settings", "limit"),
    [
        (WALK, {}, 20),
        (WALK, {"max_steps": 7}, 7),
        (EnvironmentSpec(WALK, max_steps=8), {}, 8),
        (EnvironmentSpec(WALK, max_steps=8), {"max_steps": 9}, 9),
        (make_walk, {}, 1000),
        (make_walk, {"max_steps": 7}, 7),
        (functools.partial(gym.make, WALK), {}, 20),
        (f"{MODULE}:evonet-tests/Endless-v0", {}, 1000),
        ("CartPole-v1", {}, 500),
        ("CartPole-v1", {"max_steps": 2000}, 2000),
    ],
    ids=range(10),
)
def test_there_is_always_a_limit_to_the_steps(environment, settings, limit):
    assert EpisodeReturn(environment, **settings).task.max_steps == limit


def test_a_limit_above_the_environments_own_holds():
    fitness = EpisodeReturn(
        f"{MODULE}:evonet-tests/Threads-v0", max_steps=33, wrappers=[Wrapper("TimeAwareObservation")]
    )
    assert plain(fitness, 1)[1].lengths.tolist() == [[33, 33, 33]]
    bare = EpisodeReturn(f"{MODULE}:evonet-tests/Threads-v0", max_steps=33)
    assert plain(bare, 1)[1].lengths.tolist() == [[33, 33, 33]]


def test_keyword_arguments_reach_the_environment():
    fitness = EpisodeReturn(f"{MODULE}:evonet-tests/Endless-v0", kwargs={"ends": 6, "reward": 0.5})
    results = plain(fitness)[1]
    assert (results.returns == 3.0).all()
    assert (results.lengths == 6).all()
    assert results.terminated.all()


def test_wrappers_go_around_the_environment_the_first_innermost():
    doubled = Wrapper(f"{MODULE}:Doubled", {"times": 3.0})
    clipped = Wrapper("ClipReward", {"min_reward": 0.0, "max_reward": 1.0})
    settings = {"kwargs": {"ends": 2}}
    inner_first = EpisodeReturn(f"{MODULE}:evonet-tests/Endless-v0", wrappers=[doubled, clipped], **settings)
    outer_first = EpisodeReturn(f"{MODULE}:evonet-tests/Endless-v0", wrappers=[clipped, doubled], **settings)
    assert (plain(inner_first)[1].returns == 2.0).all()
    assert (plain(outer_first)[1].returns == 6.0).all()


def test_a_wrapper_may_change_the_spaces_and_the_network_follows():
    stacked = EpisodeReturn("CartPole-v1", wrappers=[Wrapper("FrameStackObservation", {"stack_size": 3})])
    assert stacked.architecture.num_inputs == 12
    assert plain(stacked, 2)[1].faults == []


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"hidden": -1}, ValueError, "EpisodeReturn.hidden must be at least 0, got -1"),
        ({"hidden": 2.5}, TypeError, "EpisodeReturn.hidden must be a whole number, got 2.5"),
        ({"hidden": True}, TypeError, "EpisodeReturn.hidden must be a whole number, got True"),
        ({"episodes": 0}, ValueError, "EpisodeReturn.episodes must be at least 1, got 0"),
        ({"quantile": 1.5}, ValueError, "EpisodeReturn.quantile must be at most 1, got 1.5"),
        ({"quantile": -0.1}, ValueError, "EpisodeReturn.quantile must be at least 0, got -0.1"),
        ({"max_steps": 0}, ValueError, "EpisodeReturn.max_steps must be at least 1, got 0"),
        ({"bias": 1}, TypeError, "EpisodeReturn.bias must be true or false, got 1"),
        (
            {"aggregation": "max"},
            ValueError,
            "EpisodeReturn.aggregation must be one of 'mean', 'median', 'min', 'quantile', got 'max'",
        ),
        ({"action_squash": "cut"}, ValueError, "EpisodeReturn.action_squash must be one of 'clip', 'tanh', got 'cut'"),
        (
            {"hidden_activation": "tan"},
            ValueError,
            (
                "EpisodeReturn.hidden_activation must be a known name, got 'tan'; did you mean 'tanh'? "
                "Known: gaussian, identity, leaky_relu, relu, sigmoid, sin, step, tanh"
            ),
        ),
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused_with_argument_rule_and_value(settings, kind, message):
    with pytest.raises(kind) as refused:
        EpisodeReturn("CartPole-v1", **settings)
    assert str(refused.value) == message


INSTEAD = "; pass 'CartPole-v1', or a function such as lambda: gym.make(…)"


@pytest.mark.parametrize("make", [lambda: gym.make("CartPole-v1"), lambda: gym.make_vec("CartPole-v1"), lambda: None])
def test_an_instance_where_a_function_makes_environments_is_refused_with_what_is_wanted(make):
    environment = make()
    with pytest.raises(TypeError) as refused:
        EpisodeReturn(environment)
    assert str(refused.value) == (
        "EpisodeReturn.environment must be an id, a specification, or a function that makes a new environment each "
        f"time, got {environment!r}{INSTEAD if isinstance(environment, gym.Env) else ''}"
    )


def test_an_instance_that_no_id_made_is_refused_with_its_class():
    with pytest.raises(TypeError, match=r"; pass its class, Walk, or a function such as lambda: gym\.make\(…\)$"):
        EpisodeReturn(Walk())


def test_a_fitness_closes_what_it_holds_at_the_end_of_its_context(monkeypatch):
    closed = []
    with EpisodeReturn("CartPole-v1", hidden=2) as fitness:
        monkeypatch.setattr(fitness._executor, "close", lambda: closed.append(True))
        assert not closed
    assert closed == [True]


def test_a_fitness_shows_what_it_scores():
    fitness = EpisodeReturn("CartPole-v1", hidden=3, engine="numpy")
    assert repr(fitness) == "<EpisodeReturn of CartPole-v1: 4-3-2 (tanh/identity), 3 episodes, numpy>"
    own = EpisodeReturn(Walk, hidden=2, episodes=1)
    assert repr(own) == "<EpisodeReturn of Walk: 3-2-2 (tanh/identity), 1 episode, gymnasium>"
    function = FunctionFitness(closeness, Architecture(1, 1, 1))
    assert repr(function) == "<FunctionFitness of closeness: 1-1-1 (sigmoid/sigmoid)>"
    assert repr(NetworkFitness(weight, Architecture(1, 1, 1))) == "<NetworkFitness of weight: 1-1-1 (sigmoid/sigmoid)>"


def test_the_name_of_a_wrapper_is_no_wrapper_in_python():
    with pytest.raises(TypeError, match=r"^EnvironmentSpec.wrappers must be a list of Wrapper, got 'ClipReward' in it"):
        EpisodeReturn("CartPole-v1", wrappers=["ClipReward"])


@pytest.mark.parametrize("settings", [{"kwargs": {"at": 3}}, {"wrappers": [Wrapper("ClipReward")]}], ids=str)
@pytest.mark.parametrize("environment", [make_walk, EnvironmentSpec(WALK)], ids=["callable", "specification"])
def test_an_environment_that_brings_its_own_takes_no_arguments(environment, settings):
    with pytest.raises(ValueError) as refused:
        EpisodeReturn(environment, **settings)
    assert (
        str(refused.value)
        == "EpisodeReturn.kwargs and wrappers must go with an id; apply them to the environment itself"
    )


@pytest.mark.parametrize(
    ("environment", "kind", "start"),
    [
        (
            "CartPol-v1",
            UnsuitableEnvironment,
            "'CartPol-v1' is not a registered environment; did you mean 'CartPole-v1'?",
        ),
        (
            "LunarLander-v2",
            UnsuitableEnvironment,
            "'LunarLander-v2' is not a registered environment; did you mean 'LunarLander-v3'?",
        ),
        (
            "no_such_module_at_all:Some-v0",
            EnvironmentUnavailable,
            "'no_such_module_at_all:Some-v0' cannot be made: ModuleNotFoundError: No module named 'no_such_module",
        ),
        (
            f"{MODULE}:evonet-tests/Impossible-v0",
            EnvironmentUnavailable,
            f"'{MODULE}:evonet-tests/Impossible-v0' cannot be made: OSError: the robot is not plugged in",
        ),
        (
            f"{MODULE}:evonet-tests/Wordy-v0",
            UnsuitableEnvironment,
            "the observation space Text(1, 5, charset=",
        ),
        (Wordy, UnsuitableEnvironment, "the observation space Text(1, 5, charset="),
    ],
    ids=["typo", "too old", "module", "impossible", "space", "space of a callable"],
)
def test_an_environment_that_cannot_serve_is_refused_by_name(environment, kind, start):
    with pytest.raises(kind) as refused:
        EpisodeReturn(environment)
    assert without_place(str(refused.value)).startswith(start)
    assert isinstance(refused.value, EvonetError)
    if "Text" in start:
        assert str(refused.value).endswith(
            "cannot be encoded as a network's inputs; "
            "use Box, Discrete, MultiDiscrete, MultiBinary, or a Tuple or Dict of those; a wrapper can convert"
        )


def test_an_unknown_wrapper_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError) as refused:
        EpisodeReturn(WALK, wrappers=[Wrapper("ClipRewards")])
    assert str(refused.value).startswith(
        "'ClipRewards' is not a wrapper of gymnasium.wrappers; did you mean 'ClipReward'? Known: AddRenderObservation, "
    )


def test_a_fitness_is_a_pure_function_of_genomes_seeds_and_normaliser():
    fitness = EpisodeReturn(make_walk, hidden=3, normalise_observations=True)
    fresh = ObservationNormaliser.fresh(3)
    genomes, results = plain(fitness)
    learned = results.merged_into(fresh)
    assert learned.count == results.steps
    assert np.abs(learned.deviation - 1.0).max() < 0.5
    assert learned.deviation.tolist() != [1.0, 1.0, 1.0]
    under_learned = fitness(genomes, SEEDS, learned).returns.tobytes()
    assert under_learned != results.returns.tobytes()
    for _ in range(2):  # whatever ran before
        assert fitness(genomes, SEEDS, fresh).returns.tobytes() == results.returns.tobytes()
        assert fitness(genomes, SEEDS, learned).returns.tobytes() == under_learned
        assert fitness(genomes, SEEDS).returns.tobytes() == results.returns.tobytes(), "the default is a fresh one"
    assert (fresh.count, fresh.mean.tolist()) == (0, [0.0, 0.0, 0.0])


def test_another_evolution_with_the_same_fitness_changes_nothing():
    fitness = EpisodeReturn(make_walk, hidden=2, normalise_observations=True)

    def evolution():
        algorithm = GeneticAlgorithm(fitness.architecture, population_size=6, seed=2)
        return evolve(algorithm, fitness, seed=2, validation=Validation(4))

    alone = [next(evolving).fitness.tobytes() for evolving in [evolution()] for _ in range(3)]
    pair = evolution(), evolution()
    together = [[next(evolving).fitness.tobytes() for evolving in pair] for _ in range(3)]
    assert together == [[fitness] * 2 for fitness in alone]


def test_normalisation_learns_nothing_from_episodes_that_failed():
    seeds = np.arange(40)
    sane, ill = (
        EpisodeReturn(WALK, hidden=3, normalise_observations=True, kwargs=kwargs)
        for kwargs in ({}, {"trouble": "nan reward", "at": 2, "seeds": list(range(20))})
    )
    genomes, _ = plain(sane)
    fresh = ObservationNormaliser.fresh(3)
    of_the_sane = sane(genomes, seeds[20:]).merged_into(fresh)
    of_the_ill = ill(genomes, seeds).merged_into(fresh)
    assert of_the_ill.count == of_the_sane.count
    np.testing.assert_allclose(of_the_ill.mean, of_the_sane.mean, rtol=1e-12)
    np.testing.assert_allclose(of_the_ill.sum_sq_dev, of_the_sane.sum_sq_dev, rtol=1e-12)


def test_without_normalisation_a_run_has_no_normaliser():
    fitness = EpisodeReturn(make_walk)
    assert plain(fitness)[1].observations is None
    evolution = evolve(GeneticAlgorithm(fitness.architecture, population_size=6), fitness, seed=1)
    assert next(evolution).normaliser is None
    assert evolution.normaliser is None


@pytest.mark.parametrize(
    "returned",
    [np.array, list, lambda values: values.astype(np.float32), np.ndarray.tolist],
    ids=["array", "list of arrays", "float32", "list"],
)
@pytest.mark.parametrize("per_episode", [True, False])
def test_a_function_of_ones_own_may_return_one_number_for_all_episodes_or_one_for_each(returned, per_episode):
    def function(genomes, episode_seeds):
        values = genomes[:, :1] + episode_seeds
        return returned(values if per_episode else values[:, 0])

    fitness = FunctionFitness(function, Architecture(2, 2, 1), episodes=3)
    genomes = np.arange(27.0).reshape(3, 9)
    results = fitness(genomes, SEEDS)
    expected = genomes[:, :1] + (SEEDS if per_episode else SEEDS[:1])
    assert results.returns.tolist() == expected.tolist()
    assert fitness.aggregate(results.returns).tolist() == expected.mean(axis=1).tolist()
    assert results.steps == 0
    assert (fitness.task, fitness.episodes) == (None, 3)


def test_what_a_function_returns_is_copied():
    kept = np.zeros((3, 3))
    kept[1, 2] = np.nan
    results = FunctionFitness(lambda genomes, seeds: kept, Architecture(1, 1, 1), 3)(np.zeros((3, 4)), SEEDS)
    results.returns[:] = 1.0
    assert kept[0, 0] == 0.0


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_a_fault_of_the_function(poison):
    def function(genomes, episode_seeds):
        returns = np.ones((len(genomes), len(episode_seeds)))
        returns[2, 1] = poison
        return returns

    fitness = FunctionFitness(function, Architecture(1, 1, 1), 3)
    results = fitness(np.zeros((4, 4)), SEEDS)
    (fault,) = results.faults
    assert (fault.individual, fault.episode, fault.seed, fault.kind) == (2, 1, 1, "nonfinite")
    assert fault.message == f"the function returned {poison}"
    assert fitness.aggregate(results.returns).tolist() == [1.0, 1.0, -np.inf, 1.0]


@pytest.mark.parametrize("returned", [np.ones(3), np.ones((4, 2)), 1.0, np.ones((3, 4)), np.ones((4, 3, 1))])
def test_a_function_that_returns_another_shape_is_told_which_it_must(returned):
    fitness = FunctionFitness(lambda genomes, seeds: returned, Architecture(1, 1, 1), 3)
    with pytest.raises(FitnessFunctionFailed) as refused:
        fitness(np.zeros((4, 4)), SEEDS)
    name = "test_a_function_that_returns_another_shape_is_told_which_it_must.<locals>.<lambda>"
    assert str(refused.value) == (
        f"the fitness function {name} must return shape (4,) or (4, 3) for 4 genomes and 3 seeds, "
        f"got {np.shape(returned) or returned}"
    )


def fitness_of(returned):
    def wanted(genomes, episode_seeds):
        return returned(genomes) if callable(returned) else returned

    return FunctionFitness(wanted, Architecture(1, 1, 1), 3, "'mine:wanted'")


@pytest.mark.parametrize(
    ("returned", "shown"),
    [
        ("1.5", "'1.5'"),
        (["1", "2", "3", "4"], "['1', '2', '3', '4']"),
        ([1.0, "2", None, 4], "[1.0, '2', None, 4]"),
        ({0: 1.0}, "{0: 1.0}"),
        ([[1.0], [1.0, 2.0], [], []], "[[1.0], [1.0, 2.0], [], []]"),
        ([1j, 2.0, 3.0, 4.0], "[1j, 2.0, 3.0, 4.0]"),
    ],
)
def test_a_function_that_returns_no_numbers_is_told_that_numbers_are_wanted(returned, shown):
    with pytest.raises(FitnessFunctionFailed) as refused:
        fitness_of(returned)(np.zeros((4, 4)), SEEDS)
    rule = "must return numbers, of shape (4,) or (4, 3) for 4 genomes and 3 seeds"
    assert str(refused.value) == f"'mine:wanted' {rule}, got {shown}"


def test_a_generator_is_no_array_of_returns():
    with pytest.raises(FitnessFunctionFailed, match=r"must return numbers, .* got <generator object"):
        fitness_of(lambda genomes: (float(genome.sum()) for genome in genomes))(np.zeros((4, 4)), SEEDS)


@pytest.mark.parametrize(
    "returned",
    [
        lambda genomes: genomes.sum(axis=1),
        lambda genomes: genomes.sum(axis=1, keepdims=True),
        lambda genomes: [(float(genome.sum()),) for genome in genomes],
        lambda genomes: [Decimal(float(genome.sum())) for genome in genomes],
        lambda genomes: [np.array(genome.sum()) for genome in genomes],
    ],
)
def test_one_return_for_each_genome_may_be_a_vector_a_column_or_a_list_of_tuples(returned):
    genomes = np.arange(16.0).reshape(4, 4)
    for episodes in (1, 3):
        results = fitness_of(returned)(genomes, SEEDS[:episodes])
        assert results.returns.tolist() == [[6.0], [22.0], [38.0], [54.0]]


def repairs(genomes):
    genomes[genomes < 0] = 0.0
    return genomes.sum(axis=1)


@pytest.mark.parametrize(
    "writes",
    [
        repairs,
        lambda genomes: np.clip(genomes, 0, 1, out=genomes)[:, 0],
        lambda genomes: genomes.sort() or genomes,
    ],
)
def test_a_function_cannot_change_the_genomes_that_it_scores(writes):
    genomes = -np.ones((4, 4))
    with pytest.raises(FitnessFunctionFailed) as refused:
        fitness_of(writes)(genomes, SEEDS)
    assert re.match(r"'mine:wanted' failed: ValueError in tests/test_fitness.py:\d+: .*read-only", str(refused.value))
    assert str(refused.value).endswith("; genomes and seeds are read-only: change a copy of them")
    assert (genomes == -1).all()
    assert genomes.flags.writeable


def test_a_function_cannot_change_the_seeds():
    def shuffles(genomes, episode_seeds):
        episode_seeds[:] = 0

    seeds = SEEDS.copy()
    with pytest.raises(FitnessFunctionFailed, match="read-only"):
        FunctionFitness(shuffles, Architecture(1, 1, 1), 3)(np.zeros((4, 4)), seeds)
    assert seeds.tolist() == SEEDS.tolist()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConnectionError("the simulator is gone\nsince noon"), "ConnectionError: the simulator is gone"),
        (AssertionError(), "AssertionError"),
        (KeyError("speed"), "KeyError: 'speed'"),
        (SystemExit(0), "it left the program (sys.exit)"),
        (SystemExit("the window was closed"), "it left the program (sys.exit): the window was closed"),
    ],
)
def test_what_a_function_raises_is_an_error_that_names_the_function_and_the_line(error, message):
    def fails(genomes):
        raise error

    with pytest.raises(FitnessFunctionFailed) as failed:
        fitness_of(fails)(np.zeros((4, 4)), SEEDS)
    assert "tests/test_fitness.py:" in str(failed.value)
    assert without_place(str(failed.value).removeprefix("'mine:wanted' failed: ")) == message
    assert failed.value.__cause__ is error


def test_an_error_of_evonet_passes_through_a_function_and_so_does_ctrl_c():
    for error in (ConfigError("the file is gone"), KeyboardInterrupt()):

        def fails(genomes, error=error):
            raise error

        with pytest.raises(type(error)) as passed:
            fitness_of(fails)(np.zeros((4, 4)), SEEDS)
        assert passed.value is error


def test_the_number_of_episodes_of_a_function_is_checked():
    with pytest.raises(ValueError) as refused:
        FunctionFitness(closeness, Architecture(1, 1, 1), 0)
    assert str(refused.value) == "FunctionFitness.episodes must be at least 1, got 0"


def test_failing_function_of_the_test_module_fails_as_it_says():
    results = FunctionFitness(failing, Architecture(1, 1, 1), 2)(np.zeros((4, 4)), SEEDS[:2])
    assert [fault.individual for fault in results.faults] == [0, 0, 3, 3]


def test_closing_a_fitness_closes_the_sample_and_the_slots():
    opened, closed = [], []

    class Closing(Endless):
        def __init__(self):
            super().__init__(ends=2)
            opened.append(self)

        def close(self):
            closed.append(self)

    fitness = EpisodeReturn(Closing)
    assert opened == closed  # the sample that told the spaces
    results = plain(fitness)[1]
    assert isinstance(results, EpisodeResults)
    fitness.close()
    assert len(opened) > 1
    assert set(map(id, opened)) == set(map(id, closed))


def weight(network):
    return network.genome[0]


def test_a_function_of_one_argument_scores_one_network_after_another():
    architecture = Architecture(2, 2, 1)
    genomes = np.arange(27.0).reshape(3, 9)
    fitness = function_fitness(weight, architecture, episodes=4)
    assert isinstance(fitness, NetworkFitness)
    results = fitness(genomes, SEEDS[:1])
    assert results.returns.tolist() == [[0.0], [9.0], [18.0]]
    assert fitness.episodes == 1
    by_matrix = function_fitness(lambda genomes, seeds: genomes[:, 0], architecture, episodes=4)
    assert not isinstance(by_matrix, NetworkFitness)
    assert by_matrix.episodes == 4
    assert by_matrix(genomes, SEEDS).returns[:, 0].tolist() == [0.0, 9.0, 18.0]


def test_a_function_that_takes_one_or_two_arguments_gets_two_unless_the_class_says_otherwise():
    def either(first, second=None):
        return np.zeros(len(first)) if second is not None else 7.0

    architecture = Architecture(1, 1, 1)
    assert function_fitness(either, architecture)(np.ones((2, 4)), SEEDS[:1]).returns.tolist() == [[0.0], [0.0]]
    assert NetworkFitness(either, architecture)(np.ones((2, 4)), SEEDS[:1]).returns.tolist() == [[7.0], [7.0]]


@pytest.mark.parametrize("function", [lambda: 0.0, lambda a, b, c: 0.0], ids=["none", "three"])
def test_a_function_of_another_number_of_arguments_is_refused_with_both_forms(function):
    with pytest.raises(TypeError) as refused:
        evolve(GeneticAlgorithm(Architecture(1, 1, 1), 4), function)
    assert "must take two arguments, `genomes, episode_seeds`, or one, `network`, got (" in str(refused.value)


def test_what_is_no_fitness_at_all_is_refused():
    with pytest.raises(TypeError, match=r"^a fitness must be an EpisodeReturn, or a function .*, got 3$"):
        evolve(GeneticAlgorithm(Architecture(1, 1, 1), 4), 3)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda network: network.predict([0.0]), "must return one number for a network, got array(["),
        (lambda network: "3", "must return one number for a network, got '3'"),
        (lambda network: None, "must return one number for a network, got None"),
        (lambda network: network.nothing, "failed: AttributeError"),
        (lambda network: network.genome.fill(0.0), "genomes and seeds are read-only: change a copy of them"),
    ],
    ids=["array", "text", "none", "error", "writes"],
)
def test_a_function_of_one_network_is_told_what_is_wrong(function, message):
    with pytest.raises(FitnessFunctionFailed) as refused:
        NetworkFitness(function, Architecture(1, 1, 1), "mine")(np.zeros((2, 4)), SEEDS[:1])
    assert str(refused.value).startswith("mine ")
    assert message in str(refused.value)


def test_a_network_s_score_that_is_not_finite_is_a_fault():
    fitness = NetworkFitness(lambda network: np.nan if network.genome[0] else 1.0, Architecture(1, 1, 1))
    results = fitness(np.eye(4)[:2], SEEDS[:1])
    assert fitness.aggregate(results.returns).tolist() == [-np.inf, 1.0]
    assert [fault.individual for fault in results.faults] == [0]


def measured_by(function, episodes=1):
    fitness = FunctionFitness(function, Architecture(1, 1, 1), episodes, "mine", measures=["x", "y"])
    return fitness, fitness(np.arange(12.0).reshape(3, 4), SEEDS[:episodes])


def test_a_function_may_return_measures_beside_the_returns():
    fitness, results = measured_by(lambda genomes, seeds: (genomes[:, 0], genomes[:, 1:3]))
    assert fitness.measure_names == ("x", "y")
    assert results.measures.tolist() == [[[1.0, 2.0]], [[5.0, 6.0]], [[9.0, 10.0]]]
    assert results.means(fitness.measure_names)["y"].tolist() == [2.0, 6.0, 10.0]
    _, results = measured_by(lambda genomes, seeds: (np.ones((3, 2)), np.full((3, 2, 2), 4.0)), episodes=2)
    assert results.measures.tolist() == np.full((3, 2, 2), 4.0).tolist()
    assert FunctionFitness(lambda genomes, seeds: genomes[:, 0], Architecture(1, 1, 1)).measure_names == ()


def test_a_measure_of_a_function_that_is_not_finite_is_a_fault():
    _, results = measured_by(lambda genomes, seeds: ([1.0, np.inf, 3.0], [[1.0, np.nan], [0.0, 0.0], [2.0, 2.0]]))
    assert [(fault.individual, fault.message) for fault in results.faults] == [
        (0, "the measure 'y' is nan"),
        (1, "the function returned inf"),
    ]
    assert np.isnan(results.returns[:, 0]).tolist() == [True, True, False]
    assert np.isnan(results.measures[:, 0]).tolist() == [[True, True], [True, True], [False, False]]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (
            [1.0, 2.0, 3.0],
            r"mine must return two arrays, the returns and 2 measures of each network, got \[1.0, 2.0, 3.0\]",
        ),
        (([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), r"mine must return shape \(3, 2\) for the measures, got \(3,\)"),
        (([1.0, 2.0, 3.0], "x"), "mine must return numbers, of shape"),
    ],
)
def test_a_function_with_measures_must_return_both(returned, message):
    with pytest.raises(FitnessFunctionFailed, match=f"^{message}"):
        measured_by(lambda genomes, seeds: returned)
