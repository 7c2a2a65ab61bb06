"""Episodes of an evaluation: they may follow a schedule over the generations."""

import json
import re

import numpy as np
import pytest

from evonet import EpisodeReturn, GeneticAlgorithm, evolve
from evonet.cli import main
from evonet.errors import AlgorithmFailed, ConfigError
from evonet.evaluation.racing import Race
from evonet.experiment.build import build_fitness
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.operators.schedules import Exponential, Linear, OneFifth
from tests.stopped_runs import exact_files, go_on, run_stopped, run_whole

RISE = "{schedule: linear, start: 1, end: 4, generations: 3}"
TEXT = f"""\
environment: {{id: MountainCarContinuous-v0, max_steps: 30}}
algorithm: {{population_size: 8}}
network: {{hidden: 2}}
validation: {{episodes: 3}}
test: {{episodes: 4}}
stop: {{generations: 5, target: null}}
evaluation: {{workers: 1, episodes: {RISE}}}
"""


def config(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return Config.load(str(path))


def episodes_of(evolution, generations):
    return [next(evolution).results.returns.shape[1] for _ in range(generations)]


def evolution(episodes, **more):
    fitness = EpisodeReturn("MountainCarContinuous-v0", hidden=2, max_steps=30, episodes=5)
    return evolve(
        GeneticAlgorithm(fitness.architecture, population_size=8, elites=2, seed=1), fitness, **more | episodes
    )


@pytest.mark.parametrize(
    ("episodes", "expected"),
    [
        ({}, [5, 5]),
        ({"episodes": 2}, [2, 2]),
        ({"episodes": Linear(1, 4, 3)}, [1, 2, 3, 4, 4]),
        ({"episodes": Exponential(1, 8, 3)}, [1, 2, 4, 8, 8]),
        ({"episodes": Linear(3, 1, 4)}, [3, 2, 2, 2, 1]),  # 2.5 and 1.5 are rounded to the even number
        ({"episodes": Linear(1, 4.4, 3)}, [1, 2, 3, 4]),
        ({"episodes": np.int64(2)}, [2, 2]),
        ({"episodes": Linear(1, 6, 5), "race": Race(round=5)}, [1, 2, 3, 4, 5, 6]),  # more than the fitness's 5
    ],
)
def test_a_generation_has_the_episodes_of_its_number(episodes, expected):
    assert episodes_of(evolution(episodes), len(expected)) == expected


@pytest.mark.parametrize("episodes", [Linear(1, 4, 3), Linear(4, 1, 3)])
def test_an_algorithm_that_goes_on_has_the_most_episodes(episodes):
    ran = evolution({"episodes": episodes})
    next(ran)
    ran.continue_with(GeneticAlgorithm(ran.algorithm.architecture, population_size=8, seed=2))
    assert episodes_of(ran, 2) == [4, 4]


@pytest.mark.parametrize(
    ("episodes", "message"),
    [
        (0, "Evolution.episodes must be at least 1, got 0"),
        (1.5, "Evolution.episodes must be a whole number, got 1.5"),
        (Linear(0, 4, 3), "Evolution.episodes must be at least 1, got 0"),
        (2.0, "Evolution.episodes must be a whole number, got 2.0"),
        (True, "Evolution.episodes must be a whole number, got True"),
        (OneFifth(2.0), "Evolution.episodes must follow a schedule of the generation alone: constant, linear or exp"),
    ],
)
def test_wrong_episodes_are_refused(episodes, message):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}"):
        evolution({"episodes": episodes})


@pytest.mark.parametrize(
    ("episodes", "message"),
    [
        ("{schedule: linear, start: 0, end: 4, generations: 3}", "evaluation.episodes must be at least 1, got 0"),
        ("{schedule: one_fifth, start: 1}", "evaluation.episodes must follow a schedule of the generation alone: "),
        ("{schedule: linaer, start: 1}", "evaluation.episodes.schedule"),
        ("0", "evaluation.episodes must be at least 1, got 0"),
    ],
)
def test_a_config_s_wrong_episodes_are_told_at_their_place(episodes, message, tmp_path, capsys):
    text = TEXT.replace(RISE, episodes)
    with pytest.raises(ConfigError, match=rf"c.yaml:7:26: {re.escape(message)}"):
        run(config(tmp_path, text), tmp_path / "run")
    assert main(["check", str(tmp_path / "c.yaml")]) == 2
    assert message in capsys.readouterr().err


def test_a_race_in_a_config_is_over_the_most_episodes(tmp_path):
    (tmp_path / "few").mkdir()
    raced = run_whole(tmp_path, TEXT.replace("workers: 1", "workers: 1, race: {round: 3}"))
    assert [line["episodes"] for line in metrics(raced)] == [1, 2, 3, 4, 4]
    assert all(line["raced_episodes"] <= 8 * line["episodes"] for line in metrics(raced))
    with pytest.raises(ConfigError, match=r"a race needs more episodes than a round has \(4\), got 4"):
        run(config(tmp_path, TEXT.replace("workers: 1", "workers: 1, race: {round: 4}")), tmp_path / "few")


def test_the_metrics_have_a_generation_s_episodes_where_they_vary(tmp_path):
    assert [line["episodes"] for line in metrics(run_whole(tmp_path, TEXT))] == [1, 2, 3, 4, 4]
    (tmp_path / "same").mkdir()
    assert "episodes" not in metrics(run_whole(tmp_path / "same", TEXT.replace(RISE, "2")))[0]


def metrics(path):
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_first_generation_costs_what_its_own_episodes_cost(tmp_path):
    assert build_fitness(config(tmp_path, TEXT)).episodes == 1


class Failing(Linear):
    def following(self, number, generation, success, stagnation):
        if generation == 1:
            raise RuntimeError("no more")
        return super().following(number, generation, success, stagnation)


def test_an_error_of_one_s_own_schedule_is_told_as_such():
    ran = evolution({"episodes": Failing(1, 4, 3)})
    next(ran)
    with pytest.raises(AlgorithmFailed, match=r"Failing.following, which the algorithm calls, failed: .*no more"):
        next(ran)


def test_a_config_s_schedule_survives_the_run_s_own_file(tmp_path):
    again = Config.load(str(run_whole(tmp_path, TEXT) / "config.yaml"))
    assert again.settings.evaluation.episodes.build() == Linear(1, 4, 3)


def test_a_function_s_seeds_follow_a_schedule_too(tmp_path, monkeypatch):
    (tmp_path / "own_seeds.py").write_text(
        "import numpy as np\n"
        "seen = []\n"
        "def count(genomes, seeds):\n"
        "    seen.append(len(seeds))\n"
        "    return np.zeros((len(genomes), len(seeds)))\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    text = f"""\
fitness: {{type: own_seeds:count}}
network: {{inputs: 2, outputs: 1, hidden: 2}}
algorithm: {{population_size: 8}}
evaluation: {{episodes: {RISE}}}
validation: {{episodes: 9, candidates: 1}}
test: {{episodes: 7}}
stop: {{generations: 5}}
"""
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    run(Config.load(str(tmp_path / "c.yaml"), allow_imports=["own_seeds"]), tmp_path / "run")
    import own_seeds

    assert [number for number in own_seeds.seen if number not in (7, 9)] == [1, 2, 3, 4, 4]


def test_a_stopped_and_resumed_run_ends_with_the_same_bytes(tmp_path):
    whole = run_whole(tmp_path, TEXT)
    stopped = run_stopped(tmp_path, TEXT)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)
