"""What do measures add to the time of an episode?

Question: CartPole-v1, 4-16-2 networks that all balance for 500 steps, with two measures, where the cart ends and the
mean of the squared action: how much slower is each engine than without measures?

Command: python experiments/benchmarks/measures.py [--quick] [--json]

The engines get the same bits. Without measures their work is what it was before there were any.
"""

from __future__ import annotations

from contest import Contestant, Report, chosen_rounds, options, python, race

UNIT = "M steps/s"
NETWORKS = {"numba": 1024, "numpy": 1024, "gymnasium": 16}
AT_MOST = {"numba": 1.1}


def main() -> None:
    arguments = options(__doc__, rounds=15).parse_args()
    rounds = chosen_rounds(arguments)
    report = Report("measures", rounds)
    for engine, n in NETWORKS.items():
        work = ["ours", "throughput", engine, "CartPole-v1", n]
        without, two = f"evonet, {engine}", f"evonet, {engine}, two measures"
        contestants = [Contestant(without, python(*work)), Contestant(two, python(*work, "measured"))]
        results = race(contestants, rounds, report, lambda reading: reading["done"] / reading["seconds"] / 1e6, UNIT)
        report.tables[f"CartPole-v1, n = {n}"] = [*report.tables.get(f"CartPole-v1, n = {n}", []), *results.values()]
        bound = {"at_most": AT_MOST[engine]} if engine in AT_MOST else {}
        what = f"{engine}: time with two measures / without"
        report.compare(what, results.get((without, 1)), results.get((two, 1)), **bound)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
