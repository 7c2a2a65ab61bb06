"""Runs and studies are found in a folder, and `last` is the newest of them."""

import os
from pathlib import Path

import pytest

from evonet.errors import ConfigError
from evonet.experiment.run_files.run_finder import directories_in, is_run, is_study, require_run, resolve_last


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(path, started, *files):
    """A directory with the files, whose config was written `started` seconds after 1970."""
    path = Path(path)
    path.mkdir(parents=True)
    for file in ("config.yaml", *files):
        (path / file).touch()
    os.utime(path / "config.yaml", (started, started))


def make_run(path, started):
    make(path, started, "metrics.jsonl")


def make_study(path, started):
    make(path, started)
    make_run(f"{path}/seed-0", started + 1)


def test_last_is_what_was_started_last_whatever_its_name_and_not_a_run_of_a_study(here):
    make_run("runs/b", 30)
    make_run("runs/c", 20)
    make_study("runs/a", 10)
    assert resolve_last("last") == Path("runs/b")
    make_study("runs/study", 40)
    assert resolve_last("last") == Path("runs/study")
    assert resolve_last("last", studies=False) == Path("runs/b")


def test_the_studies_of_a_folder_in_runs_are_found_and_links_and_other_folders_are_not(here):
    make_study("runs/sweep/sigma=1", 10)
    make_study("runs/sweep/sigma=2", 20)
    make_run("elsewhere/run", 30)
    Path("runs/link").symlink_to(Path("elsewhere/run").absolute())
    Path("runs/empty").mkdir()
    Path("runs/notes.txt").touch()
    assert directories_in(Path("runs")) == [Path("runs/sweep/sigma=1"), Path("runs/sweep/sigma=2")]


def test_a_path_is_left_as_it_is_also_if_it_is_called_last(here):
    make_run("runs/a", 10)
    make_run("last", 5)
    assert [resolve_last("last"), resolve_last("runs/x"), resolve_last(Path("runs/a"))] == [
        Path("last"),
        Path("runs/x"),
        Path("runs/a"),
    ]


@pytest.mark.parametrize("folder", [None, "runs", "runs/empty"])
def test_without_a_run_the_error_says_where_last_is_looked_for(folder, here):
    if folder:
        Path(folder).mkdir(parents=True)
    with pytest.raises(ConfigError) as refused:
        resolve_last("last")
    assert str(refused.value) == (
        "'last' is the newest run in the folder runs, which has no run; start one with: evonet run cartpole"
    )


def test_a_run_and_a_study_are_told_apart_by_their_files(here):
    make_run("run", 1)
    make_study("study", 1)
    make("new-study", 1, "study.json")
    make("neither", 1)
    assert [(is_run(path), is_study(path)) for path in map(Path, ("run", "study", "new-study", "neither", "none"))] == [
        (True, False), (False, True), (False, True), (False, False), (False, False)
    ]  # fmt: skip


def test_a_study_is_refused_where_a_run_is_wanted_with_the_name_of_one(here):
    make_study("study", 1)
    with pytest.raises(ConfigError, match=r"^study is a study, not a run; name one of its runs, such as study/seed-0$"):
        require_run(Path("study"))
