"""Packages that environments need: what to install, and what their modules are called."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import gymnasium as gym

from evonet.errors import EnvironmentUnavailable, EvonetError
from evonet.extras import install_hint
from evonet.foreign import ANY_ERROR, INTERRUPTS, described, no_arguments

_EXTRAS = {
    "Box2D": "box2d",
    "box2d": "box2d",
    "mujoco": "mujoco",
    "MuJoCo": "mujoco",
    "pygame": "classic",
}

_MISSING_ARGUMENT = re.compile(r"missing \d+ required (positional|keyword-only) argument")


@contextlib.contextmanager
def making(what: str) -> Iterator[None]:
    """A context in which what foreign code raises becomes an error `{what} cannot be made: …`, with what to install.

    Raises:
        EnvironmentUnavailable: instead of an error that is not evonet's.
    """
    try:
        with no_arguments():
            yield
    except (EvonetError, *INTERRUPTS):
        raise
    except ANY_ERROR as error:
        message = f"{what} cannot be made: {described(error)}"
        extra = next((extra for sign, extra in _EXTRAS.items() if sign in str(error)), None)
        if extra and isinstance(error, gym.error.DependencyNotInstalled | ModuleNotFoundError):
            message += f"\ninstall it with: {install_hint(extra)}"
        if _MISSING_ARGUMENT.search(str(error)):
            message += "; arguments stand in kwargs"
        raise EnvironmentUnavailable(message) from error


def package_hint(package: str) -> str:
    """The end of an error about a name `package:…` whose first part is no module, but the name of a package."""
    return f"must begin with the name of a module, got that of a package; did you mean {_module_in(package)!r}?"


def _module_in(package: str) -> str:
    """The module that a package installs; for one that is not installed, the usual name."""
    from importlib import metadata  # it imports the standard library's mail package, which few processes need

    usual = package.replace("-", "_")
    installed = sorted(
        module
        for module, packages in metadata.packages_distributions().items()
        if _normalised(package) in map(_normalised, packages) and not module.startswith("_")
    )
    return installed[0] if installed and usual not in installed else usual


def _normalised(package: str) -> str:
    """The name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", package).lower()
