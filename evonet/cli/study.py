"""`evonet study`: run a config with many seeds and summarise the runs."""

from __future__ import annotations

import argparse
import contextlib
import functools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonet.cli.console import (
    CONFIG_HELP,
    DONE,
    FAILED,
    INTERRUPTED,
    Commands,
    add_check_argument,
    add_cluster_arguments,
    add_set_arguments,
    cluster,
    load_config,
    print_note,
    print_unless_quiet,
    stdout_kept_for_the_result,
)
from evonet.errors import ClusterUnavailable, ConfigError, EvonetError
from evonet.files.text import printable, printable_json
from evonet.shell import command

if TYPE_CHECKING:
    from evonet.experiment.config.config import Config
    from evonet.experiment.seed_run import Outcome

_MAX_SEEDS = 100_000
_VALUE = re.compile(r"""(?:[^,\[\]{}"']|\[[^\]]*\]|\{[^}]*\}|"[^"]*"|'[^']*')+""")


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    study = commands.add_parser(
        "study",
        help="run a config with many seeds and summarise the results",
        description="Runs several seeds at once, each in a directory of its own. The same command resumes a study that "
        "was stopped: finished runs are not repeated.",
    )
    study.add_argument("config", metavar="CONFIG", help=CONFIG_HELP)
    study.add_argument(
        "--seeds", required=True, metavar="N|FROM-TO|LIST", help="50 for 0 to 49; 1000-1049; 3,5,9; or 0-9,20"
    )
    study.add_argument("--output", type=Path, metavar="DIR", help="the study's directory (default: runs/NAME-study)")
    study.add_argument(
        "--workers", dest="at_once", default="auto", metavar="N|auto", help="runs at once (default: one for each core)"
    )
    study.add_argument(
        "--vary",
        metavar="KEY.PATH=VALUE,VALUE,…",
        help="run one study for each of these values, each in a folder of its own, and compare them",
    )
    add_check_argument(study)
    add_cluster_arguments(study)
    add_set_arguments(study)
    study.add_argument("--quiet", action="store_true", help="no progress bar, no table")
    study.add_argument("--json", action="store_true", help="print the summary as one JSON document")
    study.set_defaults(command=_study)


def parse_seeds(text: str) -> list[int]:
    """The seeds in the text of `--seeds`.

    Raises:
        ConfigError: the text is invalid, or names no seed or a seed twice.
    """
    parts = [re.fullmatch(r"\s*(\d{1,18})(?:\s*-\s*(\d{1,18}))?\s*", part) for part in text.split(",")]
    rule = "--seeds must be a number of seeds, a range such as 1000-1049 or a list such as 3,5,9"
    ranges = [range(int(part[1]), int(part[2] or part[1]) + 1) for part in parts if part is not None]
    if len(parts) == 1 and parts[0] is not None and parts[0][2] is None:
        ranges = [range(int(parts[0][1]))]
    if None in parts or not all(ranges):
        raise ConfigError(f"{rule}, got {text!r}")
    if sum(map(len, ranges)) > _MAX_SEEDS:
        raise ConfigError(f"--seeds must name at most {_MAX_SEEDS:,} seeds, got {text!r}")
    seeds = [seed for numbers in ranges for seed in numbers]
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"--seeds must name each seed once, got {text!r}")
    return seeds


def _study(options: argparse.Namespace) -> int:
    from evonet.experiment.study_directory import default_study_path

    seeds, at_once = parse_seeds(options.seeds), _workers(options.at_once)
    if at_once is not None and options.dask is not None:
        raise ConfigError("--workers must be left out with --dask: the cluster decides how many runs are made at once")
    if options.vary is not None:
        return _vary(options, seeds, at_once)
    config = load_config(options)
    result = _run(options, config, seeds, at_once, options.output or default_study_path(config.settings.name))
    return result if isinstance(result, int) else _print_summary(options, result)


def _run(
    options: argparse.Namespace, config: Config, seeds: list[int], at_once: int | None, path: Path
) -> dict[str, Any] | int:
    """The summary of the study, or the exit status if it was interrupted."""
    from evonet.experiment.study import study

    done: set[int] = set()
    name = config.settings.name if options.vary is None else path.name
    try:
        with (
            stdout_kept_for_the_result(),
            cluster(options) as executor,
            _progress(printable(name, keep=""), len(seeds), done, quiet=options.quiet) as watch,
        ):
            say_it = functools.partial(print_unless_quiet, options)
            return study(config, seeds, path, at_once, executor, watch, say_it, check=not options.no_check)
    except ClusterUnavailable as error:
        error.add_note(f"{len(done)} of {len(seeds)} runs are done in {path}; to continue, run the same command again")
        raise
    except KeyboardInterrupt as interruption:
        print(
            f"evonet: interrupted with {len(done)} of {len(seeds)} runs done in {path}; "
            "to continue, run the same command again",
            file=sys.stderr,
        )
        status: int = getattr(interruption, "exit_status", INTERRUPTED)
        return status


