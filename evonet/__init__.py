"""Neuroevolution of small networks on a CPU: fast, reproducible to the bit, honest about its champions.

Names are imported when they are first used, so that `evonet --help` answers without NumPy.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from evonet.version import __version__

if TYPE_CHECKING:
    from evonet import plot as plot
    from evonet.architecture import Architecture as Architecture
    from evonet.champion import Champion as Champion
    from evonet.champion_selection import Validation as Validation
    from evonet.environments.specification import EnvironmentSpec as EnvironmentSpec
    from evonet.environments.wrappers import Wrapper as Wrapper
    from evonet.errors import ConfigError as ConfigError
    from evonet.errors import EnvironmentUnavailable as EnvironmentUnavailable
    from evonet.errors import EvonetError as EvonetError
    from evonet.errors import UnsuitableEnvironment as UnsuitableEnvironment
    from evonet.evaluation.racing import Race as Race
    from evonet.evolution import evolve as evolve
    from evonet.fitness import EpisodeReturn as EpisodeReturn
    from evonet.function_fitness import FunctionFitness as FunctionFitness
    from evonet.function_fitness import NetworkFitness as NetworkFitness
    from evonet.generation import Generation as Generation
    from evonet.genetic_algorithm import GeneticAlgorithm as GeneticAlgorithm
    from evonet.inspection.loaded_run import load_run as load_run
    from evonet.inspection.loaded_study import load_study as load_study
    from evonet.network import NeuralNetwork as NeuralNetwork
    from evonet.nsga2 import NSGA2 as NSGA2
    from evonet.population import Population as Population
    from evonet.progress_bar import progress as progress
    from evonet.running import run as run
    from evonet.running import study as study
    from evonet.scores import Score as Score

_HOMES = {
    "Architecture": "architecture",
    "Champion": "champion",
    "ConfigError": "errors",
    "EnvironmentSpec": "environments.specification",
    "EnvironmentUnavailable": "errors",
    "EpisodeReturn": "fitness",
    "EvonetError": "errors",
    "FunctionFitness": "function_fitness",
    "Generation": "generation",
    "GeneticAlgorithm": "genetic_algorithm",
    "NSGA2": "nsga2",
    "NetworkFitness": "function_fitness",
    "NeuralNetwork": "network",
    "Population": "population",
    "Race": "evaluation.racing",
    "Score": "scores",
    "UnsuitableEnvironment": "errors",
    "Validation": "champion_selection",
    "Wrapper": "environments.wrappers",
    "evolve": "evolution",
    "load_run": "inspection.loaded_run",
    "load_study": "inspection.loaded_study",
    "progress": "progress_bar",
    "run": "running",
    "study": "running",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - strings all


def __getattr__(name: str) -> Any:
    if name == "plot":
        return importlib.import_module("evonet.plot")
    if name not in _HOMES:
        raise AttributeError(f"module 'evonet' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"evonet.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _to_html(value: Any) -> str | None:
    from evonet.inspection.notebook import to_html

    return to_html(value)


def _draw_in_notebooks() -> None:
    """Have a notebook draw runs, champions and so on; what draws them is imported when the first is shown."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    if hasattr(shell, "kernel"):
        formatter = shell.display_formatter.formatters["text/html"]
        for name in ("Champion", "Generation", "NeuralNetwork", "Population"):
            formatter.for_type_by_name(f"evonet.{_HOMES[name]}", name, _to_html)
        formatter.for_type_by_name(f"evonet.{_HOMES['load_run']}", "LoadedRun", _to_html)


_draw_in_notebooks()
