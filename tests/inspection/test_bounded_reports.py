"""Reports of wide networks, slow environments and long runs take bounded time, and say what they leave out."""

import json
import re
import shutil
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from evonet import Champion, EpisodeReturn
from evonet.cli import main
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import ConfigError
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.files.bounded import read_some_lines, reading
from evonet.inspection.analysis.influence import action_influence, path_strength, sampled_observations
from evonet.inspection.analysis.policy import policy_table
from evonet.inspection.analysis.responses import Responses
from evonet.inspection.analysis.robustness import landscape, weight_noise
from evonet.inspection.analysis.trajectory import Trajectory, actions_for, trajectories
from evonet.inspection.analysis.trials import Trials
from evonet.inspection.loaded_run import load_run
from evonet.inspection.overview import run_overview
from evonet.inspection.plots import network_diagram, observation_traces, weight_maps
from evonet.inspection.report import report
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.sections import SECTIONS, ancestry, behaviour, learned, network, robustness, verdict
from evonet.seeding import Purpose, episode_seeds
from tests.inspection.test_report import keys

SEEDS = episode_seeds(0, Purpose.REPLAY, 0, 3)
WIDE = 3_000


class Mural(gym.Env):
    """A picture of noise; each step pays the brightness of its first number if the action names its half.

    Args:
        inputs: numbers of the picture.
        parts: whether the picture comes as a Dict of two parts, and the action as a Tuple.
    """

    def __init__(self, inputs=WIDE, *, parts=False):
        self._parts = parts
        self._half = inputs // 2
        box = spaces.Box(0.0, 1.0, (self._half,), np.float64)
        self.observation_space = spaces.Box(0.0, 1.0, (2 * self._half,), np.float64)
        self.action_space = spaces.Discrete(2)
        if parts:
            self.observation_space = spaces.Dict(left=box, right=box)
            self.action_space = spaces.Tuple([spaces.Discrete(2), spaces.Box(-1.0, 1.0, (2,), np.float64)])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._x = self.np_random.random(2 * self._half)
        return self._shown(), {}

    def step(self, action):
        choice = action[0] if self._parts else action
        reward = float(self._x[0] * (choice == (self._x[0] > 0.5)))
        self._x = self.np_random.random(2 * self._half)
        return self._shown(), reward, False, False, {}

    def _shown(self):
        return {"left": self._x[: self._half], "right": self._x[self._half :]} if self._parts else self._x.copy()


ID = "evonet-tests/Mural-v0"
if ID not in gym.registry:
    gym.register(ID, entry_point=Mural, max_episode_steps=12)


def champion_of(environment, hidden=3, steps=10, **network):
    fitness = EpisodeReturn(environment, hidden=hidden, max_steps=steps, **network)
    genome = np.random.default_rng(5).standard_normal(fitness.architecture.genome_size)
    return Champion(fitness.architecture, genome, task=fitness.task)


def normalised(champion, observations):
    fresh = ObservationNormaliser.fresh(observations.shape[1])
    deviations = observations - fresh.mean
    counts = np.array([len(observations)])
    merged = fresh.merged(counts, deviations.sum(axis=0)[None], (deviations**2).sum(axis=0)[None])
    return replace(champion, normaliser=merged)


@pytest.fixture(scope="module")
def wide():
    return champion_of(Mural)


@pytest.fixture(scope="module")
def wide_run(tmp_path_factory):
    """A finished run of two generations with 3,000 inputs."""
    folder = tmp_path_factory.mktemp("wide")
    text = f"""
environment: {{id: '{__name__}:{ID}'}}
network: {{hidden: 3}}
algorithm: {{population_size: 4, elites: 1}}
evaluation: {{episodes: 1, workers: 1}}
validation: {{episodes: 2}}
test: {{episodes: 3}}
stop: {{generations: 2}}
"""
    (folder / "wide.yaml").write_text(text, encoding="utf-8")
    run(Config.load(str(folder / "wide.yaml"), (), [__name__]), folder / "run")
    return folder / "run"


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("network", [{}, {"recurrent": True}, {"bias": False}])
@pytest.mark.parametrize("normalise", [False, True])
def test_changed_inputs_give_the_actions_that_the_whole_policy_gives(network, normalise, parts):
    champion = champion_of(lambda: Mural(8, parts=parts), **network)
    rng = np.random.default_rng(1)
    observations, memory = rng.normal(size=(20, 8)), rng.normal(size=(20, 3))
    if normalise:
        champion = normalised(champion, observations * 2.0)
    responses = Responses(champion, observations, memory)
    changed = observations.copy()
    changed[:, 3], changed[:, 6] = rng.normal(size=(2, 20))
    np.testing.assert_allclose(responses.actions(), actions_for(champion, observations, memory))
    found = responses.actions({3: changed[:, 3], 6: changed[:, 6]})
    np.testing.assert_allclose(found, actions_for(champion, changed, memory))


