"""FAULTS.md, rows 21 to 26 and 36: run directories that are damaged, changed, or from somewhere else."""

import json
import shutil
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.experiment.run_files.checkpoint import FORMAT, LIMITS, checkpoints_in, usable_checkpoint
from evonet.files.archive import pack_state, read_state
from evonet.files.bounded import reading
from evonet.files.directory import Directory
from tests.environments_for_tests import MODULE
from tests.rewriting import write_anew
from tests.stopped_runs import EAGER, FUNCTION, SMALL, all_files, exact_files, go_on, run_stopped, run_whole

FORTY = "stop.generations=40"


@pytest.fixture
def whole(tmp_path):
    return exact_files(run_whole(tmp_path, FUNCTION + SMALL))


@pytest.fixture
def stopped(tmp_path):
    """A run stopped after generation 3, with the checkpoints of generations 2 and 3."""
    path = run_stopped(tmp_path, FUNCTION + SMALL, *EAGER, after=3)
    assert [int(file.stem[-8:]) for file in checkpoints_in(path)] == [3, 2]
    return path


def unpack(path):
    with reading(path) as file:
        return read_state(file, FORMAT, LIMITS)


def pack(content, kind=FORMAT):
    return pack_state(kind, content, LIMITS)


def usable(path, say):
    with Directory(path) as directory:
        return usable_checkpoint(directory, say)


def resumed(path, *arguments):
    return main(["resume", str(path), "--allow-import", MODULE, *arguments])


@pytest.mark.parametrize("stride", [97, pytest.param(1, marks=pytest.mark.slow)])  # every place takes a minute
def test_fault_21_newest_checkpoint_corrupt(stride, stopped, whole, capsys):
    newest, older = checkpoints_in(stopped)
    sound = newest.read_bytes()
    for place in sorted({*range(0, len(sound), stride), *range(64), *range(len(sound) - 64, len(sound))}):
        changed = bytearray(sound)
        changed[place] ^= 1 + place % 255
        for content in (bytes(changed), sound[:place]):
            write_anew(newest, content)
            said = []
            assert usable(stopped, said.append).generation == 2
            (message,) = said
            assert message.startswith(f"{newest}: not a valid archive: it")
            assert message.endswith("; the checkpoint before it is used")
    assert resumed(stopped) == 0
    assert message in capsys.readouterr().err.splitlines()
    assert exact_files(stopped) == whole
    assert older not in checkpoints_in(stopped)
    assert all(unpack(file) for file in checkpoints_in(stopped))


def test_fault_22_all_checkpoints_corrupt(stopped, capsys):
    for file in checkpoints_in(stopped):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 4
        file.write_bytes(content)
    before = all_files(stopped)
    assert resumed(stopped) == 1
    reasons = [f"{file}: not a valid archive: it is truncated or changed: its checksum is wrong"
               for file in checkpoints_in(stopped)]  # fmt: skip
    assert capsys.readouterr().err.splitlines() == [
        f"evonet: {reasons[0]}",
        reasons[1],
        "no checkpoint can be used; nothing was changed",
        f"start the run again: evonet run {stopped / 'config.yaml'} --allow-import {MODULE}",
    ]
    assert all_files(stopped) == before


