"""evonet's side of each contest, by its public API.

usage: python -m ours throughput ENGINE ENVIRONMENT N
       python -m ours structure N
       python -m ours poles N
       python -m ours learning
       python -m ours generation ROWS GENES
       python -m ours engine ENVIRONMENT N WORKERS
       python -m ours memory ROWS GENES
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path

import numpy as np

from contestant import Measure, serve, timed
from controllers import (
    HIDDEN,
    POLES_BALANCED,
    POLES_EPISODE,
    POLES_HIDDEN,
    POLES_SOLUTIONS,
    controllers,
    sparse_controllers,
)
from evonet import Architecture, EpisodeReturn, GeneticAlgorithm, evolve, measures
from evonet.environments.specification import EnvironmentSpec
from evonet.experiment.build import build_algorithm, build_fitness
from evonet.experiment.config import Config
from evonet.operators.crossover import UniformCrossover
from evonet.operators.mutation import Gaussian
from evonet.operators.selection import Tournament

CONFIG = str(Path(__file__).parents[2] / "configs" / "double_pole_velocities_cma_es.yaml")
TWO_MEASURES = {
    "end": measures.Measure("observation", index=0, take="last"),
    "effort": measures.Measure("action", power=2),
}


def prepare_throughput(engine: str, environment: str, n: int, measured: bool = False) -> Measure:
    """One episode of each of n networks; the episode's seed is a new one each time, as in evolution."""
    fitness = EpisodeReturn(environment, episodes=1, engine=engine, measures=TWO_MEASURES if measured else None)
    return _evaluating_networks(fitness, environment, n)


def prepare_structure(n: int) -> Measure:
    """CartPole-v1 by networks with as many genes as those of `throughput`, with skip connections and many zeros."""
    fitness = EpisodeReturn("CartPole-v1", hidden=HIDDEN - 1, skip=True, episodes=1, engine="numba")
    return _evaluating(fitness, sparse_controllers(fitness.architecture, n), balancing=True)


def _balancing_poles(seed: int, max_steps: int) -> tuple[np.ndarray, int]:
    """A genome that balances two poles for as long, found by the shipped CMA-ES with restarts; and the evaluations."""
    config = Config.load(CONFIG, [f"environment.max_steps={max_steps}", f"seed={seed}"])
    fitness = build_fitness(config)
    for generation in evolve(build_algorithm(config, fitness.architecture), fitness):
        best = int(generation.fitness.argmax())
        if generation.fitness[best] >= max_steps:
            return generation.population.genomes[best].copy(), generation.evaluations
    raise AssertionError("evolution has no end of its own")


def prepare_poles(n: int) -> Measure:
    """One episode of each of n networks of the peer's size, all of which balance two poles to its end."""
    fitness = EpisodeReturn(
        EnvironmentSpec("evonet/DoublePole-v0", max_steps=POLES_EPISODE),
        episodes=1,
        hidden=POLES_HIDDEN,
        hidden_activation="tanh",
        bias=False,
        engine="numba",
    )
    solutions = np.array([_balancing_poles(seed, POLES_EPISODE)[0] for seed in range(POLES_SOLUTIONS)])
    grown = np.zeros((POLES_SOLUTIONS, 7, POLES_HIDDEN))  # the solution's hidden neuron, beside others of no effect
    grown[:, :, 0] = solutions
    return _evaluating(fitness, np.resize(grown.reshape(POLES_SOLUTIONS, -1), (n, 7 * POLES_HIDDEN)), balancing=True)


def prepare_learning() -> Measure:
    """Evaluations until a network balances two poles for 100,000 steps; each time the next seed."""
    seeds = count()
    return lambda: timed(lambda: _balancing_poles(next(seeds), POLES_BALANCED)[1], at_least=0.0)


def genetic_algorithm(rows: int, genes: int) -> GeneticAlgorithm:
    """Tournament of 3, uniform crossover for every child, sparse gaussian mutation."""
    # A genome of this size without biases: one output, so (inputs + 1) x hidden genes.
    hidden = next(h for h in range(int(genes**0.5), 0, -1) if genes % h == 0)
    algorithm = GeneticAlgorithm(
        Architecture(genes // hidden - 1, hidden, 1, bias=False),
        population_size=rows,
        elites=1,
        selection=Tournament(3),
        crossover=UniformCrossover(rate=1.0),
        mutation=Gaussian(sigma=0.1, rate=0.1),
    )
    assert algorithm.architecture.genome_size == genes
    return algorithm


def prepare_generation(rows: int, genes: int) -> Measure:
    algorithm = genetic_algorithm(rows, genes)
    fitness = np.random.default_rng(1).random(rows)

    def work() -> int:
        algorithm.tell(fitness)
        algorithm.ask()
        return 1

    algorithm.ask()
    work()
    return lambda: timed(work)


def tell_memory(rows: int, genes: int) -> None:
    """Print the peak of memory over some generations, in copies of the population."""
    before = _peak_bytes()
    algorithm = genetic_algorithm(rows, genes)
    fitness = np.random.default_rng(1).random(rows)
    for _ in range(3):
        algorithm.ask()
        algorithm.tell(fitness)
    used = _peak_bytes() - before
    print(json.dumps({"bytes": used, "copies": used / (8 * rows * genes)}))


def _peak_bytes() -> int:
    """The peak memory of this process, as Linux counts it."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def prepare_engine(environment: str, n: int, workers: int) -> Measure:
    """The gymnasium engine, in this process or in workers."""
    fitness = EpisodeReturn(environment, episodes=1, engine="gymnasium", workers=workers)
    return _evaluating_networks(fitness, environment, n)


def _evaluating_networks(fitness: EpisodeReturn, environment: str, n: int) -> Measure:
    """n networks: controllers where one balances a pole, random ones elsewhere."""
    balancing = environment.startswith("CartPole")
    size = fitness.architecture.genome_size
    genomes = controllers(n) if balancing else np.random.default_rng(1).standard_normal((n, size))
    return _evaluating(fitness, genomes, balancing=balancing)


def _evaluating(fitness: EpisodeReturn, genomes: np.ndarray, *, balancing: bool) -> Measure:
    """One episode of each network; those that balance do so to the end."""
    seed = 0

    def work() -> int:
        nonlocal seed
        seed += 1
        return fitness(genomes, np.array([seed])).steps

    steps = work()
    assert not balancing or steps == fitness.task.max_steps * len(genomes)
    return lambda: timed(work)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "throughput":
        serve(lambda: prepare_throughput(arguments[0], arguments[1], int(arguments[2]), "measured" in arguments))
    elif command == "structure":
        serve(lambda: prepare_structure(int(arguments[0])))
    elif command == "poles":
        serve(lambda: prepare_poles(int(arguments[0])))
    elif command == "learning":
        serve(prepare_learning)
    elif command == "generation":
        serve(lambda: prepare_generation(int(arguments[0]), int(arguments[1])))
    elif command == "memory":
        tell_memory(int(arguments[0]), int(arguments[1]))
    else:
        serve(lambda: prepare_engine(arguments[0], int(arguments[1]), int(arguments[2])))
