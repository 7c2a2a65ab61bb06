"""Which versions the bits of a result rest on, here and where else it is computed."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import gymnasium
import numpy as np

from evonet import __version__

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_PHYSICS = ("mujoco", "box2d", "ale-py")  # a step in one version need not be the same in the next
_SOURCE = "evonet's source"


def versions() -> dict[str, str]:
    """Of what a run rests on."""
    return {
        "evonet": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "gymnasium": gymnasium.__version__,
    }


@functools.cache
def identity() -> Mapping[str, str]:
    """The versions, those of physics that are installed, and a digest of evonet's own source."""
    installed = {distribution.name.lower(): distribution.version for distribution in _physics()}
    return {**versions(), **installed, _SOURCE: _digest()}


def skew(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str | None:
    """What differs so much that results might too, in a line; None if nothing does.

    Python's third number does not count, nor does a package that only one side has: where it is needed and missing, its
    environments cannot be made.
    """
    both = {name: (ours[name], theirs[name]) for name in ours if name in theirs}
    differ = {name: pair for name, pair in both.items() if _counting(name, pair[0]) != _counting(name, pair[1])}
    if len(differ) > 1:
        differ.pop(_SOURCE, None)  # of course
    return ", ".join(f"{name} {here} here, {there} there" for name, (here, there) in differ.items()) or None


def _counting(name: str, version: str) -> str:
    return version.rpartition(".")[0] if name == "python" else version


def _physics() -> list[Distribution]:
    return list(filter(None, map(_distribution, _PHYSICS)))


def _distribution(name: str) -> Distribution | None:
    from importlib import metadata  # which reads mail, for only who compares machines

    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _digest() -> str:
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for file in sorted(here.rglob("*.py")):
        digest.update(f"{file.relative_to(here).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
