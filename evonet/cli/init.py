"""`evonet init`: write a commented config for an environment."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from evonet.cli.console import DONE, Commands, allow_imports, stdout_kept_for_the_result
from evonet.errors import ConfigError
from evonet.shell import allowing, command

_STANDARD_OUTPUT = Path("-")


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    init = commands.add_parser(
        "init",
        help="write a commented config for an environment",
        description="Writes a config for an environment, with sizes that fit its spaces and a comment on each key.",
    )
    init.add_argument("environment", metavar="ENV", help="a registered id, module:Id-v0 or module:Class")
    init.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="where to (default: the environment's name.yaml); - prints it",
    )
    init.add_argument(
        "--allow-import",
        action="append",
        default=[],
        metavar="MODULE",
        help="allow this module to be imported, besides the one in ENV; repeatable",
    )
    init.set_defaults(command=_init)


def _init(options: argparse.Namespace) -> int:
    from evonet.environments.imports import is_allowed, module_of
    from evonet.experiment.config.template import template

    module = module_of(options.environment)
    if module and not is_allowed(module, options.allow_import):
        options.allow_import = [*options.allow_import, module]  # typing its name allows it
    allow_imports(options.allow_import)
    path = options.file or Path(f"{_file_name(options.environment)}.yaml")
    if path == _STANDARD_OUTPUT:
        with stdout_kept_for_the_result():
            text = template(options.environment, "FILE", options.allow_import)
        sys.stdout.write(text)
        return DONE
    if path.exists():
        raise ConfigError(f"{path} exists already; name another FILE, or remove it")
    with stdout_kept_for_the_result():
        text = template(options.environment, str(path), options.allow_import)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    print(f"written: {path}")
    flags = allowing(options.allow_import)
    print(f"check it: {command('evonet', 'check', path, *flags)}\nrun it: {command('evonet', 'run', path, *flags)}")
    return DONE


def _file_name(environment: str) -> str:
    """The name of an environment as a file's: `MyGame` becomes `my_game`, `ALE/Pong-v5` `pong`."""
    name = re.sub(r"-v\d+$", "", re.split(r"[:/]", environment)[-1])
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", words).strip("_").lower() or "config"
