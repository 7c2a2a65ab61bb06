"""Resume: a stopped run has the results of an uninterrupted one, with every algorithm, engine and executor."""

import copy
import importlib.util
import itertools
import json
import math

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.errors import CheckpointError, ConfigError, RunDirectoryError
from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.run_files.checkpoint import Checkpoint
from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.files.directory import Directory
from evonet.settings import argument_hints
from evonet.shell import command
from evonet.strategies.algorithm import tell_with_episodes
from tests.archived import ARCHIVED
from tests.environments_for_tests import MODULE
from tests.files.test_state import there_and_back
from tests.stopped_runs import (
    EAGER,
    FUNCTION,
    SMALL,
    Stop,
    all_files,
    exact_files,
    go_on,
    run_stopped,
    run_whole,
    stopping,
)

WALK = f"environment: {{id: '{MODULE}:evonet-tests/Walk-v0'}}\nevaluation: {{workers: 1}}\n{SMALL}"
CARTPOLE = f"environment: {{id: CartPole-v1, max_steps: 40}}\nnetwork: {{hidden: 3}}\n{SMALL}"
TOLERANT = "faults.max_share=1.0"


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize("eager", [(), EAGER], ids=["throttled", "eager"])
def test_stopped_after_any_generation_it_ends_with_the_same_bytes(after, eager, tmp_path):
    whole = exact_files(run_whole(tmp_path, FUNCTION + SMALL))
    assert set(whole) == {
        "metrics.jsonl",
        "lineage.jsonl",
        "genomes.jsonl",
        "faults.jsonl",
        "arrays.f64",
        "champion.npz",
    }
    stopped = run_stopped(tmp_path, FUNCTION + SMALL, *eager, after=after)
    summary = go_on(stopped)
    assert exact_files(stopped) == whole
    assert summary["generations"] == 6
    assert json.loads((stopped / "run.json").read_text(encoding="utf-8")) == summary


@pytest.mark.parametrize(
    "overrides",
    [
        ("evaluation.normalise_observations=true", "validation={episodes: 3, candidates: 3}"),
        ("evaluation.aggregation=quantile", "network={recurrent: true, hidden: 3}"),
        ("environment.kwargs={trouble: raise, at: 3, seeds: [5]}", TOLERANT),
        ("environment.kwargs={trouble: raise}", TOLERANT),
        ("stop={generations: 20, stagnation: 2}",),
        ("checkpoints.every=2",),
    ],
    ids=lambda overrides: overrides[0][:34],
)
def test_episodes_normalisers_faults_and_stop_rules_go_on_too(overrides, tmp_path):
    whole = run_whole(tmp_path, WALK, *overrides)
    stopped = run_stopped(tmp_path, WALK, *overrides, after=1)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)
    assert summary_of(stopped) == summary_of(whole)


def summary_of(path):
    summary = json.loads((path / "run.json").read_text(encoding="utf-8"))
    times = ("seconds", "validation_seconds", "test_seconds")
    return {key: value for key, value in summary.items() if key not in (*times, "run_directory")}


