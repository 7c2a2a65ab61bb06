"""Functions for figures draw on given or new axes, and never change Matplotlib's global state."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from evonet import NeuralNetwork
from evonet.archives import GridArchive
from evonet.environments.known import names_for
from evonet.errors import EvonetError
from evonet.experiment.run_files.journal_lines import SAMPLE_METRICS, SIZES
from evonet.inspection import plots
from evonet.inspection.analysis.ancestry import Family, Payoff, family, payoffs
from evonet.inspection.analysis.front import Front
from evonet.inspection.analysis.influence import Removals, action_influence
from evonet.inspection.analysis.novelty import NoveltyFound
from evonet.inspection.analysis.policy import PolicySurface, policy_surface
from evonet.inspection.analysis.robustness import Landscape, Sweep
from evonet.inspection.analysis.trajectory import trajectories
from evonet.inspection.lineage import Ancestor
from evonet.inspection.loaded_run import load_run
from evonet.inspection.plots.learning import short
from evonet.inspection.plots.network import shown_genes
from evonet.inspection.plots.palette import words_of
from evonet.inspection.svg import new_axes, svg

matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("matplotlib.figure")
to_hex = pytest.importorskip("matplotlib.colors").to_hex


def marked(axes):
    """What is named in a figure, by its name."""
    return {artist.get_gid(): artist for artist in axes.collections if artist.get_gid()}


@pytest.fixture(scope="module")
def run(small_run):
    return load_run(small_run)


@pytest.fixture(scope="module")
def episodes(run):
    return list(trajectories(run.champion, np.array([3, 7])))


@pytest.fixture(scope="module")
def drawings(run, episodes):
    """Every function of the package, called with what it draws, by its name."""
    champion = run.champion
    names = names_for("CartPole-v1", 4, 2)
    surface = policy_surface(champion, episodes, [3, 2])
    line = PolicySurface((0,), np.arange(5.0), np.zeros(1), np.ones((1, 5, 1)), np.zeros((3, 1)))
    removals = Removals([0, 2], np.array([3.0, np.nan]), 9.0, 4)
    sweep = Sweep("noise", np.array([0.0, 1.0]), np.array([5.0, np.nan]), np.zeros(2), np.ones(2), 0.0, 4)
    landscape = Landscape(np.linspace(-1, 1, 3), np.arange(9.0).reshape(3, 3), 2)
    front = Front({"x": "maximise", "y": "minimise"}, np.eye(2), np.arange(2), np.array([True, False]))
    tree = family(run.lineage, run.descent)
    paid = payoffs(run.lineage, run.descent)
    sizes = {name: np.arange(1.0 + len(run.metrics["best"]))[1:] for name in SIZES}
    grown = SimpleNamespace(metrics={**run.metrics, **sizes})
    cells = GridArchive({"x": (0, 1), "y": (0, 1)}, [2, 2])
    cells.add(np.zeros((2, 1)), [1.0, 2.0], [[0.1, 0.1], [0.9, 0.6]])
    return {
        "archive_heatmap": lambda ax: plots.archive_heatmap(cells, ax=ax),
        "archive_difference": lambda ax: plots.archive_difference(cells, cells, ax=ax),
        "held_out_scatter": lambda ax: plots.held_out_scatter(cells, np.array([0.5, np.nan]), ax),
        "several_fronts": lambda ax: plots.several_fronts({"a": [front], "b": [front, front]}, ax=ax),
        "sampled_elites": lambda ax: plots.sampled_elites(
            SimpleNamespace(metrics={"generation": np.arange(3), **dict.fromkeys(SAMPLE_METRICS, np.arange(3.0))}), ax
        ),
        "parallel_axes": lambda ax: plots.parallel_axes(cells, ax),
        "novelty_map": lambda ax: plots.novelty_map(NoveltyFound(cells.elites, 0.5, None), ax),
        "network_sizes": lambda ax: plots.network_sizes(grown, ax),
        "learning_curve": lambda ax: plots.learning_curve(run, "environment_steps", ax),
        "diversity": lambda ax: plots.diversity(run, ax),
        "metric_curve": lambda ax: plots.metric_curve(run, "mean", "mean fitness", ax),
        "network_diagram": lambda ax: plots.network_diagram(champion.network, names, ["dead"] * 3, ax=ax),
        "weight_maps": lambda ax: plots.weight_maps(champion.network, names, ax),
        "observation_traces": lambda ax: plots.observation_traces(episodes[0], names, ax),
        "hidden_traces": lambda ax: plots.hidden_traces(episodes[0], ax),
        "action_traces": lambda ax: plots.action_traces(episodes[0], names, choices=True, ax=ax),
        "histogram": lambda ax: plots.histogram(np.array([1.0, 2.0, 2.0, np.nan, 5.0, 6.0]), "return", 3.0, ax),
        "policy_map": lambda ax: plots.policy_map(surface, names, choices=True, ax=ax),
        "policy_map of one input": lambda ax: plots.policy_map(line, names_for(None, 1, 1), ax=ax),
        "policy_grid": lambda ax: plots.policy_grid(np.array([0.0, 1.0, 1.0, 0.0]), names, 2, "SFHG", ax),
        "influence_bars": lambda ax: plots.influence_bars(action_influence(champion, episodes), names.inputs, ax=ax),
        "removal_bars": lambda ax: plots.removal_bars(removals, ["0", "2"], "neuron", ax=ax),
        "pareto_front": lambda ax: plots.pareto_front(front, ax=ax),
        "robustness_curve": lambda ax: plots.robustness_curve(sweep, 4.0, ax),
        "landscape_map": lambda ax: plots.landscape_map(landscape, ax),
        "descent_tree": lambda ax: plots.descent_tree(tree, ax),
        "payoff_bars": lambda ax: plots.payoff_bars([*paid, Payoff((), 3, 0.5, -1.0, 0)], ax),
    }


def test_every_figure_is_tried_here(drawings):
    assert {name.partition(" ")[0] for name in drawings} == set(plots.__all__)


def test_a_figure_is_drawn_on_the_axes_given_and_returns_them(drawings):
    for name, draw in drawings.items():
        given = matplotlib.figure.Figure().subplots()
        assert draw(given) is given, name
        assert given.has_data() or given.patches, name


def test_without_axes_a_figure_makes_its_own_and_no_state_of_matplotlib_moves(drawings, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # an import of pyplot fails
    before = dict(dict.items(matplotlib.rcParams))  # as they are: asked for the backend, it would choose one
    for name, draw in drawings.items():
        axes = draw(None)
        axes.figure.savefig(tmp_path / "figure.png", dpi=30)
        assert (tmp_path / "figure.png").stat().st_size > 500, name
    assert dict(dict.items(matplotlib.rcParams)) == before


def test_the_diagram_shows_each_weight_by_colour_and_width():
    network = NeuralNetwork(2, 2, 1, seed=1)
    network.input_hidden_weights[...] = [[2.0, -1.0], [0.5, -0.25]]
    network.hidden_output_weights[...] = [[-2.0], [1.0]]
    lines = marked(plots.network_diagram(network))["connections"]
    found = {
        gene: (to_hex(colour), width, words)
        for gene, colour, width, words in zip(
            shown_genes(network), lines.get_colors(), lines.get_linewidths(), words_of(lines), strict=True
        )
    }
    assert [found[gene][0] for gene in (0, 1, 2, 3)] == ["#2f7fc1", "#d55e00", "#2f7fc1", "#d55e00"]
    assert [found[gene][1] for gene in (0, 1, 2, 3)] == [4.5, 2.25, 1.125, 0.5625]
    start = network.architecture.slices["hidden_output_weights"].start
    assert found[start] == ("#d55e00", 4.5, "hidden 0 → output 0")
    assert found[1][2] == "input 0 → hidden 1"


def test_only_the_strongest_neurons_of_a_wide_layer_are_drawn():
    network = NeuralNetwork(100, 50, 3, seed=1)
    network.input_hidden_weights[17] = 50.0
    axes = plots.network_diagram(network, most_neurons=10, most_connections=60)
    texts = {text.get_text() for text in axes.texts}
    assert "input 17" in texts
    found = {name: len(words_of(collection)) for name, collection in marked(axes).items()}
    assert found == {"connections": 60, "input-neurons": 10, "hidden-neurons": 10, "output-neurons": 3}
    weights = np.abs(network.genome[shown_genes(network, 10, 60)])
    assert (np.diff(weights) >= 0).all()


@pytest.mark.parametrize("weight", [0.0, 1e308])
def test_weights_that_are_all_zero_or_as_large_as_numbers_can_be_have_a_map_of_finite_colours(weight):
    network = NeuralNetwork(3, 2, 1, seed=1)
    network.genome[:] = np.resize([weight, -weight], network.genome.size)
    axes = plots.weight_maps(network)
    axes.figure.draw_without_rendering()
    low, high = axes.collections[0].get_clim()
    assert low == -high
    assert 0 < high < np.inf
    assert np.isfinite(high - low)


def test_dead_and_saturated_neurons_are_marked():
    axes = plots.network_diagram(NeuralNetwork(1, 3, 1, seed=1), states=["dead", "saturated", "active"])
    spots = marked(axes)["hidden-neurons"]
    assert words_of(spots) == ["hidden 0 (dead)", "hidden 1 (saturated)", "hidden 2"]
    assert len({tuple(colour) for colour in spots.get_facecolors()}) == 3
    assert len({str(style) for style in spots.get_linestyles()}) == 3


def test_every_individual_in_the_tree_of_descent_has_a_text(run):
    tree = family(run.lineage, run.descent)
    found = marked(plots.descent_tree(tree))
    assert len(words_of(found["line"])) == len(found["line"].get_offsets()) == len(run.descent)
    assert words_of(found["line"])[-1].startswith(f"individual {run.champion.id}, generation ")
    assert len(words_of(found["others"])) == len(tree.others)


def test_only_the_three_greatest_gains_are_written(run):
    gains = [None, 5.0, -9.0, 1.0, 7.0, 3.0]
    line = [Ancestor(number, number, (), (), 1.0 if gain is None else gain, gain) for number, gain in enumerate(gains)]
    written = [text.get_text() for text in plots.descent_tree(Family(line, {}, [])).texts]
    assert sorted(written) == ["+3", "+5", "+7"]


def test_removals_are_bars_of_the_loss_the_greatest_on_top():
    removals = Removals([0, 1, 2, 3], np.array([3.0, 9.5, 8.0, np.nan]), 9.0, 4)
    axes = plots.removal_bars(removals, ["a", "b", "c", "d"], "input", most=3)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["d", "c", "a"]
    assert [bar.get_width() for bar in axes.patches] == [0.0, -1.0, -6.0]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1500, "1,500"), (25_000, "25 k"), (3e6, "3 M"), (2.5e9, "2.5 G")]
)
def test_counts_are_short(value, text):
    assert short(value) == text


def test_without_matplotlib_the_error_names_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(EvonetError, match=r"pip install .*\[report\]"):
        plots.diversity(run)


def test_a_legend_of_long_names_of_operators_stays_within_the_figure():
    makers = [tuple(f"{name} {word} mutation" for word in ("gaussian", "remove_connection")) for name in "abcdef"]
    line = [Ancestor(i, i, () if i == 0 else (i - 1,), operators, float(i), None) for i, operators in enumerate(makers)]
    axes = plots.descent_tree(Family(line, {}, []), new_axes(8.4, 4.4))
    assert axes.get_legend()._ncols == 1
    assert "<svg" in svg(axes.figure)
