"""Journals: lines that are there whatever happens, and that a mark brings back to the byte."""

import json
import os

import pytest

from evonet.experiment import journal as journals
from evonet.experiment.journal import Journal, Mark, marks_from
from tests.files import write_anew

LINES = ['{"a": 1}', '{"b": "ü"}', '{"c": [1, 2, 3]}']
TEXT = "".join(f"{line}\n" for line in LINES).encode()
ENDS = [len("".join(f"{line}\n" for line in LINES[:k]).encode()) for k in range(4)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def written(path, lines=LINES, settle_after=None, monkeypatch=None):
    """The mark of a journal with these lines, the first of which are known to be on the disk."""
    journal = Journal(path)
    for number, line in enumerate(lines, start=1):
        journal.append(line)
        if number == settle_after:
            with monkeypatch.context() as patch:
                patch.setattr(journals, "_LONGEST_REST", 0)
                journal.mark(journal.length)
    mark = journal.mark(journal.length)
    journal.close()
    return mark


def test_lines_stand_in_the_file_as_soon_as_they_are_appended(path):
    journal = Journal(path)
    for count, line in enumerate(LINES, start=1):
        journal.append(line)
        assert path.read_bytes() == TEXT[: ENDS[count]]
        assert journal.length == ENDS[count]
    journal.close()
    journal.close()


def test_a_new_journal_begins_empty(path):
    path.write_text("something else")
    Journal(path).close()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("settled", [None, 1, 3])
def test_whatever_a_crash_leaves_of_the_last_lines_they_are_put_right(settled, path, monkeypatch):
    mark = written(path, settle_after=settled, monkeypatch=monkeypatch)
    safe = ENDS[settled or 0]
    assert (mark.settled, mark.rest.encode()) == (safe, TEXT[safe:])
    for cut in range(safe, len(TEXT) + 1):
        for junk in (b"", b"{", b'{"later": 1}\n', b"\0" * (len(TEXT) - cut)):
            write_anew(path, TEXT[:cut] + junk)
            assert mark.misfit(path) is None
            assert mark.damage(path) is None
            journal = Journal(path, mark)
            assert path.read_bytes() == TEXT
            journal.append('{"d": 4}')
            journal.close()
            assert path.read_bytes() == TEXT + b'{"d": 4}\n'


def test_a_mark_of_an_earlier_moment_cuts_what_came_later(path):
    journal = Journal(path)
    for line in LINES:
        journal.append(line)
    mark = journal.mark(ENDS[1])
    journal.close()
    Journal(path, mark).close()
    assert path.read_bytes() == TEXT[: ENDS[1]]


def test_settled_lines_that_are_gone_are_told(path, monkeypatch):
    mark = written(path, settle_after=2, monkeypatch=monkeypatch)
    for cut in range(ENDS[2]):
        write_anew(path, TEXT[:cut])
        assert mark.misfit(path) == f"{path} has been cut: {cut} bytes are left of the {ENDS[2]} that it had"
    path.unlink()
    assert mark.misfit(path) == f"{path} has been cut: 0 bytes are left of the {ENDS[2]} that it had"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'{"a": 1}', b'{"a" 1}.', "{path}:1: not a line of JSON; it is left as it is"),
        (b'"b"', b"\xff\xff\xff", "{path}:2: not a line of JSON; it is left as it is"),
        (b'{"a": 1}', b"[1, 2,3]", "{path}:1: not a line of JSON; it is left as it is"),
        (b'{"a": 1}', b"[[[[[[[[", "{path}:1: not a line of JSON; it is left as it is"),
        (b'"a": 1', b'"a": 2', "{path}: has been changed since the run wrote it"),
    ],
)
def test_garbage_among_settled_lines_is_told_with_its_line(old, new, message, path, monkeypatch):
    mark = written(path, settle_after=2, monkeypatch=monkeypatch)
    path.write_bytes(TEXT.replace(old, new))
    assert mark.damage(path) == message.format(path=path)


def test_the_disk_is_waited_for_only_when_much_or_long_unsettled(path, monkeypatch):
    waits = []
    monkeypatch.setattr(os, "fsync", waits.append)
    clock = [0.0]
    monkeypatch.setattr(journals.time, "monotonic", lambda: clock[0])
    journal = Journal(path)
    journal.append(LINES[0])
    assert journal.mark(journal.length) == Mark(0, 0, f"{LINES[0]}\n")
    assert waits == []
    clock[0] = 31.0
    assert journal.mark(journal.length).rest == ""
    assert len(waits) == 1
    clock[0] = 32.0
    journal.append(LINES[1])
    assert journal.mark(journal.length).rest == f"{LINES[1]}\n"
    journal.append("x" * (1 << 20))
    mark = journal.mark(journal.length)
    assert (mark.settled, mark.rest, len(waits)) == (journal.length, "", 2)
    assert mark.damage(path) is None
    clock[0] = 100.0
    assert journal.mark(journal.length) == mark
    assert len(waits) == 2
    journal.close()


def test_half_a_surrogate_pair_is_no_trouble(path):
    journal = Journal(path)
    journal.append('{"a": "\udc80"}')
    mark = journal.mark(journal.length)
    journal.close()
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "\udc80"}
    assert mark.rest.encode() == path.read_bytes()


def test_marks_are_plain_data(path):
    mark = Mark(3, 2**32 - 1, "ü\n")
    assert marks_from({"metrics": mark.entry()}) == {"metrics": mark}


@pytest.mark.parametrize("entry", [{}, {"settled": -1, "checksum": 0, "rest": ""},
                                   {"settled": 0, "checksum": 0, "rest": None},
                                   {"settled": 1.0, "checksum": 0, "rest": ""},
                                   {"settled": True, "checksum": 0, "rest": "", "more": 1}], ids=str)  # fmt: skip
def test_what_is_no_mark_is_refused(entry):
    with pytest.raises((TypeError, ValueError)):
        marks_from({"metrics": entry})
