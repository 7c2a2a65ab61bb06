"""A run's archive read back: elites, words, cells for replay and export, figures, and held-out episodes."""

import json
import shutil

import numpy as np
import pytest

from evonet.archives import CVTArchive, GridArchive
from evonet.champion import Champion
from evonet.cli import main
from evonet.environments.specification import EnvironmentSpec
from evonet.environments.wrappers import Wrapper
from evonet.errors import ConfigError, EnvironmentUnavailable
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.inspection import plots
from evonet.inspection.archives import held_out_of
from evonet.inspection.loaded_run import load_run
from evonet.inspection.overview import run_overview
from evonet.inspection.report import report
from evonet.seeding import Purpose, episode_seeds

CONFIG = """
environment: {id: CartPole-v1, max_steps: 100}
network: {hidden: 0, skip: true, bias: false}
measures:
  lean: {of: observation, index: 2, take: mean}
algorithm:
  type: map_elites
  population_size: 24
  archive: {type: grid, ranges: {lean: [-0.1, 0.1], return: [0, 100]}, cells: [6, 5]}
validation: {episodes: 2, archive_episodes: 3}
test: {episodes: 2}
stop: {generations: 4, target: null}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    run(Config.load(str(folder / "config.yaml")), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def loaded(path):
    return load_run(path)


def test_a_run_s_archive_has_its_elites_and_its_figures_are_those_of_the_summary_and_the_metrics(loaded):
    archive, figures = loaded.archive, loaded.summary["archive"]
    assert len(archive) == figures["elites"] > 5
    assert archive.best.fitness == figures["best"] == loaded.metrics["archive_best"][-1]
    assert archive.qd_score() == figures["qd_score"] == loaded.metrics["qd_score"][-1]
    assert archive.coverage == figures["coverage"] == loaded.metrics["coverage"][-1]
    assert archive.offset == figures["offset"]
    assert (np.diff(loaded.metrics["coverage"]) >= 0).all()
    elite = archive.elites[3]
    assert archive.at(**elite.measures).id == elite.id
    assert set(archive.elites.ids.tolist()) <= set(loaded.lineage.individuals.tolist())


def test_elites_on_held_out_episodes_make_the_corrected_archive(loaded):
    checked, archive, figures = held_out_of(loaded), loaded.archive, loaded.summary["archive"]["corrected"]
    assert (checked.episodes, figures["episodes"]) == (3, 3)
    corrected = checked.corrected(archive)
    assert corrected.qd_score(archive.offset) == figures["qd_score"]
    assert len(corrected) == figures["elites"] <= len(archive)
    row = int(np.argmax(archive.elites.fitness))
    elite = Champion(loaded.champion.architecture, archive.elites.genomes[row], task=loaded.champion.task)
    seeds = episode_seeds(loaded.summary["seed"], Purpose.VALIDATION, 1, 3)
    assert checked.fitness[row] == elite.run(seeds).returns.mean()
    assert not np.array_equal(checked.fitness, archive.elites.fitness), "the episodes are others than in training"


def test_the_overview_shows_training_and_held_out_beside_each_other(loaded):
    text = run_overview(loaded)
    (lines,) = [part.splitlines() for part in text.split("\n\n") if part.startswith("Archive over lean, return: ")]
    assert "of 30 cells" in lines[0]
    assert lines[1].split() == ["training", "held-out", "(3", "episodes)"]
    assert [line.split()[0] for line in lines[2:6]] == ["elites", "QD", "best", "mean"]
    assert max(map(len, lines)) <= 80


def test_the_elite_of_a_cell_is_replayed_and_exported(loaded, path, tmp_path, capsys):
    elite = loaded.archive.best
    cell = ",".join(f"{value:.6g}" for value in elite.measures.values())
    assert main(["replay", str(path), f"--cell={cell}", "--json", "--episodes", "2"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["individual"], len(shown["episodes"])) == (elite.id, 2)
    assert main(["export", str(path), f"--cell={cell}", "--to", "json", str(tmp_path / "elite.json")]) == 0
    written = json.loads((tmp_path / "elite.json").read_text(encoding="utf-8"))
    assert written
    capsys.readouterr()
    places = [(lean, total) for lean in (-0.09, 0.09, 0.05) for total in (10, 30, 50, 70, 90)]
    empty = next(place for place in places if loaded.archive.at(*place) is None)
    assert main(["replay", str(path), f"--cell={empty[0]},{empty[1]}"]) == 2
    said = capsys.readouterr().err
    assert f"the cell at {empty[0]},{empty[1]} of lean, return is empty; the nearest elite: --cell=" in said
    assert main(["replay", str(path), "--cell=1"]) == 2
    assert "--cell must be a number for each of lean, return, got 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "section",
    [
        "{type: other}",
        "{type: grid, ranges: {lean: [0, 1], return: [0, 1]}, cells: [1, 2]}",
        "{type: grid, ranges: {lean: [0, 1]}, cells: [9]}",
        "{type: cvt, ranges: {lean: [0, 1], return: [0, 1]}, cells: 99999999999}",
        "{type: grid, colour: red}",
    ],
)
def test_an_archive_that_does_not_fit_its_config_is_refused_by_the_file(section, path, tmp_path):
    shutil.copytree(path, tmp_path / "run")
    config = tmp_path / "run" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    start, end = text.index("  archive:"), text.index("  population_size:")
    config.write_text(f"{text[:start]}  archive: {section}\n{text[end:]}", encoding="utf-8")
    with pytest.raises(ConfigError, match="checkpoints: cannot be read"):
        load_run(tmp_path / "run").archive  # noqa: B018


def test_a_run_without_an_archive_has_no_cell(small_run, capsys):
    assert load_run(small_run).archive is None
    assert main(["export", str(small_run), "--cell=1,2", "--to", "json", "x.json"]) == 2
    assert "has no archive with elites, and so no cell" in capsys.readouterr().err


def test_the_heatmap_draws_a_grid_as_its_cells_and_others_as_points():
    pytest.importorskip("matplotlib")
    archive = GridArchive({"x": (0, 1), "y": (0, 2)}, [2, 3])
    archive.add(np.zeros((2, 1)), [5.0, 7.0], [[0.1, 1.9], [0.9, 0.1]])
    axes = plots.archive_heatmap(archive)
    table = np.ma.filled(axes.collections[0].get_array(), np.nan)
    assert table.shape == (3, 2)
    assert (table[2, 0], table[0, 1], np.isnan(table).sum()) == (5.0, 7.0, 4)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    turned = np.ma.filled(plots.archive_heatmap(archive, x="y", y="x").collections[0].get_array(), np.nan)
    assert np.array_equal(turned, table.T, equal_nan=True)
    with pytest.raises(ValueError, match=r"^archive_heatmap must get measures among x, y, got 'z'$"):
        plots.archive_heatmap(archive, x="z")
    cvt = CVTArchive({"x": (0, 1), "y": (0, 2), "z": (0, 1)}, 9)
    cvt.add(np.zeros((2, 1)), [5.0, 7.0], [[0.1, 1.9, 0.0], [0.9, 0.1, 0.5]])
    assert plots.archive_heatmap(cvt, x="z", y="x").collections[0].get_offsets().tolist() == [[0.0, 0.1], [0.5, 0.9]]
    assert len(plots.parallel_axes(cvt).collections[0].get_segments()) == 2


def test_the_report_has_a_section_on_the_archive(loaded):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    html, _ = report(loaded, effort=0.01)
    assert 'id="archive"' in html
    assert "On 3 held-out episodes, where fitness and measures differ" in html


def test_a_fixed_seed_makes_all_episodes_alike():
    with EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("FixedSeed", {"seed": 52})]).make() as environment:
        starts = [environment.reset(seed=seed)[0].tolist() for seed in (1, 2, None)]
        assert starts[0] == starts[1] == starts[2]
    with pytest.raises(EnvironmentUnavailable, match=r"FixedSeed\.seed must be at least 0, got -1"):
        EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("FixedSeed", {"seed": -1})]).make()


def test_an_archive_over_an_unknown_measure_is_refused_with_the_known_ones(tmp_path):
    (tmp_path / "c.yaml").write_text(CONFIG.replace("{lean: [-0.1", "{lena: [-0.1"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"algorithm\.archive must be of measures in the config, or of 'return', got"):
        run(Config.load(str(tmp_path / "c.yaml")), tmp_path / "run")
