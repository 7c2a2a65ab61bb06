"""The steps after which an episode of training is truncated: fewer than those of validation and test, or a schedule."""

import json
import re

import numpy as np
import pytest

from evonet import EpisodeReturn, GeneticAlgorithm, Validation, evolve
from evonet.cli import main
from evonet.errors import ConfigError
from evonet.evaluation.racing import Race
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.operators.schedules import Linear, OneFifth
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
        (51, "Evolution.max_steps must be at most 50, the environment's, got 51"),
        (Linear(10, 60, 3), "Evolution.max_steps must be at most 50, the environment's, got 60"),
        (OneFifth(2.0), "Evolution.max_steps must follow a schedule of the generation alone: constant, linear or exp"),
    ],
)
def test_wrong_limits_are_refused(steps, message):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}"):
        evolution(max_steps=steps)


def test_a_function_has_no_steps():
    architecture = EpisodeReturn("CartPole-v1", hidden=2).architecture
    with pytest.raises(
        ValueError, match=r"^Evolution\.max_steps must be left out where a function scores the networks"
    ):
        evolve(GeneticAlgorithm(architecture, seed=1), lambda genomes, seeds: np.zeros(len(genomes)), max_steps=5)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("{schedule: linear, start: 10, end: 60, generations: 3}", "must be at most 50, the environment's, got 60"),
        ("{schedule: one_fifth, start: 1}", "must follow a schedule of the generation alone: "),
        ("0", "must be at least 1, got 0"),
    ],
)
def test_a_config_s_wrong_limit_is_told_at_its_place(steps, message, tmp_path, capsys):
    with pytest.raises(ConfigError, match=rf"c.yaml:7:\d+: evaluation.max_steps {re.escape(message)}"):
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
