"""Code that the commands share: exit statuses, messages, and the arguments that name and change a config."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, TextIO, TypeAlias

from evonet.files.text import Paint, printable
from evonet.foreign import absolute
from evonet.shell import allowing

if TYPE_CHECKING:
    from evonet.cluster.executor import Cluster
    from evonet.experiment.config.config import Config

DONE, FAILED, NOT_SOLVED = 0, 1, 3
OUTPUT_LOST, INTERRUPTED, OUTPUT_CLOSED = 74, 130, 141  # as shells report SIGINT (130) and SIGPIPE (141)

CONFIG_HELP = "a YAML file, - for standard input, or the name of a shipped config (`evonet list` has them)"

RUN_HELP = "a run directory, or `last` for the newest run in runs"
RUN_OR_STUDY_HELP = "a directory of a run or a study, or `last` for the newest one in runs"

RUNS_HELP = "directories of runs or studies, or `last`; a label may come first: 'no crossover'=runs/none"

_COLOURS = {"good": "\x1b[32m", "bad": "\x1b[31m", "dim": "\x1b[2m"}
_RESET = "\x1b[0m"
_COMMAND = re.compile(r"(?:^  |[:/ ])(?:evonet|pip) \w+ [^ ]|^  ")  # or a line that is set in, as tables are
_PAINTED = re.compile(r"(\x1b\[(?:0|2|31|32)m)")

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""The object to which each command adds its parser."""


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the config and the options that change its settings."""
    parser.add_argument("config", metavar="CONFIG", help=CONFIG_HELP)
    parser.add_argument("--seed", metavar="N", help="the run's seed, instead of the config's")
    add_override_arguments(parser)


def add_override_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that replace settings of a config or allow its imports."""
    parser.add_argument("--workers", metavar="N|auto", help="worker processes, instead of the config's")
    add_set_arguments(parser)


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that replace single settings of a config or allow its imports."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="set one value of the config; repeatable"
    )
    parser.add_argument(
        "--allow-import",
        action="append",
        default=[],
        metavar="MODULE",
        help="allow the config to import this module, or what is in this package; repeatable",
    )


def add_check_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that leaves out the check at the start."""
    parser.add_argument(
        "--no-check", action="store_true", help="begin without a trial of the environment (a few steps of two episodes)"
    )


def add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a Dask cluster."""
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


def add_allow_import_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that allows imports of the environment in which a champion acts."""
    parser.add_argument(
        "--allow-import",
        action="append",
        default=[],
        metavar="MODULE",
        help="allow the champion's environment to import this module; repeatable",
    )


def whole_number(text: str) -> int:
    """Parse a whole number of at least 0 from the command line."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, got {text!r}")
    return int(text)


def cell(text: str) -> list[float]:
    """Numbers apart by commas, the measures of an archive's cell.

    Raises:
        argparse.ArgumentTypeError: they are no finite numbers.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"must be a number for each measure, such as 0.2,0.9, got {text!r}")
    return numbers


def positive(text: str) -> int:
    """Parse a whole number of at least 1 from the command line."""
    if whole_number(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """Parse a number of seconds from the command line."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


@contextlib.contextmanager
def cluster(options: argparse.Namespace) -> Iterator[Cluster | None]:
    """The Dask cluster that `--dask` names; None without `--dask`."""
    if options.dask is None:
        yield None
        return
    from evonet.cluster.connection import connected
    from evonet.experiment.interruption import interruptible

    with interruptible(), connected(options.dask, options.dask_timeout) as found:
        yield found


def path_to_read(options: argparse.Namespace, path: Path, *, studies: bool = True) -> Path:
    """The path that a command reads, `last` resolved; from now on, the modules of `--allow-import` may be imported.

    Args:
        options: the command's options.
        path: the path as it was typed.
        studies: whether `last` may be a study.

    Raises:
        ConfigError: `path` is `last`, and there is no run.
    """
    from evonet.experiment.run_files.run_finder import resolve_last

    allow_imports(options.allow_import)
    return resolve_last(path, studies=studies)


