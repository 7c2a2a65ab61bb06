"""Spectators: processes beside a run, which end with it; and the window."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from evonet.cli import main
from evonet.inspection.loaded_run import load_run
from evonet.seeding import Purpose, episode_seeds
from evonet.watch import spectators as module
from evonet.watch.spectators import spectators
from evonet.watch.window import play_newest

PROGRAM = "import sys\nprint(sys.argv[1:], flush=True)\nsys.stdin.read()"
ENDS = "import sys\nprint(sys.argv[1:], flush=True)"


@pytest.fixture
def program(monkeypatch):
    """Starts another program in place of `evonet watch`."""
    return lambda text: monkeypatch.setattr(module, "_COMMAND", [sys.executable, "-S", "-c", text])


def test_a_spectator_is_started_for_the_run_and_ends_with_the_context(program):
    program(PROGRAM)
    lines, said, processes = [], threading.Event(), []
    popen = subprocess.Popen

    def say(line):
        lines.append(line)
        said.set()

    with pytest.MonkeyPatch.context() as patch, spectators([["--window"]], ["mine"], say, stay=False) as attend:
        patch.setattr(subprocess, "Popen", lambda *a, **k: processes.append(popen(*a, **k)) or processes[-1])
        attend(Path("runs/first"))
        assert said.wait(60)
        assert processes[0].poll() is None
    assert lines == ["['runs/first', '--window', '--attached', '--allow-import', 'mine']"]
    assert processes[0].returncode == 0


def test_a_spectator_that_stays_is_waited_for(program):
    program(ENDS)
    lines = []
    with spectators([[], ["--window"]], [], lines.append, stay=True) as attend:
        attend(Path("run"))
    assert sorted(lines) == [
        "Ctrl-C ends what --watch and --window show",
        "['run', '--attached']",
        "['run', '--window', '--attached']",
    ]


def test_without_the_options_a_run_starts_no_process(tmp_path, monkeypatch, small_run):
    monkeypatch.setattr(subprocess, "Popen", None)
    assert main(["run", str(small_run / "config.yaml"), "--quiet", "--output", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize("command", ["run", "resume"])
def test_run_and_resume_tell_their_spectators_where_the_run_is(command, tmp_path, monkeypatch, small_run, capsys):
    program = [sys.executable, "-S", "-c", ENDS]
    monkeypatch.setattr(module, "_COMMAND", program)
    arguments = [str(small_run / "config.yaml"), "--output", str(tmp_path / "run")]
    if command == "resume":
        assert main(["run", *arguments, "--quiet"]) == 0
        arguments = [str(tmp_path / "run"), "--set", "stop.generations=9"]
    seen = []
    monkeypatch.setattr("evonet.cli.watch.say_above_the_bar", seen.append)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main([command, *arguments, "--quiet", "--watch"]) == 0
    assert f"['{tmp_path / 'run'}', '--attached']" in seen


def test_the_window_plays_the_champion_of_a_run_that_is_over_once(small_run, monkeypatch, niceness):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr("evonet.environments.instance.Instance.step", _hurried())
    lines = []
    play_newest(small_run, say=lines.append)
    champion = load_run(small_run).champion
    (seed,) = episode_seeds(3, Purpose.REPLAY, 0, 1)
    results = champion.run(np.array([seed]))
    what = f"return {results.returns[0, 0]:g} in {results.lengths[0, 0]} steps"
    assert lines == [f"champion of generation {champion.generation}, seed {seed}: {what}"]
    assert niceness == [10]


def _hurried():
    """A step that does not wait for the next frame of the window."""
    from evonet.environments.instance import Instance

    step = Instance.step

    def hurried(instance, action):
        unwrapped = instance.open().unwrapped
        if getattr(unwrapped, "clock", None) is not None:
            unwrapped.metadata = {**unwrapped.metadata, "render_fps": 10_000}
        return step(instance, action)

    return hurried


def test_a_window_plays_newer_champions_until_the_run_is_over(small_run, monkeypatch):
    states = iter(["running", "running", "finished"])
    played = []
    monkeypatch.setattr("evonet.watch.window.state_of", lambda _: next(states))
    monkeypatch.setattr("evonet.watch.window.show", lambda policy, seeds: played.append(seeds.tolist()) or ())
    play_newest(small_run)
    assert played == [[seed] for seed in episode_seeds(3, Purpose.REPLAY, 0, 3).tolist()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{nowhere}"], "is neither a run directory nor a folder of run directories"),
        (["{nowhere}", "--window"], "is not a run directory"),
        (["--port", "0"], "argument --port: must be a whole number from 1 to 65535, got '0'"),
    ],
)
def test_what_cannot_be_watched_is_a_message_and_status_2(arguments, message, tmp_path, capsys, monkeypatch):
    try:
        status = main(["watch", *(argument.format(nowhere=tmp_path / "nowhere") for argument in arguments)])
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert message in capsys.readouterr().err
