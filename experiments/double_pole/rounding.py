"""Why may a champion of the kernel fall in the environment?

Question: kernel and environment compute the same physics in float64, in another order; how far are two episodes
          of one network apart after some steps?
Command:  python experiments/double_pole/rounding.py CHAMPION.npz
Finding:  that of configs/double_pole_velocities.yaml, seed 1: 1e-15 after 17 steps, 1e-12 after 35, 1e-9 after 47, 1e-6
          after 54, 1e-3 after 114. The poles are chaotic, so that the last digit decides what a network meets, and
          success is counted in the environment itself.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from evonet import Champion
from evonet.environments.double_pole import FORCE, MIN_FORCE, SCALE, START, runge_kutta_step
from evonet.environments.known.double_pole import runge_kutta_step as kernel_step

STEPS = 100_000


def force(champion: Champion, state: np.ndarray) -> float:
    """What the network pushes with."""
    push = FORCE * float(np.tanh(champion.network.predict(state / SCALE)[0]))
    return push if abs(push) >= MIN_FORCE else float(np.copysign(MIN_FORCE, push))


def main() -> None:
    """Print the step at which the difference first exceeds each power of a thousand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("champion", type=Path, help="a champion's file")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    exceeded = first_steps(Champion.load(options.champion))
    if options.json:
        steps = [{"difference": difference, "step": step} for difference, step in exceeded.items()]
        print(json.dumps({"champion": str(options.champion), "exceeded": steps}))
    else:
        print("\n".join([f"{options.champion}:", *(f"step {at}: over {mark:g}" for mark, at in exceeded.items())]))


def first_steps(champion: Champion) -> dict[float, int]:
    """The step at which the two states differ by more than each mark."""
    if champion.architecture.num_inputs != len(START) or champion.architecture.recurrent:
        raise SystemExit("the champion must see velocities, and have no memory: one network stands for two here")
    ours, kernels = np.array(START), np.array(START)
    marks, exceeded = [1e-15, 1e-12, 1e-9, 1e-6, 1e-3], {}
    for step in range(1, STEPS + 1):
        ours, kernels = (
            np.array(runge_kutta_step(ours.tolist(), force(champion, ours))),
            np.array(_twice(tuple(kernels), force(champion, kernels))),
        )
        while marks and np.abs(ours - kernels).max() > marks[0]:
            exceeded[marks.pop(0)] = step
        if not marks:
            break
    return exceeded


def _twice(state: tuple[float, ...], push: float) -> tuple[float, ...]:
    once: tuple[float, ...] = kernel_step(state, push)
    twice: tuple[float, ...] = kernel_step(once, push)
    return twice


if __name__ == "__main__":
    main()
