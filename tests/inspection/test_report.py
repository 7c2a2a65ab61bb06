"""The report of a run: eight sections for any run there is, nothing foreign run, every text escaped."""

import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.errors import RunDirectoryError
from evonet.extras import install_hint
from evonet.inspection.loaded_run import load_run
from evonet.inspection.phrases import number
from evonet.inspection.report import report, write_report
from evonet.inspection.report.sections import SECTIONS, network
from tests.environments_for_tests import MODULE

TITLES = [
    "Verdict", "Learning", "Network", "Behaviour", "What it learned", "Robustness", "Ancestry", "Record",
]  # fmt: skip
BIGGEST = 3_000_000


@pytest.fixture(scope="module")
def cartpole_page(shipped_reports):
    return shipped_reports("cartpole")[0].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def discrete_page(shipped_reports):
    return shipped_reports("discrete")[0].read_text(encoding="utf-8")


def keys(page):
    return re.findall(r'<figure id="figure-([^"]+)"', page)


@pytest.mark.parametrize("name", ["cartpole", "discrete"])
def test_the_eight_sections_are_in_order_and_nothing_is_left_out(shipped_reports, name):
    path, notices = shipped_reports(name)
    page = path.read_text(encoding="utf-8")
    assert re.findall(r"<h2 [^>]*>([^<]*)</h2>", page) == TITLES
    assert notices == []
    assert len(page) < BIGGEST


def test_every_part_that_is_promised_is_drawn(cartpole_page):
    promised = {
        "learning-evaluations", "learning-steps", "diversity", "network", "weights", "returns", "lengths", "policy-0",
        "influence", "without-inputs", "without-neurons", "landscape", "descent", "operators", "timings",
    }  # fmt: skip
    assert promised <= set(keys(cartpole_page))
    assert "Pole length" in cartpole_page
    assert cartpole_page.count("data:image/webp") == 3
    assert cartpole_page.count('class="replay"') == 4  # the median episode beside the verdict too
    assert cartpole_page.index('class="replay"') < cartpole_page.index('id="learning"')
    assert "evonet run " in cartpole_page


def test_the_verdict_is_one_sentence_with_all_scores(cartpole_page, shipped_runs):
    (sentence,) = re.findall(r'<p class="verdict">([^<]*)</p>', cartpole_page)
    champion = load_run(shipped_runs("cartpole")).summary["champion"]
    assert sentence.startswith(
        f"Solved: the champion scores {number(champion['test_mean'], 4)} on 100 fresh episodes (95 %"
    )
    assert "target 475" in sentence
    assert re.findall("<dt>([^<]*)</dt>", cartpole_page) == ["target", "validation", "training", "random weights"]


def test_fault_30_no_text_of_a_run_is_taken_for_markup(discrete_page):
    assert "<script>alert(1)" not in discrete_page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in discrete_page


def test_ids_are_unique_and_each_figure_has_a_text_alternative(cartpole_page):
    found = re.findall(r'\bid="([^"]+)"', cartpole_page)
    assert len(found) == len(set(found))
    alternatives = re.findall(r'<div class="drawing" role="img" aria-label="([^"]*)"', cartpole_page)
    assert len(alternatives) == len(keys(cartpole_page))
    assert all(len(each) > 20 for each in alternatives)


def test_values_for_the_pointer_are_json_that_cannot_end_the_script(discrete_page):
    blocks = re.findall(r'<script type="application/json" class="\w+">(.*?)</script>', discrete_page, re.DOTALL)
    assert len(blocks) > len(keys(discrete_page))
    assert all(json.loads(block) is not None and "<" not in block for block in blocks)


def test_a_discrete_observation_has_its_map(discrete_page):
    assert "on the environment&#39;s own map" in discrete_page
    assert "share of observations misread" in discrete_page
    assert "Grip" in discrete_page


