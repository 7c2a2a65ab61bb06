"""The steps after which an episode of training is truncated: fewer than those of validation and test, or a schedule."""

import dataclasses
import json
import math
import re

import gymnasium as gym
import numpy as np
import pytest

from evonet import EpisodeReturn, GeneticAlgorithm, Validation, evolve
from evonet.archives.unstructured import UnstructuredArchive
from evonet.cli import main
from evonet.errors import ConfigError
from evonet.evaluation.racing import Race
from evonet.experiment.config import Config
from evonet.experiment.fault_replay import RecordedFault
from evonet.experiment.runner import run
from evonet.inspection.loaded_run import load_run
from evonet.operators.schedules import Linear, OneFifth
from evonet.settings import Schedule
from tests.environments_for_tests import Endless
from tests.stopped_runs import exact_files, go_on, run_stopped, run_whole

RISE = "{schedule: linear, start: 10, end: 40, generations: 3}"
TEXT = f"""\
environment: {{id: MountainCarContinuous-v0, max_steps: 50}}
algorithm: {{population_size: 8}}
network: {{hidden: 2}}
validation: {{episodes: 3}}
test: {{episodes: 4}}
stop: {{generations: 5, target: null}}
evaluation: {{workers: 1, max_steps: {RISE}}}
"""


def config(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return Config.load(str(path))


def metrics(path):
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def evolution(**more):
    fitness = EpisodeReturn("MountainCarContinuous-v0", hidden=2, max_steps=50, episodes=2)
    return evolve(GeneticAlgorithm(fitness.architecture, population_size=8, elites=2, seed=1), fitness, **more)


class Failing(Endless):
    """Fails in its step number `fails_at`."""

    def __init__(self, fails_at):
        super().__init__()
        self._fails_at = fails_at

    def step(self, action):
        result = super().step(action)
        if self._step == self._fails_at:
            raise RuntimeError(f"failed in step {self._step}")
        return result


gym.register("Endless-v0", Endless)
gym.register("Failing-v0", Failing)


def longest(ran, generations):
    return [int(next(ran).results.lengths.max()) for _ in range(generations)]


@pytest.mark.parametrize(
    ("steps", "expected"), [(None, [50, 50]), (20, [20, 20]), (Linear(10, 40, 3), [10, 20, 30, 40, 40])]
)
def test_a_generation_s_episodes_end_at_its_own_limit(steps, expected):
    assert longest(evolution(max_steps=steps), len(expected)) == expected


@pytest.mark.parametrize("engine", ["gymnasium", "numpy", "numba"])
@pytest.mark.parametrize("environment", ["MountainCarContinuous-v0", "CartPole-v1"])
def test_an_engine_truncates_as_it_does_for_a_task_with_that_limit(engine, environment):
    whole, short = (
        EpisodeReturn(environment, hidden=2, max_steps=limit, engine=engine, normalise_observations=True)
        for limit in (50, 12)
    )
    genomes = np.random.default_rng(1).normal(size=(5, whole.architecture.genome_size))
    limited, expected = whole(genomes, np.arange(3), max_steps=12), short(genomes, np.arange(3))
    for name in ("returns", "lengths", "terminated"):
        np.testing.assert_array_equal(getattr(limited, name), getattr(expected, name))
    np.testing.assert_array_equal(limited.observations.sums, expected.observations.sums)
    assert limited.lengths.max() == 12
    assert whole(genomes, np.arange(3)).lengths.max() > 12  # the next call has the task's own limit again


def test_worker_processes_have_the_limit_too():
    with (
        EpisodeReturn("MountainCarContinuous-v0", hidden=2, max_steps=50, engine="gymnasium", workers=2) as apart,
        EpisodeReturn("MountainCarContinuous-v0", hidden=2, max_steps=50, engine="gymnasium") as here,
    ):
        genomes = np.random.default_rng(1).normal(size=(6, here.architecture.genome_size))
        there = apart(genomes, np.arange(4), max_steps=9)
        assert (there.lengths == 9).all()
        np.testing.assert_array_equal(there.returns, here(genomes, np.arange(4), max_steps=9).returns)


def test_validation_has_whole_episodes():
    ran = evolution(max_steps=10, validation=Validation(episodes=3, candidates=1))
    assert next(ran).validation_steps == 3 * 50


def test_a_race_has_the_limit_too():
    assert longest(evolution(max_steps=15, episodes=4, race=Race(round=2)), 2) == [15, 15]


def test_an_algorithm_that_goes_on_has_the_longest_episodes():
    ran = evolution(max_steps=Linear(40, 10, 3))
    next(ran)
    ran.continue_with(GeneticAlgorithm(ran.algorithm.architecture, population_size=8, seed=2))
    assert longest(ran, 2) == [40, 40]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (0, "Evolution.max_steps must be at least 1, got 0"),
        (1.5, "Evolution.max_steps must be a whole number, got 1.5"),
        (51, "Evolution.max_steps must be at most 50, the environment's, got 51; set max_steps of the environment"),
        (Linear(10, 60, 3), "Evolution.max_steps must be at most 50, the environment's, got 60"),
        (OneFifth(2.0), "Evolution.max_steps must follow a schedule of the generation alone: constant, linear or exp"),
    ],
)
def test_wrong_limits_are_refused(steps, message):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}"):
        evolution(max_steps=steps)


