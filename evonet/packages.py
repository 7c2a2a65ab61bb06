"""Packages that only some of evonet needs: imported when they are, and missed in words that say how to get them."""

from __future__ import annotations

import importlib
from typing import Any

from evonet.errors import EvonetError


def optional_package(name: str, need: str, extra: str, kind: type[EvonetError] = EvonetError) -> Any:
    """A package of one of evonet's extras, or a module in it.

    Args:
        name: what to import.
        need: what needs it and what it is called, the beginning of the error: "this strategy needs the package cmaes".
        extra: that brings it.
        kind: of the error.

    Raises:
        EvonetError: it is not installed; of that `kind`.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise kind(f"{need}, which is not installed: pip install 'evonet-toolkit[{extra}]'") from error
