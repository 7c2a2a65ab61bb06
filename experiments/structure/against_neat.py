"""How does a network that finds its own shape compare with NEAT on XOR?

Question: evaluations, size and seconds until one network has all four outputs on the right side of 0.5, for evonet, for
          neat-python with the settings of its own XOR example, and for genoxide's `Neat` with its defaults, which are
          those of the paper; all stop by the same rule, after at most 20,000 evaluations.
Command:  pip install neat-python==2.0.0 genoxide; python experiments/structure/against_neat.py --seeds 20
Finding:  the table in experiments/README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import xor

Run = dict[str, float] | None
CASES = [(tuple(row), wanted) for row, wanted in zip(xor.INPUTS.tolist(), xor.WANTED.tolist(), strict=True)]
NEAT_PYTHON = """
[NEAT]
fitness_criterion = max
fitness_threshold = 1000
no_fitness_termination = True
pop_size = 150
reset_on_extinction = True

[DefaultGenome]
activation_default = sigmoid
activation_options = sigmoid
activation_mutate_rate = 0.0
aggregation_default = sum
aggregation_options = sum
aggregation_mutate_rate = 0.0
bias_init_mean = 0.0
bias_init_stdev = 1.0
bias_init_type = gaussian
bias_max_value = 30.0
bias_min_value = -30.0
bias_mutate_power = 0.5
bias_mutate_rate = 0.7
bias_replace_rate = 0.1
compatibility_disjoint_coefficient = 1.0
compatibility_weight_coefficient = 0.5
conn_add_prob = 0.5
conn_delete_prob = 0.5
enabled_default = True
enabled_mutate_rate = 0.01
enabled_rate_to_true_add = 0.0
enabled_rate_to_false_add = 0.0
feed_forward = True
initial_connection = full
node_add_prob = 0.2
node_delete_prob = 0.2
num_hidden = 0
num_inputs = 2
num_outputs = 1
response_init_mean = 1.0
response_init_stdev = 0.0
response_init_type = gaussian
response_max_value = 30.0
response_min_value = -30.0
response_mutate_power = 0.0
response_mutate_rate = 0.0
response_replace_rate = 0.0
single_structural_mutation = False
structural_mutation_surer = default
weight_init_mean = 0.0
weight_init_stdev = 1.0
weight_init_type = gaussian
weight_max_value = 30
weight_min_value = -30
weight_mutate_power = 0.5
weight_mutate_rate = 0.8
weight_replace_rate = 0.1

[DefaultSpeciesSet]
compatibility_threshold = 3.0

[DefaultStagnation]
species_fitness_func = max
max_stagnation = 20
species_elitism = 2

[DefaultReproduction]
elitism = 2
survival_threshold = 0.2
min_species_size = 2
"""


class Scorer:
    """XOR's fitness for a function from two numbers to one, and a count of the evaluations until success."""

    def __init__(self) -> None:
        self.evaluations, self.solved = 0, False
        self.started = time.perf_counter()

    def __call__(self, activate: Callable[[Sequence[float]], Sequence[float]]) -> float:
        outputs = [activate(inputs)[0] for inputs, _ in CASES]
        self.evaluations += 1
        if all((output > 0.5) == (wanted > 0.5) for output, (_, wanted) in zip(outputs, CASES, strict=True)):
            self.solved = True
            return xor.SOLVED
        return (4.0 - sum(abs(output - wanted) for output, (_, wanted) in zip(outputs, CASES, strict=True))) ** 2

    def run(self, hidden: int, connections: int) -> Run:
        """The run's figures; None if it did not succeed."""
        if not self.solved:
            return None
        seconds = time.perf_counter() - self.started
        return {"evaluations": self.evaluations, "hidden": hidden, "connections": connections, "seconds": seconds}


def neat_python(seed: int) -> Run:
    """A run of neat-python; as in evonet, the generation in which success came counts whole."""
    import neat

    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(NEAT_PYTHON)
        file.flush()
        config = neat.Config(
            neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation, file.name
        )
    random.seed(seed)
    population, score = neat.Population(config), Scorer()
    best: Any = None

    def evaluate(genomes: Any, settings: Any) -> None:
        nonlocal best
        for _, genome in genomes:
            genome.fitness = score(neat.nn.FeedForwardNetwork.create(genome, settings).activate)
        best = max((genome for _, genome in genomes), key=lambda genome: genome.fitness)
        if score.solved:
            raise StopIteration

    with contextlib.suppress(StopIteration):
        population.run(evaluate, xor.MOST_EVALUATIONS // 150)
    enabled = sum(connection.enabled for connection in best.connections.values())
    return score.run(len(best.nodes) - 1, enabled + len(best.nodes))


def genoxide(seed: int) -> Run:
    """A run of genoxide's Neat."""
    import genoxide as gx

    score = Scorer()
    algorithm = gx.Neat(2, 1, sharing="raw", seed=seed)
    result = algorithm.run(
        lambda network: score(network.feed_forward().activate), target=xor.SOLVED, evaluations=xor.MOST_EVALUATIONS
    )
    network = result.best_genome
    return score.run(network.hidden(), sum(connection.enabled for connection in network.connections()))


CONTESTANTS: dict[str, tuple[str, Callable[[int], Run]]] = {
    "evonet": ("evonet-toolkit", xor.evolved),
    "neat-python": ("neat-python", neat_python),
    "genoxide": ("genoxide", genoxide),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="runs of each, with the seeds from 0 on")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args()
    modules = {"evonet": "evonet", "neat-python": "neat", "genoxide": "genoxide"}
    present = {name: each for name, each in CONTESTANTS.items() if importlib.util.find_spec(modules[name])}
    versions = {name: version(package) for name, (package, _) in present.items()}
    report: dict[str, Any] = {"run with": versions | {"seeds": options.seeds}}
    for name, (_, run) in present.items():
        report[name] = xor.summary([run(seed) for seed in range(options.seeds)])
    if options.json:
        print(json.dumps(report, indent=2))
        return
    for name, figures in report.items():
        print(name)
        for key, value in figures.items():
            text = f"mean {value['mean']}, median {value['median']}" if isinstance(value, dict) else str(value)
            print(f"  {key:<18} {text}")


if __name__ == "__main__":
    main()
