"""The report of a run: eight sections for any run there is, nothing foreign run, every text escaped."""

import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.errors import RunDirectoryError
from evonet.inspection.loaded_run import load_run
from evonet.inspection.report import report, write_report
from tests.environments_for_tests import MODULE

TITLES = [
    "Verdict", "Learning", "Network", "Behaviour", "What it learned", "Robustness", "Ancestry", "Record",
]  # fmt: skip
BIGGEST = 3_000_000
pytestmark = pytest.mark.usefixtures("no_window")


def keys(page):
    return re.findall(r'<figure id="figure-([^"]+)"', page)


def test_the_eight_sections_stand_in_their_order(alert_page):
    assert re.findall(r"<h2 [^>]*>([^<]*)</h2>", alert_page[0]) == TITLES
    assert alert_page[1] == []
    assert len(alert_page[0]) < BIGGEST


def test_every_part_that_is_promised_is_drawn(alert_page):
    promised = {
        "learning-evaluations", "learning-steps", "diversity", "network", "weights", "returns", "lengths", "policy-0",
        "influence", "without-inputs", "without-neurons", "landscape", "descent", "operators", "timings",
    }  # fmt: skip
    assert promised <= set(keys(alert_page[0]))
    assert "Pole length" in alert_page[0]
    assert alert_page[0].count("data:image/webp") >= 1
    assert "evonet run " in alert_page[0]


def test_the_verdict_is_one_sentence_with_all_scores(alert_page, alert_run):
    (sentence,) = re.findall(r'<p class="verdict">([^<]*)</p>', alert_page[0])
    champion = load_run(alert_run).summary["champion"]
    assert sentence.startswith(f"Not solved: the champion scores {champion['test_mean']:.5g} on 6 fresh episodes (95 %")
    for part in ("the target is 1,000", "random weights score", "In training it had"):
        assert part in sentence


def test_no_text_of_a_run_is_taken_for_markup(alert_page):
    assert "<script>alert(1)" not in alert_page[0]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in alert_page[0]


def test_ids_are_unique_and_each_figure_has_a_text_alternative(alert_page):
    found = re.findall(r'\bid="([^"]+)"', alert_page[0])
    assert len(found) == len(set(found))
    alternatives = re.findall(r'<div class="drawing" role="img" aria-label="([^"]*)"', alert_page[0])
    assert len(alternatives) == len(keys(alert_page[0]))
    assert all(len(each) > 20 for each in alternatives)


def test_values_for_the_pointer_are_json_that_cannot_end_the_script(alert_page):
    blocks = re.findall(r'<script type="application/json" class="\w+">(.*?)</script>', alert_page[0], re.DOTALL)
    assert len(blocks) > len(keys(alert_page[0]))
    assert all(json.loads(block) is not None and "<" not in block for block in blocks)


def test_a_continuous_run_with_a_memory_has_all_figures(continuous_page):
    page, notices = continuous_page
    assert notices == []
    assert {"policy-0", "without-neurons", "landscape", "robustness-2", "robustness-4"} <= set(keys(page))
    assert "recurrent" in page
    assert "Gravity" in page


def test_a_discrete_observation_has_its_map(discrete_page):
    page, notices = discrete_page
    assert notices == []
    assert "on the environment&#39;s own map" in page
    assert "Share of observations misread" in page or "share of observations misread" in page
    assert "Grip" in page


def test_an_environment_of_somebody_s_own_is_not_imported_unless_allowed(foreign_run):
    page, notices = report(load_run(foreign_run), effort=0.02)
    assert [notice for notice in notices if f"add --allow-import {MODULE}" in notice]
    assert re.findall(r"<h2 [^>]*>([^<]*)</h2>", page) == TITLES
    assert not {"policy-0", "landscape"} & set(keys(page))
    assert {"network", "weights", "descent", "returns"} <= set(keys(page))


def test_an_environment_of_somebody_s_own_is_shown_if_allowed(foreign_run):
    page, notices = report(load_run(foreign_run, [MODULE]), effort=0.02)
    assert {"policy-0", "landscape", "observations-worst"} <= set(keys(page))
    assert notices == [
        "The replay is left out: the environment has no pictures to show",
        "No parameters of this environment are known that could be changed.",
    ]
    assert f"--allow-import {MODULE}" in page


def test_a_run_that_nobody_could_score_has_a_report_with_its_faults(failed_run):
    page, notices = report(load_run(failed_run), effort=0.02)
    assert re.findall(r"<h2 [^>]*>([^<]*)</h2>", page) == TITLES
    assert "No champion: not one individual could be scored." in page
    assert "broken at step 1" in page
    assert "Left out: there is no champion." in notices


def test_a_run_under_way_has_a_report_that_says_so(discrete_run, tmp_path):
    copy = tmp_path / "run"
    copy.mkdir()
    for file in discrete_run.rglob("*"):
        if file.is_file() and file.name != "run.json":
            target = copy / file.relative_to(discrete_run)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(file.read_bytes())
    page, _ = report(load_run(copy), effort=0.02)
    assert "Not finished" in page
    assert "policy-0" in keys(page)


def test_without_a_renderer_the_report_stands_without_replay(alert_run, tmp_path, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "pygame", None)
    assert main(["inspect", str(alert_run), "--html", str(tmp_path / "page.html")]) == 0
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("evonet: ")]
    assert len(lines) == 1
    assert lines[0].startswith("evonet: The replay is left out: ")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "data:image/webp" not in page
    assert "observations-worst" in keys(page)


def test_a_report_goes_into_the_run_unless_a_file_is_named(failed_run, capsys):
    assert main(["inspect", str(failed_run), "--html"]) == 0
    assert (failed_run / "report.html").is_file()
    assert f"open in a browser: {failed_run / 'report.html'}" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_without_a_package_of_the_report_the_error_names_what_to_install(package, failed_run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["inspect", str(failed_run), "--html"]) == 1
    assert f"need {package}, which is not installed: pip install 'evonet-toolkit[report]'" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_told(failed_run, tmp_path):
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        write_report(load_run(failed_run), tmp_path / "nowhere" / "page.html", effort=0.02)


def test_the_wheel_holds_the_page_s_files(tmp_path):
    build = pytest.importorskip("hatchling.builders.wheel")
    root = Path(__file__).parents[2]
    (wheel,) = build.WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"evonet/inspection/report/page.{kind}" for kind in ("html", "css", "js")} <= set(names)
