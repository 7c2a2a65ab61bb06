"""Commands in messages can be pasted into the shell of the system they are printed on."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from evonet import shell
from evonet.shell import command


@pytest.mark.parametrize("word", ["plain-1.yaml", "with space", "it's", "$HOME", "a;rm -rf b", "", "`x`", 'say "no"'])
def test_posix_reads_a_command_back_word_for_word(word, monkeypatch):
    monkeypatch.setattr(shell, "WINDOWS", False)
    assert shlex.split(command("evonet", "run", word)) == ["evonet", "run", word]


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain-1.yaml", "plain-1.yaml"),
        ("C:\\runs\\a", "C:\\runs\\a"),
        ("C:\\my runs\\a", '"C:\\my runs\\a"'),
        ("gymnasium[box2d]>=1.2.3", '"gymnasium[box2d]>=1.2.3"'),
        ("a;b", '"a;b"'),
        ("$env:x", "'$env:x'"),
        ('"it\'s"', "'\"it''s\"'"),
        ("", '""'),
    ],
)
def test_powershell_reads_a_command_word_for_word(word, written, monkeypatch):
    monkeypatch.setattr(shell, "WINDOWS", True)
    assert command("evonet", word) == f"evonet {written}"


def test_a_path_is_a_word():
    assert command("evonet", "inspect", Path("my runs") / "a") == "evonet inspect 'my runs/a'"


def test_a_program_that_the_shell_does_not_find_is_named_by_its_path(tmp_path, monkeypatch):
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("python", "evonet"):
        (programs / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.chdir(tmp_path / ".venv")
    assert command("evonet", "list") == "bin/evonet list"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert command("evonet", "list") == f"{programs}/evonet list"
    assert command("pip", "list") == "pip list"  # this environment has none
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    assert command("evonet", "list") == "evonet list"
