"""A relay: the second algorithm starts where the first has come."""

import functools

import numpy as np
import pytest

from evonet import Architecture, GeneticAlgorithm
from evonet.archives import GridArchive
from evonet.strategies import ARS, SNES, Growing, MAPElites, RandomSearch, Relay, Restarts
from evonet.strategies.algorithm import evaluates_mean, search_distribution
from tests.stopped_runs import FUNCTION, SMALL, run_whole

ARCHITECTURE = Architecture(3, 2, 2)
WIDE = functools.partial(SNES, population_size=8, sigma=1.0)
NARROW = functools.partial(SNES, population_size=12, sigma=0.001)


def go(algorithm, generations, score=lambda genomes: -(genomes**2).sum(axis=1)):
    """The genomes of each generation."""
    asked = []
    for _ in range(generations):
        asked.append(algorithm.ask().copy())
        algorithm.tell(score(asked[-1]))
    return asked


def test_the_second_starts_at_the_mean_of_the_first_after_so_many_generations():
    algorithm = Relay(ARCHITECTURE, WIDE, NARROW, generations=4)
    asked = go(algorithm, 4)
    mean = algorithm.running.mean.copy()
    assert not algorithm.in_second
    asked += go(algorithm, 2)
    assert algorithm.in_second
    assert [len(genomes) for genomes in asked] == [9] * 4 + [13] * 2
    assert np.abs(asked[4] - mean).max() < 0.01
    assert asked[4][-1].tolist() == mean.tolist()


def test_before_the_second_begins_the_first_is_what_it_is_alone():
    alone, first = WIDE(ARCHITECTURE, seed=5), Relay(ARCHITECTURE, WIDE, NARROW, generations=3, seed=5)
    assert [each.tobytes() for each in go(alone, 3)] == [each.tobytes() for each in go(first, 3)]


def test_fitness_ends_the_first_as_soon_as_the_best_of_a_generation_has_it():
    algorithm = Relay(ARCHITECTURE, WIDE, NARROW, until_fitness=10.0)
    bests = iter([3.0, 9.9, 10.0, 1.0])
    seconds = []
    for best in bests:
        genomes = algorithm.ask()
        seconds.append(algorithm.in_second)
        algorithm.tell(np.linspace(-1.0, best, len(genomes)))
    assert seconds == [False, False, False, True]


def test_generations_end_it_though_the_fitness_is_not_reached():
    algorithm = Relay(ARCHITECTURE, WIDE, NARROW, generations=2, until_fitness=1e9)
    go(algorithm, 3)
    assert algorithm.in_second


def test_a_first_that_has_converged_is_followed_at_once():
    class Converged(SNES):
        converged = True

    algorithm = Relay(ARCHITECTURE, Converged, NARROW, generations=99)
    go(algorithm, 2)
    assert algorithm.in_second


def test_without_a_mean_the_second_starts_at_the_fittest():
    guessing = functools.partial(RandomSearch, population_size=20)
    algorithm = Relay(ARCHITECTURE, guessing, functools.partial(GeneticAlgorithm, population_size=6), generations=1)
    (guesses,) = go(algorithm, 1)
    fittest = guesses[np.argsort((guesses**2).sum(axis=1))[:6]]
    assert algorithm.ask().tolist() == fittest.tolist()


def test_ids_count_on_and_parents_are_those_of_the_same_algorithm():
    ga = functools.partial(GeneticAlgorithm, population_size=6, elites=1)
    algorithm = Relay(ARCHITECTURE, ga, ga, generations=3)
    seen = set()
    for generation in range(6):
        go(algorithm, 1)
        new = set(algorithm.population.ids.tolist()) - seen
        if generation == 3:
            assert len(new) == 6
            assert min(new) > max(seen)
        seen |= new
        parents = algorithm.population.parents
        assert set(parents[parents >= 0].tolist()) <= seen


def test_a_genome_to_start_from_is_the_first_s():
    genome = np.linspace(-1.0, 1.0, ARCHITECTURE.genome_size)
    algorithm = Relay(ARCHITECTURE, NARROW, WIDE, generations=1, initial=genome)
    assert algorithm.ask()[-1].tolist() == genome.tolist()