def parse_vary(text: str) -> tuple[str, list[str]]:
    """The key and the values in the text of `--vary`; commas within brackets or quotes do not separate values.

    Raises:
        ConfigError: the text has no key or fewer than two values, or a value twice.
    """
    key, _, rest = text.partition("=")
    found = _VALUE.findall(rest)
    values = [value.strip() for value in found]
    if (
        not key.strip()
        or ",".join(found) != rest
        or len(values) < 2
        or not all(values)
        or len(set(values)) < len(values)
    ):
        raise ConfigError(
            f"--vary must be a key and two or more different values, such as algorithm.mutation.sigma=0.1,0.3, "
            f"got {text!r}"
        )
    return key.strip(), values


def _vary(options: argparse.Namespace, seeds: list[int], at_once: int | None) -> int:
    """Run a study for each value of a key, each in a folder of its own, and print how they compare."""
    from evonet.experiment.run_files.run_directory import RUNS, safe_name, to_json
    from evonet.inspection.comparison import Comparison
    from evonet.inspection.comparison.overview import comparison_overview

    key, values = parse_vary(options.vary)
    leaf = key.rpartition(".")[2]
    given = list(options.set)
    configs = []
    for value in values:  # an error in any of them is raised before the first one runs
        options.set = [*given, f"{key}={value}"]
        configs.append(load_config(options))
    folder = options.output or RUNS / f"{safe_name(configs[0].settings.name)}-{safe_name(leaf)}"
    paths = [folder / f"{safe_name(leaf)}={safe_name(value)}" for value in values]
    if len(set(paths)) < len(paths):
        raise ConfigError(f"--vary must have values whose folders differ, got {', '.join(path.name for path in paths)}")
    summaries = []
    for number, (config, path) in enumerate(zip(configs, paths, strict=True), start=1):
        print_unless_quiet(options, f"study {number} of {len(paths)}: {path}")
        result = _run(options, config, seeds, at_once, path)
        if isinstance(result, int):
            return result
        summaries.append(result)
    if not any(summary["runs"] for summary in summaries):
        raise EvonetError(f"no run of {folder} was finished, so there is nothing to compare")
    comparison = Comparison(paths)
    if options.json:
        print(printable_json(to_json({"key": key, "studies": summaries, "comparison": comparison.data}, indent=2)))
    elif not options.quiet:
        print(printable(comparison_overview(comparison)))
    print_unless_quiet(
        options, f"\ncompare in figures: {command('evonet', 'compare', *paths, '--html', folder / 'compare.html')}"
    )
    return FAILED if any(summary["failures"] for summary in summaries) else DONE


def _print_summary(options: argparse.Namespace, summary: dict[str, Any]) -> int:
    from evonet.experiment.config.permissions import flags_for
    from evonet.experiment.run_files.run_directory import to_json

    path = Path(summary["study_directory"])
    if options.json:
        print(printable_json(to_json(summary, indent=2)))
    elif not options.quiet:
        from evonet.inspection.study_overview import study_overview

        print(printable(study_overview(summary)))
    elif summary["failures"]:  # a failure is printed even with --quiet, as that of a run is
        first, *rest = summary["failures"]
        others = f" (and {len(rest)} more)" if rest else ""
        print_note(f"the run with seed {first['seed']} failed{others}: {first['error']}")
    inspect = command("evonet", "inspect", path, *flags_for(path, options.allow_import))
    compare = f"{command('evonet', 'compare', path)} OTHER"
    print_unless_quiet(options, f"\ninspect it with: {inspect}\ncompare with another study: {compare}")
    return FAILED if summary["failures"] else DONE


def _workers(text: str) -> int | None:
    if text == "auto":
        return None
    if not re.fullmatch(r"\d{1,4}", text) or int(text) == 0:
        raise ConfigError(f"--workers must be a whole number of at least 1 or 'auto', got {text!r}")
    return int(text)


@contextlib.contextmanager
def _progress(name: str, runs: int, done: set[int], *, quiet: bool) -> Iterator[Callable[[Outcome], None]]:
    """A callback that adds the seeds of finished runs to `done` and, on a terminal, updates a progress bar."""
    if quiet or not sys.stderr.isatty():
        yield lambda outcome: done.add(outcome.seed)
        return
    from tqdm import tqdm

    solved = failed = 0
    with tqdm(total=runs, unit="run", desc=name, dynamic_ncols=True) as bar:

        def watch(outcome: Outcome) -> None:
            nonlocal solved, failed
            done.add(outcome.seed)
            solved += bool(outcome.summary and outcome.summary["solved"])
            failed += outcome.summary is None
            bar.set_postfix_str(f"solved {solved}" + (f", failed {failed}" if failed else ""), refresh=False)
            bar.update()

        yield watch
