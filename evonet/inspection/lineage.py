"""The lineage of a run: each individual's birth, parents and operators."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evonet.experiment.run_files.journal_lines import Births
from evonet.extras import pandas_for
from evonet.population import NO_PARENT
from evonet.types import BoolArray, FloatArray, IntArray

_PARENTS = ("first_parent", "second_parent")
_NO_BIRTHS = Births(
    0, np.empty(0, np.int64), np.empty((0, 2), np.int64), np.empty(0, np.int64), (), np.empty(0, np.float64)
)


@dataclass(frozen=True)
class Ancestor:
    """One individual in a line of descent.

    Attributes:
        individual: id of the individual.
        generation: generation of birth.
        parents: ids of the individual's one or two parents; empty in the first generation.
        operators: names of the operators that made the individual.
        fitness: training fitness in the generation of birth; None if the individual could not be scored.
        gain: the individual's fitness minus its first parent's; None in the first generation, or if one is unknown.
    """

    individual: int
    generation: int
    parents: tuple[int, ...]
    operators: tuple[str, ...]
    fitness: float | None
    gain: float | None = None


@dataclass(frozen=True, eq=False)
class Lineage:
    """All individuals of a run, in the order of their births.

    Attributes:
        individuals: ids, `(n,)`, ascending.
        generations: generations of birth, `(n,)`.
        parents: ids of the parents, `(n, 2)`; `NO_PARENT` for a missing parent.
        made_by: whether an operator made or changed an individual, `(n, operators)`.
        operators: names of the operators.
        fitness: training fitness in the generation of birth, `(n,)`; NaN for an individual that could not be scored.
    """

    individuals: IntArray
    generations: IntArray
    parents: IntArray
    made_by: BoolArray
    operators: tuple[str, ...]
    fitness: FloatArray

    @classmethod
    def of(cls, lines: Iterable[Births]) -> Lineage:
        """The lineage from the lines of a run's `lineage.jsonl`.

        Raises:
            ValueError: two lines have an individual with the same id.
        """
        parts = [*lines, _NO_BIRTHS]
        individuals = np.concatenate([part.ids for part in parts])
        generations = np.repeat([part.generation for part in parts], [len(part.ids) for part in parts])
        parents = np.concatenate([part.parents for part in parts])
        fitness = np.concatenate([part.fitness for part in parts])
        operators: dict[str, int] = {}
        for part in parts:
            for name in part.operator_names:
                operators.setdefault(name, len(operators))
        made_by = np.zeros((len(individuals), len(operators)), dtype=np.bool_)
        start = 0
        for part in parts:
            rows = slice(start, start + len(part.ids))
            for bit, name in enumerate(part.operator_names):
                made_by[rows, operators[name]] = part.operators >> bit & 1 != 0
            start = rows.stop
        order = np.argsort(individuals, kind="stable")
        duplicates = individuals[order][1:][np.diff(individuals[order]) == 0]
        if duplicates.size:
            raise ValueError(f"duplicate id {duplicates[0]}")
        return cls(
            individuals[order], generations[order], parents[order], made_by[order], tuple(operators), fitness[order]
        )

    def __len__(self) -> int:
        return len(self.individuals)

    def __repr__(self) -> str:
        return f"<Lineage of {len(self):,} individuals>"

    def frame(self) -> Any:
        """The lineage as a pandas DataFrame: a row for each individual, with its parents, operators and fitness.

        Raises:
            EvonetError: pandas is not installed.
        """
        pandas = pandas_for("Lineage.frame")
        parents = {name: pandas.array(self.parents[:, place], "Int64") for place, name in enumerate(_PARENTS)}
        for column in parents.values():
            column[column == NO_PARENT] = None
        operators = [" + ".join(itertools.compress(self.operators, row)) for row in self.made_by.tolist()]
        born = {"individual": self.individuals, "generation": self.generations}
        return pandas.DataFrame({**born, **parents, "operators": operators, "fitness": self.fitness})

    def row(self, individual: int) -> int | None:
        """The row of an individual; None if no individual has this id."""
        row = int(np.searchsorted(self.individuals, individual))
        return row if row < len(self) and self.individuals[row] == individual else None

    def individual(self, row: int) -> Ancestor:
        """The individual at a row of the lineage."""
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


def _with_gains(line: list[Ancestor]) -> list[Ancestor]:
    found = line[:1]
    for parent, child in itertools.pairwise(line):
        known = parent.fitness is not None and child.fitness is not None
        gain = child.fitness - parent.fitness if known else None  # type: ignore[operator]
        found.append(replace(child, gain=gain))
    return found
