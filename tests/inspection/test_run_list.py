"""`evonet runs` lists what a folder holds, in a table or as data."""

import json
import os
import shutil
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.inspection.run_list import run_table


@pytest.fixture
def folder(small_run, small_study, tmp_path, monkeypatch):
    """A folder `runs` with a run, a study, a run under way and a damaged one, started in this order."""
    monkeypatch.chdir(tmp_path)
    for number, (name, source) in enumerate((("one", small_run), ("two", small_study), ("three", small_run))):
        shutil.copytree(source, f"runs/{name}")
        os.utime(f"runs/{name}/config.yaml", (number, number))
    Path("runs/three/run.json").unlink()
    for file in Path("runs/three").glob("*.jsonl"):  # a run that was written this moment
        os.utime(file)
    shutil.copytree(small_run, "runs/four")
    Path("runs/four/run.json").write_text("{", encoding="utf-8")


def test_runs_and_studies_are_listed_with_their_results_the_newest_last(folder, capsys):
    assert main(["runs", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["path"], row["kind"], row["state"]) for row in rows] == [
        ("runs/one", "run", "finished"),
        ("runs/two", "study", "finished"),
        ("runs/three", "run", "active"),
        ("runs/four", "run", "damaged"),
    ]
    one, two, three, four = rows
    written = json.loads(Path("runs/one/run.json").read_text(encoding="utf-8"))
    assert (one["solved"], one["generations"], one["test_mean"]) == (False, 8, written["champion"]["test_mean"])
    assert (two["runs"], two["seeds"], two["started"]) == (3, [2, 5, 11], "1970-01-01T00:00:01+00:00")
    assert (three["solved"], three["test_mean"]) == (None, None)
    assert three["validation_mean"] == one["validation_mean"]
    assert "runs/four/run.json" in four["error"]


def test_the_table_has_a_line_for_each(folder, capsys):
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["run", "or", "study", "environment", "result", "score", "gen.", "time"]
    assert [line.split()[0] for line in lines[1:]] == ["runs/one", "runs/two", "runs/three", "runs/four"]
    assert " not solved " in lines[1]
    assert "/3 solved " in lines[2]
    assert " active " in lines[3]
    assert lines[4].endswith("damaged")


def test_a_narrow_table_shortens_environments_before_paths():
    row = {
        "path": "runs/mountain_car_continuous-20261128T203602Z-seed7", "kind": "run", "state": "finished", "error": "",
        "environment": "MountainCarContinuous-v0", "solved": False, "validation_mean": 1.0, "test_mean": -123.456,
        "generations": 1000, "seconds": 5400.0,
    }  # fmt: skip
    whole = run_table([row])
    assert row["path"] in whole
    assert row["environment"] in whole
    narrow = run_table([row], 80)
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.splitlines()[1].split()[-4:] == ["-123.5", "1,000", "90", "min"]
    assert "runs/mountain" in narrow
    assert "-seed7" in narrow
    assert "Mount…us-v0" in narrow


def test_an_empty_folder_is_said_to_have_no_runs_and_a_missing_one_is_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["runs"]) == 0
    assert capsys.readouterr() == ("", "there are no runs in runs; start one with: evonet run cartpole\n")
    assert main(["runs", "nowhere"]) == 2
    assert capsys.readouterr().err == "evonet: nowhere is not a folder\n"
