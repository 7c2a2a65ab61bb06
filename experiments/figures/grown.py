"""Draws the README's picture of a network that finds its own shape: the fittest of some generations on the way to XOR.

Command:  python experiments/figures/grown.py
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from evonet import GeneticAlgorithm, NeuralNetwork, evolve
from evonet.environments.known import Names
from evonet.inspection.plots import network_diagram

SEED = 9
SHOWN = (0, 4, 7)  # generations, before the one that is right in all four cases
HERE = Path(__file__).parent

sys.path.insert(0, str(HERE.parent / "structure"))
import xor  # noqa: E402 - the program beside, with the task and its settings

fittest: list[NeuralNetwork] = []
for generation in evolve(GeneticAlgorithm(xor.ARCHITECTURE, seed=SEED, **xor.SETTINGS), xor.xor):
    fittest.append(NeuralNetwork.from_genome(xor.ARCHITECTURE, generation.population.best.genome.copy()))
    if generation.fitness.max() == xor.SOLVED:
        break
figure = Figure(figsize=(12.8, 2.8), layout="constrained")
numbers = [*SHOWN, len(fittest) - 1]
for number, axes in zip(numbers, figure.subplots(1, len(numbers)), strict=True):
    network_diagram(fittest[number], Names(("a", "b"), ("xor",)), ax=axes)
    axes.set_title(f"generation {number}", fontsize=11)
target = Path(__file__).with_suffix(".png")
figure.savefig(target, dpi=90)
print(target)
