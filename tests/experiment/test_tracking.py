import json
import sys
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.extras import install_hint

pytest.importorskip("tensorboardX")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "config.yaml").write_text(
        "environment: {id: CartPole-v1}\nnetwork: {hidden: 2}\nalgorithm: {population_size: 6, elites: 1}\n"
        "stop: {generations: 4, target: null}\nvalidation: {episodes: 2}\ntest: {episodes: 2}\n"
        "tracking: [tensorboard]\n"
    )
    assert main(["run", str(folder / "config.yaml"), "--quiet", "--output", str(folder / "run")]) == 0
    return folder / "run"


@pytest.mark.filterwarnings("ignore")  # its own imports warn
def test_tensorboard_reads_the_metrics_of_a_run(run):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = reader.EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for tag, name in [("fitness/best", "best"), ("effort/evaluations", "evaluations"), ("population/faults", "faults")]:
        scalars = events.Scalars(tag)
        assert [event.step for event in scalars] == [0, 1, 2, 3]
        assert [event.value for event in scalars] == pytest.approx([line[name] for line in metrics])


def test_without_its_package_a_run_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    (tmp_path / "config.yaml").write_text("environment: {id: CartPole-v1}\ntracking: [tensorboard]\n")
    assert main(["run", str(tmp_path / "config.yaml"), "--quiet", "--output", str(tmp_path / "run")]) == 2
    assert install_hint("tensorboard") in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", [["check"], ["study", "--seeds", "2", "--output", "study"]], ids=lambda c: c[0])
def test_without_its_package_nothing_is_begun(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("environment: {id: CartPole-v1}\ntracking: [tensorboard]\n", encoding="utf-8")
    assert main([command[0], "config.yaml", *command[1:]]) == 2
    assert "tracking: tensorboard needs tensorboardX, which is not installed: " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_an_unknown_tracker_is_refused(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text("environment: {id: CartPole-v1}\ntracking: [tensorbord]\n")
    assert main(["run", str(tmp_path / "config.yaml")]) == 2
    assert capsys.readouterr().err == (
        f"evonet: {tmp_path}/config.yaml:2:12: tracking.0 must be 'tensorboard', got 'tensorbord'; "
        "did you mean 'tensorboard'?\n"
    )
