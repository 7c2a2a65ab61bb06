"""The command line. Each command imports what it needs, when it runs."""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonet.errors import ConfigError, EvonetError

if TYPE_CHECKING:
    from evonet.evolution import Generation
    from evonet.experiment.config import Config

DONE, FAILED, BAD_USAGE, NOT_SOLVED, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows no "ü" shows "?"
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except EvonetError as error:
        print(f"evonet: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("evonet: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        with contextlib.suppress(OSError):
            sys.stdout.close()
        return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evonet", description="Evolve small neural networks for Gymnasium environments, and see what was found."
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="run an experiment from a YAML config")
    _add_config(run)
    run.add_argument("--output", type=Path, metavar="DIR", help="the run directory (default: a new one below runs/)")
    run.add_argument("--quiet", action="store_true", help="no progress bar, no account")
    run.add_argument("--json", action="store_true", help="print the summary as one JSON document")
    run.add_argument("--require-solved", action="store_true", help="exit with 3 if the target was not reached")
    run.set_defaults(command=_run)

    inspect = commands.add_parser("inspect", help="what a run found: its champion, scores, weights and ancestors")
    inspect.add_argument("run", metavar="RUN", help="a run directory")
    inspect.add_argument("--json", action="store_true", help="print the account as one JSON document")
    inspect.set_defaults(command=_inspect)

    check = commands.add_parser("check", help="try a config out before a long run")
    _add_config(check)
    check.set_defaults(command=_check)

    schema = commands.add_parser("schema", help="write the JSON Schema of a config, for editors")
    schema.add_argument("--output", type=Path, metavar="FILE", help="where to (default: standard output)")
    schema.set_defaults(command=_schema)

    listing = commands.add_parser("list", help="operators, algorithms, activations and shipped configs")
    listing.add_argument("--json", action="store_true", help="print them as one JSON document")
    listing.set_defaults(command=_list)
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="a YAML file; `evonet list` names the shipped ones")
    parser.add_argument("--seed", metavar="N", help="the run's seed, instead of the config's")
    parser.add_argument("--workers", metavar="N|auto", help="worker processes, instead of the config's")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="set one value of the config; repeatable"
    )
    parser.add_argument(
        "--allow-import", action="append", default=[], metavar="MODULE", help="allow the config to import this module"
    )


def _load(options: argparse.Namespace) -> Config:
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")  # or it looks through all that is installed for some
    from evonet.experiment.config import Config

    overrides = list(options.set)
    overrides += [f"seed={options.seed}"] if options.seed is not None else []
    overrides += [f"evaluation.workers={options.workers}"] if options.workers is not None else []
    if options.allow_import and "" not in sys.path:
        sys.path.insert(0, "")  # modules beside the person who allowed them, as `python -m` has it
    return Config.load(options.config, overrides, options.allow_import)


def _run(options: argparse.Namespace) -> int:
    from evonet.experiment.run_directory import to_json
    from evonet.experiment.runner import run

    config = _load(options)
    with _stdout_kept_for_the_result(), _progress(config, quiet=options.quiet) as watch:
        summary = run(config, options.output, watch, functools.partial(_say, options))
    if options.json:
        print(to_json(summary, indent=2))
    elif not options.quiet:
        from evonet.inspection.account import account
        from evonet.inspection.finished_run import FinishedRun

        print(account(FinishedRun(summary["run_directory"])))
    _say(options, f"\nlook at it again: evonet inspect {summary['run_directory']}")
    return NOT_SOLVED if options.require_solved and not summary["solved"] else DONE


def _inspect(options: argparse.Namespace) -> int:
    from evonet.experiment.run_directory import to_json
    from evonet.inspection.account import account, account_data
    from evonet.inspection.finished_run import FinishedRun

    run = FinishedRun(options.run)
    print(to_json(account_data(run), indent=2) if options.json else account(run))
    return DONE


def _check(options: argparse.Namespace) -> int:
    from evonet.experiment.check import check_config

    with _stdout_kept_for_the_result():
        findings = check_config(_load(options))
    for finding in findings:
        print(f"{finding.level}: {finding.message}")
    wrong = any(finding.level == "error" for finding in findings)
    print("not fit to run" if wrong else f"fit to run: evonet run {options.config}")
    return FAILED if wrong else DONE


def _schema(options: argparse.Namespace) -> int:
    from evonet.experiment.config import json_schema

    text = json.dumps(json_schema(), indent=2) + "\n"
    if options.output is None:
        sys.stdout.write(text)
        return DONE
    try:
        options.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{options.output}: cannot be written: {error.strerror}") from error
    return DONE


def _list(options: argparse.Namespace) -> int:
    from evonet.experiment.catalogue import catalogue

    entries = catalogue()
    if options.json:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
        return DONE
    for kind, names in entries.items():
        width = max(map(len, names))
        print(f"{kind}")
        for name, line in names.items():
            print(f"  {name:<{width}}  {line}")
    return DONE


@contextlib.contextmanager
def _stdout_kept_for_the_result() -> Iterator[None]:
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


@contextlib.contextmanager
def _progress(config: Config, *, quiet: bool) -> Iterator[Callable[[Generation, float], None]]:
    """A bar on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from tqdm import tqdm

    stop: Any = config.settings.stop
    with tqdm(total=stop.generations, unit="gen", desc=config.settings.name, dynamic_ncols=True) as bar:

        def watch(generation: Generation, seconds: float) -> None:
            champion = generation.champion
            steps = generation.environment_steps + generation.validation_steps
            finite = generation.fitness[generation.fitness > float("-inf")]
            bar.set_postfix_str(
                f"best {generation.fitness.max():.4g}, mean {finite.mean() if finite.size else float('nan'):.4g}, "
                f"validation {champion.validation.mean if champion and champion.validation else float('nan'):.4g}, "
                f"{steps / max(seconds, 1e-9):,.0f} steps/s",
                refresh=False,
            )
            bar.update()

        yield watch


def _say(options: argparse.Namespace, message: str) -> None:
    if not options.quiet:
        print(message, file=sys.stderr)


def _version() -> str:
    from evonet import __version__

    return f"evonet {__version__}"