def test_an_environment_without_a_limit_has_evonet_s():
    fitness = EpisodeReturn(Endless, hidden=2)
    with pytest.raises(
        ValueError, match="at most 1000, which evonet sets where the environment has no limit, got 1001"
    ):
        evolve(GeneticAlgorithm(fitness.architecture, seed=1), fitness, max_steps=1001)


@pytest.mark.parametrize("engine", ["gymnasium", "numpy", "numba"])
@pytest.mark.parametrize("steps", [0, -1, 51, True, 2.5, "a"])
def test_a_fitness_refuses_wrong_limits_in_every_engine(engine, steps):
    fitness = EpisodeReturn("MountainCarContinuous-v0", hidden=2, max_steps=50, engine=engine)
    with pytest.raises((TypeError, ValueError), match=r"^EpisodeReturn\.max_steps must be "):
        fitness(np.zeros((1, fitness.architecture.genome_size)), np.arange(1), max_steps=steps)


def test_a_fitness_of_one_s_own_must_take_the_limit():
    inner = EpisodeReturn("MountainCarContinuous-v0", hidden=2, max_steps=50)

    class Own:
        task, architecture, episodes = inner.task, inner.architecture, 1
        aggregate, close = inner.aggregate, inner.close

        def __call__(self, genomes, episode_seeds, normaliser=None):
            return inner(genomes, episode_seeds, normaliser)

    algorithm = GeneticAlgorithm(inner.architecture, population_size=4, seed=1)
    assert longest(evolve(algorithm, Own()), 1) == [50]
    with pytest.raises(TypeError, match=r"^Evolution\.max_steps needs a fitness whose call takes max_steps, got Own"):
        evolve(algorithm, Own(), max_steps=20)


def test_an_archive_refuses_short_episodes(tmp_path):
    passive = UnstructuredArchive(["return"], threshold=1.0)
    with pytest.raises(ValueError, match=r"^Evolution\.max_steps must be left out where an archive keeps fitness"):
        evolution(max_steps=20, archive=passive)
    text = TEXT.replace("algorithm: {", "measures: {end: {of: observation, index: 0, take: last}}\nalgorithm: {")
    text = text.replace(
        "{population_size: 8}", "{type: novelty_search, measures: [end], algorithm: {population_size: 8}}"
    )
    with pytest.raises(ConfigError, match=r"evaluation\.max_steps must be left out where an archive .*environment"):
        run(config(tmp_path, text), tmp_path / "run")


def test_what_operators_look_at_ends_at_the_limit():
    fitness = EpisodeReturn("MountainCarContinuous-v0", hidden=2, max_steps=50)
    algorithm = GeneticAlgorithm(fitness.architecture, population_size=4, elites=1, mutation="safe", seed=1)
    assert next(evolve(algorithm, fitness, max_steps=10)).environment_steps == 4 * 3 * 10 + 10
    inputs, steps = fitness.observe(np.zeros(fitness.architecture.genome_size), 0, None, 10)
    assert (len(inputs), steps) == (10, 10)


@dataclasses.dataclass(frozen=True)
class Growing(Schedule):
    """A schedule of one's own that leaves its extremes, or gives nan."""

    by_generation = True
    factor: float

    @property
    def extremes(self):
        return (10.0, 20.0)

    def following(self, number, generation, success, stagnation):
        return 10.0 * self.factor**generation if self.factor else math.nan


def test_a_schedule_of_one_s_own_stays_within_its_extremes():
    assert longest(evolution(max_steps=Growing(3.0)), 3) == [10, 20, 20]
    with pytest.raises(ValueError, match=r"Growing\(factor=0\.0\) gave nan in generation 0"):
        next(evolution(max_steps=Growing(0.0)))


