"""A run as a page shows it, read while another process writes it."""

import json
import shutil

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.errors import ConfigError
from evonet.experiment.run_files.journal_lines import METRICS, metrics_from
from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.inspection.loaded_run import load_run
from evonet.population import Population
from evonet.watch.curves import _MAX_POINTS, COLUMNS, Curves
from evonet.watch.folder import runs_in
from evonet.watch.sketch import population_sketch
from evonet.watch.tail import Tail
from evonet.watch.watched_run import WatchedRun, state_of
from tests.stopped_runs import EAGER, FUNCTION, SMALL, go_on, run_stopped, run_whole

ARCHIVED = """
environment: {id: CartPole-v1, max_steps: 30}
network: {hidden: 2}
measures:
  lean: {of: observation, index: 2, take: mean}
  effort: {of: observation, index: 1, power: 2, take: mean}
algorithm:
  type: map_elites
  population_size: 8
  archive: {type: grid, ranges: {lean: [-0.1, 0.1], effort: [0, 1]}, cells: [4, 4]}
evaluation: {episodes: 1, workers: 1, engine: gymnasium}
validation: {episodes: 2}
test: {episodes: 2}
stop: {generations: 6, target: null}
"""


@pytest.fixture
def copied(unfinished_run, tmp_path):
    return shutil.copytree(unfinished_run, tmp_path / "copied")


@pytest.fixture
def watched(monkeypatch):
    """Opens a run without a process that renders its champion."""
    champions, shown = [], []

    def show(_, champion, shows=None, *, at_once=False):
        champions.append(champion.id)
        shown.append(shows)

    monkeypatch.setattr("evonet.watch.rendering.Renderer.show", show)

    def watched(path):
        run = WatchedRun(path)
        run.champions, run.shown = champions, shown
        return run

    return watched


def test_a_run_that_nobody_finished_has_curves_population_islands_and_network(unfinished_run, watched):
    run, loaded = watched(unfinished_run), load_run(unfinished_run)
    state = run.state()
    assert (state["name"], state["environment"], state["seed"]) == ("three islands", "CartPole-v1", 4)
    assert (state["generations"], state["most_generations"], state["target"]) == (3, 6, 400)
    assert state["curves"]["generation"] == [0, 1, 2]
    assert state["curves"]["best"] == pytest.approx(loaded.metrics["best"].tolist())
    assert state["curves"]["validation_mean"] == pytest.approx(loaded.metrics["validation_mean"].tolist())
    population = state["population"]
    assert (population["size"], sum(population["counts"]), population["generation"]) == (15, 15, 2)
    assert population["high"] == state["best"]
    assert len(population["islands"]) == 3
    assert max(spread[-1] for spread in population["islands"]) == state["best"]
    network = state["network"]
    assert network["layers"][0] == ["cart position", "cart velocity", "pole angle", "pole angular velocity"]
    weights = [abs(weight) for *_, weight in network["connections"]]
    assert weights == sorted(weights)
    assert run.champions == [loaded.champion.id] == [network["individual"]]
    json.dumps(state, allow_nan=False)


def test_a_run_of_a_fitness_function_has_a_network_and_nothing_to_play(tmp_path, watched):
    run = watched(run_whole(tmp_path, FUNCTION + SMALL))
    state = run.state()
    assert (state["environment"], state["plays"], state["clip"], run.champions) == (None, False, None, [])
    assert state["network"]["sizes"] == [2, 3, 1]


def test_a_run_shows_its_archive_and_the_episode_of_the_elite_that_was_chosen(tmp_path, watched, monkeypatch):
    monkeypatch.setattr("evonet.watch.watched_run._PAUSE", 0.0)
    path = run_stopped(tmp_path, ARCHIVED, *EAGER)
    run, archive = watched(path), load_run(path).archive
    state = run.state()
    sketch = state["archive"]
    assert (sketch["axes"], sketch["spans"]) == (["lean", "effort"], [[-0.1, 0.1], [0, 1]])
    assert (sketch["filled"], sketch["cells"], sketch["chosen"]) == (len(archive), 16, None)
    assert sorted(row for *_, row in sketch["elites"]) == list(range(len(archive)))
    assert run.shown == [None]

    best = sketch["elites"][-1][-1]
    run.play(best)
    assert run.champions[-1] == archive.elites[best].id
    assert run.shown[-1].startswith("elite at lean ")
    assert run.state()["archive"]["chosen"] == best

    run.play(len(archive))  # there is no such elite
    assert run.state()["archive"]["chosen"] == best

    go_on(path)
    monkeypatch.setattr("evonet.watch.watched_run._TIMES_READING", 0)
    run._checkpoint_due = 0.0
    assert run.state()["archive"]["generation"] > sketch["generation"]
    assert run.shown[-1].startswith("elite at lean ")  # a newer champion does not end the elite's episode
    run.play(None)
    assert (run.shown[-1], run.state()["archive"]["chosen"]) == (None, None)
    json.dumps(state, allow_nan=False)


