"""The elites and the front of a run on held-out episodes: at the end, and a sample of the elites while it runs."""

import json

import numpy as np
import pytest

from evonet import EpisodeReturn
from evonet.archives import GridArchive
from evonet.elite_validation import HeldOutResults, draw_sample, evaluate_held_out
from evonet.errors import ConfigError
from evonet.experiment.build import build_fitness
from evonet.inspection.archives import archive_frame, held_out_of
from evonet.inspection.loaded_run import load_run
from evonet.pareto import hypervolume, non_dominated
from evonet.seeding import Purpose, episode_seeds
from tests.stopped_runs import EAGER, config_for, exact_files, go_on, run_stopped, run_whole

BASE = """
seed: 3
environment: {id: CartPole-v1, max_steps: 60}
network: {hidden: 0, skip: true, bias: false}
measures:
  lean: {of: observation, index: 2, take: mean}
  effort: {of: action, take: mean}
evaluation: {workers: 1}
validation: {episodes: 2, archive_episodes: 3, archive_sample: 4}
test: {episodes: 2}
stop: {generations: 22, target: null}
"""
MANY = (
    BASE + "algorithm: {type: map_elites, population_size: 8, archive: "
    "{type: grid, ranges: {lean: [-0.1, 0.1], return: [0, 60]}, cells: [6, 5]}}\n"
)
FRONT = (
    BASE + "algorithm: {type: nsga2, population_size: 12}\n"
    "objectives: {return: maximise, effort: minimise}\nfitness: {weights: {return: 1, effort: -1}}\n"
)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("many"), MANY)


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("front"), FRONT)


def fitness_of(folder, text):
    return build_fitness(config_for(folder, text))


def test_in_every_tenth_generation_a_sample_of_the_elites_meets_the_held_out_episodes(many):
    metrics = load_run(many).metrics
    for name in ("sampled_fitness", "sampled_held_out", "sampled_same_cell"):
        assert np.flatnonzero(np.isfinite(metrics[name])).tolist() == [9, 19]
    assert metrics["sampled_fitness"][9] <= metrics["archive_best"][9]
    assert 0 <= metrics["sampled_same_cell"][19] <= 1


def test_the_sample_costs_as_many_episodes_as_it_says_and_its_steps_are_counted(many):
    spent = np.diff(load_run(many).metrics["validation_steps"])
    assert spent[8] >= 4 * 3
    assert spent[10:18].max() <= 2 * 60, "the champion's candidates only"


@pytest.mark.parametrize("after", [8, 9, 15])
def test_a_run_that_was_stopped_draws_the_same_sample(after, many, tmp_path):
    stopped = run_stopped(tmp_path, MANY, *EAGER, after=after)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(many)
    assert (stopped / "archive.npz").read_bytes() == (many / "archive.npz").read_bytes()


@pytest.mark.parametrize("change", ["archive_sample: 0", "archive_episodes: null, archive_sample: 4"])
def test_without_a_number_of_episodes_or_of_elites_there_is_no_sample(change, tmp_path):
    text = MANY.replace("archive_episodes: 3, archive_sample: 4", change)
    assert "sampled_fitness" not in load_run(run_whole(tmp_path, text, "stop.generations=10")).metrics


def test_a_sample_has_different_elites_and_others_in_each_generation():
    archive = GridArchive({"x": (0, 1), "y": (0, 1)}, [6, 6])
    archive.add(np.zeros((40, 2)), np.arange(40.0), np.random.default_rng(1).random((40, 2)))
    rows = [draw_sample(archive, 5, 3, generation) for generation in range(20)]
    assert all(len(set(each.tolist())) == 5 for each in rows)
    assert len({tuple(each.tolist()) for each in rows}) > 15
    assert np.array_equal(draw_sample(archive, 1000, 3, 0), np.arange(len(archive)))


def test_the_summary_says_how_far_the_elites_moved_and_the_frame_says_it_of_each(many):
    pytest.importorskip("pandas")
    loaded = load_run(many)
    moved, held_out, frame = loaded.summary["archive"]["moved"], held_out_of(loaded), archive_frame(loaded)
    elites = loaded.archive.elites
    assert moved["fitness"] == np.median(held_out.fitness - elites.fitness) == frame["moved_fitness"].median()
    assert moved["measures"]["lean"] == np.abs(frame["moved_lean"]).median()
    cells = loaded.archive.cells_of(frame[["held_out_lean", "held_out_return"]].to_numpy())
    assert moved["same_cell"] == np.mean(cells == frame["cell"]) < 1
    assert np.array_equal(held_out.same_cell(loaded.archive, elites.cells), cells == frame["cell"])


