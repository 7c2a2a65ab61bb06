"""The registry of algorithms that a config may name."""

from __future__ import annotations

from evonet.lazy import LazyRegistry
from evonet.strategies import STRATEGIES

ALGORITHMS = LazyRegistry(
    {"genetic_algorithm": "evonet.genetic_algorithm:GeneticAlgorithm", "nsga2": "evonet.nsga2:NSGA2", **STRATEGIES}
)
