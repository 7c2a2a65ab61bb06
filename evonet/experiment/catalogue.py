"""The names that a config may use, each with a summary in one line, and the shipped configs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evonet.activations import ACTIVATIONS
from evonet.errors import ConfigError
from evonet.experiment.algorithms import ALGORITHMS
from evonet.operators.registry import OPERATORS
from evonet.operators.schedules import SCHEDULES

Catalogue = dict[str, dict[str, str]]


def catalogue() -> Catalogue:
    """The names and their summaries by kind: algorithms, operators, schedules, activations, shipped configs."""
    return {
        "algorithm": _summaries(ALGORITHMS),
        **{kind: _summaries(registry) for kind, registry in OPERATORS.items()},
        "schedule": _summaries(SCHEDULES),
        "activation": {name: activation.summary for name, activation in ACTIVATIONS.items()},
        "config": shipped_configs(),
    }


def shipped_configs() -> dict[str, str]:
    """The names of the configs that are shipped with evonet, each with its first comment."""
    configs = {}
    for path in sorted(CONFIG_FOLDER.glob("*.yaml")):
        comments = [line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        configs[path.stem] = next(line for line in comments if not line.startswith("yaml-language-server"))
    return configs


def config_path(config: str) -> str:
    """The path of a config, which may be given as a path or as the name of a shipped config; an existing path wins.

    Raises:
        ConfigError: a YAML file in the current folder has the same name as a shipped config.
    """
    shipped = CONFIG_FOLDER / f"{config}.yaml"
    if Path(config).name != config or Path(config).is_file() or not shipped.is_file():
        return config
    beside = Path(f"{config}.yaml")
    if beside.is_file() and not beside.samefile(shipped):
        raise ConfigError(f"{config!r} is a shipped config, and {beside} is a file here; write {beside} or {shipped}")
    return str(shipped)


def _config_folder() -> Path:
    """The folder of the shipped configs: in an installed package, or beside the package in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


CONFIG_FOLDER = _config_folder()
"""The folder of the shipped configs."""


def _summaries(registry: Mapping[str, type]) -> dict[str, str]:
    return {name: (kind.__doc__ or "").strip().partition("\n")[0] for name, kind in registry.items()}
