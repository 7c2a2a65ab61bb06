"""Optional imports, with an install hint where a package is missing."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from evonet.errors import EvonetError
from evonet.shell import command

DISTRIBUTION = "evonet-toolkit"
_CHECKOUT = Path(__file__).parents[1]


def optional_package(name: str, need: str, extra: str, kind: type[EvonetError] = EvonetError) -> Any:
    """Import a package of one of evonet's extras, or a module in such a package.

    Args:
        name: what to import.
        need: what needs the package, and the package: "this strategy needs the package cmaes".
        extra: brings the package.
        kind: class of the error.

    Raises:
        EvonetError: the package is not installed; of that `kind`.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise kind(f"{need}, which is not installed: {install_hint(extra)}") from error


def pandas_for(caller: str) -> Any:
    """Import pandas, which no extra brings, for the method `caller`.

    Raises:
        EvonetError: pandas is not installed.
    """
    try:
        return importlib.import_module("pandas")
    except ImportError as error:
        raise EvonetError(f"{caller} needs pandas, which is not installed: pip install pandas") from error


def install_hint(extra: str) -> str:
    """The command that installs an extra, which works although no package index has evonet.

    In a checkout it installs the checkout with the extra; elsewhere it names the extra's own packages.
    """
    if (_CHECKOUT / "pyproject.toml").is_file():
        here = "." if Path.cwd() == _CHECKOUT else str(_CHECKOUT)
        return command("pip", "install", "-e", f"{here}[{extra}]")
    return command("pip", "install", *(_requirements(extra) or [f"{DISTRIBUTION}[{extra}]"]))


def _requirements(extra: str) -> list[str]:
    """The requirements that the installed distribution's metadata has for an extra."""
    from importlib import metadata  # it imports the standard library's mail package, which few processes need

    try:
        every = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    split = [line.partition(";") for line in every]
    return [line.strip() for line, _, marker in split if re.search(rf"extra == ['\"]{extra}['\"]", marker)]