@pytest.mark.parametrize("journal", ["metrics", "timing", "lineage"])
@pytest.mark.parametrize("state", ["stopped", "finished"])
def test_fault_23_torn_last_line(journal, state, tmp_path, whole):
    """A crash cannot tear it, for it was on the disk before its checkpoint; what else does costs a generation."""
    text = FUNCTION + SMALL
    run = run_whole(tmp_path, text, *EAGER, name="run") if state == "finished" else run_stopped(tmp_path, text, *EAGER)
    content = (run / f"{journal}.jsonl").read_bytes()
    last = len(content.splitlines(keepends=True)[-1])
    for cut in {1, last // 3, last // 2, last - 1, last}:
        path = Path(shutil.copytree(run, tmp_path / f"cut-{cut}"))
        file = path / f"{journal}.jsonl"
        file.write_bytes(content[:-cut])
        said = []
        go_on(path, say=said.append)
        (message,) = said
        assert (
            f"{file} is truncated: {len(content) - cut} of its {len(content)} bytes are left; the checkpoint before"
            in message
        )
        assert exact_files(path) == whole


def test_fault_23_a_journal_cut_before_all_checkpoints_is_refused_and_nothing_is_changed(stopped, capsys):
    file = stopped / "metrics.jsonl"
    file.write_bytes(file.read_bytes()[:300])
    before = all_files(stopped)
    assert resumed(stopped) == 1
    *_, reason, changed, advice = capsys.readouterr().err.splitlines()
    assert f"{file} is truncated: 300 of its " in reason
    assert changed == "no checkpoint can be used; nothing was changed"
    assert advice == f"start the run again: evonet run {stopped / 'config.yaml'} --allow-import {MODULE}"
    assert all_files(stopped) == before


def test_fault_23_a_line_that_was_being_written_when_the_run_was_killed(tmp_path, whole):
    path = run_stopped(tmp_path, FUNCTION + SMALL, *EAGER, after=3)
    saved = all_files(path)
    for name in ("metrics", "lineage", "genomes"):
        line = whole[f"{name}.jsonl"].splitlines(keepends=True)[-1]
        for cut in (1, len(line) // 2, len(line) - 1, len(line)):
            for file, content in saved.items():
                (path / file).write_bytes(content)
            with (path / f"{name}.jsonl").open("ab") as file:
                file.write(line[:cut])
            go_on(path)
            assert exact_files(path) == whole


def test_fault_23_garbage_elsewhere_is_a_warning_with_its_line(tmp_path, capsys):
    path = run_stopped(tmp_path, FUNCTION + SMALL, *EAGER, after=3)
    file = path / "metrics.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], lines[1].replace(b'"best"', b"\0\0\0\0\0\0"), *lines[2:]]))
    assert resumed(path) == 0
    assert f"warning: {file}:2: not a line of JSON; the file was not changed" in capsys.readouterr().err.splitlines()
    assert len(file.read_bytes().splitlines()) == 6


@pytest.mark.parametrize(
    ("old", "new", "key", "then", "now"),
    [
        ("sigma: 0.1", "sigma: 0.9", "algorithm.mutation", None, None),
        ("seed: 3", "seed: 4", "seed", "3", "4"),
        ("hidden: 3", "hidden: 5", "network.hidden", "3", "5"),
        ("elites: 2", "elites: 1", "algorithm.elites", "2", "1"),
    ],
)
def test_fault_25_config_changed_before_resume(old, new, key, then, now, stopped, capsys):
    file = stopped / "config.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    before = all_files(stopped)
    assert resumed(stopped) == 2
    first, line, *_, last = capsys.readouterr().err.splitlines()
    assert first == f"evonet: {file} was changed after the run started:"
    assert line.startswith(f"  {key}: ")
    assert then is None or line == f"  {key}: {then} then, {now} now"
    assert last == f"change it back, or start another run: evonet run {file} --allow-import {MODULE} --output OTHER"
    assert all_files(stopped) == before


def test_fault_25_a_short_list_may_be_set(stopped, tmp_path):
    settings = ("stop.generations=8", "checkpoints={every: 3, seconds: 0}")
    long = exact_files(run_whole(tmp_path, FUNCTION + SMALL, "stop.generations=8", name="long"))
    arguments = [argument for setting in settings for argument in ("--set", setting)]
    assert resumed(stopped, *arguments, "--workers", "1", "--quiet") == 0
    assert exact_files(stopped) == long


def test_fault_26_file_from_a_newer_version(stopped, capsys):
    newest = checkpoints_in(stopped)[0]
    newest.write_bytes(pack({**unpack(newest), "more": {"than": "is known"}}, "evonet checkpoint 999"))
    before = all_files(stopped)
    assert resumed(stopped) == 2
    assert capsys.readouterr().err == (
        f"evonet: {newest}: was written by a newer version of evonet: its format is 'evonet checkpoint 999', "
        "this version knows 'evonet checkpoint 2'; nothing was changed\n"
    )
    assert all_files(stopped) == before


def test_a_setting_that_a_newer_version_has_added_is_no_change(stopped, whole):
    for file in checkpoints_in(stopped):
        content = unpack(file)
        del content["config"]["validation"]["candidates"], content["config"]["faults"]
        file.write_bytes(pack(content))
    go_on(stopped)
    assert exact_files(stopped) == whole


def test_fault_36_other_numpy_or_cpu_on_resume(stopped, whole, capsys):
    for file in checkpoints_in(stopped):
        content = unpack(file)
        content["fingerprint"] |= {"numpy": "1.0", "processor": "an abacus"}
        file.write_bytes(pack(content))
    now = json.loads((stopped.parent / "whole/run.json").read_text(encoding="utf-8"))["versions"]["numpy"]
    assert resumed(stopped) == 0
    warning = capsys.readouterr().err.splitlines()[0]
    assert warning.startswith(
        f"warning: the machine or its software has changed (numpy 1.0 → {now}, processor an abacus"
    )
    assert warning.endswith("); numbers may differ in their last bits")
    assert exact_files(stopped) == whole


def test_on_the_same_machine_nothing_is_said(stopped, capsys):
    assert resumed(stopped) == 0
    assert "warning" not in capsys.readouterr().err
