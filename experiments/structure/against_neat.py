"""How does a network that finds its own shape compare with NEAT on XOR and on two poles?

Question: evaluations, size and seconds of processor time until one network has all four outputs of XOR on the right
          side of 0.5, or balances two poles with velocities for 100,000 steps; for evonet, for neat-python with the
          settings of its own XOR example, and for genoxide's `Neat` with its defaults, which are those of the paper;
          all stop by the same rule, after at most 20,000 evaluations.
Command:  pip install neat-python==2.0.0 genoxide; python experiments/structure/against_neat.py --seeds 20
          python experiments/structure/against_neat.py --task poles --seeds 20
Finding:  the tables in experiments/README.md.

On two poles all have the same compiled physics: evonet's kernel, which the peers' networks step one state at a time,
1.3 us a step, and evonet's many at once. Seconds compare whole programs, and most of the peers' are networks in Python.
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
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xor

from evonet import evolve
from evonet.environments.known import double_pole
from evonet.environments.known.double_pole import START
from evonet.evaluation.kernels.compilation import compiled_function
from evonet.experiment.build import build_algorithm, build_fitness
from evonet.experiment.config import Config
from evonet.operators.structure import neurons_of

Run = dict[str, float] | None
CONFIGS = Path(__file__).parents[2] / "configs"
BALANCED = 100_000
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


Activate = Callable[[Sequence[float]], Sequence[float]]
step, observe = compiled_function(double_pole.step), compiled_function(double_pole.observe)


def xor_fitness(activate: Activate) -> float:
    """XOR's fitness for a function from two numbers to one."""
    outputs = [activate(inputs)[0] for inputs, _ in CASES]
    if all((output > 0.5) == (wanted > 0.5) for output, (_, wanted) in zip(outputs, CASES, strict=True)):
        return xor.SOLVED
    return (4.0 - sum(abs(output - wanted) for output, (_, wanted) in zip(outputs, CASES, strict=True))) ** 2


def balanced_steps(activate: Activate) -> float:
    """Steps for which a function from six numbers to one, from 0 to 1, balances two poles."""
    state = tuple(START)
    for steps in range(BALANCED):
        state, _, failed = step(state, (2.0 * activate(observe(state))[0] - 1.0,), ())
        if failed:
            return float(steps)
    return float(BALANCED)


def evolved_on_poles(seed: int) -> Run:
    """A run of the shipped config, until the kernel says that a network balances."""
    config = Config.load(str(CONFIGS / "double_pole_velocities_grown.yaml"), [f"seed={seed}"])
    fitness = build_fitness(config)
    started = time.process_time()
    for generation in evolve(build_algorithm(config, fitness.architecture), fitness):
        best = int(generation.fitness.argmax())
        if generation.fitness[best] >= BALANCED:
            masks = generation.population.masks
            return {
                "evaluations": generation.evaluations,
                "hidden": int(neurons_of(masks[best], fitness.architecture).sum()),
                "connections": int(masks[best].sum()),
                "seconds": time.process_time() - started,
            }
        if generation.evaluations >= xor.MAX_EVALUATIONS:
            break
    return None


@dataclass(frozen=True)
class Task:
    """What is to be learned: number of inputs, fitness, the fitness that counts as success, and evonet's run."""

    inputs: int
    fitness: Callable[[Activate], float]
    solved: float
    ours: Callable[[int], Run]


TASKS = {
    "xor": Task(2, xor_fitness, xor.SOLVED, xor.evolved),
    "poles": Task(6, balanced_steps, BALANCED, evolved_on_poles),
}


class Scorer:
    """A task's fitness, and a count of the evaluations until success."""

    def __init__(self, task: Task) -> None:
        self.task, self.evaluations, self.solved = task, 0, False
        self.started = time.process_time()

    def __call__(self, activate: Activate) -> float:
        self.evaluations += 1
        fitness = self.task.fitness(activate)
        self.solved = self.solved or fitness >= self.task.solved
        return fitness

    def run(self, hidden: int, connections: int) -> Run:
        """The run's figures; None if it did not succeed."""
        if not self.solved:
            return None
        seconds = time.process_time() - self.started
        return {"evaluations": self.evaluations, "hidden": hidden, "connections": connections, "seconds": seconds}


def neat_python(task: Task, seed: int) -> Run:
    """A run of neat-python; as in evonet, the generation in which success came counts whole."""
    import neat

    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(NEAT_PYTHON.replace("num_inputs = 2", f"num_inputs = {task.inputs}"))
        file.flush()
        config = neat.Config(
            neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation, file.name
        )
    random.seed(seed)
    population, score = neat.Population(config), Scorer(task)
    best: Any = None

    def evaluate(genomes: Any, settings: Any) -> None:
        nonlocal best
        for _, genome in genomes:
            genome.fitness = score(neat.nn.FeedForwardNetwork.create(genome, settings).activate)
        best = max((genome for _, genome in genomes), key=lambda genome: genome.fitness)
        if score.solved:
            raise StopIteration

    with contextlib.suppress(StopIteration):
        population.run(evaluate, xor.MAX_EVALUATIONS // 150)
    enabled = sum(connection.enabled for connection in best.connections.values())
    return score.run(len(best.nodes) - 1, enabled + len(best.nodes))


def genoxide(task: Task, seed: int) -> Run:
    """A run of genoxide's Neat."""
    import genoxide as gx

    score = Scorer(task)
    algorithm = gx.Neat(task.inputs, 1, sharing="raw", seed=seed)
    result = algorithm.run(
        lambda network: score(network.feed_forward().activate), target=task.solved, evaluations=xor.MAX_EVALUATIONS
    )
    network = result.best_genome
    return score.run(network.hidden(), sum(connection.enabled for connection in network.connections()))


CONTESTANTS: dict[str, tuple[str, Callable[[Task, int], Run]]] = {
    "evonet": ("evonet-toolkit", lambda task, seed: task.ours(seed)),
    "neat-python": ("neat-python", neat_python),
    "genoxide": ("genoxide", genoxide),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="runs of each, with the seeds from 0 on")
    parser.add_argument("--task", choices=list(TASKS), default="xor", help="what is to be learned")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args()
    modules = {"evonet": "evonet", "neat-python": "neat", "genoxide": "genoxide"}
    present = {name: each for name, each in CONTESTANTS.items() if importlib.util.find_spec(modules[name])}
    versions = {name: version(package) for name, (package, _) in present.items()}
    report: dict[str, Any] = {"run with": versions | {"task": options.task, "seeds": options.seeds}}
    for name, (_, run) in present.items():
        report[name] = xor.summary([run(TASKS[options.task], seed) for seed in range(options.seeds)])
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
