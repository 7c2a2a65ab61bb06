"""`evonet resume`: continue a run that was stopped, or take one that is finished further."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

from evonet.cli.console import (
    Commands,
    add_cluster_arguments,
    add_override_arguments,
    allow_imports,
    cluster,
    overrides,
    say,
    stdout_kept_for_the_result,
    warn_of_workers,
)
from evonet.cli.run import add_output_arguments, progress, tell


def add_to(commands: Commands) -> None:
    """Enter the command."""
    resume = commands.add_parser(
        "resume",
        help="continue a run that was stopped, or take one that is finished further",
        description="Continues a run from its last checkpoint. The result is, to the last bit, that of a run that was "
        "never stopped. Only stop, checkpoints and evaluation.workers can be changed: "
        "--set stop.generations=500 takes a finished run further.",
    )
    resume.add_argument("run", type=Path, metavar="RUN", help="a run directory")
    add_override_arguments(resume)
    add_cluster_arguments(resume)
    add_output_arguments(resume)
    resume.set_defaults(command=_resume)


def _resume(options: argparse.Namespace) -> int:
    from evonet.experiment.runner import resume, resumed_config

    allow_imports(options.allow_import)
    changes = overrides(options), options.allow_import
    config = resumed_config(options.run, *changes)
    warn_of_workers(options, config.settings.evaluation.workers)
    with stdout_kept_for_the_result(), cluster(options) as executor, progress(config, quiet=options.quiet) as watch:
        summary = resume(options.run, *changes, watch, functools.partial(say, options), executor)
    return tell(options, summary)