def test_elites_that_failed_have_not_stayed_and_do_not_count_as_moved():
    archive = GridArchive({"x": (0, 1), "y": (0, 1)}, [6, 6])
    archive.add(np.zeros((2, 2)), [1.0, 2.0], [[0.1, 0.1], [0.9, 0.9]])
    held_out = HeldOutResults(np.array([0.5, -np.inf]), np.array([[0.1, 0.3], [np.nan, np.nan]]), 3)
    moved = held_out.movement(archive)
    assert (moved["fitness"], moved["same_cell"]) == (-0.5, 0.0)
    assert list(moved["measures"].values()) == pytest.approx([0.0, 0.2])
    failed = HeldOutResults(np.full(2, -np.inf), np.full((2, 2), np.nan), 3).movement(archive)
    assert (failed["fitness"], failed["same_cell"]) == (None, None)


def test_weights_make_the_held_out_fitness_too():
    with EpisodeReturn("CartPole-v1", hidden=0, skip=True, max_steps=30, weights={"return": 2.0}) as fitness:
        genomes = np.random.default_rng(1).standard_normal((3, fitness.architecture.genome_size))
        held_out = evaluate_held_out(genomes, ["return"], fitness, 5, 4, None)
        assert np.array_equal(held_out.fitness, 2 * held_out.measures[:, 0])


def test_the_front_is_run_on_held_out_episodes(front, tmp_path):
    summary = load_run(front).summary["front"]
    assert summary == {**json.loads((front / "run.json").read_text())["front"]}
    points, corrected = summary["points"], summary["corrected"]
    n = summary["individuals"]
    assert len(points["ids"]) == n >= corrected["individuals"] >= 1
    assert points["training"]["return"] == sorted(points["training"]["return"])
    signs, reference = np.array([1, -1]), np.array([summary["reference"][name] for name in ("return", "effort")])
    values = {
        name: np.array([points[name][each] for each in ("return", "effort")]).T for name in ("training", "held_out")
    }
    for name, figures in (("training", summary), ("held_out", corrected)):
        assert figures["hypervolume"] == pytest.approx(hypervolume(values[name] * signs, reference * signs))
        assert figures["individuals"] == non_dominated(values[name] * signs).sum()
    metrics = load_run(front).metrics
    assert (summary["hypervolume"], n) == (metrics["hypervolume"][-1], metrics["front"][-1])
    checkpoint = load_run(front).newest_checkpoint.state["evolution"]["algorithm"]
    row = int(np.flatnonzero(np.asarray(checkpoint["ids"]) == points["ids"][0])[0])
    with fitness_of(tmp_path, FRONT) as fitness:
        played = fitness(np.asarray(checkpoint["genomes"])[row][None], episode_seeds(3, Purpose.VALIDATION, 1, 3), None)
    assert points["held_out"]["return"][0] == played.returns.mean()


def test_a_front_that_grows_connections_keeps_their_number(tmp_path):
    text = FRONT.replace("hidden: 0, skip: true, bias: false", "hidden: 2, structure: {start: minimal}")
    text = text.replace("effort: minimise", "connections: minimise")
    points = load_run(run_whole(tmp_path, text, "stop.generations=3")).summary["front"]["points"]
    assert points["held_out"]["connections"] == points["training"]["connections"]


def test_without_held_out_episodes_the_front_is_that_of_training(tmp_path):
    run = run_whole(tmp_path, FRONT, "stop.generations=3", "validation.archive_episodes=null")
    summary = load_run(run).summary["front"]
    assert "corrected" not in summary
    assert set(summary["points"]) == {"ids", "training"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda front: front["points"]["held_out"].pop("effort"), "effort"),
        (lambda front: front["points"]["training"]["return"].append(1.0), "must have .* numbers of 'return'"),
        (lambda front: front.update(hypervolume="x"), "hypervolume"),
        (lambda front: front["reference"].update(effort=[]), "effort"),
    ],
)
def test_a_front_that_a_stranger_wrote_is_refused(change, message, front, tmp_path):
    summary = json.loads((front / "run.json").read_text())
    change(summary["front"])
    copy = tmp_path / "run"
    copy.mkdir()
    (copy / "config.yaml").write_bytes((front / "config.yaml").read_bytes())
    (copy / "metrics.jsonl").write_bytes((front / "metrics.jsonl").read_bytes())
    (copy / "run.json").write_text(json.dumps(summary))
    with pytest.raises(ConfigError, match=message):
        load_run(copy).summary  # noqa: B018
