"""Directories: files are written atomically, links are refused, and locks are taken where the file system has them."""

import errno
import fcntl
import os

import pytest

from evonet.errors import ConfigError
from evonet.experiment.runner import resume
from evonet.files import directory as directories
from evonet.files.bounded import LONGEST_DOCUMENT, NotARegularFile, read_bytes, read_json, reading
from evonet.files.directory import Directory, name_of_temporary, write_atomically
from tests.environments_for_tests import MODULE
from tests.stopped_runs import FUNCTION, SMALL, run_whole


@pytest.fixture
def directory(tmp_path):
    with Directory(tmp_path) as directory:
        yield directory


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc/x", "", ".", ".."])
def test_a_name_that_leads_out_of_the_directory_is_no_file_s(name, directory):
    with pytest.raises(ValueError, match="a file's name must have no folder in it"):
        directory.open(name, os.O_RDWR | os.O_CREAT)


def test_a_file_is_read_below_the_directory_even_if_that_is_moved(directory, tmp_path):
    write_atomically(tmp_path / "a", b"sound")
    with Directory(tmp_path) as opened:
        (tmp_path / "a").rename(tmp_path / "b")
        with opened.reading("b") as file:
            assert read_bytes(file, 5) == b"sound"


def test_a_file_longer_than_it_may_be_is_not_read(directory, tmp_path):
    (tmp_path / "a").touch()
    os.truncate(tmp_path / "a", 10 << 30)
    message = f"a: must have at most {LONGEST_DOCUMENT} bytes, got {10 << 30}"
    with pytest.raises(ConfigError, match=message), directory.reading("a") as file:
        read_json(file)


def test_a_file_system_without_locks_is_reported_and_a_lock_of_another_process_is_respected(tmp_path, monkeypatch):
    run = run_whole(tmp_path, FUNCTION + SMALL)

    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    said = []
    resume(run, (), [MODULE], say=said.append)
    assert said[0] == f"warning: the file system of {run} has no locks: do not run it in another process"
    monkeypatch.undo()
    with Directory(run) as directory:
        lock = directory.lock(".lock")
        assert lock.held
        with pytest.raises(BlockingIOError):
            directory.lock(".lock")
        lock.release()
        directory.lock(".lock").release()


@pytest.mark.parametrize(("failures", "works"), [(4, True), (5, False)])
def test_on_windows_a_file_that_a_scanner_holds_is_renamed_a_moment_later(
    failures, works, directory, tmp_path, monkeypatch
):
    replace, pauses = os.replace, []

    def held(*arguments, **rest):
        if len(pauses) < failures:
            raise PermissionError(errno.EACCES, "held")
        replace(*arguments, **rest)

    monkeypatch.setattr(directories.sys, "platform", "win32")
    monkeypatch.setattr(directories.time, "sleep", pauses.append)
    monkeypatch.setattr(os, "replace", held)
    if works:
        directory.write("a", b"new")
        assert (tmp_path / "a").read_bytes() == b"new"
    else:
        with pytest.raises(PermissionError):
            directory.write("a", b"new")
    assert len(pauses) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["a"] * works


def test_without_descriptors_of_directories_links_are_refused_too(tmp_path, monkeypatch):
    """As on Windows."""
    monkeypatch.setattr(directories, "_BELOW", False)
    monkeypatch.setattr(directories, "_NOFOLLOW", 0)
    with Directory(tmp_path) as directory:
        directory.write("a", b"mine")
        (tmp_path / "link").symlink_to(tmp_path / "a")
        for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT):
            with pytest.raises(NotARegularFile):
                directory.open("link", flags)
        with directory.subdirectory("folder", create=True) as folder:
            folder.write("b", b"too")
        (tmp_path / "away").symlink_to(tmp_path / "folder")
        with pytest.raises(NotARegularFile):
            directory.subdirectory("away")
        assert directory.names() == ["a", "away", "folder", "link"]
        directory.write("a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_file_that_the_user_names_may_be_a_link_but_not_a_pipe(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}')
    (tmp_path / "link").symlink_to(tmp_path / "a.json")
    with reading(tmp_path / "link") as file:
        assert read_json(file) == {"a": 1}
    os.mkfifo(tmp_path / "pipe")
    message = "pipe: cannot be read: it is a pipe, not a regular file"
    with pytest.raises(ConfigError, match=message), reading(tmp_path / "pipe"):
        pass


def test_names_of_temporary_files():
    assert name_of_temporary(".run.json.4711") == "run.json"
    assert [name_of_temporary(name) for name in ("run.json", ".lock", ".a", "a.17")] == [None] * 4