INSIDE = {
    "restarts": ", algorithm: snes, stagnation: 2",
    "relay": ", algorithm: {type: snes, population_size: 6}, then: {population_size: 8}, generations: 4",
    "growing": ", algorithm: snes, stagnation: 2",
    "islands": ", algorithm: {population_size: 8}, islands: 3, interval: 2",
    "novelty_search": ", algorithm: {population_size: 8}, measures: [return], neighbours: 3",
}


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - ARCHIVED))
def test_every_algorithm_goes_on_to_the_last_bit(name, tmp_path):
    inside = INSIDE.get(name, "")
    settings = f"algorithm: {{type: {name}{inside}}}"
    text = (FUNCTION + SMALL).replace("algorithm: {population_size: 8, elites: 2}", settings)
    whole = exact_files(run_whole(tmp_path, text))
    for after in (0, 3):
        stopped = run_stopped(tmp_path, text, after=after, name=f"stopped-{after}")
        go_on(stopped)
        assert exact_files(stopped) == whole


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - ARCHIVED))
def test_an_algorithm_s_state_stays_as_it_is_while_the_algorithm_goes_on(name, tmp_path):
    """It is taken after every generation, and written only if a signal comes."""
    algorithm = ALGORITHMS[name](architecture=Architecture(2, 2, 1), seed=2, **inner(name))
    for _ in range(4):
        tell(algorithm, -(algorithm.ask() ** 2).sum(axis=1))
        state = algorithm.state()
        before = copy.deepcopy(state)
        tell(algorithm, -(algorithm.ask() ** 2).sum(axis=1))
        algorithm.ask()
        np.testing.assert_equal(state, before)
    other = ALGORITHMS[name](architecture=Architecture(2, 2, 1), seed=2, **inner(name))
    other.restore(there_and_back(algorithm.state(), tmp_path / "state.npz"))
    for _ in range(3):
        assert other.ask().tobytes() == algorithm.ask().tobytes()
        for each in (algorithm, other):
            tell(each, np.cos(each.ask()).sum(axis=1))


def tell(algorithm, fitness):
    tell_with_episodes(algorithm, fitness, returns=None, observe=None, measures={"return": fitness})


def inner(name):
    """For an algorithm around another, which."""
    if name == "novelty_search":
        return {"algorithm": ALGORITHMS["snes"], "measures": ["return"]}
    if name == "islands":
        return {"algorithm": ALGORITHMS["genetic_algorithm"], "interval": 2}
    if name == "relay":
        return {"algorithm": ALGORITHMS["snes"], "then": ALGORITHMS["genetic_algorithm"], "generations": 3}
    return {"algorithm": ALGORITHMS["snes"]} if "algorithm" in argument_hints(ALGORITHMS[name]) else {}


def test_an_engine_or_a_number_of_workers_may_take_over_from_another(tmp_path):
    whole = exact_files(run_whole(tmp_path, CARTPOLE, "evaluation.engine=numpy"))
    stopped = run_stopped(tmp_path, CARTPOLE, "evaluation.engine=numpy", after=2)
    go_on(stopped, "evaluation.workers=2")
    assert exact_files(stopped) == whole


NEEDS_ENVPOOL = pytest.mark.skipif(importlib.util.find_spec("envpool") is None, reason="EnvPool is not installed")


@pytest.mark.parametrize("engine", ["gymnasium", "numpy", "numba", pytest.param("envpool", marks=NEEDS_ENVPOOL)])
def test_every_engine_goes_on(engine, tmp_path):
    settings = (f"evaluation.engine={engine}", "evaluation.workers=1")
    whole = run_whole(tmp_path, CARTPOLE, *settings)
    stopped = run_stopped(tmp_path, CARTPOLE, *settings, after=3)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)


def test_a_run_that_is_stopped_again_and_again_loses_nothing(tmp_path):
    whole = exact_files(run_whole(tmp_path, FUNCTION + SMALL))
    stopped = run_stopped(tmp_path, FUNCTION + SMALL, after=0)
    for after in range(1, 5):
        with pytest.raises(Stop):
            go_on(stopped, watch=stopping(after))
        assert len(lines(stopped / "metrics.jsonl")) == after + 1
    go_on(stopped)
    assert exact_files(stopped) == whole


def test_a_finished_run_goes_further_and_is_what_a_longer_run_would_have_been(tmp_path):
    short = run_whole(tmp_path, WALK, "evaluation.normalise_observations=true", name="short")
    long = run_whole(tmp_path, WALK, "evaluation.normalise_observations=true", "stop.generations=10", name="long")
    summary = go_on(short, "stop.generations=10")
    assert summary["generations"] == 10
    assert exact_files(short) == exact_files(long)
    assert (short / "config.yaml").read_bytes() == (long / "config.yaml").read_bytes()
    assert summary_of(short) == summary_of(long)