def test_the_table_of_a_discrete_observation_is_cut_and_right_where_inputs_are_normalised(discrete_run):
    champion = load_run(discrete_run).champion
    for one in (champion, normalised(champion, np.eye(16)[[0, 0, 3, 5]])):
        whole = [one.act(value) for value in range(16)]
        assert policy_table(one).tolist() == whole
        assert policy_table(one, 5).tolist() == whole[:5]


def test_influence_tries_the_inputs_with_the_strongest_weights_that_vary_and_no_others(wide, monkeypatch):
    episodes = list(trajectories(wide, SEEDS))
    for episode in episodes:
        episode.observations[:, :500] = 0.25
    calls = []
    actions = Responses.actions
    monkeypatch.setattr(
        Responses, "actions", lambda self, changes=None: calls.append(changes) or actions(self, changes)
    )
    found = action_influence(wide, episodes)
    assert len(calls) == 1 + 4 * 1_000
    assert (found[:500] == 0).all()
    tried = np.flatnonzero(np.isfinite(found[500:])) + 500
    assert len(tried) == 1_000
    strength = path_strength(wide)[0] * np.concatenate([each.observations for each in episodes]).std(axis=0)
    left_out = np.flatnonzero(np.isnan(found))
    assert strength[tried].min() >= strength[left_out].max()


def test_influence_tries_fewer_inputs_of_a_network_with_many_neurons(monkeypatch):
    monkeypatch.setattr("evonet.inspection.analysis.influence._MAX_SUMS", 4 * 30 * (3 + 2) * 7)
    champion = champion_of(lambda: Mural(20))
    assert np.isfinite(action_influence(champion, list(trajectories(champion, SEEDS)))).sum() == 7


def test_influence_of_few_inputs_is_known_for_all_of_them():
    champion = champion_of(lambda: Mural(20))
    assert np.isfinite(action_influence(champion, list(trajectories(champion, SEEDS)))).all()


def test_visited_observations_are_as_many_as_fit_into_memory_and_from_all_episodes(monkeypatch):
    rows = np.arange(400.0)[:, None]

    def episode(first, width):
        part = rows[first : first + 200]
        return Trajectory(0, np.broadcast_to(part, (200, width)), part, part, part, part[:, 0], terminated=True)

    few, memory = sampled_observations([episode(0, 2), episode(200, 2)])
    assert few[:, 0].tolist() == rows[:, 0].tolist()
    assert memory[:3, 0].tolist() == [0.0, 0.0, 1.0]
    monkeypatch.setattr("evonet.inspection.analysis.influence._MAX_NUMBERS", 5 * 128)
    many, _ = sampled_observations([episode(0, 5), episode(200, 5)])
    assert many.shape == (128, 5)
    assert (many[0, 0], many[-1, 0]) == (0.0, 399.0)


@pytest.mark.parametrize("limits", [{"most_steps": 4}, {"most_seconds": 0.0}])
def test_an_episode_that_is_abandoned_says_so(limits):
    (episode,) = trajectories(champion_of(lambda: Mural(8)), SEEDS[:1], **limits)
    assert episode.abandoned
    assert not episode.terminated
    assert len(episode) == limits.get("most_steps", 1)
    (whole,) = trajectories(champion_of(lambda: Mural(8)), SEEDS[:1], most_steps=10)
    assert (whole.abandoned, len(whole)) == (False, 10)


def test_pictures_of_wide_observations_show_a_part_and_say_so(wide):
    (episode,) = trajectories(wide, SEEDS[:1])
    axes = observation_traces(episode)
    assert axes.images[0].get_array().shape == (128, 10)
    assert axes.get_ylabel() == "input (the 128 that vary most)"
    labels = [int(label.get_text()) for label in axes.get_yticklabels()]
    spread = episode.observations.std(axis=0)
    assert spread[labels].min() >= np.sort(spread)[-128]
    mapped = weight_maps(wide.network)
    assert mapped.collections[0].get_array().size == 3 * (256 + 1 + 2)
    assert len(network_diagram(wide.network).collections[0].get_segments()) <= 400


def test_a_map_of_a_wide_hidden_layer_shows_its_strongest_neurons():
    champion = champion_of(lambda: Mural(8), hidden=700, recurrent=True)
    assert weight_maps(champion.network).collections[0].get_array().size == 256 * (8 + 1 + 256 + 2)


class Clock:
    """Episodes that take a fixed time each, as `Trials` measures it."""

    def __init__(self, seconds):
        self.now, self._seconds = 0.0, seconds

    def run(self, genomes, individuals, seeds, normaliser, max_steps=None):
        from evonet.evaluation.results import EpisodeResults

        self.now += self._seconds * len(seeds)
        results = EpisodeResults.empty(len(seeds), None)
        results.returns[:], results.lengths[:] = 1.0, 10
        return results

    def close(self):
        pass


