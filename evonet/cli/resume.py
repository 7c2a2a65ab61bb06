"""`evonet resume`: go on with a run that was stopped, as if it never had been; or further with one that is finished."""

from __future__ import annotations

import argparse
import functools
import os
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
)
from evonet.cli.run import add_output_arguments, progress, tell


def add_to(commands: Commands) -> None:
    """Enter the command."""
    resume = commands.add_parser(
        "resume",
        help="go on with a run that was stopped, or further with one that is finished",
        description="Goes on with a run from its last checkpoint. What comes out is, to the last bit, what the run "
        "would have found had it never been stopped. Only stop, checkpoints and evaluation.workers may be set anew: "
        "--set stop.generations=500 takes a finished run further.",
    )
    resume.add_argument("run", type=Path, metavar="RUN", help="a run directory")
    add_override_arguments(resume)
    add_cluster_arguments(resume)
    add_output_arguments(resume)
    resume.set_defaults(command=_resume)


def _resume(options: argparse.Namespace) -> int:
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")  # or it looks through all that is installed for some
    from evonet.experiment.runner import resume, resumed_config

    allow_imports(options.allow_import)
    changes = overrides(options), options.allow_import
    config = resumed_config(options.run, *changes)
    with stdout_kept_for_the_result(), cluster(options) as executor, progress(config, quiet=options.quiet) as watch:
        summary = resume(options.run, *changes, watch, functools.partial(say, options), executor)
    return tell(options, summary)