@pytest.mark.parametrize("after", [1, 3, 5])
def test_a_state_goes_on_in_either_algorithm(after):
    whole, other = (Relay(ARCHITECTURE, WIDE, NARROW, generations=3, seed=2) for _ in range(2))
    go(whole, after)
    go(other, 5)  # whatever it has done before
    other.restore(whole.state())
    assert [each.tobytes() for each in go(whole, 4)] == [each.tobytes() for each in go(other, 4)]
    assert whole.population.ids.tolist() == other.population.ids.tolist()


def test_bits_that_the_second_will_have_are_told_from_the_start():
    class Factorising(SNES):
        uses_linear_algebra = True

    assert Relay(ARCHITECTURE, SNES, Factorising, generations=9).uses_linear_algebra
    assert Relay(ARCHITECTURE, Factorising, SNES, generations=9).uses_linear_algebra
    assert not Relay(ARCHITECTURE, SNES, SNES, generations=9).uses_linear_algebra


def test_what_is_wrong_is_told_at_the_start():
    with pytest.raises(ValueError, match=r"^Relay needs generations or until_fitness, .* got neither$"):
        Relay(ARCHITECTURE, SNES, SNES)
    with pytest.raises(TypeError, match=r"^Relay.then must make an algorithm when called, got 3$"):
        Relay(ARCHITECTURE, SNES, 3, generations=1)
    with pytest.raises(ValueError, match=r"ARS.population_size must be a multiple of 2, got 5"):
        Relay(ARCHITECTURE, SNES, functools.partial(ARS, population_size=5), generations=1)


def test_a_race_needs_both():
    racing = functools.partial(SNES, population_size=6)
    assert Relay(ARCHITECTURE, racing, racing, generations=1).mu == racing(ARCHITECTURE).mu
    assert Relay(ARCHITECTURE, racing, ARS, generations=1).mu is None
    assert Relay(ARCHITECTURE, ARS, racing, generations=1).mu is None


def test_a_mean_is_validated_if_both_have_one():
    assert evaluates_mean(Relay(ARCHITECTURE, SNES, ARS, generations=1))
    assert not evaluates_mean(Relay(ARCHITECTURE, SNES, GeneticAlgorithm, generations=1))
    assert not evaluates_mean(Relay(ARCHITECTURE, GeneticAlgorithm, SNES, generations=1))


def test_the_algorithm_that_runs_is_found_within_another():
    restarted = functools.partial(Restarts, algorithm=SNES)
    algorithm = Relay(ARCHITECTURE, restarted, SNES, generations=1)
    assert isinstance(algorithm.running, SNES)
    assert evaluates_mean(algorithm)


@pytest.mark.parametrize("outer", [Restarts, functools.partial(Relay, then=SNES, generations=9)])
def test_the_mean_is_of_the_whole_network_though_a_smaller_one_is_searched_within(outer):
    algorithm = outer(ARCHITECTURE, functools.partial(Growing, algorithm=SNES))
    mean, _ = search_distribution(algorithm)
    assert mean.shape == (ARCHITECTURE.genome_size,)


@pytest.mark.parametrize("place", ["algorithm", "then"])
def test_an_archive_is_refused(place):
    archived = functools.partial(MAPElites, archive=GridArchive({"x": (0.0, 1.0)}, [4]))
    both = {"algorithm": SNES, "then": SNES, place: archived}
    with pytest.raises(ValueError, match=rf"^Relay.{place} must not fill an archive, got MAPElites$"):
        Relay(ARCHITECTURE, **both, generations=1)


def test_a_second_that_cannot_start_anywhere_is_told_at_the_start():
    with pytest.raises(TypeError, match="initial"):
        Relay(ARCHITECTURE, SNES, lambda architecture, seed: SNES(architecture, seed=seed), generations=1)


def test_a_config_has_both_with_their_settings(tmp_path):
    text = (FUNCTION + SMALL).replace(
        "algorithm: {population_size: 8, elites: 2}",
        "algorithm: {type: relay, generations: 2, algorithm: {population_size: 8}, then: {type: snes, sigma: 0.25}}",
    )
    written = (run_whole(tmp_path, text) / "config.yaml").read_text(encoding="utf-8")
    assert "sigma: 0.25" in written
