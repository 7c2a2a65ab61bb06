"""`evonet replay`: show episodes of a run's champion, of another individual, or of a fault."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonet.cli.console import (
    DONE,
    RUN_OR_STUDY_HELP,
    Commands,
    cell,
    path_to_read,
    positive,
    print_note,
    stdout_kept_for_the_result,
    whole_number,
)
from evonet.errors import ConfigError, RunDirectoryError
from evonet.files.text import printable, printable_json
from evonet.foreign import without_place

if TYPE_CHECKING:
    from evonet.individual import Individual
    from evonet.policy import Policy
    from evonet.replay.episodes import Episode
    from evonet.types import IntArray

_FORMS = ("gif", "webp", "mp4")
_CHAMPION = "champion"


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    replay = commands.add_parser(
        "replay",
        help="see a champion act: in a window, or in a file",
        description="Plays episodes of a run's champion in a window or, with --gif, --webp or --mp4, into a file. "
        "Where there is no display and no file is named, prints the returns and says how to write a file.",
    )
    replay.add_argument("run", metavar="RUN", type=Path, help=f"{RUN_OR_STUDY_HELP}; or a champion's file")
    files = replay.add_mutually_exclusive_group()
    for form in _FORMS:
        files.add_argument(f"--{form}", type=Path, metavar="FILE", help=f"write an animation as {form.upper()}")
    replay.add_argument("--episodes", type=positive, default=1, metavar="N", help="how many (default: 1)")
    replay.add_argument("--seed", type=whole_number, metavar="N", help="of the episodes (default: the run's own)")
    replay.add_argument(
        "--generation", type=whole_number, metavar="G", help="instead of the champion, the fittest of this generation"
    )
    replay.add_argument(
        "--individual", type=whole_number, metavar="I", help="the individual of this id, if the run kept its genome"
    )
    replay.add_argument("--cell", type=cell, metavar="M,M,…", help="the elite of the archive at these measures")
    files.add_argument(
        "--fault", type=int, metavar="N", help="instead, the episode of this line of faults.jsonl, counted from 0"
    )
    replay.add_argument(
        "--generations",
        type=_generations,
        metavar="G,G,…,champion",
        help="the fittest of these generations side by side, and the champion, in one file",
    )
    replay.add_argument("--json", action="store_true", help="print the returns as one JSON document")
    replay.add_argument(
        "--allow-import", action="append", default=[], metavar="MODULE", help="allow the run to import this module"
    )
    replay.set_defaults(command=_replay)


def _generations(text: str) -> list[int | None]:
    """Numbers of generations; None stands for the champion."""
    names = [name.strip() for name in text.split(",")]
    if not all(name == _CHAMPION or (name.isascii() and name.isdigit() and len(name) <= 18) for name in names):
        raise argparse.ArgumentTypeError(f"must be generations and '{_CHAMPION}', such as 0,3,champion, got {text!r}")
    return [None if name == _CHAMPION else int(name) for name in names]


def _replay(options: argparse.Namespace) -> int:
    options.run = path_to_read(options, options.run, studies=options.fault is None)
    if options.generations is not None:
        return _replay_generations(options)
    return _replay_champion(options) if options.fault is None else _replay_fault(options)


def _replay_champion(options: argparse.Namespace) -> int:
    from evonet.experiment.run_files.run_directory import to_json
    from evonet.seeding import Purpose, episode_seeds

    individual, policy, seed = _chosen(options)
    seeds = episode_seeds(seed if options.seed is None else options.seed, Purpose.REPLAY, 0, options.episodes)
    _, file = _file(options)
    episodes = []
    for episode in _guarded(_played(options, policy, seeds)):
        episodes.append(episode)
        if not options.json:
            print(f"seed {episode.seed:<11} return {episode.total:<12.6g} {_end(episode)}", flush=True)
    if options.json:
        print(printable_json(to_json(_result(options, individual, episodes, file), indent=2)))
    elif len(episodes) > 1:
        print(f"mean {_mean(episodes):.6g} over {len(episodes)} episodes")
    if file is not None:
        print(f"written: {file}", file=sys.stderr)
    return DONE


def _replay_generations(options: argparse.Namespace) -> int:
    from evonet.experiment.run_files.run_directory import to_json
    from evonet.inspection.loaded_study import load_run_or_best
    from evonet.inspection.stored import stored_individual
    from evonet.replay.side_by_side import MAX_PANELS, Panel, record_side_by_side
    from evonet.seeding import Purpose, episode_seeds

    form, file = _file(options)
    if file is None:
        raise ConfigError("--generations makes a film; name its file: --gif FILE, --webp FILE or --mp4 FILE")
    if (options.generation, options.individual, options.episodes) != (None, None, 1):
        raise ConfigError("--generations shows one episode of each: leave out --generation, --individual, --episodes")
    if len(options.generations) > MAX_PANELS:
        raise ConfigError(f"--generations may name {MAX_PANELS} at most, got {len(options.generations)}")
    run = load_run_or_best(options.run, options.allow_import, print_note)
    task = None if run.policy_spec is None else run.policy_spec.task
    individuals = [stored_individual(run, generation) for generation in options.generations]
    names = [_CHAMPION if number is None else f"generation {number}" for number in options.generations]
    panels = [Panel(name, each.policy_for(task)) for name, each in zip(names, individuals, strict=True)]
    seed = run.settings.get("seed", 0) if options.seed is None else options.seed
    seeds = episode_seeds(seed, Purpose.REPLAY, 0, 1)
    with _written(file), stdout_kept_for_the_result():
        episodes = list(record_side_by_side(panels, seeds, file, form))
    if options.json:
        parts = [_result(options, *each, file) for each in zip(individuals, ([e] for e in episodes), strict=True)]
        print(printable_json(to_json(parts, indent=2)))
    else:
        for name, episode in zip(names, episodes, strict=True):
            print(f"{name:<24} return {episode.total:<12.6g} {_end(episode)}")
    print(f"written: {file}", file=sys.stderr)
    return DONE


def _file(options: argparse.Namespace) -> tuple[str | None, Path | None]:
    """The form and the path of the file that the options name."""
    return next(((form, path) for form in _FORMS if (path := getattr(options, form)) is not None), (None, None))


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    """A context in which the film at `path` is written.

    Raises:
        RunDirectoryError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error


