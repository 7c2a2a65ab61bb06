"""A run's archive read back: elites, words, cells for replay and export, figures, and held-out episodes."""

import base64
import json
import re
import shutil

import numpy as np
import pytest

from evonet.archives import CVTArchive, GridArchive, UnstructuredArchive
from evonet.champion import Champion
from evonet.cli import main
from evonet.elite_validation import HeldOutResults
from evonet.environments.specification import EnvironmentSpec
from evonet.environments.wrappers import Wrapper
from evonet.errors import ConfigError, EnvironmentUnavailable
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.inspection import plots
from evonet.inspection.analysis.movement import distances_moved
from evonet.inspection.archives import held_out_of
from evonet.inspection.loaded_run import load_run
from evonet.inspection.overview import run_overview
from evonet.inspection.plots.archive import coarse, colour_limits, held_out_scatter
from evonet.inspection.report import report
from evonet.inspection.report.elite_clips import distinct_elites, elite_clips
from evonet.inspection.report.sections.archive import archive as section
from evonet.inspection.report.sections.verdict import verdict
from evonet.inspection.svg import new_axes, page_style, svg
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
    held_out, archive, figures = held_out_of(loaded), loaded.archive, loaded.summary["archive"]["corrected"]
    assert (held_out.episodes, figures["episodes"]) == (3, 3)
    corrected = held_out.corrected(archive)
    assert corrected.qd_score(archive.offset) == figures["qd_score"]
    assert len(corrected) == figures["elites"] <= len(archive)
    row = int(np.argmax(archive.elites.fitness))
    elite = Champion(loaded.champion.architecture, archive.elites.genomes[row], task=loaded.champion.task)
    seeds = episode_seeds(loaded.summary["seed"], Purpose.VALIDATION, 1, 3)
    assert held_out.fitness[row] == elite.run(seeds).returns.mean()
    assert not np.array_equal(held_out.fitness, archive.elites.fitness), "the episodes are others than in training"


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
    table = np.ma.filled(axes.images[0].get_array(), np.nan)
    assert table.shape == (3, 2)
    assert (table[2, 0], table[0, 1], np.isnan(table).sum()) == (5.0, 7.0, 4)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    assert axes.images[0].get_extent() == [0, 1, 0, 2]
    turned = np.ma.filled(plots.archive_heatmap(archive, x="y", y="x").images[0].get_array(), np.nan)
    assert np.array_equal(turned, table.T, equal_nan=True)
    with pytest.raises(ValueError, match=r"^archive_heatmap must get measures among x, y, got 'z'$"):
        plots.archive_heatmap(archive, x="z")
    cvt = CVTArchive({"x": (0, 1), "y": (0, 2), "z": (0, 1)}, 9)
    cvt.add(np.zeros((2, 1)), [5.0, 7.0], [[0.1, 1.9, 0.0], [0.9, 0.1, 0.5]])
    assert plots.archive_heatmap(cvt, x="z", y="x").collections[0].get_offsets().tolist() == [[0.0, 0.1], [0.5, 0.9]]
    assert len(plots.parallel_axes(cvt).collections[0].get_segments()) == 2


def test_an_archive_over_one_measure_is_drawn_by_its_fitness():
    pytest.importorskip("matplotlib")
    archive = GridArchive({"x": (0, 1)}, [4])
    archive.add(np.zeros((2, 1)), [5.0, 7.0], [[0.1], [0.9]])
    axes = plots.archive_heatmap(archive)
    assert axes.collections[0].get_offsets().tolist() == [[0.1, 5.0], [0.9, 7.0]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "fitness")


