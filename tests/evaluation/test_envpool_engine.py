"""The engine for EnvPool, where the package is installed."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from evonet import EpisodeReturn
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.environments.wrappers import Wrapper
from evonet.evaluation.envpool_engine import EnvPoolEngine
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.results import EpisodeResults
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.overview import run_overview
from evonet.measures import Condition, Measure
from evonet.seeding import Purpose, episode_seeds
from evonet.task import Task

pytest.importorskip("envpool")


TASKS = {  # id: settings of the fitness
    "CartPole-v1": {},
    "FrozenLake-v1": {"max_steps": 20},
    "Pendulum-v1": {"max_steps": 30, "normalise_observations": True},
    "LunarLander-v3": {"max_steps": 120},
}


def task(name: str, **settings: object) -> Task:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the import of Box2D warns, and ends the process if that is an error
        found = EpisodeReturn(name, hidden=4, **{**TASKS.get(name, {}), **settings}).task
    assert found is not None
    return found


def episodes(made: Task, individuals: int = 12, each: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    genomes = np.random.default_rng(5).normal(size=(individuals, made.architecture.genome_size))
    return genomes, np.repeat(np.arange(individuals), each), np.arange(individuals * each) + 100


def assert_same(one: EpisodeResults, other: EpisodeResults) -> None:
    np.testing.assert_array_equal(one.returns, other.returns)
    np.testing.assert_array_equal(one.lengths, other.lengths)
    np.testing.assert_array_equal(one.terminated, other.terminated)
    if one.observations is not None and other.observations is not None:
        np.testing.assert_array_equal(one.observations.sums, other.observations.sums)
        np.testing.assert_array_equal(one.observations.squares, other.observations.squares)
    assert one.faults == other.faults


@pytest.mark.parametrize("name", TASKS)
def test_neither_threads_nor_lanes_change_a_bit(name: str) -> None:
    made = task(name)
    normaliser = ObservationNormaliser.fresh(made.architecture.num_inputs) if made.normalise else None
    whole = EnvPoolEngine(made, threads=1).run(*episodes(made), normaliser)
    assert len(set(whole.returns.tolist())) > 1 or name == "FrozenLake-v1"
    assert (whole.lengths > 0).all()
    for threads, lanes in ((2, 256), (1, 5), (2, 1)):
        assert_same(whole, EnvPoolEngine(made, threads, lanes).run(*episodes(made), normaliser))


def test_a_limit_truncates_as_that_of_the_task_does() -> None:
    whole, short = task("Pendulum-v1"), task("Pendulum-v1", max_steps=12)
    normaliser = ObservationNormaliser.fresh(whole.architecture.num_inputs)
    limited = EnvPoolEngine(whole).run(*episodes(whole), normaliser, 12)
    assert limited.lengths.max() == 12
    assert_same(limited, EnvPoolEngine(short).run(*episodes(short), normaliser))


def test_an_episode_depends_on_its_genome_and_seed_alone() -> None:
    made = task("LunarLander-v3")
    genomes, individuals, seeds = episodes(made)
    whole = EnvPoolEngine(made).run(genomes, individuals, seeds, None)
    for episode in (0, 7, 35):
        one = slice(individuals[episode], individuals[episode] + 1)
        alone = EnvPoolEngine(made).run(genomes[one], np.array([0]), seeds[episode : episode + 1], None)
        assert (alone.returns[0], alone.lengths[0]) == (whole.returns[episode], whole.lengths[episode])


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
def test_episodes_are_like_gymnasiums(name: str) -> None:
    made = task(name)
    normaliser = ObservationNormaliser.fresh(made.architecture.num_inputs) if made.normalise else None
    genomes, individuals, seeds = episodes(made, each=40)
    ours = EnvPoolEngine(made).run(genomes, individuals, seeds, normaliser).returns.reshape(12, 40)
    real = GymnasiumEngine(made).run(genomes, individuals, seeds, normaliser).returns.reshape(12, 40)
    error = np.hypot(ours.std(axis=1), real.std(axis=1)) / np.sqrt(40) + 1e-6
    assert (np.abs(ours.mean(axis=1) - real.mean(axis=1)) < 4.5 * error).all()


def test_recurrent_networks_remember_and_lanes_that_leave_take_nothing_with_them() -> None:
    made = task("CartPole-v1", recurrent=True)
    whole = EnvPoolEngine(made).run(*episodes(made, 40, 4), None)
    assert whole.lengths.min() < 0.5 * whole.lengths.max()  # so that some leave early
    assert_same(whole, EnvPoolEngine(made, lanes=1).run(*episodes(made, 40, 4), None))


def test_measures_are_those_of_the_steps() -> None:
    measures = {
        "length": Measure("length"),
        "end": Measure("observation", index=0, take="last"),
        "late": Measure(
            "observation", index=2, take="first", when=Condition("observation", index=2, above=0.1), otherwise="last"
        ),
        "effort": Measure("action", power=2),
        "reward": Measure("reward", take="sum"),
        "elapsed": Measure("info", key="elapsed_step", take="last"),
    }
    made = task("CartPole-v1", measures=measures)
    whole = EnvPoolEngine(made).run(*episodes(made), None)
    assert whole.measures is not None
    np.testing.assert_array_equal(whole.measures[:, 0], whole.lengths)
    np.testing.assert_array_equal(whole.measures[:, 4], whole.returns)
    np.testing.assert_array_equal(whole.measures[:, 5], whole.lengths)
    assert (np.abs(whole.measures[:, 1]) > 0).all()
    np.testing.assert_array_equal(whole.measures, EnvPoolEngine(made, lanes=3).run(*episodes(made), None).measures)


def test_numbers_that_are_not_finite_are_faults_of_their_episode() -> None:
    made = task("Pendulum-v1", normalise_observations=False, output_activation="identity")
    genomes, individuals, seeds = episodes(made)
    genomes[3], genomes[5] = np.nan, 1e308
    whole = EnvPoolEngine(made).run(genomes, individuals, seeds, None)
    assert {fault.individual for fault in whole.faults} == {3, 5}
    assert np.isnan(whole.returns[individuals == 3]).all()
    assert np.isfinite(whole.returns[(individuals != 3) & (individuals != 5)]).all()


WRAPPED = EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("FlattenObservation")])


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (lambda: None, "an environment that a function makes"),
        (EnvironmentSpec("evonet/Maze-v0"), "evonet/Maze-v0, which EnvPool does not have"),
        (WRAPPED, "environment.wrappers"),
        (EnvironmentSpec("CartPole-v1", kwargs={"sutton_barto_reward": True}), "kwargs.sutton_barto_reward"),
        (EnvironmentSpec("Pendulum-v1"), "its observation_space is Box"),
    ],
)
def test_what_envpool_cannot_honour_is_refused_with_the_reason(environment: object, words: str) -> None:
    made = dataclasses.replace(task("CartPole-v1"), environment=environment)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=words):
        EnvPoolEngine(made)


def test_every_episode_has_an_environment_of_its_own_with_hard_reset_and_without() -> None:
    plain = task("BipedalWalker-v3", max_steps=60)
    environment = EnvironmentSpec("BipedalWalker-v3", max_steps=60, hard_reset=True)
    hard = dataclasses.replace(plain, environment=environment)
    genomes, individuals, seeds = episodes(plain)
    whole = EnvPoolEngine(hard).run(genomes, individuals, seeds, None)
    assert_same(whole, EnvPoolEngine(plain).run(genomes, individuals, seeds, None))
    last = EnvPoolEngine(hard).run(genomes, individuals[-1:], seeds[-1:], None)  # with no episode before it
    assert last.returns[0] == whole.returns[-1]


def test_a_measure_that_envpool_has_not_is_refused() -> None:
    made = task("CartPole-v1", measures={"far": Measure("info", key="x_position", take="last")})
    with pytest.raises(ValueError, match="a measure that reads something else"):
        EnvPoolEngine(made)


CONFIG = """
environment: {id: CartPole-v1}
network: {hidden: 4}
algorithm: {type: genetic_algorithm, population_size: 8}
evaluation: {episodes: 2, engine: envpool, workers: WORKERS}
validation: {episodes: 3}
test: {episodes: 4}
stop: {generations: 4}
"""


def finished(folder: Path, workers: int) -> Path:
    config = folder / "config.yaml"
    config.write_text(CONFIG.replace("WORKERS", str(workers)))
    run(Config.load(config), folder / "run")
    return folder / "run"


def test_workers_change_nothing_and_held_out_episodes_are_gymnasiums(tmp_path: Path) -> None:
    paths = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        paths.append(finished(folder, workers))
    one, two = ((path / "metrics.jsonl").read_bytes() for path in paths)
    assert one == two
    loaded = LoadedRun(paths[0])
    assert loaded.summary["engine"] == "envpool"
    champion, fitness = loaded.champion, EpisodeReturn("CartPole-v1", hidden=4, engine="gymnasium")
    assert champion is not None
    assert champion.validation is not None
    again = fitness(champion.genome[None], episode_seeds(0, Purpose.VALIDATION, 0, 3), None).returns[0]
    np.testing.assert_array_equal(again, champion.validation.returns)
    assert "Trained on CartPole-v1, in EnvPool; validated and tested on CartPole-v1" in run_overview(loaded)
    assert json.loads((paths[0] / "run.json").read_text())["engine"] == "envpool"