@pytest.mark.parametrize("fitness", [[-1e308, 1e308], [3.0, 3.0], [np.nan, -np.inf]])
def test_no_fitness_is_too_odd_to_be_counted(fitness):
    architecture = Architecture(1, 1, 1)
    genomes = np.zeros((2, architecture.genome_size))
    sketch = population_sketch(Population(architecture, genomes, fitness=np.array(fitness)), [])
    assert sketch is None if not np.isfinite(fitness).any() else sum(sketch["counts"]) == 2
    json.dumps(sketch, allow_nan=False)


def test_a_run_is_running_while_its_lock_is_held_then_interrupted_or_finished(copied, small_run):
    assert state_of(copied) == "interrupted"
    with RunDirectory(copied, resumed=True):
        assert state_of(copied) == "running"
    assert state_of(copied) == "interrupted"
    assert state_of(small_run) == "finished"
    with RunDirectory(copied, resumed=True):  # looking did not take the lock
        pass


def test_a_finished_run_has_its_verdict(small_run, watched):
    state = watched(small_run).state()
    assert state["state"] == "finished"
    assert state["verdict"].startswith("Not solved: the champion scores ")


def test_new_generations_are_added_and_a_line_that_is_not_complete_waits(copied, watched, monkeypatch):
    monkeypatch.setattr("evonet.watch.watched_run._PAUSE", 0.0)
    journal = copied / "metrics.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + lines[1][:20])
    run = watched(copied)
    assert run.state()["curves"]["generation"] == [0]
    journal.write_bytes(lines[0] + lines[1])
    assert run.state()["curves"]["generation"] == [0, 1]
    journal.write_bytes(b"".join(lines))
    assert run.state()["generations"] == 3


def test_a_run_that_was_resumed_with_another_limit_and_target_shows_them(copied, watched, monkeypatch):
    monkeypatch.setattr("evonet.watch.watched_run._PAUSE", 0.0)
    monkeypatch.setattr("evonet.watch.watched_run._TIMES_READING", 0)
    run = watched(copied)
    assert (run.state()["most_generations"], run.state()["target"]) == (6, 400)
    go_on(copied, "stop.generations=4", "stop.target=300")
    state = run.state()
    assert (state["most_generations"], state["target"], state["generations"], state["state"]) == (4, 300, 4, "finished")


def test_a_journal_that_was_cut_for_a_resumed_run_is_read_anew(copied):
    journal = copied / "metrics.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    tail = Tail(copied, "metrics", metrics_from)
    assert [len(tail.new()[0]), tail.new()] == [3, ([], False)]
    journal.write_bytes(lines[0])
    records, anew = tail.new()
    assert ([record["generation"] for record in records], anew) == ([0], True)
    journal.write_bytes(b"".join([lines[0].replace(b"{", b"{ ", 1), *lines[1:]]))  # the old position is within a line
    records, anew = tail.new()
    assert ([record["generation"] for record in records], anew) == ([0, 1, 2], True)


@pytest.mark.parametrize("damage", ['{"generation": 1}\n', "no JSON\n"])
def test_a_damaged_journal_is_a_problem_on_the_page_and_no_traceback(damage, copied, watched):
    with (copied / "metrics.jsonl").open("a") as journal:
        journal.write(damage)
    state = watched(copied).state()
    assert "metrics.jsonl:4: " in state["problem"]


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"is not a run directory: it has no config\.yaml$"):
        WatchedRun(tmp_path)


def test_curves_of_a_long_run_stay_small_and_end_with_the_last_generation():
    curves = Curves()
    for generation in range(10_001):
        curves.add(dict.fromkeys(METRICS, 0) | {"generation": generation, "best": generation / 7, "mean": None})
    columns = curves.columns()
    assert set(columns) == set(COLUMNS)
    generations = columns["generation"]
    assert _MAX_POINTS <= len(generations) <= 2 * _MAX_POINTS + 2
    assert (generations[0], generations[-1]) == (0, 10_000)
    assert len(set(np.diff(generations[:-1]))) == 1
    assert columns["best"][-1] == round(10_000 / 7, 2)
    assert set(columns["mean"]) == {None}


def test_the_runs_of_a_folder_and_of_its_studies_are_found_and_nothing_else(copied, tmp_path, small_run):
    shutil.copytree(small_run, tmp_path / "study" / "seed-0")
    (tmp_path / "study" / "config.yaml").write_text("{}")
    (tmp_path / "study" / "seed-1").mkdir()
    (tmp_path / "link").symlink_to(copied)
    (tmp_path / "a file").touch()
    assert set(runs_in(tmp_path)) == {"copied", "study/seed-0"}
    assert set(runs_in(tmp_path / "study")) == {"seed-0"}