def _end(episode: Episode) -> str:
    return f"{episode.steps} steps, {'ended by the environment' if episode.terminated else 'truncated'}"


def _chosen(options: argparse.Namespace) -> tuple[Individual, Policy, int]:
    """The individual, its policy, and the seed of the run."""
    from evonet.champion import Champion
    from evonet.experiment.config.permissions import restore_permissions
    from evonet.inspection.loaded_study import load_run_or_best
    from evonet.inspection.stored import stored_individual

    if options.run.is_file():
        if (options.generation, options.individual, options.cell) != (None, None, None):
            raise ConfigError(
                f"{options.run} holds one champion; --generation, --individual and --cell are for run directories"
            )
        champion = Champion.load(options.run, (*options.allow_import, *restore_permissions(options.run)))
        return champion, champion.policy, 0
    run = load_run_or_best(options.run, options.allow_import, print_note)
    seed = run.settings.get("seed")
    if options.cell is not None:
        from evonet.inspection.archives import elite_at

        individual: Individual = elite_at(run, options.cell)
    else:
        individual = stored_individual(run, options.generation, options.individual)
    task = None if run.policy_spec is None else run.policy_spec.task
    return individual, individual.policy_for(task), seed if type(seed) is int else 0


def _played(options: argparse.Namespace, policy: Policy, seeds: IntArray) -> Iterator[Episode]:
    from evonet.replay.episodes import has_display, play_unseen, record, show

    form, path = _file(options)
    if path is not None:
        with _written(path):
            yield from record(policy, seeds, path, form)
    elif has_display():
        yield from show(policy, seeds)
    else:
        print("there is no display, so nothing is shown; to see it: --gif FILE", file=sys.stderr)
        yield from play_unseen(policy, seeds)


def _guarded(episodes: Iterator[Episode]) -> Iterator[Episode]:
    """Yield `episodes`; prints of environments go to stderr."""
    while True:
        with stdout_kept_for_the_result():
            episode = next(episodes, None)
        if episode is None:
            return
        yield episode


def _mean(episodes: list[Episode]) -> float:
    return sum(episode.total for episode in episodes) / len(episodes)


def _result(
    options: argparse.Namespace, individual: Individual, episodes: list[Episode], file: Path | None
) -> dict[str, Any]:
    return {
        "run": options.run,
        "individual": individual.id,
        "generation": individual.generation,
        "file": file,
        "mean": _mean(episodes),
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
    from evonet.experiment.run_files.run_finder import require_run

    require_run(options.run)
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
