"""The names that a config may use, each with a summary in one line, and the shipped configs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

from evonet.activations import ACTIVATIONS
from evonet.archives import ARCHIVES
from evonet.errors import ConfigError
from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.config.docstrings import summary_of
from evonet.fitness import EpisodeReturn
from evonet.lazy import LazyRegistry
from evonet.operators.registry import OPERATORS
from evonet.operators.schedules import SCHEDULES

Catalogue = dict[str, dict[str, str]]

CONFIG = "config"
"""The kind of the shipped configs."""

_CHOICES: Mapping[str, Mapping[str, str]] = {
    "fitness": {
        "episode_return": summary_of(EpisodeReturn),
        "module:function": "A function of your own, called with genomes and episode seeds.",
    },
    "aggregation": {
        "mean": "The fitness is the mean return of the episodes.",
        "min": "The fitness is the least return of the episodes.",
        "median": "The fitness is the median return of the episodes.",
        "quantile": "The fitness is the quantile of the returns that evaluation.quantile sets.",
    },
    "engine": {
        "auto": "A kernel where there is one for the environment, else the environment itself.",
        "gymnasium": "The environment itself, any that Gymnasium can make.",
        "numpy": "A kernel, many episodes at once in NumPy.",
        "numba": "A kernel, compiled by Numba.",
        "envpool": "EnvPool's C++ environments, for training only: validation and test play Gymnasium's own.",
    },
    "tracking": {
        "tensorboard": "Event files for TensorBoard in the run directory, while the run goes on.",
        "csv": "The table metrics.csv in the run directory: a row for each generation, the last with the test mean.",
        "mlflow": "MLflow: the folder mlflow of the run directory, or the server that MLFLOW_TRACKING_URI names.",
        "wandb": "Weights & Biases, offline in the run directory, for `wandb sync`; WANDB_MODE=online sends at once.",
    },
    "export": {
        "onnx": "The whole policy, from observation to action.",
        "safetensors": "Weights that torch.nn.Sequential loads.",
        "json": "All weights by name, with what each neuron reads and does.",
        "c": "A header in C99, for microcontrollers.",
        "hub": "A folder with a model card for the Hugging Face hub.",
    },
}
"""The names from which other keys of a config, and `evonet export --to`, choose."""


def catalogue() -> Catalogue:
    """The names and their summaries by kind: parts, the choices of other keys, formats of exports, shipped configs."""
    return {
        "algorithm": _summaries(ALGORITHMS),
        **{kind: _summaries(registry) for kind, registry in OPERATORS.items()},
        "schedule": _summaries(SCHEDULES),
        "archive": _summaries(LazyRegistry(ARCHIVES)),
        "activation": {name: activation.summary for name, activation in ACTIVATIONS.items()},
        **{kind: dict(choices) for kind, choices in _CHOICES.items()},
        CONFIG: shipped_configs(),
    }


def shipped_configs() -> dict[str, str]:
    """The names of the configs that are shipped with evonet, each with its first comment."""
    return {path.stem: _first_comment(path) for path in sorted(CONFIG_FOLDER.glob("*.yaml"))}


def _first_comment(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(line[1:].strip() for line in comment if "yaml-language-server" not in line)


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
    package = Path(__file__).parents[2]
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


CONFIG_FOLDER = _config_folder()
"""The folder of the shipped configs."""


def _summaries(registry: Mapping[str, type]) -> dict[str, str]:
    return {name: summary_of(kind) for name, kind in registry.items()}