def test_a_function_has_no_steps():
    architecture = EpisodeReturn("CartPole-v1", hidden=2).architecture
    with pytest.raises(
        ValueError, match=r"^Evolution\.max_steps must be left out where a function scores the networks"
    ):
        evolve(GeneticAlgorithm(architecture, seed=1), lambda genomes, seeds: np.zeros(len(genomes)), max_steps=5)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("{schedule: linear, start: 10, end: 60, generations: 3}", "must be at most 50, the environment's, got 60; "),
        ("{schedule: one_fifth, start: 1}", "must follow a schedule of the generation alone: "),
        ("0", "must be at least 1, got 0"),
    ],
)
def test_a_config_s_wrong_limit_is_told_at_its_place(steps, message, tmp_path, capsys):
    with pytest.raises(ConfigError, match=rf"c.yaml:7:26: evaluation.max_steps {re.escape(message)}"):
        run(config(tmp_path, TEXT.replace(RISE, steps)), tmp_path / "run")
    assert main(["check", str(tmp_path / "c.yaml")]) == 2
    assert message in capsys.readouterr().err


def test_the_metrics_have_a_generation_s_limit_where_it_varies(tmp_path):
    lines = metrics(run_whole(tmp_path, TEXT))
    assert [line["max_steps"] for line in lines] == [10, 20, 30, 40, 40]
    assert lines[0]["environment_steps"] == 8 * 3 * 10
    (tmp_path / "same").mkdir()
    assert "max_steps" not in metrics(run_whole(tmp_path / "same", TEXT.replace(RISE, "20")))[0]


def test_a_stopped_and_resumed_run_ends_with_the_same_bytes(tmp_path):
    whole = run_whole(tmp_path, TEXT)
    stopped = run_stopped(tmp_path, TEXT)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)


def test_a_run_reads_its_limits_back(tmp_path):
    assert load_run(run_whole(tmp_path, TEXT)).metrics["max_steps"].tolist() == [10, 20, 30, 40, 40]


@pytest.mark.parametrize("workers", ["auto", 1, 2])
def test_a_config_s_episodes_end_at_the_limit_with_any_workers(workers, tmp_path):
    text = TEXT.replace(RISE, "50").replace("workers: 1", f"workers: {workers}, engine: gymnasium")
    short = run_whole(tmp_path, text.replace("max_steps: 50}\n", "max_steps: 7}\n"))
    assert [line["environment_steps"] for line in metrics(short)] == [8 * 3 * 7 * n for n in range(1, 6)]
    (tmp_path / "long").mkdir()
    assert metrics(run_whole(tmp_path / "long", text))[0]["environment_steps"] == 8 * 3 * 50  # the environment's limit


def test_costs_are_those_of_the_longest_episodes(tmp_path, capsys):
    text = TEXT.replace("max_steps: 50", "max_steps: 900")
    (tmp_path / "c.yaml").write_text(text.replace("MountainCarContinuous-v0", "Endless-v0"), encoding="utf-8")
    assert main(["check", str(tmp_path / "c.yaml")]) == 0
    assert "steps, in training at most 40, and a step takes" in capsys.readouterr().out


def test_a_missing_time_limit_is_told_where_training_is_truncated(tmp_path, capsys):
    text = TEXT.replace("MountainCarContinuous-v0, max_steps: 50", "Endless-v0")
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    assert main(["run", str(tmp_path / "c.yaml"), "--output", str(tmp_path / "run"), "--no-check"]) == 0
    expected = "24 of 24 episodes were truncated after 10 steps, as those of validation and test are after 1000; "
    assert expected in capsys.readouterr().err


def test_a_fault_is_replayed_in_an_episode_as_short_as_it_was(tmp_path):
    text = TEXT.replace("MountainCarContinuous-v0, max_steps: 50", "Failing-v0, max_steps: 50, kwargs: {fails_at: 35}")
    path = run_whole(
        tmp_path,
        text.replace(
            "validation: {episodes: 3}", "validation: {environment: {id: Endless-v0}}\nfaults: {max_share: 1.0}"
        ),
    )
    fault = RecordedFault.read(path, 0)
    assert fault.generation == 3  # the first one with 35 steps
    assert fault.replay().faults[0].message == fault.fault.message
    assert not dataclasses.replace(fault, generation=0).replay().faults
