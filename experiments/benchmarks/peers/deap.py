"""DEAP: lists of numbers, or NumPy arrays with operators of one's own, in its loop.

usage: python -m peers.deap generation ROWS GENES lists|arrays | champion SEED
"""

from __future__ import annotations

import random
import sys
from typing import Any

import gymnasium
import numpy as np

from contestant import Measure, serve, timed
from controllers import blocks
from trial import Policy, Trial, real_episode

SIZE = 100


def _toolbox(kind: type) -> Any:
    from deap import base, creator, tools

    creator.create("Fitness", base.Fitness, weights=(1.0,))
    creator.create("Individual", kind, fitness=creator.Fitness)
    toolbox = base.Toolbox()
    toolbox.register("select", tools.selTournament, tournsize=3)
    return toolbox


def prepare_generation(rows: int, genes: int, kind: str) -> Measure:
    from deap import algorithms, creator, tools

    random.seed(1)
    rng = np.random.default_rng(1)
    toolbox = _toolbox(list if kind == "lists" else np.ndarray)
    if kind == "lists":
        toolbox.register("mate", tools.cxUniform, indpb=0.5)
        toolbox.register("mutate", tools.mutGaussian, mu=0, sigma=0.1, indpb=0.1)
    else:

        def mate(first: Any, second: Any) -> tuple[Any, Any]:
            swapped = rng.random(genes) < 0.5
            first[swapped], second[swapped] = second[swapped], first[swapped]
            return first, second

        def mutate(individual: Any) -> tuple[Any]:
            mutated = rng.random(genes) < 0.1
            individual[mutated] += rng.normal(0, 0.1, np.count_nonzero(mutated))
            return (individual,)

        toolbox.register("mate", mate)
        toolbox.register("mutate", mutate)
    drawn = rng.standard_normal((rows, genes))
    population = [creator.Individual(row.tolist() if kind == "lists" else row) for row in drawn]
    for number, individual in enumerate(population):
        individual.fitness.values = (float(number),)

    def work() -> int:
        algorithms.varAnd(toolbox.select(population, rows), toolbox, 1.0, 1.0)
        return 1

    return lambda: timed(work)


def champion(seed: int) -> None:
    """The loop of its `eaSimple`, with the operators of its examples."""
    from deap import algorithms, creator, tools

    random.seed(seed)
    environment = gymnasium.make("CartPole-v1")
    toolbox = _toolbox(list)
    toolbox.register("gene", random.uniform, -1, 1)
    toolbox.register("individual", tools.initRepeat, creator.Individual, toolbox.gene, n=114)
    toolbox.register("mate", tools.cxTwoPoint)
    toolbox.register("mutate", tools.mutGaussian, mu=0, sigma=1, indpb=0.05)
    population = [toolbox.individual() for _ in range(SIZE)]
    trial = Trial()
    while True:
        for individual in population:
            if not individual.fitness.valid:
                score = real_episode(environment, _policy(individual), random.randrange(2**31))
                individual.fitness.values = (score,)
        best = max(population, key=lambda individual: individual.fitness.values)
        if trial.passed(best.fitness.values[0], [best], _policy):
            break
        population = algorithms.varAnd(toolbox.select(population, SIZE), toolbox, 0.5, 0.2)
    trial.finish(_policy)


def _policy(individual: Any) -> Policy:
    incoming, bias, outgoing, tilt = blocks(np.asarray(individual, dtype=float))
    return lambda x: (np.tanh(x @ incoming + bias) @ outgoing + tilt).argmax(axis=-1)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "generation":
        serve(lambda: prepare_generation(int(arguments[0]), int(arguments[1]), arguments[2]))
    else:
        champion(int(arguments[0]))
