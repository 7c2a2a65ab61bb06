"""What does the EnvPool engine add to EnvPool, and how much faster is it than Gymnasium?

Question: environment steps per second of evonet with `engine: envpool`, which runs networks, chooses actions and keeps
the books, against EnvPool alone with random actions, against a bare loop of Gymnasium's `env.step`, and against evonet
with two Gymnasium workers; on one core and on two.

Command: pip install -e '.[box2d,mujoco,envpool]'; python experiments/benchmarks/envpool.py [--quick] [--json]

EnvPool alone steps 256 environments side by side, made before the clock starts, and goes on with the next episode where
one ends, as it is meant to be used. evonet evaluates 512 random networks, an episode each: it makes the environments,
and few lanes are left while the longest episodes end. Hopper's fall after some 20 steps, so that there the making of
the environments is measured; HalfCheetah's have 1,000 steps for both, so that there the steps are.
"""

from __future__ import annotations

import sys

from contest import HERE, Contestant, Report, chosen_rounds, cores_present, options, python, race

UNIT = "k steps/s"
ENVIRONMENTS = ("LunarLander-v3", "BipedalWalker-v3", "Hopper-v5", "HalfCheetah-v5")
LANES = 256  # of EnvPool alone
EPISODES = 512  # of evonet
OF_THE_LOOP = {1: 2.0, 2: 3.6}  # LunarLander, by cores
OF_ENVPOOL = 0.85


def main() -> None:
    parser = options(__doc__, rounds=7)
    parser.add_argument("--environments", nargs="+", default=ENVIRONMENTS)
    arguments = parser.parse_args()
    report = Report("envpool", chosen_rounds(arguments))
    for environment in arguments.environments:
        _contest(environment, report)
    report.show(arguments.json)


def _contest(environment: str, report: Report) -> None:
    contestants = [Contestant("bare loop, gym.make's wrappers", python("bare", environment, "defaults"))]
    for cores in range(1, min(2, cores_present()) + 1):
        for name, who, count in (("EnvPool alone", "alone", LANES), ("evonet", "evonet", EPISODES)):
            program = [sys.executable, str(HERE / "peers" / "envpool_lanes.py"), who, environment]
            contestants.append(Contestant(name, [*program, str(count), str(cores)], cores))
    if cores_present() > 1:
        contestants.append(
            Contestant("evonet, two Gymnasium workers", python("ours", "engine", environment, EPISODES, 2), 2)
        )
    results = race(contestants, report.rounds, report, lambda reading: reading["done"] / reading["seconds"] / 1e3, UNIT)
    if results:
        report.tables[environment] = list(results.values())
    loop = results.get(("bare loop, gym.make's wrappers", 1))
    for cores in (1, 2):
        ours = results.get(("evonet", cores))
        promised = {"at_least": OF_THE_LOOP[cores]} if environment == "LunarLander-v3" else {}
        named = f"{environment}: evonet, {cores} core{'s' * (cores > 1)}"
        report.compare(f"{named} / EnvPool alone", ours, results.get(("EnvPool alone", cores)), at_least=OF_ENVPOOL)
        report.compare(f"{named} / bare loop on one", ours, loop, **promised)
    two = results.get(("evonet, two Gymnasium workers", 2))
    report.compare(f"{environment}: evonet, 2 cores / two Gymnasium workers", results.get(("evonet", 2)), two)


if __name__ == "__main__":
    main()
