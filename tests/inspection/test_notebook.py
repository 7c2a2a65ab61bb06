"""Notebooks show runs, populations and networks as pictures, with every name escaped."""

import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from evonet import (
    Architecture,
    EpisodeReturn,
    GeneticAlgorithm,
    NeuralNetwork,
    Population,
    Validation,
    evolve,
    load_run,
    progress,
)
from evonet.inspection import notebook
from evonet.inspection.notebook import to_html
from evonet.inspection.phrases import verdict_sentence


def drawings(text):
    """The drawings in a part of a page, parsed: they must be sound XML."""
    return [ET.fromstring(svg) for svg in re.findall(r"<svg .*?</svg>", text, flags=re.DOTALL)]


def test_a_network_is_drawn_with_its_neurons():
    network = NeuralNetwork(3, 4, 2, seed=5)
    text = to_html(network)
    (svg,) = drawings(text)
    shown = {element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"input 0", "input 2", "output 1", "0", "3"} <= shown
    assert "NeuralNetwork 3-4-2" in text


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_network_with_any_numbers_is_drawn(value):
    network = NeuralNetwork(2, 2, 1, seed=0)
    network.genome = value
    assert drawings(to_html(network))


def test_a_population_shows_its_fitness_and_its_fittest():
    algorithm = GeneticAlgorithm(Architecture(2, 2, 1), population_size=20, elites=2, seed=1)
    for _ in range(2):
        fitness = np.arange(20.0)
        fitness[3] = -np.inf
        algorithm.ask()
        algorithm.tell(fitness)
    population = algorithm.population
    text = to_html(population)
    assert len(drawings(text)) == 2
    assert "fitness: best 19, median 10, worst 0; 1 could not be scored" in text
    rows = re.findall(r"<tr>(.*?)</tr>", text)[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert [cell[:2] for cell in cells] == [
        [str(population.ids[i]), f"{19 - n}"] for n, i in enumerate(range(19, 14, -1))
    ]
    assert cells[0][3] == ", ".join(population.operators_of(19))


@pytest.mark.parametrize(
    ("fitness", "words"),
    [(None, "not evaluated"), (np.full(3, -np.inf), "no individual could be scored"), (np.ones(3), "best 1")],
)
def test_a_population_of_any_kind_is_shown(fitness, words):
    assert words in to_html(Population(Architecture(2, 2, 1), np.zeros((3, 9)), fitness=fitness))


def test_a_run_shows_verdict_curve_and_network(small_run, failed_run):
    text = to_html(load_run(small_run))
    assert "small · CartPole-v1 · seed 3" in text
    assert verdict_sentence(load_run(small_run).summary) in text
    assert "pole angular velocity" in text
    assert len(drawings(text)) == 2
    assert "No champion: not one individual could be scored on held-out episodes." in to_html(load_run(failed_run))


def test_a_run_s_name_stays_text(small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    summary = json.loads((small_run / "run.json").read_text(encoding="utf-8"))
    summary |= {"name": "<script>alert(1)</script>", "environment": "<b>"}
    (tmp_path / "run" / "run.json").write_text(json.dumps(summary), encoding="utf-8")
    text = to_html(load_run(tmp_path / "run"))
    assert "<script" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; · &lt;b&gt; · seed 3" in text


def test_without_matplotlib_a_notebook_shows_plain_text(monkeypatch):
    monkeypatch.setattr(notebook, "find_spec", lambda name: None)
    assert to_html(NeuralNetwork(2, 2, 1, seed=0)) is None


NOTEBOOK = """
import sys
from types import ModuleType, SimpleNamespace

shown = {}
formatter = SimpleNamespace(for_type_by_name=lambda module, name, show: shown.update({(module, name): show}))
shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters={"text/html": formatter}))
if KERNEL:
    shell.kernel = object()
sys.modules["IPython"] = ModuleType("IPython")
sys.modules["IPython"].get_ipython = lambda: shell

import evonet

assert "numpy" not in sys.modules
for module, name in sorted(shown):
    print(module, name, getattr(__import__(module, fromlist=[name]), name).__name__)
"""


@pytest.mark.parametrize("kernel", [True, False])
def test_a_notebook_s_kernel_gets_a_formatter_for_each_kind(kernel):
    program = NOTEBOOK.replace("KERNEL", str(kernel))
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = ["champion Champion", "generation Generation", "inspection.loaded_run LoadedRun", "network NeuralNetwork"]
    names += ["population Population"]
    assert result.stdout.splitlines() == [f"evonet.{name} {name.split()[1]}" for name in names if kernel]


def evolved(**settings):
    fitness = EpisodeReturn("CartPole-v1", hidden=2, episodes=1, max_steps=30, engine="numpy")
    return evolve(GeneticAlgorithm(fitness.architecture, 6, seed=1), fitness, **settings)


def test_a_generation_and_its_champion_are_shown_with_scores_and_networks():
    generation = next(evolved(validation=Validation(episodes=3)))
    text = to_html(generation)
    assert "Generation 0" in text
    assert "6 evaluations" in text
    assert len(drawings(text)) == 2
    champion = to_html(generation.champion)
    assert "pole angular velocity" in champion
    assert re.search(r"<td[^>]*>validation</td><td[^>]*>[\d.]+</td><td[^>]*>3</td>", champion)
    assert "champion" not in to_html(next(evolved()))


def test_a_notebook_s_loop_draws_its_curve_while_it_goes_on(monkeypatch):
    pictures = []
    handle = SimpleNamespace(update=pictures.append)
    display = SimpleNamespace(HTML=str, display=lambda picture, display_id: pictures.append(picture) or handle)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr("evonet.progress_bar._PAUSE_SECONDS", 0.0)
    assert len(list(progress(evolved(validation=Validation(episodes=2)), 2, target=20.0))) == 2
    assert len(pictures) == 3
    assert all(len(drawings(picture)) == 1 for picture in pictures)
    assert "target" in pictures[-1]
