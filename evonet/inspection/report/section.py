"""Sections and tables of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from evonet.inspection.report.figure import Figure
from evonet.inspection.report.layout import spans


@dataclass(frozen=True)
class Table:
    """A table, which the reader can collapse.

    Attributes:
        title: title in a few words.
        head: heads of the columns.
        rows: cells as text.
        open: whether the table is expanded at first.
        numbers: whether the cells, except those of the first column, are numbers, which are aligned at the right.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    open: bool = False
    numbers: bool = True


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Attributes:
        key: id of the section, unique in a page.
        title: title in a few words.
        lead: paragraphs that summarise the section.
        figures: figures in their order.
        tables: tables, below the figures.
        notices: parts that are left out, and why.
        parts: data for parts that have their own template: the network's generations, the replay, settings, figures
            of which a switch shows one.
    """

    key: str
    title: str
    lead: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    notices: Sequence[str] = ()
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def spans(self) -> list[int]:
        """The columns of each figure in the page's grid of six; figures of a switch share the first place."""
        first = [each.columns for each in self.parts.get("switch", ())[:1]]
        return spans([*first, *(each.columns for each in self.figures)])
