"""What the commands share: exit statuses, where words go, and the arguments that stand for a config."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from evonet.files.text import printable

if TYPE_CHECKING:
    from evonet.cluster.executor import Cluster
    from evonet.experiment.config import Config

DONE, FAILED, BAD_USAGE, NOT_SOLVED = 0, 1, 2, 3

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a command enters its parser."""


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """The config itself, and what the command line may change of it."""
    parser.add_argument("config", metavar="CONFIG", help="a YAML file; `evonet list` names the shipped ones")
    parser.add_argument("--seed", metavar="N", help="the run's seed, instead of the config's")
    add_override_arguments(parser)


def add_override_arguments(parser: argparse.ArgumentParser) -> None:
    """Settings that replace a config's, and modules that it may import."""
    parser.add_argument("--workers", metavar="N|auto", help="worker processes, instead of the config's")
    add_set_arguments(parser)


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Single settings that replace a config's, and modules that it may import."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="set one value of the config; repeatable"
    )
    parser.add_argument(
        "--allow-import", action="append", default=[], metavar="MODULE", help="allow the config to import this module"
    )


def add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the work is done, if not on this machine."""
    parser.add_argument(
        "--dask",
        metavar="ADDRESS|FILE|local",
        help="on a Dask cluster: the scheduler's tcp://HOST:PORT or tls://HOST:PORT, its scheduler FILE.json, or a "
        "worker for each core, started here",
    )
    parser.add_argument(
        "--dask-timeout",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long there may be no scheduler or no workers (default: 60)",
    )


def seconds(text: str) -> float:
    """A number of seconds, as an argument of the command line."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


@contextlib.contextmanager
def cluster(options: argparse.Namespace) -> Iterator[Cluster | None]:
    """The Dask cluster that the options name, None if they name none."""
    if options.dask is None:
        yield None
        return
    from evonet.cluster.connection import connected
    from evonet.experiment.interruption import interruptible

    with interruptible(), connected(options.dask, options.dask_timeout) as found:
        yield found


def load_config(options: argparse.Namespace) -> Config:
    """The config that the options name, with what they change."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")  # or it looks through all that is installed for some
    from evonet.experiment.config import Config

    allow_imports(options.allow_import)
    return Config.load(options.config, overrides(options), options.allow_import)


def overrides(options: argparse.Namespace) -> list[str]:
    """`key.path=value`, from `--set` and the options that stand for a setting."""
    replaced = list(options.set)
    replaced += [f"seed={options.seed}"] if getattr(options, "seed", None) is not None else []
    replaced += [f"evaluation.workers={options.workers}"] if getattr(options, "workers", None) is not None else []
    return replaced


def allow_imports(modules: Sequence[str]) -> None:
    """Let allowed modules be found in the current folder.

    The folder comes last: a file `numpy.py` in the folder of a stranger's run takes no installed package's place.
    """
    if modules and "" not in sys.path:
        sys.path.append("")


@contextlib.contextmanager
def stdout_kept_for_the_result() -> Iterator[None]:
    """What environments print meanwhile, in Python, in C or in worker processes, goes to stderr."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def say(options: argparse.Namespace, message: str) -> None:
    """A message for the person at the terminal, unless they want quiet."""
    if not options.quiet:
        print(printable(message), file=sys.stderr)
