"""What notebooks show: every weight, every name escaped, whatever the numbers are."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from evonet import GeneticAlgorithm, NeuralNetwork, Population
from evonet.drawing import NEGATIVE, POSITIVE, bars_svg, curves_svg, network_svg, page_part, table
from evonet.network import Architecture

SVG = "{http://www.w3.org/2000/svg}"


def drawings(text):
    """The drawings in a part of a page, parsed: they must be sound XML."""
    return [ET.fromstring(svg) for svg in re.findall(r"<svg .*?</svg>", text, flags=re.DOTALL)]


def test_a_network_shows_every_weight_with_sign_and_size():
    network = NeuralNetwork(3, 4, 2, seed=5)
    (svg,) = drawings(network._repr_html_())
    lines = {line[0].text: line for line in svg.iter(f"{SVG}line")}
    weights = {
        **{f"input {i} → hidden {j}": w for (i, j), w in np.ndenumerate(network.input_hidden_weights)},
        **{f"hidden {i} → output {j}": w for (i, j), w in np.ndenumerate(network.hidden_output_weights)},
    }
    assert set(lines) == {f"{name}: {weight:+.4g}" for name, weight in weights.items()}
    widths = {}
    for name, weight in weights.items():
        line = lines[f"{name}: {weight:+.4g}"]
        assert line.get("stroke") == (NEGATIVE if weight < 0 else POSITIVE)
        widths[abs(weight)] = float(line.get("stroke-width"))
    assert [widths[size] for size in sorted(widths)] == sorted(widths.values())
    biases = [circle[0].text for circle in svg.iter(f"{SVG}circle")]
    assert f"hidden 2, bias {network.hidden_bias[2]:+.4g}" in biases
    assert f"output 1, bias {network.output_bias[1]:+.4g}" in biases


def test_a_recurrent_network_shows_what_it_sees_of_itself():
    network = NeuralNetwork(2, 3, 1, recurrent=True, bias=False, seed=5)
    _, memory = drawings(network._repr_html_())
    told = [rect[0].text for rect in memory.iter(f"{SVG}rect")]
    assert told == [
        f"hidden {i} → hidden {j}, a step later: {weight:+.4g}"
        for (i, j), weight in np.ndenumerate(network.hidden_hidden_weights)
    ]


def test_of_many_neurons_the_strongest_are_drawn_and_the_rest_is_told():
    network = NeuralNetwork(50, 2, 1, seed=5)
    network.input_hidden_weights[:30] = 1e-3
    text = network._repr_html_()
    assert "not drawn, the weakest: 26 of 50 neurons" in text
    assert "input 29 " not in text
    assert "input 49 →" in text
    assert len(text) < 100_000


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_numbers_of_any_kind_are_no_obstacle(value):
    network = NeuralNetwork(2, 2, 1, seed=0)
    network.genome = value
    (svg,) = drawings(network._repr_html_())
    assert not list(svg.iter(f"{SVG}line"))


def test_names_stay_text():
    evil = "<script>alert(1)</script>\"'&"
    blocks = NeuralNetwork(1, 1, 1, seed=0)
    text = network_svg(blocks.architecture.views(blocks.genome), [evil], [evil])
    text += page_part(
        evil, table([evil], [[evil]]), curves_svg({evil: np.arange(3.0)}, evil), bars_svg([1], 0, 1, evil)
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 9
    assert drawings(text)


def test_a_population_shows_its_fitness_and_its_fittest():
    algorithm = GeneticAlgorithm(Architecture(2, 2, 1), population_size=20, elites=2, seed=1)
    for _ in range(2):
        fitness = np.arange(20.0)
        fitness[3] = -np.inf
        algorithm.ask()
        algorithm.tell(fitness)
    population = algorithm.population
    text = population._repr_html_()
    bars, network = drawings(text)
    assert sum(int(bar[0].text.rpartition(": ")[2]) for bar in bars.iter(f"{SVG}rect")) == 19
    assert "fitness: best 19, median 10, worst 0; 1 could not be scored" in text
    rows = re.findall(r"<tr>(.*?)</tr>", text)[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert [cell[:2] for cell in cells] == [
        [str(population.ids[i]), f"{19 - n}"] for n, i in enumerate(range(19, 14, -1))
    ]
    assert cells[0][3] == ", ".join(population.operators_of(19))
    assert f"{population.best.input_hidden_weights[0, 0]:+.4g}" in [
        line[0].text.rpartition(": ")[2] for line in network.iter(f"{SVG}line")
    ]


@pytest.mark.parametrize(
    ("fitness", "told"),
    [(None, "not evaluated"), (np.full(3, -np.inf), "nobody could be scored"), (np.ones(3), "best 1")],
)
def test_a_population_of_any_kind_shows_itself(fitness, told):
    population = Population(Architecture(2, 2, 1), np.zeros((3, 9)), fitness=fitness)
    assert told in population._repr_html_()


def test_curves_are_drawn_where_there_are_values():
    text = curves_svg({"best": np.array([1.0, np.nan, 3.0]), "median": np.full(3, np.nan)}, "generation")
    first, second = reversed(list(drawings(text)[0].iter(f"{SVG}polyline")))
    assert len(first.get("points").split()) == 2
    assert second.get("points") == ""
    assert len(curves_svg({"best": np.arange(1e5)}, "generation")) < 20_000
    assert "no values yet" in curves_svg({"best": np.full(3, np.nan)}, "generation")
    assert "no values yet" in curves_svg({"best": np.empty(0)}, "generation")
