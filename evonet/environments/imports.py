"""The modules that a specification may import: an import runs code, so the user allows each module by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from evonet.environments.packages import package_hint
from evonet.shell import allowing, command


def module_of(name: str) -> str:
    """The module in `module:Name`; "" if the name has none."""
    return name.rpartition(":")[0]


def is_allowed(module: str, allowed: Iterable[str]) -> bool:
    """Whether a module, or a package that it is part of, is among the `allowed` ones."""
    return any(module == package or module.startswith(f"{package}.") for package in allowed)


def import_refusal(names: Sequence[str], allowed: Collection[str]) -> str | None:
    """The error about names whose modules nobody allowed to be imported; None if there are no such names.

    Args:
        names: texts `module:Name`.
        allowed: modules that may be imported.
    """
    missing = {name: module_of(name) for name in names if not is_allowed(module_of(name), allowed)}
    if not missing:
        return None
    for name, module in missing.items():
        if "-" in module:
            return f"{name!r} {package_hint(module)}"
    wanted = list(dict.fromkeys(missing.values()))
    needed = [module for module in wanted if not is_allowed(module, set(wanted) - {module})]
    several = len(wanted) > 1
    return (
        f"{_listed([repr(name) for name in missing])} would import the module{'s' if several else ''} "
        f"{_listed([repr(module) for module in wanted])}, which runs {'their' if several else 'its'} code; "
        f"to allow that, add {command(*allowing(needed))}, or in Python allow_imports={needed}"
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
