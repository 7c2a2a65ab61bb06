"""CartPole by hand: the same parts that `evonet run configs/cartpole.yaml` puts together.

Question: does the best network of a small genetic algorithm balance the pole in episodes that it never saw?
Command:  python experiments/cartpole.py
Finding:  yes, after a few generations; see the printed test score.
"""

from evonet import EpisodeReturn, GeneticAlgorithm, Validation, evolve
from evonet.operators.crossover import NeuronCrossover
from evonet.operators.mutation import Gaussian

fitness = EpisodeReturn("CartPole-v1", hidden=16, episodes=3)
algorithm = GeneticAlgorithm(
    fitness.architecture,
    population_size=128,
    crossover=NeuronCrossover(rate=0.5),
    mutation=Gaussian(sigma=0.3, rate=0.2),
    seed=7,
)
for generation in evolve(algorithm, fitness, seed=7, validation=Validation(episodes=100)):
    champion = generation.champion
    best, validation = generation.fitness.max(), champion.validation.mean
    print(f"generation {generation.number}: best {best:.1f}, validation {validation:.1f}")
    if validation >= 475:
        break

print(champion.network)
print("test:", champion.evaluate(episodes=100, seed=7))
