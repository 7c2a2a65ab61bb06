"""genoxide's double pole, whose networks, physics and CMA-ES are written in Rust.

usage: python -m peers.genoxide_poles throughput NETWORKS | learning
"""

from __future__ import annotations

import sys
from itertools import count
from typing import Any

import numpy as np

from contestant import Measure, serve, timed
from controllers import POLES_BALANCED, POLES_EPISODE, POLES_HIDDEN, POLES_SOLUTIONS


def _network() -> Any:
    import genoxide

    return genoxide.nn.Mlp([6, POLES_HIDDEN, 1], "tanh", output_activation="tanh", bias=False)


def _solve(seed: int) -> Any:
    """A run of its CMA-ES with its defaults, restarts included, until the poles are balanced for 100,000 steps."""
    import genoxide
    from genoxide.problems.control import Balance, DoublePole

    network = _network()
    strategy = genoxide.Cmaes(network.representation((-1, 1)), restarts="ipop", seed=seed)
    result = strategy.run(Balance(DoublePole(), network), target=POLES_BALANCED, evaluations=1_000_000)
    assert result.best_fitness >= POLES_BALANCED
    return result


def prepare_throughput(networks: int) -> Measure:
    from genoxide.problems.control import Balance, DoublePole

    solutions = np.array([_solve(seed).best_genome for seed in range(POLES_SOLUTIONS)])
    genomes = np.resize(solutions, (networks, solutions.shape[1]))
    balance = Balance(DoublePole(), _network(), steps=POLES_EPISODE)
    return lambda: timed(lambda: int(balance.evaluate(genomes).sum()))


def prepare_learning() -> Measure:
    seeds = count()
    _solve(next(seeds))
    return lambda: timed(lambda: int(_solve(next(seeds)).evaluations), at_least=0.0)


if __name__ == "__main__":
    serve(prepare_learning if sys.argv[1] == "learning" else lambda: prepare_throughput(int(sys.argv[2])))
