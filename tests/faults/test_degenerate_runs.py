"""FAULTS.md, rows 33 to 35: rendering impossible, degenerate runs, odd machines."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from evonet.cli import main
from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.run_files import checkpoint
from evonet.processes.cores import cores
from evonet.settings import argument_defaults
from tests.archived import ARCHIVED
from tests.environments_for_tests import MODULE
from tests.faults.processes import PROGRAM, ROOT
from tests.stopped_runs import FUNCTION, SMALL, exact_files, go_on, run_stopped, run_whole

SHORT = "validation: {episodes: 2}\ntest: {episodes: 2}\nevaluation: {workers: 1}\n"


def outcome(tmp_path, capsys, text):
    """Exit status and summary, or the error, of a run."""
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    status = main(["run", str(path), "--json", "--quiet", "--output", str(tmp_path / "run"), "--allow-import", MODULE])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, json.loads(said.out) if status == 0 else said.err


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - ARCHIVED))
@pytest.mark.parametrize("population_size", [1, 2, 3])
def test_fault_34_smallest_populations(name, population_size, tmp_path, capsys):
    pytest.importorskip("cmaes")
    size = "directions" if "directions" in argument_defaults(ALGORITHMS[name]) else "population_size"
    if name in {"restarts", "growing"}:
        settings = f"{{type: {name}, algorithm: {{type: snes, population_size: {population_size}}}}}"
    elif name == "relay":
        inside = f"{{type: snes, population_size: {population_size}}}"
        settings = f"{{type: relay, algorithm: {inside}, then: {inside}, generations: 2}}"
    elif name == "novelty_search":
        inside = f"{{population_size: {population_size}, elites: 0}}"
        settings = f"{{type: novelty_search, measures: [return], algorithm: {inside}}}"
    elif name == "islands":
        inside = f"{{population_size: {population_size}, elites: 0}}"
        settings = f"{{type: islands, interval: 1, migrants: 1, algorithm: {inside}}}"
    else:
        elites = ", elites: 0" if name == "genetic_algorithm" else ""
        settings = f"{{type: {name}, {size}: {population_size}{elites}}}"
    status, found = outcome(tmp_path, capsys, f"{FUNCTION}algorithm: {settings}\nstop: {{generations: 4}}\n")
    if status == 0:
        assert found["generations"] == 4
        assert np.isfinite(found["champion"]["training_fitness"])
    else:
        assert status == 2
        assert f"algorithm.{size} must be" in found or f"algorithm.algorithm.{size} must be" in found


def test_fault_34_a_single_generation_and_a_single_episode(tmp_path, capsys):
    text = "environment: {id: CartPole-v1, max_steps: 1}\nnetwork: {hidden: 1}\nevaluation: {episodes: 1}\n"
    text += "validation: {episodes: 1}\ntest: {episodes: 1}\nalgorithm: {population_size: 2, elites: 1}\n"
    status, found = outcome(tmp_path, capsys, text + "stop: {generations: 1}\n")
    assert status == 0
    assert found["champion"]["test_mean"] == 1.0
    assert found["champion"]["test_episodes"] == 1
    for command in (["inspect", str(tmp_path / "run")], ["inspect", str(tmp_path / "run"), "--json"]):
        assert main(command) == 0


@pytest.mark.parametrize("selection", ["roulette", "linear_rank", "boltzmann", "tournament", "epsilon_lexicase"])
def test_fault_34_equal_fitness(selection, tmp_path, capsys):
    text = f"environment: {{id: '{MODULE}:evonet-tests/Endless-v0', kwargs: {{ends: 3}}}}\n{SHORT}"
    text += f"algorithm: {{population_size: 12, elites: 1, selection: {selection}}}\nstop: {{generations: 4}}\n"
    status, found = outcome(tmp_path, capsys, text)
    assert status == 0
    assert found["champion"]["test_mean"] == 3.0
    assert found["champion"]["test_interval"] == [3.0, 3.0]
    for line in (tmp_path / "run/lineage.jsonl").read_text(encoding="utf-8").splitlines()[1:]:
        assert len({first for first, _ in json.loads(line)["parents"]}) > 3  # no individual is preferred
    assert main(["inspect", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize(
    ("spaces", "served"),
    [
        ("one action", True),
        ("one observation", True),
        ("a number", True),
        ("observations of size 0", False),
        ("actions of size 0", False),
        ("a box without room", True),
    ],
)
def test_fault_34_spaces_of_size_0_and_1(spaces, served, tmp_path, capsys):
    text = f"environment: {{id: '{MODULE}:evonet-tests/Narrow-v0', kwargs: {{spaces: {spaces}}}}}\n{SHORT}"
    text += "network: {hidden: 2}\nalgorithm: {population_size: 4, elites: 1}\nstop: {generations: 2}\n"
    status, found = outcome(tmp_path, capsys, text)
    if served:
        assert status == 0, found
        assert found["champion"]["test_mean"] == 3.0
        assert main(["inspect", str(tmp_path / "run")]) == 0
    else:
        assert status == 2
        assert f"the {spaces.split()[0].removesuffix('s')} space Box([], [], (0,), float32) holds no numbers" in found


def test_fault_33_rendering_impossible(tmp_path, capsys, monkeypatch):
    path = run_whole(tmp_path, f"environment: {{id: CartPole-v1, max_steps: 20}}\nnetwork: {{hidden: 2}}\n{SMALL}")
    monkeypatch.setitem(sys.modules, "pygame", None)
    monkeypatch.chdir(tmp_path)
    assert main(["inspect", str(path)]) == 0
    assert main(["replay", str(path), "--gif", str(tmp_path / "out.gif")]) in {1, 2}
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "pygame" in said


@pytest.fixture
def stopped(tmp_path):
    return run_stopped(tmp_path, FUNCTION + SMALL, after=2)


def evonet(*arguments, **settings):
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL, **settings)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_fault_35_no_terminal_no_home_and_another_encoding(locale, tmp_path):
    """A name of many alphabets is in UTF-8 in all files, and on a terminal that cannot show it there are signs."""
    path = tmp_path / "c.yaml"
    text = f"name: Zürich 東京\nenvironment: {{id: CartPole-v1, max_steps: 20}}\nnetwork: {{hidden: 2}}\n{SHORT}"
    path.write_text(f"{text}algorithm: {{population_size: 4, elites: 1}}\nstop: {{generations: 2}}\n", encoding="utf-8")
    bare = {"PYTHONPATH": str(ROOT), "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TERM": "dumb"}
    done = evonet("run", path, "--output", tmp_path / "run", cwd=tmp_path, env=bare)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stderr + done.stdout
    assert b"\r" not in done.stderr  # no progress bar
    assert "Zürich 東京" in (tmp_path / "run/config.yaml").read_text(encoding="utf-8")
    for file in (tmp_path / "run").rglob("*.json*"):
        file.read_bytes().decode("utf-8")
    read = evonet("inspect", tmp_path / "run", cwd=tmp_path, env={**bare, "PYTHONIOENCODING": "ascii"})
    assert read.returncode == 0, read.stderr
    assert read.stdout.startswith(b"Tested  Z?rich ??")


def test_fault_35_one_cpu(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert cores() == 1
    text = f"environment: {{id: CartPole-v1, max_steps: 20}}\nnetwork: {{hidden: 2}}\n{SMALL}"
    path = run_whole(tmp_path, text, "evaluation.workers=auto")
    assert exact_files(path) == exact_files(run_whole(tmp_path, text, "evaluation.workers=1", name="other"))


def test_fault_35_number_of_cpus_unknown(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1


@pytest.mark.parametrize("jump", [-1e9, 1e9], ids=["back", "on"])
def test_fault_35_the_clock_jumps(jump, tmp_path, monkeypatch):
    """Limits and deadlines go by the monotonic clock: a jump of decades stops nothing and hurries nothing."""
    whole = exact_files(run_whole(tmp_path, FUNCTION + SMALL, "stop.seconds=1000"))
    now, calls = time.time(), iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: now + jump * (next(calls) % 2))
    path = run_whole(tmp_path, FUNCTION + SMALL, "stop.seconds=1000", name="jumped")
    assert exact_files(path) == whole
    assert 0 <= json.loads((path / "run.json").read_text(encoding="utf-8"))["seconds"] < 1000


def test_fault_35_no_deadline_goes_by_the_wall_clock():
    """`time.time` and dates serve names and notes only; durations and deadlines use the monotonic clock."""
    package = Path(checkpoint.__file__).parents[2]
    found = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if "time.time()" in file.read_text(encoding="utf-8")
    }
    assert found == {"inspection/loaded_run.py", "experiment/run_files/tracking.py"}  # how long ago a file was written


def test_a_stopped_run_goes_on_while_the_clock_jumps(stopped, tmp_path, monkeypatch):
    whole = exact_files(run_whole(tmp_path, FUNCTION + SMALL))
    monkeypatch.setattr(time, "time", lambda: 0.0)
    go_on(stopped)
    assert exact_files(stopped) == whole