def test_a_run_on_its_way_further_is_not_called_finished(tmp_path):
    path = run_whole(tmp_path, FUNCTION + SMALL)
    with pytest.raises(Stop):
        go_on(path, "stop.generations=10", watch=stopping(7))
    assert not (path / "run.json").exists()
    assert go_on(path)["generations"] == 10  # the new limit is the run's own by now


def test_a_finished_run_that_is_resumed_is_left_as_it_is(tmp_path):
    path = run_whole(tmp_path, FUNCTION + SMALL)
    before, said = all_files(path), []
    summary = go_on(path, say=said.append)
    assert summary == json.loads(before["run.json"])
    assert all_files(path) == before
    again = f"evonet resume {path} --allow-import {MODULE} --set stop.generations=…"
    assert said == [f"{path} is finished, stopped by generations; to continue it:\n  {again}"]


def test_a_run_that_was_moved_knows_where_it_is(tmp_path):
    path = run_whole(tmp_path, FUNCTION + SMALL).rename(tmp_path / "elsewhere")
    assert go_on(path)["run_directory"] == str(path)


def test_a_run_killed_between_its_end_and_its_test_is_tested(tmp_path):
    path = run_whole(tmp_path, FUNCTION + SMALL)
    whole, summary = exact_files(path), summary_of(path)
    (path / "run.json").unlink()
    (path / "champion.npz").unlink()
    go_on(path, watch=lambda *_: pytest.fail("a generation too many"))
    assert exact_files(path) == whole
    assert summary_of(path) == summary


def test_a_run_killed_before_its_first_checkpoint_starts_from_its_config(tmp_path):
    whole = exact_files(run_whole(tmp_path, FUNCTION + SMALL))
    path = tmp_path / "killed"
    with RunDirectory(path) as directory:
        directory.write_text("config.yaml", (tmp_path / "whole/config.yaml").read_text(encoding="utf-8"))
        directory.append("metrics", {"generation": 0, "of": "no run"})
    (path / ".config.yaml.4711").write_text("left behind")
    go_on(path)
    assert exact_files(path) == whole
    assert not (path / ".config.yaml.4711").exists()


def test_a_finished_run_without_a_checkpoint_is_not_run_again(tmp_path):
    path = run_whole(tmp_path, FUNCTION + SMALL)
    for file in (path / "checkpoints").iterdir():
        file.unlink()
    before = all_files(path)
    with pytest.raises(CheckpointError, match="holds a finished run without a checkpoint to continue from"):
        go_on(path, "stop.generations=10")
    assert all_files(path) == before


def test_seconds_are_the_sum_over_all_resumptions(tmp_path):
    stopped = run_stopped(tmp_path, FUNCTION + SMALL, after=2)
    checkpoint = lines(stopped / "timing.jsonl")[2]["seconds"]
    watched = []
    summary = go_on(stopped, watch=lambda generation, seconds: watched.append(seconds))
    seconds = [line["seconds"] for line in lines(stopped / "timing.jsonl")]
    assert seconds == sorted(seconds)
    assert checkpoint < watched[0] < watched[-1] <= summary["seconds"] + 0.001
    late = run_stopped(tmp_path, FUNCTION + SMALL, after=2, name="late")
    summary = go_on(late, f"stop.seconds={lines(late / 'timing.jsonl')[2]['seconds']}")
    assert (summary["stopped_by"], summary["generations"]) == ("seconds", 3)


@pytest.mark.parametrize("stop", [{}, {"seconds": "soon"}, []])
def test_a_checkpoint_whose_config_has_no_limit_in_seconds_is_resumed(stop, tmp_path):
    stopped = run_stopped(tmp_path, FUNCTION + SMALL, after=2)
    (file,) = (stopped / "checkpoints").glob("*.npz")
    checkpoint = Checkpoint.load(file)
    checkpoint.config["stop"] = stop
    file.write_bytes(checkpoint.packed())
    assert go_on(stopped)["generations"] == 6


