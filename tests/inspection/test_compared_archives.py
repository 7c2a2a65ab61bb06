"""Archives and fronts compared: figures by one offset and one reference point, in text, JSON and on the page."""

import json
import shutil

import numpy as np
import pytest

from evonet.archives import CVTArchive, GridArchive, UnstructuredArchive
from evonet.cli import main
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.experiment.study import study
from evonet.inspection import plots
from evonet.inspection.analysis.front import front_of, validated_front
from evonet.inspection.archives import held_out_of
from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.archive_figures import archive_figures
from evonet.inspection.comparison.overview import comparison_overview
from evonet.inspection.comparison.page import page
from evonet.inspection.loaded_run import load_run
from evonet.inspection.plots.archive_pair import have_same_cells
from evonet.pareto import hypervolume
from tests.inspection.test_archives import CONFIG
from tests.inspection.test_front import CONFIG as FRONT

OTHER = CONFIG.replace("  type: map_elites\n  population_size: 24", "  type: cma_me\n  emitters: 2\n  samples: 8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs and two studies with archives over the same measures, two runs with fronts."""
    folder = tmp_path_factory.mktemp("compared")
    texts = {"elites": CONFIG, "emitters": OTHER, "front": FRONT, "front2": FRONT + "seed: 4\n"}
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        run(Config.load(str(folder / f"{name}.yaml")), folder / name)
    for name in ("elites", "emitters"):
        study(Config.load(str(folder / f"{name}.yaml"), ["stop.generations=2"]), [0, 1], folder / f"study-{name}")
    return folder


@pytest.fixture(scope="module")
def compared(folder):
    return Comparison([folder / "elites", folder / "emitters"])


def test_qd_scores_count_from_the_lowest_offset_of_all(compared, folder):
    data = compared.data["archives"]
    runs = [load_run(folder / name) for name in ("elites", "emitters")]
    offset = min(each.archive.offset for each in runs)
    assert data["offset"] == offset
    assert len({each.archive.offset for each in runs}) == 2, "else this tests nothing"
    for each, side in zip(runs, data["compared"], strict=True):
        assert side["training"]["qd_score"] == {"mean": pytest.approx(each.archive.qd_score(offset)), "interval": None}
        assert side["training"]["coverage"]["mean"] == each.archive.coverage
        corrected = held_out_of(each).corrected(each.archive)
        assert side["held_out"]["qd_score"]["mean"] == pytest.approx(corrected.qd_score(offset))
        assert side["held_out"]["best"]["mean"] == corrected.best.fitness
        assert (side["runs"], side["episodes"]) == (1, 3)


def test_the_overview_has_a_table_of_the_archives(compared):
    text = comparison_overview(compared)
    (part,) = [part.splitlines() for part in text.split("\n\n") if "QD scores count fitness from" in part]
    assert part[0].split("  ")[-1] == "best"
    assert [line.split("  ")[0] for line in part[1:5]] == [
        "elites, training", "elites, 3 held-out episodes", "emitters, training", "emitters, 3 held-out episodes",
    ]  # fmt: skip
    assert part[5].startswith("Archives over lean, return. QD scores count fitness from ")


def test_studies_have_means_of_runs_with_intervals(folder):
    comparison = Comparison([folder / "study-elites", folder / "study-emitters"])
    for side, name in zip(comparison.data["archives"]["compared"], ("study-elites", "study-emitters"), strict=True):
        coverage = [load_run(folder / name / f"seed-{seed}").archive.coverage for seed in (0, 1)]
        assert side["runs"] == 2
        assert side["training"]["coverage"]["mean"] == pytest.approx(np.mean(coverage))
        assert tuple(side["training"]["coverage"]["interval"]) == (min(coverage), max(coverage))
    assert "Means of runs, with 95 % intervals." in " ".join(comparison_overview(comparison).split())
    assert list(archive_figures(comparison)) == []


def test_the_page_draws_the_archives_by_one_scale_and_their_difference(compared):
    pytest.importorskip("matplotlib")
    figures = list(archive_figures(compared))
    assert [figure.title for figure in figures] == [
        "elites in training", "emitters in training", "elites on held-out episodes", "emitters on held-out episodes",
        "Difference in training", "Difference on held-out episodes",
    ]  # fmt: skip
    scales = set()
    for figure in figures[:4]:
        axes = plots.palette.axes_for(None)
        figure.draw(axes)
        scales.add(axes.images[0].get_clim())
    assert len(scales) == 1
    html = page(compared)
    assert "<h2>Archives</h2>" in html
    assert html.index("Difference in training") > html.index("Differences in test score")


def test_archives_without_held_out_episodes_have_no_such_figures(folder, tmp_path):
    for name in ("elites", "emitters"):
        shutil.copytree(folder / name, tmp_path / name)
    summary = json.loads((tmp_path / "elites/run.json").read_text(encoding="utf-8"))
    del summary["archive"]["corrected"]
    (tmp_path / "elites/run.json").write_text(json.dumps(summary), encoding="utf-8")
    comparison = Comparison([tmp_path / "elites", tmp_path / "emitters"])
    sides = comparison.data["archives"]["compared"]
    assert [side["held_out"] is None for side in sides] == [True, False]
    titles = [figure.title for figure in archive_figures(comparison)]
    assert titles == ["elites in training", "emitters in training", "Difference in training"]


def test_archives_over_other_measures_are_not_compared(folder, tmp_path):
    shutil.copytree(folder / "elites", tmp_path / "elites")
    summary = json.loads((tmp_path / "elites/run.json").read_text(encoding="utf-8"))
    summary["archive"]["measures"] = ["lean", "other"]
    (tmp_path / "elites/run.json").write_text(json.dumps(summary), encoding="utf-8")
    comparison = Comparison([tmp_path / "elites", folder / "emitters"])
    assert "archives" not in comparison.data
    assert "The archives are over different measures, so their QD scores do not compare." in comparison.notes


def test_a_summary_of_numbers_that_are_too_large_has_no_figures(folder, tmp_path):
    shutil.copytree(folder / "elites", tmp_path / "elites")
    summary = json.loads((tmp_path / "elites/run.json").read_text(encoding="utf-8"))
    summary["archive"] |= {"qd_score": 1.7e308, "offset": 1.7e308, "elites": 2**62}
    (tmp_path / "elites/run.json").write_text(json.dumps(summary), encoding="utf-8")
    data = Comparison([tmp_path / "elites", folder / "emitters"]).data["archives"]
    assert data["compared"][0]["training"]["qd_score"] is None


def test_hypervolumes_count_from_the_worst_of_each_objective_on_any_front(folder):
    comparison = Comparison([folder / "front", folder / "front2"])
    data = comparison.data["fronts"]
    fronts = [front_of(load_run(folder / name)) for name in ("front", "front2")]
    signs = np.array([1.0, -1.0])
    points = [front.values[front.best] * signs for front in fronts]
    reference = np.concatenate(points).min(axis=0)
    assert list(data["reference"].values()) == (reference * signs).tolist()
    for side, each in zip(data["compared"], points, strict=True):
        assert side["training"]["hypervolume"]["mean"] == hypervolume(each, reference)
        assert side["training"]["individuals"]["mean"] == len(each)
    text = " ".join(comparison_overview(comparison).split())
    assert "Fronts: maximise return, minimise connections. Hypervolumes count from (" in text


def test_fronts_on_held_out_episodes_are_compared_by_the_same_point(tmp_path):
    pytest.importorskip("matplotlib")
    text = FRONT.replace("validation: {episodes: 2}", "validation: {episodes: 2, archive_episodes: 3}")
    for name, seed in (("a", 0), ("b", 4)):
        (tmp_path / f"{name}.yaml").write_text(f"{text}seed: {seed}\n", encoding="utf-8")
        run(Config.load(str(tmp_path / f"{name}.yaml")), tmp_path / name)
    comparison = Comparison([tmp_path / "a", tmp_path / "b"])
    data, signs = comparison.data["fronts"], np.array([1.0, -1.0])
    reference = np.array(list(data["reference"].values())) * signs
    for side in data["compared"]:
        checked = validated_front(load_run(tmp_path / side["name"]))
        points = checked.held_out[checked.best] * signs
        assert (points >= reference).all()
        assert side["held_out"]["hypervolume"]["mean"] == hypervolume(points, reference)
        assert side["episodes"] == 3
    assert "a, 3 held-out episodes" in comparison_overview(comparison)
    (figure,) = archive_figures(comparison)
    axes = plots.palette.axes_for(None)
    figure.draw(axes)
    assert sum(hasattr(each, "get_segments") for each in axes.collections) == 2


def test_the_page_draws_fronts_in_one_figure(folder):
    pytest.importorskip("matplotlib")
    comparison = Comparison([folder / "front", folder / "front2"])
    (figure,) = archive_figures(comparison)
    assert figure.title == "connections against return"
    axes = plots.palette.axes_for(None)
    figure.draw(axes)
    assert [line.get_label() for line in axes.get_lines()[:2]] == ["front", "front2"]
    assert axes.get_xlabel() == "return (more is better)"
    assert "<h2>Pareto fronts</h2>" in page(comparison)


def test_runs_without_archives_and_fronts_have_no_such_entries(small_run, folder):
    data = Comparison([small_run]).data
    assert not {"archives", "fronts"} & set(data)
    mixed = Comparison([small_run, folder / "elites"]).data
    assert [side["name"] for side in mixed["archives"]["compared"]] == ["elites"]


def test_the_command_prints_them_as_json(folder, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "page.html"
    assert main(["compare", str(folder / "elites"), str(folder / "emitters"), "--json", "--html", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["archives"]["measures"] == ["lean", "return"]
    assert "<h2>Archives</h2>" in path.read_text(encoding="utf-8")


SPAN = {"x": (0, 1), "y": (0, 2)}


def test_the_difference_is_that_of_cells_that_both_have():
    pytest.importorskip("matplotlib")
    first, second = GridArchive(SPAN, [2, 2]), GridArchive(SPAN, [2, 2])
    first.add(np.zeros((2, 1)), [5.0, 7.0], [[0.1, 0.1], [0.9, 0.1]])
    second.add(np.zeros((2, 1)), [4.0, 6.0], [[0.1, 0.1], [0.1, 1.9]])
    only, difference = plots.archive_difference(first, second).images
    assert np.array_equal(difference.get_array().filled(np.nan), [[1.0, np.nan], [np.nan, np.nan]], equal_nan=True)
    assert np.array_equal(only.get_array().filled(np.nan), [[np.nan, 0.0], [1.0, np.nan]], equal_nan=True)
    assert difference.get_clim() == (-1.0, 1.0)


def test_the_difference_of_other_archives_is_a_point_for_each_cell():
    pytest.importorskip("matplotlib")
    first, second = CVTArchive(SPAN, 5), CVTArchive(SPAN, 5)
    for archive, more in ((first, 0.0), (second, 2.0)):
        archive.add(np.zeros((5, 1)), np.arange(5.0) + more, archive.centroids)
    points = plots.archive_difference(first, second).collections[0]
    assert points.get_array().tolist() == [-2.0] * 5
    assert points.get_offsets().tolist() == first.centroids.tolist()
    line, other = GridArchive({"x": (0, 1)}, [4]), GridArchive({"x": (0, 1)}, [4])
    line.add(np.zeros((1, 1)), [3.0], [[0.1]])
    other.add(np.zeros((1, 1)), [1.0], [[0.2]])
    axes = plots.archive_difference(line, other)
    assert axes.collections[0].get_offsets().tolist() == [[0.1, 2.0]]
    assert axes.get_ylabel() == "difference"


def test_archives_of_other_cells_have_no_difference():
    pytest.importorskip("matplotlib")
    grid = GridArchive(SPAN, [2, 2])
    others = [
        GridArchive(SPAN, [4, 1]), GridArchive({"y": (0, 2), "x": (0, 1)}, [2, 2]),
        GridArchive({"x": (0, 1), "y": (0, 3)}, [2, 2]), CVTArchive(SPAN, 4), UnstructuredArchive(["x", "y"], 0.1),
    ]  # fmt: skip
    assert have_same_cells(grid, GridArchive(SPAN, [2, 2]))
    assert not any(have_same_cells(grid, other) for other in others)
    assert not have_same_cells(CVTArchive(SPAN, 4), CVTArchive(SPAN, 4, centroids_seed=1))
    with pytest.raises(ValueError, match=r"^archive_difference must get two archives with the same measures, ranges"):
        plots.archive_difference(grid, others[0])