@pytest.mark.parametrize(
    ("seconds", "wanted", "genome_size", "affordable"),
    [
        (0.01, 96, 17, 96),
        (0.1, 96, 17, 32),
        (0.1, 40, 17, 40),
        (2.6, 96, 17, 1),
        (6.0, 96, 17, 0),
        (0.001, 441, 1 << 20, 16),
    ],
)
def test_the_number_of_networks_follows_from_the_time_of_an_episode_and_the_size_of_a_genome(
    seconds, wanted, genome_size, affordable, monkeypatch
):
    clock = Clock(seconds)
    monkeypatch.setattr("time.perf_counter", lambda: clock.now)
    monkeypatch.setattr("time.process_time", lambda: clock.now)
    trials = Trials(None, None, np.zeros(genome_size), SEEDS, clock)
    assert trials.affordable(wanted) == affordable
    assert trials.episode_seconds == pytest.approx(seconds)
    assert clock.now <= max(80 * 0.05, 2 * seconds)  # the measurement itself is short


def test_dear_episodes_make_a_landscape_coarser_and_perturbed_champions_fewer_before_both_are_left_out(monkeypatch):
    champion = champion_of(lambda: Mural(8))
    with Trials(champion.task, None, champion.genome, SEEDS) as trials:
        sizes = {}
        for most in (441, 49, 32, 16):
            monkeypatch.setattr(trials, "affordable", lambda genomes, most=most: min(genomes, most))
            around, noise = landscape(champion, trials, 1e-9), weight_noise(champion, trials, 1e-9)
            sizes[most] = (around and len(around.steps), noise and noise.champions)
    assert sizes == {441: (7, 16), 49: (7, 8), 32: (5, 5), 16: (None, None)}


def test_the_report_of_a_wide_network_is_small_and_says_what_it_leaves_out(wide_run, monkeypatch):
    monkeypatch.setattr("evonet.inspection.report.SECTIONS", (verdict, network, behaviour, learned))
    page, notices = report(load_run(wide_run, [__name__]), effort=0.02)
    assert len(page) < 2_000_000
    assert "The map shows the 256 neurons of each layer with the strongest connections." in notices
    assert "The diagram shows the 32 neurons of each layer with the strongest connections." in notices
    assert "Of 3,000 inputs, 1,000 were tried: those with the strongest weights that vary most." in page
    assert {"influence", "without-inputs", "policy-0", "observations-worst"} <= set(keys(page))
    blocks = re.findall(r'<script type="application/json" class="\w+">(.*?)</script>', page, re.DOTALL)
    assert all(json.loads(block) is not None for block in blocks)


def test_of_very_many_episodes_the_first_are_replayed_and_the_report_says_so(small_run, monkeypatch):
    monkeypatch.setattr("evonet.inspection.report.report_data._MAX_SEEDS", 3)
    with ReportData(load_run(small_run)) as data:
        assert (len(data.seeds), len(data.returns)) == (3, 6)
        assert max(data.replayed.values()) < 3
        assert behaviour(data).lead[0].startswith("Of the first 3 test episodes, these are the median")


