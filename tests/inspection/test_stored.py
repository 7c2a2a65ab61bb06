"""Individuals that a run stored are loaded and act as they did; for all others the error says what is stored."""

import json
import shutil

import numpy as np
import pytest

from evonet.cli import main
from evonet.environments.normaliser import ObservationNormaliser
from evonet.experiment.config import Config
from evonet.experiment.run_files.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.runner import run
from evonet.inspection.loaded_run import load_run
from evonet.inspection.stored import NotStored, stored_individual
from evonet.replay.episodes import play_unseen
from evonet.seeding import Purpose, episode_seeds
from tests.environments_for_tests import MODULE

NORMALISED = f"""
environment: {{id: '{MODULE}:evonet-tests/Walk-v0', max_steps: 20}}
algorithm: {{type: restarts, algorithm: {{type: snes, population_size: 6}}, stagnation: 2}}
evaluation: {{episodes: 1, workers: 1, normalise_observations: true}}
validation: {{episodes: 2}}
test: {{episodes: 2}}
checkpoints: {{seconds: 0, keep_each: 2}}
stop: {{generations: 7, target: null}}
"""

NESTED_RUN = f"""
environment: {{id: '{MODULE}:evonet-tests/Walk-v0', max_steps: 20}}
evaluation: {{episodes: 2, workers: 1}}
validation: {{episodes: 2}}
test: {{episodes: 2}}
checkpoints: {{seconds: 0}}
stop: {{generations: 5, target: null}}
"""
GA = "{type: genetic_algorithm, population_size: 6, elites: 1}"
SNES = "{type: snes, population_size: 6}"
NESTED = {
    "islands": f"{{type: islands, islands: 3, interval: 2, migrants: 1, algorithm: {GA}}}",
    "restarts": f"{{type: restarts, stagnation: 1, algorithm: {GA}}}",
    "relay": f"{{type: relay, generations: 2, algorithm: {GA}, then: {SNES}}}",
    "islands of a strategy": f"{{type: islands, islands: 2, migrants: 0, algorithm: {SNES}}}",
}


