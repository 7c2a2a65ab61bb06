"""A command that evonet prints works as it is printed, with the imports that the user allowed."""

import io
import shlex
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from tests.environments_for_tests import MODULE
from tests.stopped_runs import Stop, stopping

ALLOWED = ["--allow-import", MODULE]
FLAG = f" --allow-import {MODULE}"
WALK = "environment: {{id: '{module}:evonet-tests/Walk-v0', kwargs: {kwargs}}}\n"
SMALL = (
    "network: {hidden: 2}\nalgorithm: {population_size: 6}\nevaluation: {episodes: 1, workers: 1}\n"
    "validation: {episodes: 2}\ntest: {episodes: 2}\nstop: {generations: 2}\n"
)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Writes `c.yaml` into the current folder, with an environment whose module must be allowed."""
    monkeypatch.chdir(tmp_path)

    def write(kwargs="{}", more=""):
        Path("c.yaml").write_text(WALK.format(module=MODULE, kwargs=kwargs) + SMALL + more, encoding="utf-8")
        return "c.yaml"

    return write


def printed(text, words):
    """The command in the line of `text` that begins with these words, and its exit status when it is run."""
    (line,) = (line for line in text.splitlines() if line.startswith(words))
    command = line.removeprefix(words)
    return command, main(shlex.split(command)[1:])


def test_check_prints_the_run_with_all_that_it_was_given(config, capsys):
    options = ["--seed", "3", "--workers", "1", "--set", "name=a b", "--set", "network.hidden=3"]
    assert main(["check", config(), *options, *ALLOWED]) == 0
    command, status = printed(capsys.readouterr().out, "OK. Run it with: ")
    changes = "--seed 3 --workers 1 --set 'name=a b' --set network.hidden=3"
    assert (command, status) == (f"evonet run c.yaml {changes}{FLAG}", 0)
    (run_directory,) = Path("runs").iterdir()
    assert "hidden: 3" in (run_directory / "config.yaml").read_text()


def test_a_run_prints_three_commands_that_show_it(config, capsys):
    assert main(["run", config(), "--output", "out", *ALLOWED]) == 0
    commands = [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("  evonet ")]
    assert commands == [f"evonet replay out{FLAG}", f"evonet inspect out --html{FLAG}", "evonet inspect out --weights"]
    assert [main(shlex.split(each)[1:]) for each in (commands[0], commands[2])] == [0, 0]


def test_a_run_that_faults_end_prints_a_replay_and_a_resume_that_are_allowed(config, capsys):
    config("{trouble: raise}", "faults: {on_fault: stop}\n")
    assert main(["run", "c.yaml", "--output", "out", *ALLOWED]) == 1
    error = capsys.readouterr().err
    command, status = printed(error, "replay it with: ")
    assert (command, status) == (f"evonet replay out --fault 0{FLAG}", 0)
    assert "the fault is the same" in capsys.readouterr().out
    command, status = printed(error, "start again after a repair with: ")
    assert (command, status) == (f"evonet resume out{FLAG}", 1)  # the environment still fails
    assert "would import" not in capsys.readouterr().err


def test_an_interrupted_run_prints_a_resume_that_is_allowed(config, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("evonet.evolution.Evolution.__next__", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        assert main(["run", config(), "--output", "out", *ALLOWED]) == 130
    command, status = printed(capsys.readouterr().err, "nothing was saved yet; start again with: ")
    assert (command, status) == (f"evonet resume out{FLAG}", 0)


def test_inspect_prints_a_resume_with_the_modules_that_the_run_s_own_settings_name(config, capsys):
    config()
    with pytest.raises(Stop):
        run(Config.load("c.yaml", ["checkpoints.seconds=0"], [MODULE]), Path("out"), stopping(0))
    assert main(["inspect", "out"]) == 0
    (command,) = (line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  evonet resume"))
    assert command == f"evonet resume out{FLAG}"
    assert main(shlex.split(command)[1:]) == 0


@pytest.mark.parametrize("what", ["a setting that must stay", "a config that was changed", "a damaged checkpoint"])
def test_a_refused_resume_prints_a_run_that_is_allowed(what, config, capsys):
    run(Config.load(config(), (), [MODULE]), Path("out"))
    arguments = ["resume", "out", *ALLOWED]
    if what == "a setting that must stay":
        arguments += ["--set", "network.hidden=3"]
    elif what == "a config that was changed":
        path = Path("out/config.yaml")
        path.write_text(path.read_text().replace("hidden: 2", "hidden: 3"))
    else:
        for path in Path("out/checkpoints").iterdir():
            path.write_bytes(b"damaged")
    assert main(arguments) in (1, 2)
    error = capsys.readouterr().err
    assert f"evonet run out/config.yaml{' --set network.hidden=3' if 'setting' in what else ''}{FLAG}" in error


def test_a_study_prints_how_it_is_inspected(config, capsys):
    assert main(["study", config(), "--seeds", "1", "--workers", "1", "--output", "study", *ALLOWED]) == 0
    command, status = printed(capsys.readouterr().err, "inspect it with: ")
    assert (command, status) == (f"evonet inspect study{FLAG}", 0)


def test_a_config_may_come_from_standard_input(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    for text, status in ((f"environment: {{id: CartPole-v1}}\n{SMALL}", 0), ("network: {hiden: 2}\n", 2)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(["run", "-", "--output", "out", "--quiet"]) == status
    assert "evonet: standard input:1:11: network.hiden is not a known key; did you mean 'hidden'?" in (
        capsys.readouterr().err
    )
    assert "name: experiment" in Path("out/config.yaml").read_text()
