"""Who was born in a run, of whom, and by which operators."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evonet.population import NO_PARENT
from evonet.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Ancestor:
    """One individual in a line of descent.

    Attributes:
        individual: its id.
        generation: of its birth.
        parents: ids of its parents, one or two; none at the start.
        operators: names of those that made it.
        fitness: training fitness in its first generation, None if it could not be scored.
        gain: of that over its first parent's; None at the start.
    """

    individual: int
    generation: int
    parents: tuple[int, ...]
    operators: tuple[str, ...]
    fitness: float | None
    gain: float | None = None


@dataclass(frozen=True, eq=False)
class Lineage:
    """Everybody who was born in a run, in the order of their ids, which is that of birth.

    Attributes:
        individuals: ids, `(n,)`, ascending.
        generations: of their birth, `(n,)`.
        parents: ids of their parents, `(n, 2)`; `NO_PARENT` where there is none.
        made_by: whether an operator had a part in making an individual, `(n, operators)`.
        operators: names of these.
        fitness: training fitness in the generation of birth, `(n,)`; NaN for whoever could not be scored.
    """

    individuals: IntArray
    generations: IntArray
    parents: IntArray
    made_by: BoolArray
    operators: tuple[str, ...]
    fitness: FloatArray

    @classmethod
    def read(cls, entries: Iterable[Mapping[str, Any]]) -> Lineage:
        """The lineage that the lines of `lineage.jsonl` tell.

        Raises:
            KeyError, TypeError, ValueError: they tell of none.
        """
        operators: dict[str, int] = {}
        parts = [_born(entry, operators) for entry in entries] or [_nobody()]
        individuals, generations, parents, fitness = (
            np.concatenate([part[field] for part in parts]) for field in ("ids", "generations", "parents", "fitness")
        )
        made_by = np.zeros((len(individuals), len(operators)), dtype=np.bool_)
        start = 0
        for part in parts:
            made_by[start : start + len(part["ids"]), part["columns"]] = part["made_by"]
            start += len(part["ids"])
        order = np.argsort(individuals, kind="stable")
        if (np.diff(individuals[order]) == 0).any():
            raise ValueError("an individual is born twice")
        return cls(
            individuals[order], generations[order], parents[order], made_by[order], tuple(operators), fitness[order]
        )

    def __len__(self) -> int:
        return len(self.individuals)

    def row(self, individual: int) -> int | None:
        """Where an individual stands; None if nobody of that id was born."""
        row = int(np.searchsorted(self.individuals, individual))
        return row if row < len(self) and self.individuals[row] == individual else None

    def individual(self, row: int) -> Ancestor:
        """Whoever stands in a row."""
        fitness = float(self.fitness[row])
        return Ancestor(
            individual=int(self.individuals[row]),
            generation=int(self.generations[row]),
            parents=tuple(int(parent) for parent in self.parents[row] if parent != NO_PARENT),
            operators=tuple(itertools.compress(self.operators, self.made_by[row])),
            fitness=fitness if np.isfinite(fitness) else None,
        )

    def descent(self, individual: int) -> list[Ancestor]:
        """The line of descent by first parents, from the first generation to the individual itself."""
        line: list[Ancestor] = []
        row = self.row(individual)
        while row is not None:
            line.append(self.individual(row))
            parents = line[-1].parents
            row = self.row(parents[0]) if parents and parents[0] < line[-1].individual else None
        return _with_gains(line[::-1])


def _born(entry: Mapping[str, Any], operators: dict[str, int]) -> dict[str, Any]:
    """An entry as arrays; operators that are new get their columns."""
    ids = _whole(entry["ids"])
    bits, names = _whole(entry["operators"]), [str(name) for name in entry["operator_names"]]
    part = {
        "ids": ids,
        "generations": np.full(len(ids), int(entry["generation"])),
        "parents": _whole(entry["parents"]).reshape(len(ids), 2),
        "fitness": np.array(entry["fitness"], dtype=np.float64),  # null becomes NaN
        "columns": [operators.setdefault(name, len(operators)) for name in names],
        "made_by": bits[:, None] >> np.arange(len(names)) & 1 != 0,
    }
    if ids.ndim != 1 or bits.shape != ids.shape or part["fitness"].shape != ids.shape:
        raise ValueError(f"generation {entry['generation']} must tell as much of each of its {len(ids)} newborn")
    return part


def _nobody() -> dict[str, Any]:
    return _born({"generation": 0, "ids": [], "parents": [], "operators": [], "operator_names": [], "fitness": []}, {})


def _whole(numbers: Any) -> IntArray:
    array = np.array(numbers)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"must be whole numbers, got {array.dtype}")
    return array.astype(np.int64)


def _with_gains(line: list[Ancestor]) -> list[Ancestor]:
    found = line[:1]
    for parent, child in itertools.pairwise(line):
        known = parent.fitness is not None and child.fitness is not None
        gain = child.fitness - parent.fitness if known else None  # type: ignore[operator]
        found.append(replace(child, gain=gain))
    return found
