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


def number(value: float | None, digits: int = 5) -> str:
    """A number for people; a dash where there is none, and a true minus sign."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "–"
    if value in (float("inf"), float("-inf")):
        return "failed"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:,.{digits}g}".replace("-", "−")


def percent(share: float, digits: int = 0) -> str:
    """A share of all."""
    return f"{100 * share:.{digits}f} %"


def counted(count: int, noun: str) -> str:
    """`1 episode`, `1,000 episodes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
