"""EvoTorch: torch on the CPU.

usage: python -m peers.evotorch generation ROWS GENES one_point|multi_point | champion SEED single|vector
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from contestant import Measure, serve, timed
from trial import Policy, Trial

NETWORK = "Linear(obs_length, 16) >> Tanh() >> Linear(16, act_length)"
GIVE_UP = 500  # generations


def prepare_generation(rows: int, genes: int, crossover: str) -> Measure:
    """Its operators in float32; it has no uniform crossover."""
    import torch
    from evotorch import Problem
    from evotorch.operators import GaussianMutation, MultiPointCrossOver, OnePointCrossOver

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(1)

    class Nothing(Problem):
        def _evaluate_batch(self, batch: Any) -> None:
            batch.set_evals(torch.rand(len(batch)))

    problem = Nothing("max", solution_length=genes, initial_bounds=(-1, 1))
    population = problem.generate_batch(rows)
    problem.evaluate(population)
    if crossover == "one_point":
        cross = OnePointCrossOver(problem, tournament_size=3)
    else:
        cross = MultiPointCrossOver(problem, tournament_size=3, num_points=8)
    mutate = GaussianMutation(problem, stdev=0.1, mutation_probability=0.1)

    def work() -> int:
        mutate(cross(population))
        return 1

    work()
    return lambda: timed(work)


def vector_environment(num_envs: int, **_: Any) -> Any:
    """Gymnasium's own vectorised CartPole, the fastest environment that EvoTorch can be given."""
    import gymnasium

    return gymnasium.make_vec("CartPole-v1", num_envs=num_envs, vectorization_mode="vector_entry_point")


def champion(seed: int, environments: str) -> None:
    """PGPE, in one environment or in Gymnasium's vectorised CartPole."""
    import torch
    from evotorch.neuroevolution import GymNE, VecGymNE

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(seed)
    if environments == "single":
        problem: Any = GymNE("CartPole-v1", NETWORK, observation_normalization=True)
    else:
        problem = VecGymNE(vector_environment, NETWORK, observation_normalization=True)
    problem.manual_seed(seed)
    trial = Trial()
    for best, vectors in _pgpe(problem):
        mean, deviation = _statistics(problem)
        candidates = [(np.array(vector, dtype=np.float32), mean, deviation) for vector in vectors]
        if trial.passed(best, candidates, _policy) or trial.generations == GIVE_UP:
            break
    trial.finish(_policy)


def _pgpe(problem: Any) -> Any:
    """Policy gradients with parameter-based exploration, with the settings of its tutorial on CartPole."""
    import torch
    from evotorch.algorithms import PGPE

    speed = 0.15
    searcher = PGPE(
        problem,
        popsize=100,
        radius_init=15 * speed,
        center_learning_rate=0.75 * speed,
        stdev_learning_rate=0.1,
        stdev_max_change=0.2,
        optimizer="clipup",
        optimizer_config={"max_speed": speed},
    )
    while True:
        searcher.step()
        scores = searcher.population.evals[:, 0]
        best = int(torch.argmax(scores))
        yield float(scores[best]), [searcher.population.values[best], searcher.status["center"]]


def _statistics(problem: Any) -> tuple[Any, Any]:
    statistics = problem.get_observation_stats()
    return np.asarray(statistics.mean, np.float32), np.asarray(statistics.stdev, np.float32)


def _policy(candidate: Any) -> Policy:
    vector, mean, deviation = candidate  # torch's order: weights (outputs, inputs), biases, for each layer
    incoming, bias = vector[:64].reshape(16, 4).T, vector[64:80]
    outgoing, tilt = vector[80:112].reshape(2, 16).T, vector[112:]
    return lambda x: (np.tanh((x - mean) / deviation @ incoming + bias) @ outgoing + tilt).argmax(axis=-1)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "generation":
        serve(lambda: prepare_generation(int(arguments[0]), int(arguments[1]), arguments[2]))
    else:
        champion(int(arguments[0]), arguments[1])
