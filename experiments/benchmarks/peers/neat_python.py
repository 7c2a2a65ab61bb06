"""neat-python with the settings of its CartPole example: no hidden neuron at first, the topology evolves.

usage: python -m peers.neat_python champion SEED
"""

from __future__ import annotations

import random
import sys
import tempfile
from typing import Any

import numpy as np

from trial import Policy, Trial

_SETTINGS = """
[NEAT]
fitness_criterion = max
fitness_threshold = 1000000
no_fitness_termination = True
pop_size = 150
reset_on_extinction = True

[DefaultGenome]
num_inputs = 4
num_hidden = 0
num_outputs = 2
initial_connection = full
feed_forward = True
compatibility_disjoint_coefficient = 1.0
compatibility_weight_coefficient = 0.5
conn_add_prob = 0.2
conn_delete_prob = 0.2
node_add_prob = 0.2
node_delete_prob = 0.2
single_structural_mutation = False
structural_mutation_surer = default
activation_default = tanh
activation_options = tanh
activation_mutate_rate = 0.0
aggregation_default = sum
aggregation_options = sum
aggregation_mutate_rate = 0.0
bias_init_mean = 0.0
bias_init_stdev = 1.0
bias_init_type = gaussian
bias_replace_rate = 0.1
bias_mutate_rate = 0.7
bias_mutate_power = 0.5
bias_max_value = 30.0
bias_min_value = -30.0
response_init_mean = 1.0
response_init_stdev = 0.0
response_init_type = gaussian
response_replace_rate = 0.0
response_mutate_rate = 0.0
response_mutate_power = 0.0
response_max_value = 30.0
response_min_value = -30.0
weight_init_mean = 0.0
weight_init_stdev = 1.0
weight_init_type = gaussian
weight_replace_rate = 0.1
weight_mutate_rate = 0.8
weight_mutate_power = 0.5
weight_max_value = 30.0
weight_min_value = -30.0
enabled_default = True
enabled_mutate_rate = 0.01
enabled_rate_to_true_add = 0.0
enabled_rate_to_false_add = 0.0

[DefaultSpeciesSet]
compatibility_threshold = 3.0

[DefaultStagnation]
species_fitness_func = max
max_stagnation = 20
species_elitism = 0

[DefaultReproduction]
elitism = 2
survival_threshold = 0.2
min_species_size = 2
"""


class _Done(Exception):
    pass


def champion(seed: int) -> None:
    import gymnasium
    import neat

    random.seed(seed)
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(_SETTINGS)
        file.flush()
        config = neat.Config(
            neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation, file.name
        )
    environment = gymnasium.make("CartPole-v1")
    trial = Trial()

    def act(network: Any, observation: Any) -> int:
        left, right = network.activate(observation)
        return int(right > left)

    def policy(genome: Any) -> Policy:
        network = neat.nn.FeedForwardNetwork.create(genome, config)
        return lambda observations: np.array([act(network, row) for row in observations.tolist()])

    def episode(genome: Any) -> float:
        network = neat.nn.FeedForwardNetwork.create(genome, config)
        observation, _ = environment.reset(seed=random.randrange(2**31))
        total = 0.0
        while True:
            observation, reward, terminated, truncated, _ = environment.step(act(network, observation.tolist()))
            total += reward
            if terminated or truncated:
                return total

    def evaluate(genomes: list[tuple[int, Any]], _: Any) -> None:
        for _, genome in genomes:
            genome.fitness = episode(genome)
        best = max((genome for _, genome in genomes), key=lambda genome: genome.fitness)
        if trial.passed(best.fitness, [best], policy):
            raise _Done

    try:
        neat.Population(config).run(evaluate, n=100_000)
    except _Done:
        trial.finish(policy)


if __name__ == "__main__":
    champion(int(sys.argv[2]))
