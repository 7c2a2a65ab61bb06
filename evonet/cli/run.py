"""`evonet run`: run an experiment and print its results."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonet.cli.console import (
    DONE,
    NOT_SOLVED,
    Commands,
    add_check_argument,
    add_cluster_arguments,
    add_config_arguments,
    cluster,
    load_config,
    painter,
    print_painted,
    print_unless_quiet,
    stdout_kept_for_the_result,
)
from evonet.cli.progress import ProgressCallbacks, progress
from evonet.cli.watch import add_spectator_arguments, requested_spectators
from evonet.files.text import printable_json
from evonet.shell import command

if TYPE_CHECKING:
    from evonet.cluster.executor import Cluster
    from evonet.experiment.config.config import Config


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    run = commands.add_parser("run", help="run an experiment from a YAML config")
    add_config_arguments(run)
    run.add_argument("--output", type=Path, metavar="DIR", help="the run directory (default: a new one below runs/)")
    add_check_argument(run)
    add_cluster_arguments(run)
    add_output_arguments(run)
    add_spectator_arguments(run)
    run.set_defaults(command=_run)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the output of a run."""
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no results")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON document")
    parser.add_argument("--require-solved", action="store_true", help="exit with 3 if the target was not reached")


def _run(options: argparse.Namespace) -> int:
    from evonet.experiment.runner import run

    config = load_config(options)
    with requested_spectators(options) as start_spectators:
        with run_context(options, config) as (executor, callbacks):
            check = not options.no_check
            summary = run(
                config, options.output, callbacks.watch, callbacks.say, executor, check=check, started=start_spectators
            )
        return print_results(options, summary)


@contextlib.contextmanager
def run_context(options: argparse.Namespace, config: Config) -> Iterator[tuple[Cluster | None, ProgressCallbacks]]:
    """A context with the cluster of a run and its progress; what its environments print goes to stderr."""
    with (
        stdout_kept_for_the_result(),
        cluster(options) as executor,
        progress(config, quiet=options.quiet) as callbacks,
    ):
        yield executor, callbacks


def print_results(options: argparse.Namespace, summary: dict[str, Any]) -> int:
    """Print the results of a run; returns the exit status."""
    from evonet.experiment.run_files.run_directory import to_json

    if options.json:
        print(printable_json(to_json(summary, indent=2)))
    elif not options.quiet:
        from evonet.inspection.verdict import run_verdict

        print_painted(run_verdict({**summary, "finished": True}, painter()))
    print_unless_quiet(options, "\n".join(f"  {each}" for each in _next(summary, options.allow_import)))
    return NOT_SOLVED if options.require_solved and not summary["solved"] else DONE


def _next(summary: Mapping[str, Any], allowed: Sequence[str]) -> list[str]:
    """Commands that show the finished run."""
    from evonet.experiment.config.permissions import flags_for

    run = summary["run_directory"]
    flags = flags_for(Path(run), allowed)
    if summary["champion"] is None:
        return [command("evonet", "inspect", run)]
    replay = [command("evonet", "replay", run, *flags)] if summary["environment"] is not None else []
    return [
        *replay,
        command("evonet", "inspect", run, "--html", *flags),
        command("evonet", "inspect", run, "--weights"),
    ]
