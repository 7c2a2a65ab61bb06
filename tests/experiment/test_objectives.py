"""A run with several objectives: from YAML, stopped and resumed."""

import pytest

from evonet.errors import ConfigError
from evonet.experiment.build import build_algorithm, build_fitness
from evonet.inspection.loaded_run import load_run
from tests.stopped_runs import EAGER, SMALL, config_for, exact_files, go_on, run_stopped, run_whole

TWO = (
    "environment: {id: CartPole-v1, max_steps: 40}\nnetwork: {hidden: 3, structure: {start: minimal}}\n"
    "objectives: {return: maximise, connections: minimise}\nevaluation: {workers: 1}\n"
) + SMALL.replace("algorithm: {population_size: 8, elites: 2}", "algorithm: {type: nsga2, population_size: 8}")


def algorithm_of(tmp_path, text):
    config = config_for(tmp_path, text)
    return build_algorithm(config, build_fitness(config).architecture)


def test_a_run_that_was_stopped_ends_in_the_same_bytes(tmp_path):
    whole = run_whole(tmp_path, TWO, *EAGER)
    stopped = run_stopped(tmp_path, TWO, *EAGER, after=3)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)


def test_the_front_is_among_the_metrics(tmp_path):
    lines = load_run(run_whole(tmp_path, TWO)).metrics
    assert lines["front"][-1] >= 1
    assert lines["hypervolume"][-1] >= 0


def test_objectives_reach_the_algorithm(tmp_path):
    assert algorithm_of(tmp_path, TWO).objectives == {"return": "maximise", "connections": "minimise"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("type: nsga2, ", "", "objectives must be left out where the algorithm has a single one"),
        ("return: maximise", "return: up", "objectives.return must be 'maximise' or 'minimise', got 'up'"),
        ("return: maximise", "retrun: maximise", "objectives.retrun must be a known measure; did you mean 'return'"),
        (", structure: {start: minimal}", "", "must not have 'connections' where the structure does not evolve"),
    ],
)
def test_objectives_that_cannot_be_are_refused(old, new, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        algorithm_of(tmp_path, TWO.replace(old, new))


@pytest.mark.parametrize("outer", ["islands, migrants: 0", "restarts", "growing", "relay, then: nsga2, generations: 1"])
def test_objectives_are_refused_where_no_front_would_be_kept(outer, tmp_path):
    text = TWO.replace(
        "type: nsga2, population_size: 8", f"type: {outer}, algorithm: {{type: nsga2, population_size: 8}}"
    )
    with pytest.raises(ConfigError, match=f"objectives must be left out .* got {outer.split(',')[0]}, which keeps no"):
        algorithm_of(tmp_path, text)
