"""pycma with its defaults around one Gymnasium environment.

usage: python -m peers.pycma champion SEED
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from controllers import GENES, blocks
from trial import Policy, Trial, real_episode


def champion(seed: int) -> None:
    import cma
    import gymnasium

    environment = gymnasium.make("CartPole-v1")
    rng = np.random.default_rng(seed)
    settings = {"popsize": 64, "seed": seed + 1, "verbose": -9}  # it takes the seed 0 for none
    strategy = cma.CMAEvolutionStrategy(np.zeros(GENES), 0.5, settings)
    trial = Trial()
    while True:
        genomes = strategy.ask()
        seeds = rng.integers(2**31, size=len(genomes)).tolist()
        scores = [real_episode(environment, _policy(g), s) for g, s in zip(genomes, seeds, strict=True)]
        strategy.tell(genomes, [-score for score in scores])
        best = int(np.argmax(scores))
        if trial.passed(scores[best], [genomes[best], strategy.mean], _policy):
            break
    trial.finish(_policy)


def _policy(genome: NDArray[np.float64]) -> Policy:
    incoming, bias, outgoing, tilt = blocks(np.array(genome))
    return lambda x: (np.tanh(x @ incoming + bias) @ outgoing + tilt).argmax(axis=-1)


if __name__ == "__main__":
    champion(int(sys.argv[2]))
