"""What a section of the report consists of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from evonet.inspection.report.figure import Figure


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: in a few words.
        head: of the columns.
        rows: cells as text.
        open: whether it is seen at once.
        numbers: whether cells are numbers, to be set flush right, but for the first column.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    open: bool = False
    numbers: bool = True


@dataclass(frozen=True)
class Section:
    """A section.

    Attributes:
        key: of the section, unique in a page.
        title: in a few words.
        lead: paragraphs that say what was found.
        figures: in their order.
        tables: below them.
        notices: what is left out, and why.
        parts: what the template sets in a way of its own: the network's generations, the replay, settings.
    """

    key: str
    title: str
    lead: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    notices: Sequence[str] = ()
    parts: dict[str, Any] = field(default_factory=dict)