def test_the_colours_leave_out_the_least_fit_of_many_and_are_those_that_are_given():
    pytest.importorskip("matplotlib")
    archive = GridArchive({"x": (0, 1)}, [100])
    fitness = np.array([-1e6, -1e5, *np.linspace(0, 97, 98)])
    archive.add(np.zeros((100, 1)), fitness, np.linspace(0.005, 0.995, 100)[:, None])
    assert colour_limits(fitness) == (0.0, 97.0)
    drawn = plots.archive_heatmap(archive).collections[0]
    assert drawn.get_clim() == (0.0, 97.0)
    assert drawn.colorbar.extend == "min"
    assert plots.archive_heatmap(archive, limits=(-5.0, 200.0)).collections[0].get_clim() == (-5.0, 200.0)
    assert colour_limits(np.array([3.0, np.nan, 3.0])) == (2.5, 3.5)
    assert colour_limits(np.array([np.nan])) == (0.0, 1.0)
    low, high = colour_limits(np.array([-1.7e308, 1.7e308]))
    assert np.isfinite(high - low)


def test_of_a_grid_of_very_many_cells_each_square_shows_the_fittest_of_some(monkeypatch):
    monkeypatch.setattr("evonet.inspection.plots.archive.MAX_CELLS", 6)
    table = np.array([[1.0, 2.0, np.nan], [np.nan, 0.0, 3.0], [np.nan, 4.0, np.nan]])
    assert np.array_equal(coarse(table), [[2.0, np.nan], [0.0, 3.0], [4.0, np.nan]], equal_nan=True)
    assert coarse(np.arange(100.0).reshape(4, 25)).max() == 99.0
    assert coarse(np.arange(1_000.0)[None]).size <= 6


def test_the_distance_that_elites_moved_is_in_units_of_the_ranges():
    archive = GridArchive({"x": (0, 1), "y": (0, 10)}, [2, 2])
    archive.add(np.zeros((3, 1)), [5.0, 7.0, 8.0], [[0.1, 1.0], [0.9, 1.0], [0.9, 9.0]])
    measures = np.array([[0.4, 5.0], [0.9, np.nan], [0.9, 9.0]])
    moved = distances_moved(archive, HeldOutResults(np.array([4.0, np.nan, 9.0]), measures, 3))
    assert moved[[0, 2]].tolist() == [0.5, 0.0]
    assert np.isnan(moved[1])


def test_the_elites_that_are_shown_are_the_best_and_those_that_are_farthest_from_each_other():
    archive = GridArchive({"x": (0, 1), "y": (0, 10)}, [100, 100])
    places = [[0.1, 1.0], [0.12, 1.0], [0.9, 9.0], [0.9, 1.0], [0.5, 5.0]]
    archive.add(np.zeros((5, 1)), np.arange(5.0), places)
    fitness = np.array([0.0, 9.0, 1.0, np.nan, 2.0])
    assert distinct_elites(archive, fitness, 3) == [1, 2, 3]
    assert distinct_elites(archive, fitness, 9) == [1, 2, 3, 4, 0]
    assert distinct_elites(archive, np.full(5, np.nan), 1) == [0]


@pytest.fixture(scope="module")
def html(loaded):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evonet.inspection.report.SECTIONS", (verdict, section))
        text, notices = report(loaded, effort=1.0)
    assert notices == []
    return text


def embedded(html, name):
    """The JSON in the elements of this class."""
    return [
        json.loads(block)
        for block in re.findall(rf'<script type="application/json" class="{name}"[^>]*>(.*?)</script>', html)
    ]


def test_the_report_has_a_section_on_the_archive(html):
    assert 'id="archive"' in html
    assert "On 3 held-out episodes, where fitness and measures differ" in html
    for title in ("In training", "Corrected", "Training against held-out", "Episodes of elites"):
        assert f"<h3>{title}</h3>" in html
    assert "The elites that moved most, from training to held-out" in html


