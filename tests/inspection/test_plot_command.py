"""`evonet plot` draws runs and studies into a PDF, SVG or PNG."""

import re
import sys
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.extras import install_hint

SIGNATURES = {"pdf": b"%PDF-", "svg": b"<?xml", "png": b"\x89PNG"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("form", SIGNATURES)
def test_the_suffix_of_the_file_says_its_format_and_the_same_command_writes_the_same_bytes(form, small_study, capsys):
    contents = []
    for name in ("a", "b"):
        assert main(["plot", f"study={small_study}", "--to", f"{name}.{form}"]) == 0
        assert capsys.readouterr() == (f"{name}.{form}\n", "")
        contents.append(Path(f"{name}.{form}").read_bytes())
    assert contents[0] == contents[1]
    assert contents[0].startswith(SIGNATURES[form])


def texts(path):
    return re.findall(r"<text[^>]*>([^<]*)</text>", Path(path).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ([], ["evaluations", "validation mean"]),
        (["--over", "steps"], ["environment steps", "validation mean"]),
        (["--over", "generations"], ["generations", "validation mean"]),
        (["--kind", "solved"], ["evaluations", "runs solved"]),
        (["--kind", "profile"], ["test score", "runs that reach it"]),
    ],
    ids=str,
)
def test_each_kind_of_figure_has_its_axes_and_the_labels_that_were_given(options, labels, small_study, small_run):
    assert main(["plot", f"three seeds={small_study}", f"one={small_run}", "--to", "f.svg", *options]) == 0
    assert {*labels, "three seeds", "one"} <= set(texts("f.svg"))


def test_a_single_run_has_the_curves_of_its_population(small_run):
    assert main(["plot", str(small_run), "--to", "f.svg"]) == 0
    assert {"best in training", "champion in validation", "median"} <= set(texts("f.svg"))


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--to", "f.jpg"], 2, "a figure's file must end with .pdf, .svg or .png, got 'f.jpg'"),
        (["--to", "nowhere/f.pdf"], 74, "nowhere/f.pdf: cannot be written: No such file or directory"),
        (["--to", "f.pdf", "--kind", "solved"], 2, "there is nothing to draw: no study with a solved run in "),
    ],
    ids=str,
)
def test_an_error_is_a_message_and_an_exit_status(options, status, message, small_run, capsys):
    assert main(["plot", str(small_run), *options]) == status
    assert capsys.readouterr().err.startswith(f"evonet: {message}")
    assert list(Path().iterdir()) == []


def test_without_matplotlib_the_error_names_what_to_install(small_run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["plot", str(small_run), "--to", "f.pdf"]) == 1
    assert install_hint("report") in capsys.readouterr().err
