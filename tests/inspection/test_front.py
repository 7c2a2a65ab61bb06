"""The Pareto front of a run with several objectives, read back."""

import shutil

import numpy as np
import pytest

from evonet.errors import ConfigError
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.inspection.analysis.front import ValidatedFront, front_of, validated_front
from evonet.inspection.loaded_run import load_run
from evonet.inspection.overview import run_overview
from evonet.inspection.plots import pareto_front
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.sections.front import front as front_section

CONFIG = """
environment: {id: CartPole-v1, max_steps: 40}
network: {hidden: 3, structure: {start: minimal}}
algorithm: {type: nsga2, population_size: 12}
objectives: {return: maximise, connections: minimise}
evaluation: {episodes: 1, workers: 1}
validation: {episodes: 2}
test: {episodes: 2}
stop: {generations: 6, target: null}
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("front")
    (folder / "c.yaml").write_text(CONFIG, encoding="utf-8")
    run(Config.load(str(folder / "c.yaml")), folder / "run")
    return load_run(folder / "run")


def test_the_front_is_of_the_last_population_as_it_was_measured(loaded):
    front = front_of(loaded)
    assert front.directions == {"return": "maximise", "connections": "minimise"}
    assert len(front.ids) == 12
    assert front.best.sum() == loaded.metrics["front"][-1]
    assert (front.values > 0).all()
    assert front.values[:, 0].max() == loaded.metrics["best"][-1]


def test_a_run_with_one_objective_has_no_front(small_run):
    assert front_of(load_run(small_run)) is None


def test_the_report_has_a_section_with_the_front_and_its_hypervolume(loaded, small_run):
    with ReportData(loaded, 1.0) as data:
        section = front_section(data)
    assert [figure.key for figure in section.figures] == ["front-0-1", "hypervolume"]
    assert len(section.tables[0].rows) == front_of(loaded).best.sum()
    with ReportData(load_run(small_run), 1.0) as data:
        assert front_section(data) is None


def test_the_figure_marks_the_one_that_was_chosen(loaded):
    front = front_of(loaded)
    axes = pareto_front(front, chosen=int(front.ids[np.flatnonzero(front.best)[0]]))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["others", "Pareto front", "champion"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("return (more is better)", "connections (less is better)")


def test_inspect_lists_the_front(loaded):
    text = run_overview(loaded)
    assert f"Pareto front ({front_of(loaded).best.sum()} of 12 individuals, on training episodes)" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_run_whose_journal_was_forged_is_refused_in_words(loaded, tmp_path):
    shutil.copytree(loaded.path, tmp_path / "run")
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace("connections: minimise", "connections: minimise\n  x: maximise"))
    with pytest.raises(ConfigError, match=r"objectives must have shape \(12, 3\), got \(12, 2\)"):
        front_of(load_run(tmp_path / "run"))


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("validated")
    text = CONFIG.replace("validation: {episodes: 2}", "validation: {episodes: 2, archive_episodes: 4}")
    (folder / "c.yaml").write_text(text, encoding="utf-8")
    run(Config.load(str(folder / "c.yaml")), folder / "run")
    return load_run(folder / "run")


def test_a_validated_front_is_that_of_the_summary(validated, loaded):
    front, checked = front_of(validated), validated_front(validated)
    assert sorted(checked.ids.tolist()) == sorted(front.ids[front.best].tolist())
    assert checked.episodes == 4
    assert checked.best.sum() == validated.summary["front"]["corrected"]["individuals"]
    assert validated_front(loaded) is None


def test_individuals_that_failed_are_not_on_the_validated_front():
    held_out = np.array([[5.0, 1.0], [np.nan, 0.0], [4.0, 2.0], [9.0, 3.0]])
    directions = {"return": "maximise", "connections": "minimise"}
    checked = ValidatedFront(directions, np.arange(4), held_out, held_out, 3)
    assert checked.best.tolist() == [True, False, False, True]


def test_the_report_joins_what_individuals_were_and_are(validated):
    with ReportData(validated, 1.0) as data:
        section = front_section(data)
    assert "held-out episode" in section.lead[1]
    assert "front-0-1-held-out" in section.figures[0].hover["items"]
    table = section.tables[1]
    assert table.title == "The front, from training to held-out"
    assert len(table.rows) == len(validated_front(validated).ids)
    assert {row[-1] for row in table.rows} <= {"yes", "no"}
    checked = validated_front(validated)
    axes = pareto_front(front_of(validated), validated=checked)
    (lines,) = [each for each in axes.collections if hasattr(each, "get_segments")]
    ends = np.array(lines.get_segments())
    assert ends[:, 0].tolist() == checked.training.tolist()
    assert ends[:, 1].tolist() == checked.held_out.tolist()
