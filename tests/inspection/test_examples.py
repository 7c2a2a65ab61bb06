"""Every command's help has examples that work as printed, and fits 80 columns."""

import argparse
import shlex
import shutil
from pathlib import Path

import pytest

from evonet.cli import main, make_parser
from evonet.cli.examples import EXAMPLES

NOT_RUN_HERE = {"evonet", "watch", "study", "run", "init"}  # they take long, serve until Ctrl-C, or need more files
LONG = {"evonet inspect runs/first --html report.html"}
ANY_WIDTH = {"check", "schema"}  # they quote environments and settings


def parsers():
    """The parser of each command by name."""
    parser = make_parser()
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {"evonet": parser, **commands.choices}


def test_every_command_has_examples_in_its_help_and_fits_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    found = parsers()
    assert set(found) == set(EXAMPLES)
    for name, parser in found.items():
        text = parser.format_help()
        assert "\n\nexamples:\n  evonet" in text, name
        assert max(map(len, text.splitlines())) <= 80, max(text.splitlines(), key=len)


@pytest.mark.parametrize("example", [example for examples in EXAMPLES.values() for example in examples])
def test_an_example_is_a_command(example):
    program, *arguments = shlex.split(example)
    assert program == "evonet"
    assert callable(make_parser().parse_args(arguments).command)


@pytest.fixture
def folder(small_run, tmp_path, monkeypatch):
    """A folder with two runs and a champion, as the examples name them."""
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        shutil.copytree(small_run, tmp_path / "runs" / name)
    shutil.copy(small_run / "champion.npz", "champion.npz")


def test_the_examples_that_read_runs_work_as_printed_and_print_80_columns(folder, capsys, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    for command, examples in EXAMPLES.items():
        for example in examples:
            if command not in NOT_RUN_HERE and example not in LONG:
                assert main(shlex.split(example)[1:]) == 0, example
                out, err = capsys.readouterr()
                lines = [] if command in ANY_WIDTH or "--json" in example else [*out.splitlines(), *err.splitlines()]
                assert max(map(len, lines), default=0) <= 80, (example, max(lines, key=len))
    assert {"tested.npz", "champion.onnx", "champion.h", "figure.pdf"} <= {path.name for path in Path().iterdir()}