@pytest.fixture(scope="module")
def normalised_run(tmp_path_factory):
    """A run with a normaliser, whose algorithm starts anew, so that another one runs inside it."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "normalised.yaml").write_text(NORMALISED, encoding="utf-8")
    run(Config.load(str(folder / "normalised.yaml"), (), [MODULE]), folder / "run")
    return folder / "run"


def test_without_more_the_champion_is_meant(small_run):
    read = load_run(small_run)
    assert stored_individual(read) is read.champion


def test_the_fittest_of_every_generation_is_there(small_run):
    read = load_run(small_run)
    for generation in range(8):
        one = stored_individual(read, generation)
        assert one.training_fitness == read.metrics["best"][one.generation]  # it may live on as the fittest
        assert one.generation <= generation
        assert stored_individual(read, generation, one.id).genome.tolist() == one.genome.tolist()


def test_the_population_of_a_checkpoint_is_there(small_run):
    read = load_run(small_run)
    (newest, *_) = checkpoints_in(small_run)
    population = Checkpoint.load(newest).state["evolution"]["algorithm"]
    for row, individual in enumerate(population["ids"]):
        one = stored_individual(read, individual=int(individual))
        assert one.genome.tolist() == population["genomes"][row].tolist()
    assert stored_individual(read, individual=int(population["ids"][-1])).generation == 7


def test_ids_are_those_of_the_run_and_normalisers_those_of_the_generation(normalised_run):
    read = load_run(normalised_run)
    kept = [Checkpoint.load(path) for path in checkpoints_in(normalised_run)]
    assert [one.generation for one in kept] == [6, 5, 4, 2, 0]
    assert kept[0].state["evolution"]["algorithm"]["restarts"] > 0
    for checkpoint in kept:
        lived = read.lineage.individuals[read.lineage.generations == checkpoint.generation]
        one = stored_individual(read, checkpoint.generation, int(lived[-1]))
        population = checkpoint.state["evolution"]["algorithm"]["algorithm"]
        assert one.generation == checkpoint.generation
        assert one.genome.tolist() == population["genomes"][-1].tolist()
        assert isinstance(one.normaliser, ObservationNormaliser)
        assert one.normaliser.count == checkpoint.state["evolution"]["normaliser"]["count"]


@pytest.mark.parametrize("algorithm", NESTED.values(), ids=NESTED)
def test_everyone_in_a_checkpoint_of_nested_algorithms_is_found_by_its_id_in_the_run(algorithm, tmp_path):
    (tmp_path / "c.yaml").write_text(NESTED_RUN + f"algorithm: {algorithm}\n", encoding="utf-8")
    config = Config.load(str(tmp_path / "c.yaml"), (), [MODULE])
    run(config, tmp_path / "run")
    read = load_run(tmp_path / "run", [MODULE])
    last = len(read.metrics["generation"]) - 1
    lived = read.lineage.individuals[read.lineage.generations == last]
    assert len(lived) > 4
    episodes = read.settings["evaluation"]["episodes"]
    seeds = episode_seeds(config.settings.seed, Purpose.TRAINING, last, episodes)
    for individual in lived.tolist():
        one = stored_individual(read, last, individual)
        assert (one.id, one.generation) == (individual, last)
        assert one.training_fitness == read.lineage.fitness[read.lineage.row(individual)]
        totals = [episode.total for episode in play_unseen(one.policy_for(read.policy_spec.task), seeds)]
        assert np.mean(totals) == one.training_fitness
    assert main(["replay", str(tmp_path / "run"), "--individual", str(lived[0]), "--allow-import", MODULE]) == 0


@pytest.mark.parametrize(
    ("generation", "individual", "message"),
    [
        (8, None, "has generations 0 to 7, there is no generation 8"),
        (None, 900, "has individuals 0 to 81, there is no individual 900"),
        (1, 81, "individual 81 of {run} was born in generation 7, after 1"),
    ],
)
def test_who_is_not_there_is_refused_with_a_reason(generation, individual, message, small_run):
    with pytest.raises(NotStored) as refused:
        stored_individual(load_run(small_run), generation, individual)
    expected = message.format(run=small_run)
    assert str(refused.value) == (expected if "{run}" in message else f"{small_run} {expected}")


def test_whose_genome_is_not_kept_is_refused_with_what_is(normalised_run):
    read = load_run(normalised_run)
    lived = read.lineage.individuals[read.lineage.generations == 3]
    lost = next(int(one) for one in lived if one not in [shown.id for shown in read.fittest])
    with pytest.raises(NotStored) as refused:
        stored_individual(read, 3, lost)
    assert str(refused.value) == (
        f"individual {lost} is not stored: {normalised_run} stores the champion, the populations of generations 0, "
        "2, 4, 5, 6, and the fittest of each generation (--generation G alone)\n"
        "to keep the population of every tenth generation, run it with --set checkpoints.keep_each=10"
    )


def test_where_nobody_could_be_scored_there_is_nobody(failed_run):
    with pytest.raises(NotStored, match=r"has no champion$"):
        stored_individual(load_run(failed_run))
    with pytest.raises(NotStored, match=r"has no individual of generation 1 that could be scored$"):
        stored_individual(load_run(failed_run), 1)


def test_before_the_first_checkpoint_there_is_no_champion_yet(small_run, tmp_path):
    for name in ("config.yaml", "metrics.jsonl", "timing.jsonl", "lineage.jsonl", "genomes.jsonl"):
        shutil.copy(small_run / name, tmp_path)
    with pytest.raises(NotStored, match=r"has no champion yet: the first checkpoint will have it$"):
        stored_individual(load_run(tmp_path))


def test_genomes_that_are_not_finite_are_no_obstacle(small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    lines = [json.loads(line) for line in (small_run / "genomes.jsonl").read_text(encoding="utf-8").splitlines()]
    numbers = np.fromfile(tmp_path / "run/arrays.f64", "<f8")
    start = lines[0]["genome"]["start"]
    numbers[start : start + 23] = np.nan
    numbers.tofile(tmp_path / "run/arrays.f64")
    assert np.isnan(stored_individual(load_run(tmp_path / "run"), 0).genome).all()