def load_config(options: argparse.Namespace) -> Config:
    """Load the config that the options name, with their overrides."""
    from evonet.experiment.config.catalogue import config_path
    from evonet.experiment.config.config import Config
    from evonet.experiment.run_files.run_finder import is_run, is_study

    allow_imports(options.allow_import)
    path = config_path(options.config)
    untrusted = is_run(Path(path).parent) or is_study(Path(path).parent)
    config = Config.load(path, overrides(options), options.allow_import, follow_links=not untrusted)
    warn_of_unused_permissions(config, options.allow_import)
    return config


def warn_of_unused_permissions(config: Config, modules: Sequence[str]) -> None:
    """Print a notice about `modules` that may be imported, and that nothing in the config would import."""
    from evonet.environments.imports import is_allowed, module_of
    from evonet.experiment.config.named_parts import imported_names

    named = [module_of(name) for _, name in imported_names(config.document.data)]
    for module in modules:
        if not any(is_allowed(each, [module]) for each in named):
            print_note(f"--allow-import {module} changes nothing: {config.document.name} names nothing of that module")


def config_arguments(options: argparse.Namespace) -> list[str]:
    """The config and the options that change its settings, as words of another command."""
    changes = [("--seed", options.seed), ("--workers", options.workers), *(("--set", each) for each in options.set)]
    words = [word for option, value in changes if value is not None for word in (option, value)]
    return [options.config, *words, *allowing(options.allow_import)]


def overrides(options: argparse.Namespace) -> list[str]:
    """The overrides `key.path=value`, from `--set` and from the options for single settings."""
    replaced = list(options.set)
    replaced += [f"seed={options.seed}"] if getattr(options, "seed", None) is not None else []
    replaced += [f"evaluation.workers={options.workers}"] if getattr(options, "workers", None) is not None else []
    return replaced


def allow_imports(modules: Sequence[str]) -> None:
    """Add the current folder to `sys.path`, if modules are allowed.

    The folder comes last, so that a file `numpy.py` in an untrusted folder does not replace an installed package.
    """
    folder = str(absolute(Path()))
    if modules and folder not in sys.path:
        sys.path.append(folder)


@contextlib.contextmanager
def stdout_kept_for_the_result() -> Iterator[None]:
    """A context in which prints of environments, from Python, C and worker processes, go to stderr."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def wrapped_for(text: str, stream: TextIO) -> str:
    """`text` for `stream`: on a terminal its sentences are wrapped between words; commands stay whole, to be copied."""
    if not stream.isatty():
        return text
    import textwrap

    wrapper = textwrap.TextWrapper(get_terminal_size().columns - 1, break_long_words=False, break_on_hyphens=False)
    return "\n".join(line if _COMMAND.search(line) else wrapper.fill(line) for line in text.split("\n"))


def print_unless_quiet(options: argparse.Namespace, message: str) -> None:
    """Print a message on stderr, unless `--quiet` is given; a closed stderr does not stop a run."""
    if not options.quiet:
        with contextlib.suppress(OSError):
            print_to_stderr(message)


def print_to_stderr(message: str) -> None:
    """Print a message on stderr."""
    print(wrapped_for(printable(message), sys.stderr), file=sys.stderr)


def print_note(message: str) -> None:
    """Print a sentence about the result on stderr."""
    print_to_stderr(f"evonet: {message}")


def painter() -> Paint:
    """Colours for standard output; none if it is no terminal or the variable NO_COLOR is set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return lambda text, _: text
    return lambda text, kind: f"{_COLOURS[kind]}{text}{_RESET}"


def print_painted(text: str) -> None:
    """Print a text that `painter` may have coloured; all other characters that are not printable are escaped."""
    parts = _PAINTED.split(text)  # every second part is a colour
    print("".join(part if place % 2 else printable(part) for place, part in enumerate(parts)), flush=True)
