"""How long does one generation of the genetic algorithm take, and how near is it to the speed of memory?

Question: 1,000 genomes of 10,000 genes; tournament of 3, uniform crossover for every child, a normal step (sigma 0.1)
on each gene with chance 0.1. How many milliseconds, for evonet in plain NumPy, for each peer, and for a C program?

Command: python experiments/benchmarks/genetic_algorithm.py [--quick] [--json]

evonet, C, DEAP and PyGAD compute in float64. EvoTorch and evosax compute in float32, half the bytes; EvoTorch has no
uniform crossover (its cut points are cheaper), evosax mutates each gene. Each operation is the peer's own.
"""

from __future__ import annotations

from contest import Contestant, LimitProgram, Report, chosen_rounds, cores_present, options, python, race

ROWS, GENES = 1_000, 10_000
SIZE = ROWS, GENES


def main() -> None:
    arguments = options(__doc__, rounds=15).parse_args()
    rounds = chosen_rounds(arguments)
    report = Report("genetic_algorithm", rounds)

    def peer(name: str, *command: object, cores: int = 1, rounds: int | None = None) -> Contestant:
        return Contestant(name, python(*command, interpreter=arguments.peers), cores, rounds)

    contestants = [
        Contestant("evonet", python("ours", "generation", *SIZE)),
        Contestant("plain copy", python("peers.plain_copy", *SIZE)),
        peer("DEAP, arrays, operators of one's own", "peers.deap", "generation", *SIZE, "arrays"),
        peer("DEAP, lists", "peers.deap", "generation", *SIZE, "lists", rounds=3),
        peer("PyGAD", "peers.pygad", "generation", *SIZE, rounds=1 if arguments.quick else 3),
    ]
    for cores in range(1, min(2, cores_present()) + 1):
        contestants += [
            peer("EvoTorch, one cut", "peers.evotorch", "generation", *SIZE, "one_point", cores=cores),
            peer("EvoTorch, eight cuts", "peers.evotorch", "generation", *SIZE, "multi_point", cores=cores),
            peer("evosax", "peers.evosax", "generation", *SIZE, cores=cores),
        ]
    with LimitProgram(report) as program:
        command = program.built()
        if command is not None:
            for cores in range(1, min(2, cores_present()) + 1):
                work = ["generation", str(ROWS), str(GENES), str(cores)]
                contestants.append(Contestant("C", [*command, *work], cores, environment=program.environment))
        results = race(contestants, rounds, report, lambda reading: 1e3 * reading["seconds"] / reading["done"], "ms")
    report.tables[f"one generation of {ROWS:,} x {GENES:,}"] = list(results.values())
    ours = results["evonet", 1]
    for (name, cores), result in results.items():
        if name not in ("evonet", "plain copy", "C"):
            what = f"evonet / {name}, {cores} core{'s' * (cores > 1)}"
            report.compare(what, ours, result, at_most=0.5)
    report.compare("evonet / C, 1 core", ours, results.get(("C", 1)))
    report.compare("share of memory speed: plain copy / evonet", results["plain copy", 1], ours)
    seconds = results["plain copy", 1].median / 1e3
    report.notes["bandwidth of a plain copy"] = f"{2 * 8 * ROWS * GENES / seconds / 1e9:.1f} GB/s, read and written"
    report.show(arguments.json)


if __name__ == "__main__":
    main()
