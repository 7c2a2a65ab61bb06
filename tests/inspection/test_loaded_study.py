"""Studies read back: their runs, a frame, a summary, and the best run by validation."""

import json
import re
import shutil
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.errors import ConfigError, EvonetError
from evonet.experiment.config import Config
from evonet.experiment.run_files.run_directory import to_json
from evonet.experiment.study import study
from evonet.inspection.loaded_run import load_run
from evonet.inspection.loaded_study import load_run_or_best, load_study
from evonet.inspection.study_page import study_page


@pytest.fixture
def study_copy(small_study, tmp_path, monkeypatch):
    """A copy of the study in `runs/small`, below the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(small_study, "runs/small")
    return Path("runs/small")


def validation_of(run):
    return run.summary["champion"]["validation_mean"]


def test_a_study_has_its_runs_in_the_order_of_their_seeds(small_study):
    study = load_study(small_study)
    assert study.seeds == [2, 5, 11]
    assert [run.summary["seed"] for run in study.runs] == study.seeds
    assert study.settings["network"]["hidden"] == 2
    assert repr(study) == f"<study {small_study} of 3 runs>"


def test_its_summary_is_that_of_the_study_file(small_study):
    untold = {"this_command", "study_directory"}
    written = json.loads((small_study / "study.json").read_text(encoding="utf-8"))
    read = json.loads(to_json(load_study(small_study).summary))
    assert read.pop("unfinished") == []
    assert {key: read[key] for key in read if key not in untold} == {
        key: written[key] for key in written if key not in untold
    }


def test_a_study_under_way_has_the_results_of_its_finished_runs(study_copy):
    (study_copy / "study.json").unlink()
    (study_copy / "seed-5/run.json").unlink()
    summary = load_study(study_copy).summary
    assert (summary["seeds"], summary["unfinished"], summary["success"]["runs"]) == ([2, 11], [5], 2)
    assert (summary["name"], summary["environment"]) == ("small", "CartPole-v1")


def test_a_run_that_failed_counts_until_it_is_finished(study_copy):
    file = study_copy / "study.json"
    written = json.loads(file.read_text(encoding="utf-8"))
    failures = [{"seed": seed, "error": "no luck", "traceback": ""} for seed in (2, 5)]
    file.write_text(json.dumps({**written, "failures": failures}), encoding="utf-8")
    (study_copy / "seed-5/run.json").unlink()
    summary = load_study(study_copy).summary
    assert (summary["seeds"], summary["failures"]) == ([2, 5, 11], [{"seed": 5, "error": "no luck"}])
    assert summary["success"]["runs"] == 3


def test_the_best_run_is_chosen_by_validation_and_never_by_the_test(study_copy):
    for seed, validation, test in ((2, 30.0, 60.0), (5, 50.0, 10.0), (11, 50.0, 60.0)):
        file = study_copy / f"seed-{seed}/run.json"
        summary = json.loads(file.read_text(encoding="utf-8"))
        summary["champion"] |= {"validation_mean": validation, "test_mean": test}
        file.write_text(json.dumps(summary), encoding="utf-8")
    study, said = load_study(study_copy), []
    assert study.best_run.path.name == "seed-5"
    assert study.champion.genome.tolist() == load_run(study_copy / "seed-5").champion.genome.tolist()
    assert load_run_or_best("last", say=said.append).path == study_copy / "seed-5"
    assert said == ["runs/small is a study of 3 runs; this is its best by validation, runs/small/seed-5"]


def test_a_frame_has_a_row_for_each_seed(small_study):
    pytest.importorskip("pandas")
    frame = load_study(small_study).frame()
    assert frame.index.tolist() == [2, 5, 11]
    assert {"solved", "evaluations", "validation_mean", "test_mean", "seconds"} <= set(frame.columns)


def test_without_pandas_a_frame_names_what_to_install(small_study, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(EvonetError, match="frame needs pandas, which is not installed: pip install pandas"):
        load_study(small_study).frame()


def test_a_run_is_no_study_and_a_study_no_run(small_run, small_study):
    with pytest.raises(ConfigError, match="is not the directory of a study"):
        load_study(small_run)
    with pytest.raises(ConfigError, match=r"is a study, not a run; name one of its runs, such as .*seed-2"):
        load_run(small_study)
    assert load_run_or_best(small_run).path == small_run


def test_every_command_that_takes_a_run_takes_a_study_or_says_that_it_does_not(study_copy, capsys):
    for name in ("last", "runs/small"):
        assert main(["inspect", name]) == 0
        assert capsys.readouterr().out.startswith("small · CartPole-v1 · 3 seeds (2, 5, 11)\n\nSolved: ")
        assert main(["inspect", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["seeds"] == [2, 5, 11]
        for command in (["replay", name, "--json"], ["export", name, "--to", "json", "champion.json"]):
            assert main(command) == 0
            said = capsys.readouterr().err
            assert "evonet: runs/small is a study of 3 runs; this is its best by validation, runs/small/seed-" in said
    assert main(["resume", "runs/small"]) == 2
    assert (
        "runs/small is a study, not a run; name one of its runs, such as runs/small/seed-2" in capsys.readouterr().err
    )
    assert not Path("runs/small/metrics.jsonl").exists()


def test_last_is_a_run_for_resume_and_for_load_run(study_copy, small_run, capsys):
    shutil.copytree(small_run, "runs/alone")
    (study_copy / "config.yaml").touch()
    assert load_run("last").path == Path("runs/alone")
    assert load_study("last").path == study_copy
    assert main(["resume", "last", "--quiet"]) == 0
    assert main(["resume", "last", "--quiet", "--set", "stop.generations=9"]) == 0
    assert main(["replay", "last", "--json"]) == 0  # it was resumed last
    assert json.loads(capsys.readouterr().out)["run"] == "runs/alone"


def test_a_study_has_a_page_with_the_curves_of_all_runs_and_a_table_by_seed(small_study, study_copy, capsys):
    assert main(["inspect", "last", "--html"]) == 0
    assert capsys.readouterr().out == "runs/small/report.html\n"
    page = Path("runs/small/report.html").read_text(encoding="utf-8")
    assert re.findall("<h3>([^<]*)</h3>", page) == ["Learning", "Share of runs solved", "Test scores"]
    assert page.count("<svg ") == 3
    assert [row.split("</td>")[0] for row in page.split("<tr><td>")[1:]] == ["2", "5", "11"]
    assert re.search(r'<p class="verdict">\d of 3 runs solved \(', page)
    assert "Its best run by validation is runs/small/seed-" in page
    study(Config.load(str(small_study.parent / "small.yaml")), [2], study_copy)  # the page is no stranger in the folder


def test_a_page_of_a_study_leaves_out_runs_without_a_generation_in_their_metrics(study_copy):
    for seed, figures in ((5, 3), (2, 3), (11, 2)):  # without all of them there is no learning curve
        (study_copy / f"seed-{seed}/metrics.jsonl").write_text("")
        assert study_page(load_study(study_copy)).count("<svg ") == figures


def test_a_page_of_a_study_under_way_says_which_runs_are_missing(study_copy):
    (study_copy / "study.json").unlink()
    (study_copy / "seed-5/run.json").unlink()
    page = study_page(load_study(study_copy))
    assert "Not finished: seed 5." in page
