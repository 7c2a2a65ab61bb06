"""How many environment steps a second?

Question: CartPole-v1, 4-16-2 networks that all balance for 500 steps: how fast are evonet's engines, the fastest loop
that one can write with evosax and gymnax, a C program written for the processor, and the textbook's loop? And how much
faster than a loop over the real environment are the other kernels? And do skip connections and absent ones cost speed?

Command: python experiments/benchmarks/throughput.py [--quick] [--json] [--only cartpole|kernels|structure]

JAX computes in float32 throughout; evonet and the C program compute the network in float32 and the physics in float64,
as Gymnasium does. evonet's figures hold all that it does around the steps: start states, fitness, results.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from contest import (
    Contestant,
    LimitProgram,
    Report,
    Result,
    chosen_rounds,
    cores_present,
    fastest,
    options,
    python,
    race,
)
from controllers import controllers

POPULATIONS = (256, 1024)
KERNELS = ("CartPole-v0", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1", "Acrobot-v1")
UNIT = "M steps/s"
_NUMPY_TO_TEXTBOOK = {256: 25, 1024: 50}  # how many times as fast it must be
_TEXTBOOK_SAMPLE = 16  # individuals; its speed does not depend on how many there are


def main() -> None:
    parser = options(__doc__, rounds=15)
    parser.add_argument("--only", choices=("cartpole", "kernels", "structure"), help="a part of the contest")
    arguments = parser.parse_args()
    rounds = chosen_rounds(arguments)
    report = Report("throughput", rounds)
    settings = range(1, min(2, cores_present()) + 1)
    if arguments.only in (None, "cartpole"):
        for n in POPULATIONS:
            for cores in settings:
                _cart_pole(n, cores, arguments.peers, rounds, report)
    if arguments.only in (None, "kernels"):
        for environment in KERNELS:
            _kernel(environment, settings, rounds, report)
    if arguments.only in (None, "structure"):
        _structure(settings, rounds, report)
    report.show(arguments.json)


def _cart_pole(n: int, cores: int, peers: str, rounds: int, report: Report) -> None:
    variants = ["scan", "while", "problem"] + (["pmap"] if cores > 1 else [])
    loops = {_evosax_name(variant): variant for variant in variants}
    contestants = [
        Contestant("evonet, Numba", python("ours", "throughput", "numba", "CartPole-v1", n), cores),
        Contestant("evonet, NumPy", python("ours", "throughput", "numpy", "CartPole-v1", n), cores),
        Contestant("textbook loop", python("peers.textbook", "throughput", _TEXTBOOK_SAMPLE), cores),
        *(
            Contestant(name, python("peers.evosax", "throughput", n, variant, interpreter=peers), cores)
            for name, variant in loops.items()
        ),
    ]
    with LimitProgram(report) as program, tempfile.TemporaryDirectory() as folder:
        genomes, states = Path(folder, "genomes"), Path(folder, "states")
        controllers(n).tofile(genomes)
        np.random.default_rng(1).uniform(-0.05, 0.05, (n, 4)).tofile(states)
        for vector_bytes in (32, 64):
            command = program.built(vector_bytes)
            if command is not None:
                work = ["rollouts", str(genomes), str(states), str(n), str(cores)]
                name = _c_name(vector_bytes)
                contestants.append(Contestant(name, [*command, *work], cores, environment=program.environment))
        results = race(contestants, rounds, report, lambda reading: reading["done"] / reading["seconds"] / 1e6, UNIT)
    heading = f"CartPole-v1, n = {n}"
    report.tables.setdefault(heading, []).extend(results.values())

    def got(name: str) -> Result | None:
        return results.get((name, cores))

    where = f"n = {n}, {cores} core{'s' * (cores > 1)}: "
    jax = fastest(result for name in loops if (result := got(name)) is not None)
    report.compare(where + "Numba / best evosax + gymnax", got("evonet, Numba"), jax, at_least=2.5)
    bound = {"at_least": 0.4} if cores > 1 else {}
    report.compare(where + "Numba / C", got("evonet, Numba"), got(_c_name(32)), **bound)
    report.compare(where + "Numba / C with wider vectors", got("evonet, Numba"), got(_c_name(64)))
    report.compare(
        where + "NumPy / textbook loop", got("evonet, NumPy"), got("textbook loop"), at_least=_NUMPY_TO_TEXTBOOK[n]
    )


def _kernel(environment: str, settings: Sequence[int], rounds: int, report: Report) -> None:
    loop = Contestant("loop, real environment", python("peers.textbook", "loop", environment, 64))
    ours = [
        Contestant(f"evonet, {name}", python("ours", "throughput", engine, environment, 1024), cores)
        for name, engine in (("Numba", "numba"), ("NumPy", "numpy"))
        for cores in settings
    ]
    results = race([loop, *ours], rounds, report, lambda reading: reading["done"] / reading["seconds"] / 1e6, UNIT)
    report.tables[environment] = list(results.values())
    for cores in settings:
        report.compare(
            f"{environment}, {cores} core{'s' * (cores > 1)}: Numba / loop over the real environment",
            results.get(("evonet, Numba", cores)),
            results.get((loop.name, 1)),
            at_least=200,
        )


def _structure(settings: Sequence[int], rounds: int, report: Report) -> None:
    """Networks 4-15-2 with skip connections, half of their input weights absent, against 4-16-2 with all."""
    n = max(POPULATIONS)
    dense, sparse = "4-16-2, all connections", "4-15-2 with skip connections, half of them absent"
    commands = {dense: python("ours", "throughput", "numba", "CartPole-v1", n), sparse: python("ours", "structure", n)}
    contestants = [Contestant(name, command, cores) for name, command in commands.items() for cores in settings]
    results = race(contestants, rounds, report, lambda reading: reading["done"] / reading["seconds"] / 1e6, UNIT)
    report.tables["CartPole-v1, structure"] = list(results.values())
    for cores in settings:
        where = f"structure, {cores} core{'s' * (cores > 1)}: absent connections / all"
        report.compare(where, results.get((sparse, cores)), results.get((dense, cores)), at_least=0.9)


def _evosax_name(variant: str) -> str:
    return f"evosax + gymnax, {'problem class' if variant == 'problem' else variant + ' loop'}"


def _c_name(vector_bytes: int) -> str:
    return f"C, {8 * vector_bytes}-bit vectors"


if __name__ == "__main__":
    main()
