"""The registry of algorithms that a config may name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping

from evonet.strategies import STRATEGIES


class Algorithms(MutableMapping[str, type]):
    """Classes by name; an entry given as text `module:Class` is imported on first use."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._entries: dict[str, str | type] = dict(places)

    def __getitem__(self, name: str) -> type:
        entry = self._entries[name]
        if isinstance(entry, str):
            module, _, owner = entry.partition(":")
            entry = getattr(importlib.import_module(module), owner)
        assert isinstance(entry, type)
        return entry

    def __setitem__(self, name: str, entry: str | type) -> None:
        self._entries[name] = entry

    def __delitem__(self, name: str) -> None:
        del self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


ALGORITHMS = Algorithms(
    {"genetic_algorithm": "evonet.genetic_algorithm:GeneticAlgorithm", "nsga2": "evonet.nsga2:NSGA2", **STRATEGIES}
)
