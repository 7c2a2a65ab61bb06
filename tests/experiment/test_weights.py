"""Weights of the fitness: they may follow a schedule in training, and the champion may be chosen by others."""

import json

import numpy as np
import pytest

from evonet import EpisodeReturn, GeneticAlgorithm, evolve
from evonet.cli import main
from evonet.errors import AlgorithmFailed, ConfigError
from evonet.evaluation.racing import Race
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.measures import Measure, WrongMeasure
from evonet.operators.schedules import Linear, OneFifth
from tests.stopped_runs import exact_files, go_on, run_stopped, run_whole

MEASURES = {"effort": Measure("action", power=2, take="sum")}
PRICE = Linear(0.0, -6.0, 3)
TEXT = """\
environment: {id: MountainCarContinuous-v0, max_steps: 30}
measures: {effort: {of: action, power: 2, take: sum}}
fitness: {weights: {return: 1, effort: {schedule: linear, start: 0, end: -6, generations: 3}}}
algorithm: {population_size: 8}
network: {hidden: 2}
validation: {episodes: 3}
test: {episodes: 4}
stop: {generations: 5, target: null}
evaluation: {workers: 1, episodes: 4}
"""


def fitness_with(weights, **more):
    return EpisodeReturn(
        "MountainCarContinuous-v0", hidden=2, max_steps=30, episodes=4, measures=MEASURES, weights=weights, **more
    )


def config(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return Config.load(str(path))


@pytest.mark.parametrize("race", [None, Race()], ids=["all episodes", "race"])
def test_a_generation_s_fitness_has_the_weight_of_its_generation(race):
    fitness = fitness_with({"return": 1, "effort": PRICE})
    algorithm = GeneticAlgorithm(fitness.architecture, population_size=8, elites=2, seed=1)
    prices = []
    for generation in evolve(algorithm, fitness, race=race):
        found = generation.results
        assert found.measures is not None
        whole = np.isfinite(found.returns).all(axis=1)
        returns, efforts = found.returns.mean(axis=1), found.measures[:, :, 0].mean(axis=1)
        (price,) = set(((generation.fitness - returns) / efforts)[whole].round(9).tolist())
        prices.append(price)
        if generation.number == 4:
            break
    assert prices == [0.0, -2.0, -4.0, -6.0, -6.0]


def test_the_task_has_the_last_numbers():
    assert fitness_with({"return": 1, "effort": PRICE}).task.weights == (1.0, -6.0)
    assert fitness_with({"return": 1, "effort": -2}).weights_in(7) == (1.0, -2.0)
    assert fitness_with(None).weights_in(7) == ()


class Failing(Linear):
    def following(self, number, generation, success, stagnation):
        raise RuntimeError("no price")


def test_an_error_of_one_s_own_schedule_is_told_as_such():
    with pytest.raises(AlgorithmFailed, match=r"Failing.following, which the algorithm calls, failed: .*no price"):
        fitness_with({"return": 1, "effort": Failing(0.0, -6.0, 3)}).weights_in(0)


def test_a_schedule_that_needs_more_than_the_generation_is_refused(tmp_path):
    with pytest.raises(
        WrongMeasure, match=r"^weights must follow a schedule of the generation alone: constant, linear"
    ):
        fitness_with({"return": 1, "effort": OneFifth(1.0)})
    text = TEXT.replace("{schedule: linear, start: 0, end: -6, generations: 3}", "{schedule: one_fifth, start: 1}")
    with pytest.raises(
        ConfigError, match=r"c.yaml:3:32: weights must follow a schedule of the generation alone: .* got "
    ):
        run(config(tmp_path, text), tmp_path / "run")


def test_a_config_s_schedule_is_that_of_python_and_survives_the_run_s_own_file(tmp_path):
    ran = run_whole(tmp_path, TEXT)
    again = Config.load(str(ran / "config.yaml"))
    weights = again.settings.fitness.weights
    assert weights["return"] == 1.0
    assert weights["effort"].build() == PRICE


def test_a_stopped_and_resumed_run_ends_with_the_same_bytes(tmp_path):
    whole = run_whole(tmp_path, TEXT)
    stopped = run_stopped(tmp_path, TEXT)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)


def test_the_champion_is_chosen_by_the_validation_s_weights(tmp_path):
    (tmp_path / "own").mkdir()
    text = TEXT.replace("validation: {episodes: 3}", "validation: {episodes: 3, weights: {effort: 1}}")
    by_fitness, by_effort = last_metrics(run_whole(tmp_path, TEXT)), last_metrics(run_whole(tmp_path / "own", text))
    assert by_effort["validation_fitness"] == by_effort["measures/effort"]
    assert by_effort["measures/effort"] > by_fitness["measures/effort"]
    assert by_effort["best"] == by_fitness["best"]  # training is the same


def last_metrics(path):
    return json.loads((path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"return": 0, "effort": 0}, "must not all be 0, because"),
        ({"effort": Linear(0.0, -1.0, 3)}, "must not all be 0, because"),
        ({"effort": Linear(-1.0, 0.0, 3)}, "must not all be 0 at the end of their schedules, because"),
    ],
)
def test_weights_that_make_all_networks_equal_are_refused(weights, message):
    with pytest.raises(WrongMeasure, match=f"^weights {message}"):
        fitness_with(weights)


@pytest.mark.parametrize(
    ("validation", "weights", "message"),
    [
        (
            "",
            "{return: 1, effort: {schedule: linear, start: 0, end: -6, generations: 3}}",
            "fitness.weights.effort",
        ),
        (", weights: {return: 1}", "{return: 1, effort: -6}", r"validation.weights must be left out where an archive"),
    ],
)
@pytest.mark.parametrize("archived", ["archive", "algorithm"])
def test_an_archive_keeps_fitness_of_one_kind(validation, weights, message, archived, tmp_path):
    archive = "{type: grid, ranges: {effort: [0, 30]}, cells: [4]}"
    text = TEXT.replace("{return: 1, effort: {schedule: linear, start: 0, end: -6, generations: 3}}", weights)
    text = text.replace("validation: {episodes: 3}", f"validation: {{episodes: 3{validation}}}")
    if archived == "archive":
        text += f"archive: {archive}\n"
    else:
        text = text.replace("algorithm: {population_size: 8}", f"algorithm: {{type: map_elites, archive: {archive}}}")
    with pytest.raises(ConfigError, match=message):
        run(config(tmp_path, text), tmp_path / "run")


def test_a_check_finds_what_a_run_refuses(tmp_path, capsys):
    text = TEXT.replace("validation: {episodes: 3}", "validation: {episodes: 3, weights: {retrun: 1}}")
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    assert main(["check", str(tmp_path / "c.yaml")]) == 2
    assert "weights must be those of the return and of measures, got 'retrun'" in capsys.readouterr().err


def test_a_wrong_weight_of_the_validation_is_told_at_its_place(tmp_path):
    text = TEXT.replace("validation: {episodes: 3}", "validation: {episodes: 3, weights: {retrun: 1}}")
    with pytest.raises(
        ConfigError, match=r"c.yaml:6:37: weights must be those of .* got 'retrun'; did you mean 'return'"
    ):
        run(config(tmp_path, text), tmp_path / "run")
