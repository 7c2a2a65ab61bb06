"""Sections of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from evonet.inspection.report.figure import Figure
from evonet.inspection.report.layout import spans
from evonet.inspection.table import Table


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
        parts: data for parts that have their own template: the generations of the first figure, the replay, settings,
            figures of which a switch shows one, episodes of elites after some of the figures.
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
        """The columns of each figure in the page's grid of six; figures of a switch share the first place.

        Episodes of elites have a place among them; then narrow figures have 3 columns, as cells must not be too small.
        """
        widths = [each.columns for each in (*self.parts.get("switch", ())[:1], *self.figures)]
        if "clips" in self.parts:
            widths.insert(self.parts["clips"]["after"], 3)
            widths = [max(3, width) for width in widths]
        return spans(widths)
