"""`evonet check`: check a config before a long run."""

from __future__ import annotations

import argparse
import sys

from evonet.cli.console import (
    DONE,
    FAILED,
    Commands,
    add_config_arguments,
    config_arguments,
    load_config,
    stdout_kept_for_the_result,
    wrapped_for,
)
from evonet.files.text import printable
from evonet.shell import command


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    check = commands.add_parser("check", help="check a config and its environment before a long run")
    add_config_arguments(check)
    check.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    from evonet.experiment.check import check_config

    levels = []
    findings = check_config(load_config(options))
    while True:
        with stdout_kept_for_the_result():
            finding = next(findings, None)
        if finding is None:
            break
        levels.append(finding.level)
        print(wrapped_for(printable(f"{finding.level}: {finding.message}"), sys.stdout), flush=True)
    if "error" in levels:
        print("Not OK: repair the errors first.")
        return FAILED
    warned = levels.count("warning")
    warnings = f", with {warned} warning{'s' if warned > 1 else ''}" if warned else ""
    print(f"OK{warnings}. Run it with: {command('evonet', 'run', *config_arguments(options))}")
    return DONE
