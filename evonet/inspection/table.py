"""Tables of the pages: of a report, of a comparison, of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table, which the reader can collapse.

    Attributes:
        title: title in a few words.
        head: heads of the columns.
        rows: cells as text.
        open: whether the table is expanded at first.
        numbers: whether the cells, except those of the first column, are numbers, which are aligned at the right.
        note: a paragraph below the table.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    open: bool = False
    numbers: bool = True
    note: str = ""
