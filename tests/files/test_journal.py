"""Journals: content up to a mark is on the disk, and content beyond it is truncated."""

import errno
import json
import os

import pytest

from evonet.errors import ConfigError
from evonet.files import bounded
from evonet.files import journal as journals
from evonet.files.bounded import NotARegularFile, read_lines
from evonet.files.directory import Directory
from evonet.files.fields import Fields
from evonet.files.journal import Journal, Mark, marks_to_entries
from tests.rewriting import write_anew

NAME = "metrics.jsonl"
LINES = ['{"a": 1}', '{"b": "ü"}', '{"c": [1, 2, 3]}']
TEXT = "".join(f"{line}\n" for line in LINES).encode()
ENDS = [len("".join(f"{line}\n" for line in LINES[:k]).encode()) for k in range(4)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / NAME


@pytest.fixture
def directory(tmp_path):
    with Directory(tmp_path) as directory:
        yield directory


def written(directory, lines=LINES):
    """The marks of a journal after each of these lines."""
    journal = Journal(directory, NAME)
    marks = [journal.mark]
    for line in lines:
        journal.append_line(line)
        marks.append(journal.mark)
    journal.close()
    return marks


def test_lines_are_in_the_file_as_soon_as_they_are_appended(path, directory):
    journal = Journal(directory, NAME)
    for count, line in enumerate(LINES, start=1):
        journal.append_line(line)
        assert path.read_bytes() == TEXT[: ENDS[count]]
        assert journal.mark.length == ENDS[count]
    journal.close()
    journal.close()


def test_a_new_journal_begins_empty(path, directory):
    path.write_text("something else")
    Journal(directory, NAME).close()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("kept", range(4))
def test_a_journal_continues_at_a_mark_and_what_came_later_is_cut(kept, path, directory):
    mark = written(directory)[kept]
    for junk in (b"", b"{", b'{"later": 1}\n', b"\0" * 99, TEXT[ENDS[kept] :]):
        write_anew(path, TEXT[: ENDS[kept]] + junk)
        assert mark.truncation(directory, NAME) is None
        assert mark.damage(directory, NAME) is None
        journal = Journal(directory, NAME, mark)
        assert path.read_bytes() == TEXT[: ENDS[kept]]
        for line in LINES[kept:]:
            journal.append_line(line)
        assert path.read_bytes() == TEXT
        assert journal.mark.damage(directory, NAME) is None
        journal.close()


def test_a_journal_that_is_shorter_than_its_mark_does_not_fit(path, directory):
    mark = written(directory)[2]
    for cut in range(ENDS[2]):
        write_anew(path, TEXT[:cut])
        assert mark.truncation(directory, NAME) == f"{path} is truncated: {cut} of its {ENDS[2]} bytes are left"
    path.unlink()
    assert mark.truncation(directory, NAME) == f"{path} is truncated: 0 of its {ENDS[2]} bytes are left"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'{"a": 1}', b'{"a" 1}.', "{path}:1: not a line of JSON; the file was not changed"),
        (b'"b"', b"\xff\xff\xff", "{path}:2: not a line of JSON; the file was not changed"),
        (b'{"a": 1}', b"[1, 2,3]", "{path}:1: not a line of JSON; the file was not changed"),
        (b'{"a": 1}', b"[[[[[[[[", "{path}:1: not a line of JSON; the file was not changed"),
        (b'"a": 1', b'"a": 2', "{path}: was changed after the run wrote it"),
    ],
)
def test_garbage_before_a_mark_is_reported_with_its_line(old, new, message, path, directory):
    mark = written(directory)[2]
    path.write_bytes(TEXT.replace(old, new))
    assert mark.damage(directory, NAME) == message.format(path=path)


def test_a_journal_of_holes_is_not_read_to_its_end(path, directory, monkeypatch):
    monkeypatch.setattr(journals, "LONGEST_LINE", 1000)
    monkeypatch.setattr(journals.zlib, "crc32", lambda *_: pytest.fail("ten gigabytes were read"))
    path.touch()
    os.truncate(path, 10 << 30)
    assert Mark(10 << 30, 0).damage(directory, NAME) == f"{path}:1: the line has no end; the file was not changed"


def test_the_disk_is_waited_for_only_where_lines_are_new(directory, monkeypatch):
    waits = []
    monkeypatch.setattr(os, "fsync", waits.append)
    journal = Journal(directory, NAME)
    journal.sync()
    assert waits == []
    journal.append_line(LINES[0])
    journal.sync()
    journal.sync()
    assert len(waits) == 1
    journal.close()


def test_half_a_surrogate_pair_becomes_an_escape(path, directory):
    (*_, mark) = written(directory, ['{"a": "\udc80"}'])
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "\udc80"}
    assert mark.damage(directory, NAME) is None


def test_the_longest_line_that_is_written_is_read_and_a_longer_one_is_not_written(path, directory, monkeypatch):
    monkeypatch.setattr(journals, "LONGEST_LINE", 1000)
    monkeypatch.setattr(bounded, "LONGEST_LINE", 1000)
    journal = Journal(directory, NAME)
    longest = json.dumps({"a": "x" * (999 - len('{"a": ""}'))})
    journal.append_line(longest)
    with pytest.raises(ValueError, match="may have at most 1000 bytes, got 1001"):
        journal.append_line(longest + " ")
    journal.close()
    with directory.reading(NAME) as file:
        assert [line.all() for line in read_lines(file, lambda fields: fields, "line")] == [json.loads(longest)]
    path.write_text(f"{longest} \n")
    with (
        pytest.raises(ConfigError, match=f"{NAME}:1: must have at most 1000 bytes"),
        directory.reading(NAME) as file,
    ):
        list(read_lines(file, lambda fields: fields, "line"))


@pytest.mark.parametrize("kind", ["link", "link to nothing", "hard link", "pipe", "directory"])
def test_a_journal_is_never_written_through_a_special_file(kind, tmp_path, path, directory):
    decoy = tmp_path / "decoy"
    decoy.write_text("mine")
    if kind == "link":
        path.symlink_to(decoy)
    elif kind == "link to nothing":
        path.symlink_to(tmp_path / "nothing")
    elif kind == "hard link":
        path.hardlink_to(decoy)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(NotARegularFile):
        Journal(directory, NAME)
    assert decoy.read_text() == "mine"
    assert not (tmp_path / "nothing").exists()


def test_marks_are_plain_data():
    mark = Mark(3, 2**32 - 1)
    assert Mark.from_fields(Fields(marks_to_entries({"metrics": mark}), "journals").fields("metrics")) == mark


@pytest.mark.parametrize("entry", [{}, {"length": -1, "checksum": 0}, {"length": 0, "checksum": None},
                                   {"length": 1.0, "checksum": 0}, {"length": 0, "checksum": 2**32},
                                   {"length": 0, "checksum": 0, "rest": "text"}], ids=str)  # fmt: skip
def test_an_entry_that_is_no_mark_is_refused(entry):
    with pytest.raises(ValueError):
        Mark.from_fields(Fields(entry, "mark"))


def test_an_error_while_a_line_is_written_is_passed_on(directory, monkeypatch):
    journal = Journal(directory, NAME)

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="full"):
        journal.append_line("{}")
    journal.close()
