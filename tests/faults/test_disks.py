"""FAULTS.md, rows 18 to 20: whatever the disk does, there is the old state or the new, and the run goes on from it."""

import errno
import json
import os
import re
import resource
import shutil
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.errors import RunDirectoryError
from evonet.experiment.run_files.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.runner import run
from tests.environments_for_tests import MODULE
from tests.faults.disks import CHANGES, Crash, Disk
from tests.faults.processes import Started
from tests.stopped_runs import FUNCTION, all_files, config_for, exact_files, go_on, run_whole

TINY = (
    f"{FUNCTION}name: tiny\nalgorithm: {{population_size: 4, elites: 1}}\nvalidation: {{episodes: 2}}\n"
    "test: {episodes: 2}\nstop: {generations: 2}\ncheckpoints: {seconds: 0}\n"
)
LONGER = "stop.generations=3"
WAYS = {
    "an error": {},
    "an error after half a write": {"torn": True},
    "a crash": {"crashes": True},
    "a crash after half a write": {"crashes": True, "torn": True},
}


def assert_old_or_new(path, states):
    """Each file that is written whole is one of those that it should have been at some time."""
    for name in ("config.yaml", "champion.npz", "run.json"):
        if (path / name).exists():
            content = (path / name).read_bytes()
            if name == "run.json":
                content = json.loads(content)["generations"]
            assert content in states[name], name
    for checkpoint in checkpoints_in(path):
        assert Checkpoint.load(checkpoint).generation == int(checkpoint.stem[-8:])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run, and a longer one."""
    folder = tmp_path_factory.mktemp("runs")
    return run_whole(folder, TINY, name="short"), run_whole(folder, TINY, LONGER, name="long")


@pytest.fixture
def states(runs):
    short, long = runs
    whole = {name: {(path / name).read_bytes() for path in (short, long)} for name in ("config.yaml", "champion.npz")}
    return {**whole, "run.json": {2, 3}, "exact": {2: exact_files(short), 3: exact_files(long)}}


def places(kinds, torn=False):
    """Where the disk shall fail, among changes of these kinds and never; only a write can be half done."""
    return [*(n for n, kind in enumerate(kinds, 1) if kind == "write" or not torn), len(kinds) + 1]


@pytest.mark.parametrize("way", WAYS)
def test_fault_18_crash_at_any_disk_operation(way, tmp_path, states, monkeypatch):
    with Disk(tmp_path / "all").watched(monkeypatch) as disk:
        run(config_for(tmp_path, TINY), tmp_path / "all")
    kinds = disk.kinds
    assert len(kinds) > 40
    assert set(kinds) >= {"open", "write", "fsync", "replace", "mkdir"}
    for n in places(kinds, WAYS[way].get("torn")):
        path = tmp_path / f"run-{n}"
        with Disk(path, n, **WAYS[way]).watched(monkeypatch) as disk:
            try:
                run(config_for(tmp_path, TINY), path)
            except (Crash, RunDirectoryError) as stopped:
                error = str(stopped)
            else:
                error = None
        assert disk.failed == (kinds[n - 1] if n <= len(kinds) else None)
        assert error is not None or disk.failed in (None, "unlink")  # an old checkpoint may stay
        assert error in (None, "") or error.endswith("cannot be written: Input/output error")
        if (path / "config.yaml").exists():
            assert_old_or_new(path, states)
            go_on(path)
        else:  # the run had not begun
            run(config_for(tmp_path, TINY), path)
        assert exact_files(path) == states["exact"][2], (n, disk.failed)
        assert not [file for file in path.rglob(".*") if file.name != ".lock"], n


@pytest.mark.parametrize("way", ["an error after half a write", "a crash after half a write"])
def test_fault_18_crash_while_a_finished_run_is_taken_further(way, tmp_path, runs, states, monkeypatch):
    def finished(name):
        return Path(shutil.copytree(runs[0], tmp_path / name))

    with Disk(finished("all")).watched(monkeypatch) as disk:
        go_on(tmp_path / "all", LONGER)
    kinds = disk.kinds
    assert len(kinds) > 20
    for n in places(kinds):
        path = finished(f"run-{n}")
        with Disk(path, n, **WAYS[way]).watched(monkeypatch) as disk:
            try:
                go_on(path, LONGER)
            except (Crash, RunDirectoryError):
                assert disk.failed is not None
        assert disk.failed == (kinds[n - 1] if n <= len(kinds) else None)
        assert_old_or_new(path, states)
        summary = go_on(path)
        assert exact_files(path) == states["exact"][summary["generations"]], (n, disk.failed)
        if summary["generations"] == 2:
            assert go_on(path, LONGER)["generations"] == 3
            assert exact_files(path) == states["exact"][3], (n, disk.failed)


def test_fault_18_a_checkpoint_is_on_the_disk_before_it_has_its_name_and_that_too_before_older_ones_go(
    tmp_path, monkeypatch
):
    """What a crash simulated in this process cannot show: data and names may reach a disk in any order but this."""
    done = []
    replace, unlink = os.replace, os.unlink
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: done.append(("fsync", Path(f"/proc/self/fd/{file}").readlink().name)))
        patch.setattr(os, "replace", lambda a, b, **rest: (done.append(("replace", b)), replace(a, b, **rest)))
        patch.setattr(os, "unlink", lambda name, **rest: (done.append(("unlink", name)), unlink(name, **rest)))
        run_whole(tmp_path, TINY, LONGER)
    done = [(what, re.sub(r"^\.(.*\.npz)\.\d+$", r"temporary \1", name)) for what, name in done]
    names = [f"generation-0000000{n}.npz" for n in range(3)]
    written = [done.index(("replace", name)) for name in names]
    for place, name in zip(written, names, strict=True):
        assert done[place - 1] == ("fsync", f"temporary {name}")
        assert done[place + 1] == ("fsync", "checkpoints")
    assert done.index(("unlink", names[0])) > written[2] + 1
    champion = done.index(("replace", "champion.npz"))
    assert done[champion - 1 : champion + 2 : 2] == [("fsync", "temporary champion.npz"), ("fsync", "whole")]


def test_the_disk_of_these_tests_sees_every_change(tmp_path, monkeypatch):
    with Disk(tmp_path / "run").watched(monkeypatch) as disk:
        seen = {name: getattr(os, name) for name in CHANGES}
        run(config_for(tmp_path, TINY), tmp_path / "run")
    assert len(disk.kinds) > 40
    assert all(getattr(os, name) is not function for name, function in seen.items())


@pytest.mark.parametrize("place", ["checkpoints", "metrics.jsonl", "genomes.jsonl"])
def test_fault_19_disk_full(place, tmp_path, monkeypatch, capsys):
    whole = exact_files(run_whole(tmp_path, TINY))
    path = tmp_path / "run"
    config_for(tmp_path, TINY)
    writes = 0
    write = os.write

    def full(descriptor, content):
        nonlocal writes
        writes += place in str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if writes == 2:
            write(descriptor, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        arguments = ["run", str(tmp_path / "config-for-tests.yaml"), "--output", str(path), "--allow-import", MODULE]
        assert main(arguments) == 74
    first, *_, last = capsys.readouterr().err.splitlines()
    file = "checkpoints/generation-00000001.npz" if place == "checkpoints" else place
    assert first == f"evonet: {path / file}: cannot be written: No space left on device"
    assert last == f"resume with: evonet resume {path} --allow-import {MODULE}"
    (checkpoint,) = checkpoints_in(path)
    assert Checkpoint.load(checkpoint).generation == 0
    assert [file.name for file in (path / "checkpoints").iterdir()] == [checkpoint.name]
    assert main(["resume", str(path), "--quiet", "--allow-import", MODULE]) == 0
    assert exact_files(path) == whole


@pytest.mark.thorough
def test_fault_19_files_may_not_grow(tmp_path):
    text = TINY.replace("generations: 2", "generations: 60")
    whole = exact_files(run_whole(tmp_path, text))
    size = len(whole["metrics.jsonl"]) // 2

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    path = tmp_path / "run"
    config = tmp_path / "config-for-tests.yaml"
    arguments = ["run", config, "--output", path, "--allow-import", MODULE]
    whole_modules = {"PYTHONDONTWRITEBYTECODE": "1"}  # Python would leave the first part of a compiled module
    with Started(*arguments, preexec_fn=limit, environment=whole_modules) as started:
        status, out, err = started.ended()
    assert (status, out) == (74, "")
    assert err.splitlines()[0].endswith(": cannot be written: File too large")
    assert err.splitlines()[-1] == f"resume with: evonet resume {path} --allow-import {MODULE}"
    go_on(path)
    assert exact_files(path) == whole


def test_fault_20_run_directory_unwritable(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("evonet.evolution.Evolution.__next__", lambda _: pytest.fail("work was begun"))
    config_for(tmp_path, TINY)
    (tmp_path / "file").write_text("in the way")
    before = all_files(tmp_path)
    arguments = ["run", str(tmp_path / "config-for-tests.yaml"), "--allow-import", MODULE, "--output"]
    for place in ("file/run", "file", "x" * 300):
        assert main([*arguments, str(tmp_path / place)]) == 74
        assert capsys.readouterr().err.startswith(f"evonet: {tmp_path / place}: cannot be written: ")
    assert all_files(tmp_path) == before