def test_the_slider_goes_from_the_first_generation_to_the_archive_at_the_end(html, loaded):
    (data,) = embedded(html, "frames")
    assert [frame["label"].split(":")[0] for frame in data["frames"]] == [f"generation {number}" for number in range(4)]
    levels = [np.frombuffer(base64.b64decode(frame["levels"]), dtype=np.uint8) for frame in data["frames"]]
    filled = np.array([(each > 0).sum() for each in levels])
    assert (filled / 30).tolist() == pytest.approx(loaded.metrics["coverage"].tolist())
    elites = loaded.archive.elites
    table = np.zeros(30)
    low, high = data["limits"]
    table[elites.cells] = 1 + np.rint(254 * np.clip((elites.fitness - low) / (high - low), 0, 1))
    assert levels[-1].reshape(5, 6).tolist() == table.reshape(6, 5).T.tolist()
    assert len(base64.b64decode(data["colours"])) == 3 * 255


def test_elites_play_the_episode_that_their_command_replays(html, loaded, path, capsys):
    (data,) = embedded(html, "frames")
    assert 2 < len(data["pick"]["clips"]) <= 12
    assert len({clip["shows"] for clip in data["pick"]["clips"]}) == len(data["pick"]["clips"])
    said = re.findall(r'<p class="note">A: .*?This episode: return (\S+), (\d+) steps?\.</p>', html)
    arguments = re.findall(r"--cell=(\S+?)</code>", html)
    assert main(["replay", str(path), f"--cell={arguments[0]}", "--json"]) == 0
    (episode,) = json.loads(capsys.readouterr().out)["episodes"]
    assert [(f"{episode['return']:g}", str(episode["steps"]))] == said
    films = re.findall(r'data-place="clip-[A-L]" data-every[^>]*src="(data:image/webp[^"]*)"', html)
    assert len(films) == len(arguments) == len(data["pick"]["clips"])
    assert max(map(len, films)) <= 45_000


def test_without_time_one_elite_plays_and_without_pictures_none(loaded, monkeypatch):
    fitness = loaded.archive.elites.fitness
    clips, why = elite_clips(loaded, loaded.archive, fitness, 0.0, 5_000)
    assert ([clip.row for clip in clips], why) == ([int(fitness.argmax())], "")
    monkeypatch.setattr("evonet.environments.instance.Instance.has_pictures", False)
    assert elite_clips(loaded, loaded.archive, fitness, 0.0, 5_000) == ([], "the environment has no pictures to show")


ODD = (np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324)


@pytest.mark.parametrize("ranges", [{"x": (0, 1), "y": (0, 1)}, {"x": (-1e308, 7e307), "y": (0, 1e-290)}, None])
@pytest.mark.parametrize("names", [("x", "y"), ("x",), ("x", "y", "z")])
def test_an_archive_with_odd_numbers_is_drawn(names, ranges):
    """A stranger's checkpoint may hold any number where an archive would have refused it."""
    pytest.importorskip("matplotlib")
    ranges = ranges and {name: ranges.get(name, (0, 1)) for name in names}
    cells = {"x": (0.0, 1.0), "y": (0.0, 1.0)} if ranges is None else ranges
    archive = UnstructuredArchive(names, 0.1) if ranges is None else GridArchive(cells, [5] * len(names))
    n = len(ODD) + 1
    odd = np.array([*ODD, 1.0])
    archive._genomes, archive._size, archive._ids = np.zeros((n, 1)), n, np.arange(n)
    archive._fitness, archive._measures = odd, np.stack([np.roll(odd, shift) for shift in range(len(names))], axis=1)
    if ranges is not None:
        archive._cell_of = np.arange(n) % 5
    for fitness in (odd, odd[::-1], np.full(n, np.nan), np.full(n, 1e308), np.full(n, -np.inf)):
        archive._fitness = fitness
        held_out = HeldOutResults(np.roll(fitness, 2), archive._measures[::-1], 3)
        assert len(distances_moved(archive, held_out)) == n
        assert distinct_elites(archive, fitness, 3)
        with page_style():
            for draw in (plots.archive_heatmap, plots.parallel_axes):
                assert svg(draw(archive, ax=new_axes(4.0, 3.0)).figure)
            assert svg(held_out_scatter(archive, held_out.fitness, new_axes(4.0, 3.0)).figure)


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
