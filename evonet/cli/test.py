"""`evonet test`: test a champion on fresh episodes, and store its score with it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonet.cli.console import (
    DONE,
    Commands,
    add_allow_import_argument,
    painter,
    path_to_read,
    positive,
    print_painted,
    print_unless_quiet,
    stdout_kept_for_the_result,
    whole_number,
)
from evonet.errors import ConfigError, RunDirectoryError
from evonet.files.text import printable_json

if TYPE_CHECKING:
    from evonet.champion import Champion
    from evonet.inspection.loaded_run import LoadedRun

_EPISODES = 100


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    test = commands.add_parser(
        "test",
        help="test a champion on fresh episodes and store the score",
        description="Runs a champion on fresh episodes, not used for selection, prints the mean return, and stores "
        "the score with the champion: for one whose weights were changed by hand, or with more episodes.",
    )
    test.add_argument(
        "champion", metavar="CHAMPION", type=Path, help="a champion's file, a finished run's directory, or `last`"
    )
    test.add_argument(
        "--episodes",
        type=positive,
        metavar="N",
        help=f"how many (default: the run's own number, {_EPISODES} for a file)",
    )
    test.add_argument(
        "--seed", type=whole_number, metavar="N", help="of the episodes (default: the run's own, 0 for a file)"
    )
    test.add_argument(
        "--output", type=Path, metavar="FILE", help="write the tested champion here, and leave CHAMPION as it is"
    )
    add_allow_import_argument(test)
    test.add_argument("--json", action="store_true", help="print the scores as one JSON document")
    test.set_defaults(command=_test, quiet=False)


def _test(options: argparse.Namespace) -> int:
    options.champion = path_to_read(options, options.champion, studies=False)
    return _test_run(options) if options.champion.is_dir() else _test_file(options)


def _test_file(options: argparse.Namespace) -> int:
    from evonet.champion import Champion
    from evonet.experiment.config.permissions import restore_permissions

    champion = Champion.load(options.champion, (*options.allow_import, *restore_permissions(options.champion)))
    champion = _tested(options, champion, _EPISODES, 0)
    path = options.output or options.champion
    _save(champion, path)
    return _print(options, champion, champion.target, path)


def _test_run(options: argparse.Namespace) -> int:
    from evonet.experiment.run_files.champion_results import champion_results
    from evonet.experiment.run_files.run_directory import RunDirectory
    from evonet.experiment.run_files.summaries import read_run_summary
    from evonet.inspection.loaded_run import load_run
    from evonet.inspection.stored import stored_champion

    run = load_run(options.champion, options.allow_import)
    champion, target = stored_champion(run), run.summary["target"]
    if not run.finished and options.output is None:
        raise ConfigError(f"{run.path} is unfinished; to test its current best, name a file for it: --output FILE")
    champion = _tested(options, champion, *_own_episodes(run))
    if options.output is not None:
        _save(champion, options.output)
        return _print(options, champion, target, options.output)
    with RunDirectory(run.path, resumed=True) as directory:
        directory.write_champion(champion)
        directory.write_summary({**read_run_summary(run.path), **champion_results(champion, target)})
    return _print(options, champion, target, run.path)


def _own_episodes(run: LoadedRun) -> tuple[int, int]:
    """The number of test episodes and the seed of a run."""
    from evonet.files.fields import Fields

    settings = Fields({"test": {}, "seed": 0} | run.settings, "config")
    test = settings.fields("test")
    return test.integer("episodes", 1) if test.has("episodes") else _EPISODES, settings.integer("seed")


def _tested(options: argparse.Namespace, champion: Champion, episodes: int, seed: int) -> Champion:
    episodes = episodes if options.episodes is None else options.episodes
    with stdout_kept_for_the_result():
        score = champion.evaluate(episodes, seed if options.seed is None else options.seed)
    return champion.tested(score)


def _save(champion: Champion, path: Path) -> None:
    try:
        champion.save(path)
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error


def _print(options: argparse.Namespace, champion: Champion, target: float | None, path: Path) -> int:
    from evonet.experiment.run_files.champion_results import champion_results
    from evonet.experiment.run_files.run_directory import to_json
    from evonet.inspection.verdict import champion_verdict

    if options.json:
        result: dict[str, Any] = {"file": path, **champion_results(champion, target)}
        print(printable_json(to_json(result, indent=2)))
    else:
        print_painted(champion_verdict(champion, options.champion, target, painter()))
    print_unless_quiet(options, f"saved in {path}")
    return DONE
