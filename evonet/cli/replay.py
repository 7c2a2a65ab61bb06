"""`evonet replay`: show episodes of a run's champion, of another individual, or of a fault."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonet.cli.console import DONE, Commands, allow_imports, stdout_kept_for_the_result
from evonet.errors import ConfigError, RunDirectoryError
from evonet.files.text import printable, printable_json
from evonet.foreign import without_place

if TYPE_CHECKING:
    from evonet.individual import Individual
    from evonet.inspection.replay import Episode
    from evonet.policy import Policy
    from evonet.types import IntArray

_FORMS = ("gif", "webp", "mp4")


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    replay = commands.add_parser(
        "replay",
        help="see a champion act: in a window, or in a file",
        description="Plays episodes of a run's champion: in a window where there is a display, or into a file.",
    )
    replay.add_argument("run", metavar="RUN", type=Path, help="a run directory, or a champion's file")
    files = replay.add_mutually_exclusive_group()
    for form in _FORMS:
        files.add_argument(f"--{form}", type=Path, metavar="FILE", help=f"write an animation as {form.upper()}")
    replay.add_argument("--episodes", type=_count, default=1, metavar="N", help="how many (default: 1)")
    replay.add_argument("--seed", type=_natural, metavar="N", help="of the episodes (default: the run's own)")
    replay.add_argument(
        "--generation", type=_natural, metavar="G", help="instead of the champion, the fittest of this generation"
    )
    replay.add_argument(
        "--individual", type=_natural, metavar="I", help="the individual of this id, if the run kept its genome"
    )
    files.add_argument(
        "--fault", type=int, metavar="N", help="instead, the episode of this line of faults.jsonl, counted from 0"
    )
    replay.add_argument("--json", action="store_true", help="print the returns as one JSON document")
    replay.add_argument(
        "--allow-import", action="append", default=[], metavar="MODULE", help="allow the run to import this module"
    )
    replay.set_defaults(command=_replay)


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, got {text!r}")
    return int(text)


def _count(text: str) -> int:
    if _natural(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text!r}")
    return int(text)


def _replay(options: argparse.Namespace) -> int:
    allow_imports(options.allow_import)
    return _replay_champion(options) if options.fault is None else _replay_fault(options)


def _replay_champion(options: argparse.Namespace) -> int:
    from evonet.experiment.run_directory import to_json
    from evonet.seeding import Purpose, episode_seeds

    individual, policy, seed = _chosen(options)
    seeds = episode_seeds(seed if options.seed is None else options.seed, Purpose.REPLAY, 0, options.episodes)
    file = next((path for form in _FORMS if (path := getattr(options, form)) is not None), None)
    episodes = []
    for episode in _guarded(_played(options, policy, seeds)):
        episodes.append(episode)
        if not options.json:
            ending = "ended by the environment" if episode.terminated else "truncated"
            print(f"seed {episode.seed:<11} return {episode.total:<12.6g} {episode.steps} steps, {ending}", flush=True)
    mean = sum(episode.total for episode in episodes) / len(episodes)
    if options.json:
        print(printable_json(to_json(_result(options, individual, episodes, mean, file), indent=2)))
    elif len(episodes) > 1:
        print(f"mean {mean:.6g} over {len(episodes)} episodes")
    if file is not None:
        print(f"written: {file}", file=sys.stderr)
    return DONE


def _chosen(options: argparse.Namespace) -> tuple[Individual, Policy, int]:
    """The individual, its policy, and the seed of the run."""
    from evonet.champion import Champion
    from evonet.inspection.loaded_run import load_run
    from evonet.inspection.stored import stored_individual

    if options.run.is_file():
        if options.generation is not None or options.individual is not None:
            raise ConfigError(
                f"{options.run} holds one champion; --generation and --individual are for run directories"
            )
        champion = Champion.load(options.run, options.allow_import)
        return champion, champion.policy, 0
    run = load_run(options.run, options.allow_import)
    seed = run.settings.get("seed")
    individual = stored_individual(run, options.generation, options.individual)
    task = None if run.policy_spec is None else run.policy_spec.task
    return individual, individual.policy_for(task), seed if type(seed) is int else 0


def _played(options: argparse.Namespace, policy: Policy, seeds: IntArray) -> Iterator[Episode]:
    from evonet.inspection.replay import has_display, play, record, show

    for form in _FORMS:
        path = getattr(options, form)
        if path is not None:
            try:
                yield from record(policy, seeds, path, form)
            except OSError as error:
                raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error
            return
    if has_display():
        yield from show(policy, seeds)
    else:
        print("there is no display, so nothing is shown; to see it: --gif FILE", file=sys.stderr)
        yield from play(policy, seeds)


def _guarded(episodes: Iterator[Episode]) -> Iterator[Episode]:
    """Yield `episodes`; prints of environments go to stderr."""
    while True:
        with stdout_kept_for_the_result():
            episode = next(episodes, None)
        if episode is None:
            return
        yield episode


def _result(
    options: argparse.Namespace, individual: Individual, episodes: list[Episode], mean: float, file: Path | None
) -> dict[str, Any]:
    return {
        "run": options.run,
        "individual": individual.id,
        "generation": individual.generation,
        "file": file,
        "mean": mean,
        "episodes": [
            {
                "seed": episode.seed,
                "return": episode.total,
                "steps": episode.steps,
                "terminated": episode.terminated,
            }
            for episode in episodes
        ],
    }


def _replay_fault(options: argparse.Namespace) -> int:
    from evonet.experiment.fault_replay import RecordedFault

    recorded = RecordedFault.read(options.run, options.fault)
    before = recorded.fault
    where = f"generation {recorded.generation}, individual {before.individual}, episode {before.episode}"
    print(printable(f"fault {recorded.number}, {where} ({before.location}): {before.message}", keep=""), flush=True)
    with stdout_kept_for_the_result():
        results = recorded.replay(options.allow_import)
    if not results.faults:
        print(f"the episode did not fail this time: return {results.returns[0, 0]:g} in {results.lengths[0, 0]} steps")
        return DONE
    (after,) = results.faults
    what = [(fault.kind, fault.step, without_place(fault.message)) for fault in (before, after)]
    print(printable(after.traceback.rstrip() or after.message))
    print(
        "the fault is the same"
        if what[0] == what[1]
        else printable(f"the fault differs this time ({after.location}): {after.message}")
    )
    return DONE
