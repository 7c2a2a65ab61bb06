"""All that a config may name, with a line each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import evonet
from evonet.activations import ACTIVATIONS
from evonet.experiment.algorithms import ALGORITHMS
from evonet.operators.registry import OPERATORS
from evonet.operators.schedules import SCHEDULES

Catalogue = dict[str, dict[str, str]]


def catalogue() -> Catalogue:
    """Names and their lines by kind: algorithms, operators, schedules, activations, shipped configs."""
    return {
        "algorithm": _summaries(ALGORITHMS),
        **{kind: _summaries(registry) for kind, registry in OPERATORS.items()},
        "schedule": _summaries(SCHEDULES),
        "activation": {name: activation.summary for name, activation in ACTIVATIONS.items()},
        "config": shipped_configs(),
    }


def shipped_configs() -> dict[str, str]:
    """The configs that come with evonet: their paths and first comments."""
    configs = {}
    for path in sorted(_config_folder().glob("*.yaml")):
        comments = [line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        configs[_as_typed(path)] = next(line for line in comments if not line.startswith("yaml-language-server"))
    return configs


def _config_folder() -> Path:
    """Inside the package where it was installed, beside it in a checkout."""
    package = Path(evonet.__file__).parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def _as_typed(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _summaries(registry: Mapping[str, type]) -> dict[str, str]:
    return {name: (kind.__doc__ or "").strip().partition("\n")[0] for name, kind in registry.items()}
