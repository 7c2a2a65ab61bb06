"""`stop.seconds` within a generation: the unfinished generation is dropped, and what is kept has the same bits."""

import signal
import time

import pytest

from evonet import EpisodeReturn
from evonet.champion_selection import held_out_episodes
from evonet.errors import EvonetError, OutOfTime
from evonet.evolution import Evolution
from evonet.experiment.config import Config
from evonet.experiment.interruption import alarm
from evonet.experiment.runner import resume, run
from tests.environments_for_tests import MODULE

WALK = f"{MODULE}:evonet-tests/Walk-v0"
TEXT = (
    f"environment: {{id: '{WALK}'}}\nalgorithm: {{population_size: 8, elites: 2}}\nevaluation: {{workers: 1}}\n"
    "validation: {episodes: 4}\ntest: {episodes: 6}\n"
)
KEPT = ("metrics.jsonl", "lineage.jsonl", "genomes.jsonl", "champion.npz")


@pytest.fixture
def config(tmp_path):
    def config(*overrides):
        path = tmp_path / "c.yaml"
        path.write_text(TEXT, encoding="utf-8")
        return Config.load(str(path), ("name=test", *overrides), [MODULE])

    return config


@pytest.fixture
def endless(monkeypatch):
    """Evolution whose generation `number` and all later ones never end, wherever they are interrupted."""

    def endless(number, *, after=False):
        following = Evolution.__next__

        def following_or_waiting(evolution):
            if evolution.generations < number:
                return following(evolution)
            if after:  # everything is evaluated and told, and the champion may be another
                following(evolution)
            time.sleep(60)
            return None

        monkeypatch.setattr(Evolution, "__next__", following_or_waiting)

    return endless


@pytest.mark.parametrize("after", [False, True])
def test_a_generation_that_is_not_done_in_time_is_dropped_and_the_rest_has_the_same_bits(
    after, config, endless, tmp_path
):
    run(config("stop.generations=3"), tmp_path / "whole")
    endless(3, after=after)
    summary = run(config("stop.seconds=1.5", "stop.generations=null"), tmp_path / "cut")
    assert (summary["generations"], summary["stopped_by"]) == (3, "seconds")
    assert summary["evaluations"] == 24
    for name in KEPT:
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_run_that_its_time_ended_is_over_until_the_time_is_raised(config, endless, tmp_path, monkeypatch):
    endless(2)
    summary = run(config("stop.seconds=1", "stop.generations=null"), tmp_path / "cut")
    monkeypatch.undo()
    said = []
    assert resume(tmp_path / "cut", allow_imports=[MODULE], say=said.append) == summary
    again = f"evonet resume {tmp_path / 'cut'} --allow-import {MODULE} --set stop.seconds=…"
    assert said == [f"{tmp_path / 'cut'} is finished, stopped by seconds; to continue it:\n  {again}"]
    more = resume(tmp_path / "cut", ("stop.seconds=500", "stop.generations=5"), allow_imports=[MODULE])
    whole = run(config("stop.generations=5"), tmp_path / "whole")
    assert (more["generations"], more["stopped_by"], more["champion"]) == (5, "generations", whole["champion"])


def test_a_run_without_one_finished_generation_says_so(config, endless, tmp_path):
    endless(0)
    with pytest.raises(EvonetError, match=r"^stop\.seconds is 0\.5, and the first generation was not done by then; "):
        run(config("stop.seconds=0.5"), tmp_path / "run")


def test_the_champions_test_counts_towards_the_time(config, tmp_path, monkeypatch):
    reserved = property(lambda evolution: 1000.0 if evolution.generations else 0.0)
    monkeypatch.setattr(Evolution, "seconds_per_held_out_episode", reserved)
    summary = run(config("stop.seconds=300", "stop.generations=40"), tmp_path / "run")
    assert (summary["generations"], summary["stopped_by"]) == (1, "seconds")


def test_validation_and_test_have_their_times_in_the_summary(config, tmp_path):
    summary = run(config("stop.generations=2"), tmp_path / "run")
    assert 0 < summary["validation_seconds"] < summary["seconds"]
    assert 0 < summary["test_seconds"] < summary["seconds"]


def test_an_alarm_that_was_set_before_goes_on_after_the_time_limit():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(OutOfTime), alarm(0.01):
            time.sleep(60)
        assert rung == []
        ends = time.monotonic() + 30
        while not rung and time.monotonic() < ends:
            time.sleep(0.01)
        assert rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("limit", "episodes"), [(1, 100), (500, 100), (501, 99), (1000, 50), (1600, 31), (5000, 10), (10**6, 10)]
)
def test_held_out_episodes_follow_from_the_step_limit(limit, episodes):
    fitness = EpisodeReturn("Pendulum-v1", max_steps=limit, engine="gymnasium")
    assert held_out_episodes(None, fitness) == episodes
    assert held_out_episodes(7, fitness) == 7
