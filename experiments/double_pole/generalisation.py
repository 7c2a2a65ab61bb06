"""From how many starts does a network balance both poles?

Question: of Gruau's 625 starts, from how many does a champion balance two poles without velocities for 1,000 steps?
          (Gruau, Whitley and Pyeatt 1996: 200 pass the test.)
Command:  python experiments/double_pole/generalisation.py CHAMPION.npz
Finding:  experiments/README.md has the means of fifty.
"""

import argparse
import itertools
import json
from pathlib import Path

import numpy as np

from evonet.champion import Champion
from evonet.environments.known.double_pole import has_failed, observe_positions, step
from evonet.network import NeuralNetwork

FRACTIONS = (0.05, 0.25, 0.5, 0.75, 0.95)
RANGES = (2.16, 1.35, np.deg2rad(3.6), np.deg2rad(8.6))  # of x, x', θ1 and θ1', to either side
STEPS = 1000


def starts() -> np.ndarray:
    """The 625 states, `(6, 625)`; the short pole is at rest and upright."""
    grid = [[(2 * fraction - 1) * reach for fraction in FRACTIONS] for reach in RANGES]
    states = np.array(list(itertools.product(*grid))).T
    return np.concatenate([states, np.zeros((2, states.shape[1]))])


def generalisation(network: NeuralNetwork) -> int:
    """From how many of the starts the network balances both poles."""
    state = tuple(starts())
    up = np.ones(len(state[0]), dtype=bool)
    network.reset()
    for _ in range(STEPS):
        outputs = network.predict(np.stack(observe_positions(state), axis=1))
        new, _, _ = step(state, (np.tanh(outputs[:, 0]),), ())
        up &= ~has_failed(new)
        state = tuple(np.where(up, column, 0.0) for column in new)  # fallen poles must not overflow
    network.reset()
    return int(up.sum())


def main() -> None:
    """Print the number of starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("champion", type=Path, help="a champion's file")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    balanced, all_starts = generalisation(Champion.load(options.champion).network), starts().shape[1]
    if options.json:
        print(json.dumps({"champion": str(options.champion), "balanced": balanced, "starts": all_starts}))
    else:
        print(f"{options.champion}: {balanced} of {all_starts}")


if __name__ == "__main__":
    main()
