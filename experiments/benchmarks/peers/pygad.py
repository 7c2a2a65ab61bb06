"""PyGAD and its own networks (no biases, sigmoid: it has no tanh).

usage: python -m peers.pygad generation ROWS GENES | champion SEED
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contestant import Measure, serve, timed
from trial import Policy, Trial

SIZE = 100


def prepare_generation(rows: int, genes: int) -> Measure:
    """One generation by its own methods, as `run` calls them."""
    import pygad

    rng = np.random.default_rng(1)
    fitness = rng.random(rows)
    algorithm = pygad.GA(
        num_generations=1,
        num_parents_mating=rows // 2,
        fitness_func=lambda algorithm, solution, index: fitness[index],
        initial_population=rng.standard_normal((rows, genes)),
        parent_selection_type="tournament",
        K_tournament=3,
        crossover_type="uniform",
        mutation_probability=0.1,
        random_mutation_min_val=-0.1,
        random_mutation_max_val=0.1,
        suppress_warnings=True,
    )
    algorithm.last_generation_fitness = fitness

    def work() -> int:
        parents, _ = algorithm.select_parents(fitness, num_parents=rows // 2)
        algorithm.mutation(algorithm.crossover(parents, offspring_size=(rows - 1, genes)))
        return 1

    return lambda: timed(work)


def champion(seed: int) -> None:
    """Its defaults: steady-state selection, one cut, mutation by uniform steps, one elite."""
    import gymnasium
    import pygad
    import pygad.gann
    import pygad.nn

    np.random.seed(seed)  # noqa: NPY002 - that is where it draws from
    rng = np.random.default_rng(seed)
    environment = gymnasium.make("CartPole-v1")
    networks = pygad.gann.GANN(
        num_solutions=SIZE,
        num_neurons_input=4,
        num_neurons_output=2,
        num_neurons_hidden_layers=[16],
        hidden_activations=["sigmoid"],
        output_activation="None",
    )
    last_layer = networks.population_networks[0]
    vectors = np.array(pygad.gann.population_as_vectors(networks.population_networks))
    trial = Trial()

    def fitness(algorithm: Any, solution: Any, index: Any) -> float:
        pygad.nn.update_layers_trained_weights(last_layer, _matrices(solution))
        observation, _ = environment.reset(seed=int(rng.integers(2**31)))
        total = 0.0
        while True:
            action = pygad.nn.predict(last_layer=last_layer, data_inputs=observation[None, :])[0]
            observation, reward, terminated, truncated, _ = environment.step(int(action))
            total += reward
            if terminated or truncated:
                return total

    def on_generation(algorithm: Any) -> str | None:
        scores = np.asarray(algorithm.last_generation_fitness)
        best = int(scores.argmax())
        return "stop" if trial.passed(scores[best], [algorithm.population[best].copy()], _policy) else None

    pygad.GA(
        num_generations=100_000,
        num_parents_mating=SIZE // 5,
        initial_population=vectors,
        fitness_func=fitness,
        mutation_percent_genes=10,
        on_generation=on_generation,
        random_seed=seed,
        suppress_warnings=True,
    ).run()
    trial.finish(_policy)


def _matrices(vector: Any) -> list[NDArray[np.float64]]:
    numbers = np.asarray(vector, dtype=float)
    return [numbers[:64].reshape(4, 16), numbers[64:].reshape(16, 2)]


def _policy(vector: Any) -> Policy:
    incoming, outgoing = _matrices(vector)
    return lambda x: (1 / (1 + np.exp(-(x @ incoming))) @ outgoing).argmax(axis=-1)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "generation":
        serve(lambda: prepare_generation(int(arguments[0]), int(arguments[1])))
    else:
        champion(int(arguments[0]))
