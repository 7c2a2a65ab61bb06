"""`evonet resume`: continue a stopped run, or a finished run with higher limits."""

from __future__ import annotations

import argparse
from pathlib import Path

from evonet.cli.console import (
    RUN_HELP,
    Commands,
    add_cluster_arguments,
    add_override_arguments,
    overrides,
    path_to_read,
    warn_of_unused_permissions,
)
from evonet.cli.run import add_output_arguments, print_results, run_context
from evonet.cli.watch import add_spectator_arguments, requested_spectators


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    resume = commands.add_parser(
        "resume",
        help="resume a run that was stopped, or extend a finished one",
        description="Continues a run from its last checkpoint. The result is, to the last bit, that of a run that was "
        "never stopped. Only stop, checkpoints and evaluation.workers can be changed: "
        "--set stop.generations=500 continues a finished run.",
    )
    resume.add_argument("run", type=Path, metavar="RUN", help=RUN_HELP)
    add_override_arguments(resume)
    add_cluster_arguments(resume)
    add_output_arguments(resume)
    add_spectator_arguments(resume)
    resume.set_defaults(command=_resume)


def _resume(options: argparse.Namespace) -> int:
    from evonet.experiment.run_files.run_directory import SUMMARY
    from evonet.experiment.runner import resume, resumed_config

    options.run = path_to_read(options, options.run, studies=False)
    changes = overrides(options), options.allow_import
    config = resumed_config(options.run, *changes)
    warn_of_unused_permissions(config, options.allow_import)
    was_finished = (options.run / SUMMARY).exists()
    with requested_spectators(options) as start_spectators:
        with run_context(options, config) as (executor, callbacks):
            summary = resume(options.run, *changes, callbacks.watch, callbacks.say, executor, started=start_spectators)
        if was_finished and not callbacks.generations:  # `resume` has said so, and how the run can continue
            options.quiet = True
        return print_results(options, summary)