def test_fault_33_without_a_renderer_a_run_with_a_memory_has_all_figures_but_no_replay(continuous_run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    page, notices = report(load_run(continuous_run), effort=0.02)
    assert len(notices) == 1
    assert notices[0].startswith("The replay is left out: ")
    assert "data:image/webp" not in page
    assert {"policy-0", "without-neurons", "landscape", "observations-worst", "robustness-4"} <= set(keys(page))
    assert "recurrent" in page
    assert "Gravity" in page


def test_an_environment_of_the_user_s_own_is_not_imported_unless_allowed(foreign_run):
    page, notices = report(load_run(foreign_run), effort=0.02)
    assert [notice for notice in notices if f"add --allow-import {MODULE}" in notice]
    assert re.findall(r"<h2 [^>]*>([^<]*)</h2>", page) == TITLES
    assert not {"policy-0", "landscape"} & set(keys(page))
    assert {"network", "weights", "descent", "returns"} <= set(keys(page))


def test_an_environment_of_the_user_s_own_is_shown_if_allowed(foreign_run):
    page, notices = report(load_run(foreign_run, [MODULE]), effort=0.02)
    assert {"policy-0", "landscape", "observations-worst"} <= set(keys(page))
    assert notices == ["The replay is left out: the environment has no pictures to show"]
    assert f"--allow-import {MODULE}" in page


def test_a_run_without_a_scored_individual_has_a_report_with_its_faults(failed_run):
    page, notices = report(load_run(failed_run), effort=0.02)
    assert re.findall(r"<h2 [^>]*>([^<]*)</h2>", page) == TITLES
    assert "No champion: not one individual could be scored on held-out episodes." in page
    assert "broken at step 1" in page
    assert "Left out: there is no champion." in notices


def test_a_run_under_way_has_a_report_that_says_so(discrete_run, tmp_path, monkeypatch):
    copy = tmp_path / "run"
    shutil.copytree(discrete_run, copy, ignore=shutil.ignore_patterns("run.json"))
    monkeypatch.setattr("evonet.inspection.report.SECTIONS", SECTIONS[: SECTIONS.index(network) + 1])
    page, _ = report(load_run(copy), effort=0.02)
    assert "Not finished" in page
    assert "so far." in page
    assert "network" in keys(page)


def test_the_command_prints_what_the_page_leaves_out(failed_run, tmp_path, capsys):
    assert main(["inspect", str(failed_run), "--html", str(tmp_path / "page.html")]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("evonet: ")]
    assert lines == ["evonet: Left out: there is no champion."]


def test_a_report_goes_into_the_run_unless_a_file_is_named(failed_run, capsys):
    assert main(["inspect", str(failed_run), "--html"]) == 0
    assert (failed_run / "report.html").is_file()
    out, err = capsys.readouterr()
    assert out == f"{failed_run / 'report.html'}\n"  # and not the summary as well
    assert "--open" in err


def test_open_writes_the_page_and_shows_it_in_a_browser(failed_run, tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    copy = shutil.copytree(failed_run, tmp_path / "run")
    assert main(["inspect", str(copy), "--open"]) == 0
    assert opened == [(copy / "report.html").as_uri()]
    assert capsys.readouterr().out == f"{copy / 'report.html'}\n"


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_without_a_package_of_the_report_the_error_names_what_to_install(package, failed_run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["inspect", str(failed_run), "--html"]) == 1
    assert f"need {package}, which is not installed: {install_hint('report')}" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_an_error_with_its_path(failed_run, tmp_path):
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        write_report(load_run(failed_run), tmp_path / "nowhere" / "page.html", effort=0.02)


def test_the_wheel_holds_the_page_s_files(tmp_path):
    build = pytest.importorskip("hatchling.builders.wheel")
    root = Path(__file__).parents[2]
    (wheel,) = build.WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"evonet/inspection/report/page.{kind}" for kind in ("html", "css", "js")} <= set(names)
    assert {"evonet/inspection/report/save.js", "evonet/inspection/comparison/page.html"} <= set(names)
