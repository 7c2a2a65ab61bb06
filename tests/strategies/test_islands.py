import functools
import json

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.cli import main
from evonet.errors import ConfigError
from evonet.experiment.build import build_algorithm
from evonet.experiment.config import Config
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.operators.crossover import NoCrossover
from evonet.operators.mutation import Gaussian, SelfAdaptive
from evonet.operators.schedules import Linear
from evonet.operators.selection import EpsilonLexicase
from evonet.population import NO_PARENT
from evonet.strategies.islands import Islands
from evonet.strategies.restarts import Restarts
from evonet.strategies.snes import SNES
from evonet.testing.strategy import through_a_file
from tests.environments_for_tests import MODULE
from tests.stopped_runs import FUNCTION, SMALL, exact_files, go_on, lineage_of, run_stopped, run_whole

ARCHITECTURE = Architecture(2, 2, 1)
SIZE = 6
FACTORY = functools.partial(GeneticAlgorithm, population_size=SIZE, elites=2)


def made(**settings):
    return Islands(ARCHITECTURE, FACTORY, **{"islands": 3, "interval": 1, "migrants": 1, **settings})


def rows(island):
    return slice(SIZE * island, SIZE * (island + 1))


def one_generation(islands, favoured=None):
    """The genomes asked for, after which island `favoured` is far fitter than the others."""
    genomes = islands.ask().copy()
    fitness = np.tile(np.arange(SIZE, dtype=float), len(genomes) // SIZE)
    if favoured is not None:
        fitness[rows(favoured)] += 100
    islands.tell(fitness)
    return genomes


def holds(genomes, genome):
    return bool((genomes == genome).all(axis=1).any())


def whereto(islands, favoured=0):
    """The other islands on which the favoured island's fittest has survived one migration."""
    before = one_generation(islands, favoured)
    after = islands.ask()
    fittest = before[rows(favoured)][-1]
    return {i for i in range(len(after) // SIZE) if i != favoured and holds(after[rows(i)], fittest)}


@pytest.mark.parametrize("favoured", range(3))
def test_on_the_ring_the_fittest_go_to_the_next_island_and_nowhere_else(favoured):
    assert whereto(made(), favoured) == {(favoured + 1) % 3}


def test_at_random_they_go_to_one_other_island_not_always_the_same():
    met = [whereto(made(islands=5, topology="random", seed=seed)) for seed in range(12)]
    assert all(len(found) == 1 for found in met)
    assert len(set(map(tuple, met))) > 2


def test_as_many_go_as_are_told_to_and_the_home_island_keeps_its_own(monkeypatch):
    islands = made(migrants=3, islands=2)
    before = one_generation(islands, favoured=0)
    taken = []
    receive = GeneticAlgorithm.receive
    monkeypatch.setattr(
        GeneticAlgorithm, "receive", lambda self, migrants: taken.append(migrants.genomes) or receive(self, migrants)
    )
    after = islands.ask()
    np.testing.assert_array_equal(taken[0], before[rows(0)][[5, 4, 3]])
    np.testing.assert_array_equal(after[rows(0)][:2], before[rows(0)][[5, 4]])


def test_they_go_only_every_interval_and_without_migrants_never():
    islands = made(interval=3)
    for generation in range(1, 8):
        before = one_generation(islands, favoured=0)
        best = before[rows(0)][-1]
        assert holds(islands.ask()[rows(1)], best) == (generation % 3 == 0)
    alone = made(migrants=0)
    assert not any(whereto(alone) for _ in range(4))


def test_islands_begin_with_seeds_of_their_own():
    genomes = made(islands=4).ask()
    assert len({genomes[rows(island)].tobytes() for island in range(4)}) == 4
    assert not np.array_equal(genomes, made(islands=4, seed=1).ask())


def test_migrants_take_the_places_of_the_least_fit_under_new_ids():
    algorithm = FACTORY(architecture=ARCHITECTURE)
    other = FACTORY(architecture=ARCHITECTURE, seed=1)
    for each in (algorithm, other):
        each.ask()
        each.tell([3.0, 0.0, 5.0, 1.0, 4.0, np.nan])
    held = algorithm.population
    genomes = held.genomes.copy()
    ids = algorithm.receive(other.emigrants(2))
    now = algorithm.population
    np.testing.assert_array_equal(ids, [6, 7])
    np.testing.assert_array_equal(now.ids, [0, 7, 2, 3, 4, 6])
    np.testing.assert_array_equal(now.fitness, [3, 4, 5, 1, 4, 5])
    np.testing.assert_array_equal(now.genomes[[5, 1]], other.population.genomes[[2, 4]])
    np.testing.assert_array_equal(held.genomes, genomes)
    algorithm.ask()
    assert algorithm.population.ids.max() == 7 + SIZE - 2


def test_who_could_not_be_scored_does_not_travel():
    algorithm = FACTORY(architecture=ARCHITECTURE)
    algorithm.ask()
    algorithm.tell([np.nan, 1.0, np.nan, np.nan, np.nan, np.nan])
    assert algorithm.emigrants(3).fitness.tolist() == [1.0]


def test_migration_comes_between_tell_and_ask():
    algorithm = FACTORY(architecture=ARCHITECTURE)
    algorithm.ask()
    with pytest.raises(ValueError, match=r"^GeneticAlgorithm.emigrants must come between tell and ask"):
        algorithm.emigrants(1)
    algorithm.tell(np.arange(6.0))
    with pytest.raises(ValueError, match=r"^GeneticAlgorithm.receive must get fewer than 6 migrants, got 6$"):
        algorithm.receive(algorithm.emigrants(6))


def test_a_migrant_is_no_success_of_the_place_that_it_takes():
    algorithm = FACTORY(architecture=ARCHITECTURE, mutation=Gaussian(sigma=Linear(1, 0.1, 9)))
    for fitness in (np.arange(6.0), np.array([9, 8, 0, 1, 7, 6.0])):
        algorithm.ask()
        algorithm.tell(fitness)
    before = algorithm.state()["parent_fitness"]
    kept = before.copy()
    algorithm.receive(algorithm.emigrants(2))
    assert np.isnan(before).tolist() == [True, True, False, False, False, False]  # elites are not newborn
    assert np.isnan(algorithm.state()["parent_fitness"]).tolist() == [True, True, True, True, False, False]
    np.testing.assert_array_equal(before, kept)


def test_every_parent_is_known_and_older_and_no_id_is_given_twice():
    islands, met, migrated = made(topology="random", migrants=2), {}, 0
    rng = np.random.default_rng(4)
    for generation in range(25):
        genomes = islands.ask().copy()
        population = islands.population
        assert len(set(population.ids.tolist())) == len(genomes)
        highest = max(met, default=-1)
        for row, number in enumerate(population.ids.tolist()):
            if number in met:
                assert met[number] == genomes[row].tobytes()
                continue
            assert number > highest
            parents = [parent for parent in population.parents[row].tolist() if parent != NO_PARENT]
            assert all(parent in met and parent < number for parent in parents)
            assert bool(parents) == (generation > 0)
            if "migration" in population.operators_of(row):
                migrated += 1
                assert met[parents[0]] == genomes[row].tobytes()
            elif len(parents) == 1 and not population.operators_of(row):
                assert met[parents[0]] == genomes[row].tobytes()
            met[number] = genomes[row].tobytes()
        islands.tell(rng.standard_normal(len(genomes)))
    assert migrated > 10


def test_children_of_a_migrant_name_the_individual_that_it_is_a_copy_of():
    copying = functools.partial(GeneticAlgorithm, population_size=SIZE, elites=0, crossover=NoCrossover())
    islands = Islands(ARCHITECTURE, copying, islands=2, interval=1, migrants=5)
    one_generation(islands, favoured=0)
    home = set(islands.population.ids[rows(0)].tolist())
    islands.ask()
    parents = islands.population.parents[rows(1)][:, 0].tolist()
    assert home & set(parents)
    assert "migration" not in {name for row in range(2 * SIZE) for name in islands.population.operators_of(row)}


def test_step_sizes_and_returns_travel_along():
    factory = functools.partial(FACTORY, mutation=SelfAdaptive(), selection=EpsilonLexicase())
    algorithm, other = (factory(architecture=ARCHITECTURE, seed=seed) for seed in (0, 1))
    for _ in range(2):
        for number, each in enumerate((algorithm, other)):
            each.ask()
            each.tell(np.arange(6.0), returns=np.arange(12.0).reshape(6, 2) + 100 * number)
    algorithm.receive(other.emigrants(1))
    np.testing.assert_array_equal(algorithm.population.step_sizes[1][0], other.population.step_sizes[1][5])
    np.testing.assert_array_equal(algorithm.state()["returns"][:2], [[110, 111], [2, 3]])


def test_each_island_gets_its_own_returns():
    islands = Islands(ARCHITECTURE, functools.partial(FACTORY, selection=EpsilonLexicase()), islands=2, interval=1)
    returns = np.arange(24.0).reshape(12, 2)
    islands.ask()
    islands.tell(np.arange(12.0), returns=returns)
    np.testing.assert_array_equal(islands.state()["islands"]["1"]["returns"], returns[6:])
    assert len(islands.ask()) == 12


@pytest.mark.parametrize("topology", ["ring", "random"])
@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_resumed_is_uninterrupted(topology, asked, after):
    whole, resumed = (made(topology=topology, interval=2) for _ in range(2))
    for _ in range(after):
        one_generation(whole, 0)
    if asked:
        whole.ask()
    resumed.restore(through_a_file(whole.state()))
    for _ in range(5):
        assert one_generation(whole, 1).tobytes() == one_generation(resumed, 1).tobytes()
        for name in ("ids", "parents", "operators", "fitness"):
            np.testing.assert_array_equal(getattr(whole.population, name), getattr(resumed.population, name))


@pytest.mark.parametrize(
    ("factory", "name"), [(SNES, "SNES"), (functools.partial(Restarts, algorithm=FACTORY), "Restarts")]
)
def test_an_algorithm_that_cannot_take_migrants_is_refused_by_its_name(factory, name):
    message = f"Islands.algorithm must take migrants, got {name}, which cannot; "
    message += "choose the genetic algorithm, or migrants: 0"
    with pytest.raises(ValueError) as refused:
        Islands(ARCHITECTURE, factory)
    assert str(refused.value) == message
    assert len(Islands(ARCHITECTURE, factory, migrants=0, islands=2).ask()) > 0


def test_what_is_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"^Islands.migrants must be below the population of an island \(6\), got 6$"):
        made(migrants=6)
    with pytest.raises(TypeError, match=r"^Islands.algorithm must make an algorithm when called, got 3$"):
        Islands(ARCHITECTURE, 3)
    with pytest.raises(ValueError, match=r"^Islands.islands must be at least 2, got 1$"):
        made(islands=1)
    with pytest.raises(ValueError, match=r"^Islands.topology must be one of 'random', 'ring', got 'star'$"):
        made(topology="star")


YAML = (FUNCTION + SMALL).replace(
    "algorithm: {population_size: 8, elites: 2}",
    "algorithm: {type: islands, islands: 3, interval: 2, topology: random, "
    "algorithm: {population_size: 8, elites: 2, mutation: {type: gaussian, sigma: 0.3}}}",
)


def test_from_yaml_resumed_is_uninterrupted_and_the_lineage_is_whole(tmp_path):
    whole = run_whole(tmp_path, YAML)
    for after in (1, 2):
        stopped = run_stopped(tmp_path, YAML, after=after, name=f"stopped-{after}")
        go_on(stopped)
        assert exact_files(stopped) == exact_files(whole)
    entries = [json.loads(line) for line in (whole / "lineage.jsonl").read_text().splitlines()]
    lineage = lineage_of(entries)
    survived = sum("migration" in lineage.individual(row).operators for row in range(len(lineage)))
    assert survived > 0
    assert len(lineage) == 3 * 8 + 5 * 3 * 6 + survived  # the first and the children
    youngest = int(max(lineage.individuals))
    assert lineage.descent(youngest)[0].parents == ()


def test_from_yaml_an_algorithm_that_cannot_take_migrants_is_an_error_with_its_place(tmp_path, capsys):
    config = tmp_path / "c.yaml"
    config.write_text(YAML.replace("{population_size: 8, elites: 2, mutation: {type: gaussian, sigma: 0.3}}", "snes"))
    assert main(["run", str(config), "--output", str(tmp_path / "run"), "--allow-import", MODULE]) == 2
    error = capsys.readouterr().err
    assert "c.yaml:" in error
    assert "Islands.algorithm must take migrants, got SNES, which cannot" in error


DIFFERING = (FUNCTION + SMALL).replace(
    "algorithm: {population_size: 8, elites: 2}",
    "algorithm:\n  type: islands\n  interval: 2\n  algorithm: {population_size: 8, elites: 2}\n  islands:\n  - {}\n"
    "  - {mutation: self_adaptive, population_size: 10, selection: epsilon_lexicase}\n"
    "  - {mutation: {type: gaussian, sigma: {schedule: linear, start: 1, end: 0.1, generations: 4}}, elites: 0}\n",
)


def algorithm_of(tmp_path, text, *overrides):
    (tmp_path / "c.yaml").write_text(text)
    config = Config.load(str(tmp_path / "c.yaml"), overrides, (MODULE,))
    return build_algorithm(config, ARCHITECTURE), config


def test_an_island_has_settings_of_its_own_and_the_others_from_the_algorithm(tmp_path):
    islands, config = algorithm_of(tmp_path, DIFFERING)
    first, second, third = islands._islands
    assert [len(island.population) for island in (first, second, third)] == [8, 10, 8]
    assert [island.elites for island in (first, second, third)] == [2, 2, 0]
    assert [type(island.mutations[0]) for island in (first, second)] == [Gaussian, SelfAdaptive]
    assert third.mutations[0].sigma == Linear(1, 0.1, 4)
    assert isinstance(second.selection, EpsilonLexicase)
    assert len(islands.ask()) == 26
    (tmp_path / "again.yaml").write_text(config.to_yaml())
    assert Config.load(str(tmp_path / "again.yaml"), (), (MODULE,)).resolved == config.resolved


def test_an_island_may_be_of_another_type_by_itself(tmp_path):
    islands, _ = algorithm_of(
        tmp_path, DIFFERING, "algorithm.migrants=0", "algorithm.islands=[{}, {type: snes, population_size: 6}, snes]"
    )
    assert [type(island) for island in islands._islands] == [GeneticAlgorithm, SNES, SNES]
    assert len(islands._islands[1].ask()) == 7  # with the mean


def test_islands_that_differ_are_made_by_what_stands_in_the_list():
    other = functools.partial(GeneticAlgorithm, population_size=4, elites=1)
    islands = Islands(ARCHITECTURE, FACTORY, islands=[FACTORY, other], migrants=1)
    assert [len(island.population) for island in islands._islands] == [SIZE, 4]
    with pytest.raises(ValueError, match=r"^Islands.islands must be at least 2, got 1$"):
        Islands(ARCHITECTURE, FACTORY, islands=[FACTORY])
    with pytest.raises(TypeError, match=r"^Islands.algorithm must make an algorithm when called, got 7$"):
        Islands(ARCHITECTURE, FACTORY, islands=[FACTORY, 7])
    with pytest.raises(ValueError, match=r"^Islands.migrants must be below the population of an island \(4\), got 4$"):
        Islands(ARCHITECTURE, FACTORY, islands=[FACTORY, other], migrants=4)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("algorithm.islands=1", "algorithm.islands must be at least 2, got 1"),
        ("algorithm.islands=two", "algorithm.islands must be a whole number, got 'two'"),
        ("algorithm.islands=[{}]", "algorithm.islands must have at least 2 entries, got [{}]"),
        (
            "algorithm.islands=[{}, {elitess: 2}]",
            "algorithm.islands.1.elitess is not a known key; did you mean 'elites'?",
        ),
        (
            "algorithm.islands=[{}, {mutation: {type: cauchy, scale: 0}}]",
            "algorithm.islands.1.mutation.scale must be greater than 0.0, got 0",
        ),
        ("algorithm.algorithm.elites=-1", "algorithm.algorithm.elites must be at least 0, got -1"),
        ("algorithm.intervall=3", "algorithm.intervall is not a known key; did you mean 'interval'?"),
        ("algorithm.interval=0", "algorithm.interval must be at least 1, got 0"),
    ],
)
def test_what_is_wrong_with_an_island_is_told_once_with_its_place(tmp_path, override, message):
    with pytest.raises(ConfigError) as refused:
        algorithm_of(tmp_path, DIFFERING, override)
    assert str(refused.value).startswith(f"--set {override}: {message}")
    assert "\n" not in str(refused.value)


def test_a_migrant_without_returns_counts_with_its_fitness_in_each_episode():
    algorithm, other = (FACTORY(architecture=ARCHITECTURE, seed=seed) for seed in (1, 2))
    algorithm.tell(np.arange(6.0), returns=np.arange(12.0).reshape(6, 2))
    other.tell(np.arange(6.0) + 100)
    algorithm.receive(other.emigrants(2))
    np.testing.assert_array_equal(algorithm.state()["returns"][:3], [[105, 105], [104, 104], [4, 5]])


def test_islands_that_differ_go_on_after_a_stop_as_if_there_had_been_none(tmp_path):
    whole = run_whole(tmp_path, DIFFERING)
    for after in (1, 2, 3):
        stopped = run_stopped(tmp_path, DIFFERING, after=after, name=f"stopped-{after}")
        go_on(stopped)
        assert exact_files(stopped) == exact_files(whole)
