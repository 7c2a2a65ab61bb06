"""The textbook way: an object for each network, an environment for each evaluation, Python loops.

usage: python -m peers.textbook throughput INDIVIDUALS | loop ENVIRONMENT INDIVIDUALS | champion SEED
"""

from __future__ import annotations

import random
import sys
from itertools import count
from typing import Any

import numpy as np

from contestant import Measure, serve, timed
from controllers import Blocks, action, blocks, controllers
from trial import Trial


class Network:
    """Three layers as a tutorial writes them."""

    def __init__(self, weights: Blocks) -> None:
        self.weights = weights

    @classmethod
    def drawn(cls) -> Network:
        shapes = [(4, 16), (16,), (16, 2), (2,)]
        return cls(tuple(np.random.standard_normal(shape) for shape in shapes))  # noqa: NPY002 - as tutorials do

    def act(self, observation: Any) -> int:
        return action(self.weights, observation)

    def act_all(self, observations: Any) -> list[int]:
        return [self.act(observation) for observation in observations]


def evaluate(network: Network, seed: int) -> int:
    """Steps of one episode in an environment made for it."""
    import gymnasium

    environment = gymnasium.make("CartPole-v1")
    observation, _ = environment.reset(seed=seed)
    steps = 0
    while True:
        observation, _, terminated, truncated, _ = environment.step(network.act(observation))
        steps += 1
        if terminated or truncated:
            environment.close()
            return steps


def prepare_throughput(individuals: int) -> Measure:
    networks = [Network(blocks(genome)) for genome in controllers(individuals)]
    evaluate(networks[0], 0)
    return lambda: timed(lambda: sum(evaluate(network, seed) for seed, network in enumerate(networks)))


def prepare_loop(environment_id: str, individuals: int) -> Measure:
    """A loop over one real environment: controllers where one balances a pole, random 16-neuron networks elsewhere."""
    import gymnasium

    environment = gymnasium.make(environment_id)
    inputs = environment.observation_space.shape[0]
    continuous = isinstance(environment.action_space, gymnasium.spaces.Box)
    outputs = 1 if continuous else int(environment.action_space.n)
    rng = np.random.default_rng(1)
    if environment_id.startswith("CartPole"):
        networks = [blocks(genome) for genome in controllers(individuals)]
    else:
        shapes = (inputs, 16), (16,), (16, outputs), (outputs,)
        networks = [tuple(rng.standard_normal(shape) for shape in shapes) for _ in range(individuals)]

    def episode(seed: int) -> int:
        first, bias, second, tilt = networks[seed % individuals]
        observation, _ = environment.reset(seed=seed)
        steps = 0
        while True:
            output = np.dot(np.tanh(np.dot(observation, first) + bias), second) + tilt
            command = np.tanh(output).astype(np.float32) if continuous else int(output.argmax())
            observation, _, terminated, truncated, _ = environment.step(command)
            steps += 1
            if terminated or truncated:
                return steps

    seeds = count()
    return lambda: timed(lambda: episode(next(seeds)))


def child(mother: Network, father: Network) -> Network:
    weights = []
    for a, b in zip(mother.weights, father.weights, strict=True):
        mixed = np.where(np.random.rand(*a.shape) < 0.5, a, b)  # noqa: NPY002
        mutated = np.random.rand(*a.shape) < 0.1  # noqa: NPY002
        weights.append(mixed + mutated * np.random.randn(*a.shape) * 0.5)  # noqa: NPY002
    return Network(tuple(weights))


def champion(seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    population = [Network.drawn() for _ in range(100)]
    trial = Trial()
    while True:
        scores = [evaluate(network, random.randrange(2**31)) for network in population]
        ranking = sorted(range(100), key=lambda i: -scores[i])
        if trial.passed(scores[ranking[0]], [population[ranking[0]]], lambda network: network.act_all):
            break
        parents = [population[i] for i in ranking[:20]]
        children = [child(random.choice(parents), random.choice(parents)) for _ in range(98)]
        population = parents[:2] + children
    trial.finish(lambda network: network.act_all)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "throughput":
        serve(lambda: prepare_throughput(int(arguments[0])))
    elif command == "loop":
        serve(lambda: prepare_loop(arguments[0], int(arguments[1])))
    else:
        champion(int(arguments[0]))
