"""What the bits of a result depend on beside its config: versions, the processor, the linear algebra library."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

from evonet.linear_algebra import description
from evonet.version import __version__

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_PHYSICS = ("mujoco", "box2d", "ale-py")  # a step in one version need not be the same in the next
_SOURCE = "evonet's source"
_PROCESSORS = Path("/proc/cpuinfo")


def versions() -> dict[str, str]:
    """The versions that every run depends on."""
    return {
        "evonet": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "gymnasium": gymnasium.__version__,
    }


@functools.cache
def environment_versions() -> Mapping[str, str]:
    """The versions, those of the physics engines that are installed, and a digest of evonet's source."""
    installed = {distribution.name.lower(): distribution.version for distribution in _physics()}
    return {**versions(), **installed, _SOURCE: _digest()}


def fingerprint(*, linear_algebra: bool = False) -> dict[str, str]:
    """The versions, the processor, and which of its vector instructions NumPy uses.

    Args:
        linear_algebra: whether the result also depends on the linear algebra library and its kernel.
    """
    configuration: Any = np.show_config(mode="dicts")
    extensions = configuration.get("SIMD Extensions", {})
    used = [*extensions.get("baseline", ()), *extensions.get("found", ())]
    machine = {"processor": _processor(), "vector instructions": " ".join(used)}
    return {**versions(), **machine, **({"linear algebra": description()} if linear_algebra else {})}


def version_mismatch(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str | None:
    """The versions that differ so much that results might too, in a line; None if none does.

    Python's third number does not count, nor does a package that only one side has: without it, the environments that
    need it cannot be made.
    """
    differ = _differing(ours, theirs)
    return ", ".join(f"{name} {here} here, {there} there" for name, (here, there) in differ.items()) or None


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """What differs between two fingerprints, in a line; None if nothing does. What only one of them has is ignored."""
    differ = _differing(before, now)
    return ", ".join(f"{name} {then} → {today}" for name, (then, today) in differ.items()) or None


def _differing(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """By name, what both have and have differently."""
    both = {name: (first[name], second[name]) for name in first if name in second}
    differ = {name: pair for name, pair in both.items() if _significant(name, pair[0]) != _significant(name, pair[1])}
    if len(differ) > 1:
        differ.pop(_SOURCE, None)  # another version has another source
    return differ


def _significant(name: str, version: str) -> str:
    return version.rpartition(".")[0] if name == "python" else version


def _processor() -> str:
    with contextlib.suppress(OSError), _PROCESSORS.open(encoding="utf-8", errors="replace") as file:
        model = re.search(r"^model name\s*: *(.+)$", file.read(4096), re.MULTILINE)
        if model is not None:
            return model[1].strip()
    return platform.machine()


def _physics() -> list[Distribution]:
    return list(filter(None, map(_distribution, _PHYSICS)))


def _distribution(name: str) -> Distribution | None:
    from importlib import metadata  # it imports the standard library's mail package, which few processes need

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
