"""`evonet finish` ends a stopped run: its champion is tested, and the run can still be resumed."""

import json
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.errors import CheckpointError, RunInUse
from evonet.experiment.config import Config
from evonet.experiment.runner import finish, resume, run
from tests.stopped_runs import Stop, stopping

CONFIG = (
    "environment: {id: CartPole-v1, max_steps: 50}\nnetwork: {hidden: 2}\nalgorithm: {population_size: 6}\n"
    "evaluation: {episodes: 1, workers: 1, engine: numpy}\nvalidation: {episodes: 2}\ntest: {episodes: 3}\n"
    "stop: {generations: 5, target: null}\ncheckpoints: {seconds: 0}\n"
)
SAME = ("metrics.jsonl", "champion.npz", "lineage.jsonl")


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(CONFIG, encoding="utf-8")
    return Config.load("c.yaml")


@pytest.fixture
def stopped(config):
    """A run that was stopped after its third generation."""
    with pytest.raises(Stop):
        run(config, Path("runs/out"), stopping(2))
    return Path("runs/out")


def test_a_stopped_run_ends_with_the_champion_so_far_tested(stopped, capsys):
    assert main(["finish", "last", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["generations"], summary["stopped_by"], summary["champion"]["test_episodes"]) == (3, "finish", 3)
    assert (stopped / "champion.npz").is_file()
    assert main(["finish", "runs/out", "--quiet"]) == 0
    assert main(["finish", "runs/out", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == summary
    assert "runs/out is finished already" in err


def test_a_finished_run_is_resumed_as_if_it_had_never_been_ended(stopped, config):
    finish(stopped)
    resume(stopped)
    run(config, Path("whole"))
    assert [(stopped / name).read_bytes() for name in SAME] == [(Path("whole") / name).read_bytes() for name in SAME]
    assert json.loads((stopped / "run.json").read_text())["stopped_by"] == "generations"


def test_a_run_without_a_generation_cannot_be_finished(config):
    with pytest.raises(Stop):
        run(config, Path("out"), stopping(0))
    for path in Path("out/checkpoints").iterdir():
        path.unlink()
    with pytest.raises(CheckpointError) as refused:
        finish(Path("out"))
    assert str(refused.value) == (
        "out has no finished generation, so there is no champion to test; resume it with: evonet resume out"
    )


def test_a_run_that_is_running_must_be_stopped_first(config):
    def in_between(generation, seconds):
        if generation.number == 1:
            with pytest.raises(RunInUse) as refused:
                finish(Path("out"))
            assert refused.value.__notes__ == ["stop it first, with Ctrl-C in its terminal"]

    run(config, Path("out"), in_between)


def test_a_study_and_a_folder_without_a_run_are_refused(stopped, capsys):
    stopped.rename("seed-0")
    Path("study").mkdir()
    Path("seed-0").rename("study/seed-0")
    Path("study/config.yaml").touch()
    assert main(["finish", "study"]) == 2
    assert "study is a study, not a run" in capsys.readouterr().err
    assert main(["finish", "nowhere"]) == 2
    assert capsys.readouterr().err == "evonet: nowhere is not a run directory: it has no config.yaml\n"
