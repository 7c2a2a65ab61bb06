"""How fast are two poles balanced, in steps a second and in evaluations, beside a program in Rust?

Question: 6-6-1 networks that balance two poles with velocities for 1,000 steps: how many environment steps a second do
evonet's Numba engine and genoxide's `Balance` make on one core? And how many evaluations and seconds does each one's
CMA-ES with restarts need until a network balances for 100,000 steps?

Command: pip install genoxide; python experiments/benchmarks/two_poles.py [--quick] [--json]

Each contestant times networks that its own CMA-ES found. Learning is by each one's better size: evonet's shipped config
has one hidden neuron, genoxide's strategy does better with six, and otherwise has its defaults. Round k is seed 2k + 1:
one seed is run unmeasured before each. Its physics differ from evonet's in the cart's friction (Florian 2007).
"""

from __future__ import annotations

import numpy as np

from contest import Contestant, Report, chosen_rounds, options, python, race

POPULATIONS = (256, 1024)
UNIT = "M steps/s"
OURS, PEER = "evonet, Numba", "genoxide, Balance"


def main() -> None:
    arguments = options(__doc__, rounds=20).parse_args()
    report = Report("two_poles", chosen_rounds(arguments))

    def peer(*command: object) -> Contestant:
        return Contestant(PEER, python("peers.genoxide_poles", *command, interpreter=arguments.peers))

    for n in POPULATIONS:
        contestants = [Contestant(OURS, python("ours", "poles", n)), peer("throughput", n)]
        results = race(
            contestants, report.rounds, report, lambda reading: reading["done"] / reading["seconds"] / 1e6, UNIT
        )
        report.tables[f"two poles, 6-6-1, n = {n}"] = list(results.values())
        report.compare(f"n = {n}: evonet / genoxide", results.get((OURS, 1)), results.get((PEER, 1)))
    contestants = [Contestant(OURS, python("ours", "learning")), peer("learning")]
    results = race(contestants, report.rounds, report, lambda reading: reading["seconds"], "s")
    report.tables["CMA-ES with restarts until 100,000 steps"] = list(results.values())
    for result in results.values():
        evaluations = [reading["done"] for reading in result.readings]
        report.notes[f"{result.name}: evaluations"] = f"mean {np.mean(evaluations):.0f}, most {max(evaluations):.0f}"
    report.show(arguments.json)


if __name__ == "__main__":
    main()
