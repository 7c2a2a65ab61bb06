"""What does evonet add to the time of `env.step`?

Question: steps per second of the gymnasium engine, which runs the environment, a network, and all bookkeeping, against
a bare loop of `env.step` with random actions: one process, and two workers.

Command: python experiments/benchmarks/overhead.py [--quick] [--json]

The bare loop steps the environment that `gym.make` returns, with its default wrappers: time limit, order enforcer,
checker. It is shown once more without the checker, and once as a replay of the engine's own episodes without any
wrapper: evonet runs its environments unwrapped, which is where it gains back what its own work costs. Episodes under
random actions are shorter than those of controllers, so that resets weigh more in the bare loop; not so in the replay.
"""

from __future__ import annotations

from contest import Contestant, Report, chosen_rounds, cores_present, options, python, race

UNIT = "k steps/s"
BOUNDS = {"CartPole-v1": 0.85, "LunarLander-v3": 0.95}
TWO_WORKERS = "LunarLander-v3", 1.85


def main() -> None:
    arguments = options(__doc__, rounds=15).parse_args()
    rounds = chosen_rounds(arguments)
    report = Report("overhead", rounds)
    for environment, bound in BOUNDS.items():
        _contest(environment, bound, rounds, report)
    report.show(arguments.json)


def _contest(environment: str, bound: float, rounds: int, report: Report) -> None:
    bare = {
        "bare loop, gym.make's wrappers": "defaults",
        "bare loop, without the checker": "unchecked",
        "replay, no wrapper": "replay",
    }
    contestants = [Contestant(name, python("bare", environment, way)) for name, way in bare.items()]
    contestants.append(Contestant("evonet", python("ours", "engine", environment, 256, 1)))
    if cores_present() > 1:
        contestants.append(Contestant("evonet, two workers", python("ours", "engine", environment, 512, 2), cores=2))
    results = race(contestants, rounds, report, lambda reading: reading["done"] / reading["seconds"] / 1e3, UNIT)
    if results:
        report.tables[environment] = list(results.values())
    ours, two = results.get(("evonet", 1)), results.get(("evonet, two workers", 2))
    for name, way in bare.items():
        under = results.get((name, 1))
        promised = {"at_least": bound} if way == "defaults" else {}
        report.compare(f"{environment}: evonet / {name}", ours, under, **promised)
        if way == "defaults":
            promised = {"at_least": TWO_WORKERS[1]} if environment == TWO_WORKERS[0] else {}
            report.compare(f"{environment}: evonet, two workers / {name}", two, under, **promised)


if __name__ == "__main__":
    main()