def test_the_largest_weights_that_there_can_be_are_drawn(small_run, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    shutil.copytree(small_run, folder)
    champion = Champion.load(folder / "champion.npz")
    champion.network.genome[:] = np.resize([1, -1], champion.genome.size) * np.finfo(np.float64).max
    champion.save(folder / "champion.npz")
    monkeypatch.setattr("evonet.inspection.report.SECTIONS", (verdict, network))
    page, _ = report(load_run(folder), effort=0.02)
    assert "1.797e+308" in page
    assert {"network", "weights"} <= set(keys(page))


def test_an_episode_that_is_dearer_than_a_figure_may_be_is_not_repeated(small_run, monkeypatch):
    monkeypatch.setattr("evonet.inspection.report.report_data.PATIENCE", 0.0)
    with ReportData(load_run(small_run)) as data:
        sections = [make(data) for make in SECTIONS if make is not network]
        made = {section.key: section for section in sections if section is not None}
    dear = "an episode takes longer than 0 s here."
    assert made["behaviour"].lead[-1] == f"None is repeated for this report: {dear}"
    assert [figure.key for figure in made["behaviour"].figures] == ["returns"]
    assert len(made["behaviour"].parts["episodes"]) == 3
    assert made["learned"].notices == [f"Returns without an input or a neuron are left out: {dear}"]
    assert [figure.key for figure in made["learned"].figures] == ["policy-0", "influence"]
    assert made["robustness"].notices == [f"Robustness is left out: {dear}"]
    assert "Random weights score" not in made["verdict"].parts["sentence"]


def test_a_run_without_a_test_whose_episodes_are_dear_shows_the_first_as_far_as_it_ran(
    small_run, tmp_path, monkeypatch
):
    shutil.copytree(small_run, tmp_path / "run", ignore=shutil.ignore_patterns("run.json"))
    monkeypatch.setattr("evonet.inspection.report.report_data.PATIENCE", 0.0)
    with ReportData(load_run(tmp_path / "run")) as data:
        assert (data.repeated, data.returns.tolist(), data.replayed) == (None, [1.0], {"median": 0})
        assert data.task is not None


def test_dear_episodes_leave_a_report_with_fewer_networks_that_says_what_is_missing(small_run, monkeypatch):
    monkeypatch.setattr(Trials, "affordable", lambda self, genomes: min(genomes, 8))
    with ReportData(load_run(small_run), effort=0.02) as data:
        assert data.random_networks.size == 8
        found = robustness(data)
        (notice,) = found.notices
        assert notice == (
            "Robustness is not complete (noise in weights, cart mass, force, gravity and landscape left out): "
            f"{data.cost_in_words}."
        )
    assert [figure.title for figure in found.figures] == ["Noise in observations", "Pole length", "Pole mass"]
    assert re.fullmatch(r"an episode takes \S+ s here, and a network has 23 genes", data.cost_in_words)


def test_only_the_genomes_that_are_shown_are_read(small_run):
    read = load_run(small_run)
    everyone = load_run(small_run).fittest
    few = read.some_fittest(3)
    assert len(few) == min(3, len(everyone))
    assert (few[0].id, few[-1].id) == (everyone[0].id, everyone[-1].id)
    assert (few[0].genome == everyone[0].genome).all()
    assert "fittest" not in read.__dict__
    assert [each.id for each in read.some_fittest(1_000)] == [each.id for each in everyone]


def test_lines_of_a_journal_that_are_not_shown_are_not_parsed(tmp_path):
    (tmp_path / "j.jsonl").write_text('{"n": 0}\nnonsense\n{"n": 2}\nnonsense\n{"n": 4}\n{"n": 5')

    def read(most):
        with reading(tmp_path / "j.jsonl") as file:
            return read_some_lines(file, lambda fields: fields.integer("n"), "j", most, torn_end=True)

    assert (read(0), read(1), read(2), read(3)) == ([], [0], [0, 4], [0, 2, 4])
    with pytest.raises(ConfigError, match=r"j\.jsonl:2: not a line of JSON"):
        read(5)


def test_a_long_line_of_descent_is_cut_and_says_so(small_run, monkeypatch):
    monkeypatch.setitem(ancestry.__globals__, "_MAX_STEPS", 1)
    read = load_run(small_run)
    assert len(read.descent) > 1
    with ReportData(read) as data:
        section = ancestry(data)
    assert section.notices == [f"The last 1 of {len(read.descent)} individuals of the line are shown."]
    assert [table.title for table in section.tables][-1] == "The last 1 steps of the line"
    assert len(section.tables[-1].rows) == 1


def test_the_summary_of_a_wide_network_is_short(wide_run):
    lines = run_overview(load_run(wide_run)).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 120
    assert "… and 2992 more" in "\n".join(lines)


def test_each_section_is_announced_before_it_is_made(small_run, monkeypatch):
    monkeypatch.setattr("evonet.inspection.report.SECTIONS", SECTIONS[:1])
    seen = []
    report(load_run(small_run), 0.02, lambda *progress: seen.append(progress))
    assert seen == [(0, 1, "verdict"), (1, 1, "")]


def test_a_line_or_on_a_terminal_a_bar_shows_that_a_report_is_being_made(failed_run, tmp_path, capsys, monkeypatch):
    page = str(tmp_path / "page.html")
    assert main(["inspect", str(failed_run), "--html", page]) == 0
    line = "making the report: it runs the champion's episodes, which may take two minutes"
    assert line in capsys.readouterr().err.splitlines()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["inspect", str(failed_run), "--html", page]) == 0
    shown = capsys.readouterr()
    assert line not in shown.err
    assert f"{len(SECTIONS)}/{len(SECTIONS)}" in shown.err
    assert "robustness" in shown.err


def test_findings_of_a_wide_network_keep_few_observations(wide_run, monkeypatch):
    monkeypatch.setattr("evonet.inspection.report.recording._MIN_STEPS", 5)
    monkeypatch.setattr("evonet.inspection.report.recording._MAX_NUMBERS", 7 * WIDE)
    with ReportData(load_run(wide_run, [__name__])) as data:
        assert {len(each) for each in data.episodes} == {7}
        assert all(each.abandoned for each in data.episodes)