def test_the_fittest_individual_is_logged_whenever_it_changes(tmp_path):
    path = run_whole(tmp_path, WALK, "evaluation.normalise_observations=true", "stop.generations=12")
    genomes, metrics = lines(path / "genomes.jsonl"), lines(path / "metrics.jsonl")
    lineage = {
        i: f for entry in lines(path / "lineage.jsonl") for i, f in zip(entry["ids"], entry["fitness"], strict=1)
    }
    assert 2 <= len(genomes) < len(metrics)
    assert genomes[0]["generation"] == 0
    for earlier, later in itertools.pairwise(genomes):
        assert later["individual"] != earlier["individual"]
    for entry in genomes:
        assert entry["fitness"] == metrics[entry["generation"]]["best"]
        assert entry["individual"] in lineage
        assert entry["normaliser"]["count"] >= 0
    assert genomes[0]["fitness"] == lineage[genomes[0]["individual"]]


REFUSED = {
    "a setting that shapes the run": "network.hidden=9",
    "a section that shapes the run": "evaluation={workers: 1}",
    "a name that only begins so": "stopper=1",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_be_set_is_refused(name, tmp_path):
    path = run_stopped(tmp_path, FUNCTION + SMALL)
    before, override = all_files(path), REFUSED[name]
    with pytest.raises(ConfigError) as refused:
        go_on(path, override)
    assert str(refused.value) == (
        f"--set {override}: a resumed run can change stop, checkpoints, evaluation.workers and "
        f"evaluation.instances only; "
        f"to change {override.partition('=')[0]}, start a new run: "
        + command("evonet", "run", path / "config.yaml", "--set", override, "--allow-import", MODULE)
    )
    assert all_files(path) == before


def test_a_wrong_value_is_refused_on_resume_too(tmp_path):
    path = run_stopped(tmp_path, FUNCTION + SMALL)
    before = all_files(path)
    with pytest.raises(ConfigError) as refused:
        go_on(path, "stop.generations=0")
    assert str(refused.value) == "--set stop.generations=0: stop.generations must be at least 1, got 0"
    assert all_files(path) == before


def test_a_directory_without_a_run_is_refused_and_unchanged(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nowhere"):
        with pytest.raises(ConfigError) as refused:
            go_on(tmp_path / name)
        assert str(refused.value) == f"{tmp_path / name} is not a run directory: it has no config.yaml"
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert all_files(tmp_path) == {}


def test_a_state_that_does_not_fit_is_refused_before_anything_is_changed(tmp_path, monkeypatch):
    path = run_stopped(tmp_path, FUNCTION + SMALL)
    before = all_files(path)
    monkeypatch.setattr(Architecture, "genome_size", property(lambda self: 4711))
    with pytest.raises(CheckpointError, match="the checkpoint of generation 2 does not fit the run: ValueError"):
        go_on(path)
    assert all_files(path) == before


def test_a_failure_of_the_disk_while_going_on_loses_nothing(tmp_path, monkeypatch):
    whole = exact_files(run_whole(tmp_path, FUNCTION + SMALL))
    stopped = run_stopped(tmp_path, FUNCTION + SMALL, after=1)

    write = Directory.write

    def full(directory, name, content, **rest):
        if directory.path.name == "checkpoints":
            raise OSError(28, "No space left on device")
        write(directory, name, content, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(Directory, "write", full)
        with pytest.raises(RunDirectoryError) as refused:
            go_on(stopped, "checkpoints.seconds=0")
    assert refused.value.__notes__ == [f"resume with: evonet resume {stopped} --allow-import {MODULE}"]
    go_on(stopped)
    assert exact_files(stopped) == whole


def test_infinite_fitness_goes_on_as_it_was(tmp_path):
    text = f"fitness: {{type: '{MODULE}:failing'}}\nnetwork: {{inputs: 2, outputs: 1, hidden: 3}}\n{SMALL}"
    whole = run_whole(tmp_path, text, TOLERANT)
    stopped = run_stopped(tmp_path, text, TOLERANT)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)
    assert not all(math.isfinite(line["faults"]) and line["faults"] == 0 for line in lines(whole / "metrics.jsonl"))
