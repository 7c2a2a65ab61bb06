"""The archives of runs and studies beside each other: QD score, coverage and best, raw and on held-out episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evonet.experiment.run_files.summaries import ArchiveSummary, read_run_summary
from evonet.inspection.comparison.compared import Compared, mean_over_runs
from evonet.inspection.saved_archive import archive_settings

METRICS = ("qd_score", "coverage", "best")
"""The metrics that are compared."""


@dataclass(frozen=True, eq=False)
class ComparedArchives:
    """The archives of a comparison's runs and studies.

    Attributes:
        measures: the names of the measures, the same for all.
        offset: fitness from which all QD scores count: the lowest offset of all runs.
        sides: for each run or study that has archives, its name and the metrics of its runs.
    """

    measures: tuple[str, ...]
    offset: float
    sides: list[tuple[str, list[ArchiveSummary]]]

    @property
    def data(self) -> dict[str, Any]:
        """The metrics as plain data."""
        return {
            "measures": list(self.measures),
            "offset": self.offset,
            "compared": [self._described(name, summaries) for name, summaries in self.sides],
        }

    def _described(self, name: str, summaries: Sequence[ArchiveSummary]) -> dict[str, Any]:
        corrected = [each["corrected"] for each in summaries if "corrected" in each]
        held_out = self._metrics(summaries, corrected) if len(corrected) == len(summaries) else None
        return {
            "name": name,
            "runs": len(summaries),
            "training": self._metrics(summaries, summaries),
            "held_out": held_out,
            "episodes": min(each["episodes"] for each in corrected) if held_out is not None else None,
        }

    def _metrics(self, summaries: Sequence[ArchiveSummary], metrics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The mean of each metric over runs, and its interval; None where there is none.

        Args:
            summaries: the summary of each run's archive, which has the offset of its QD scores.
            metrics: the metrics of each run, in training or on held-out episodes.
        """
        scores = [
            each["qd_score"] + each["elites"] * (summary["offset"] - self.offset)
            for summary, each in zip(summaries, metrics, strict=True)
        ]
        columns = {"qd_score": scores, **{key: [each[key] for each in metrics] for key in METRICS[1:]}}
        return {key: mean_over_runs(values) for key, values in columns.items()}


def compared_archives(compared: Sequence[Compared]) -> ComparedArchives | None:
    """The archives of those runs and studies that have some; None without any, or if their measures differ.

    Raises:
        ConfigError: a summary cannot be read.
    """
    sides = [(each.name, summaries) for each in compared if (summaries := _summaries(each))]
    measures = {tuple(summary["measures"]) for _, summaries in sides for summary in summaries}
    if len(measures) != 1:
        return None
    offset = min(summary["offset"] for _, summaries in sides for summary in summaries)
    return ComparedArchives(measures.pop(), offset, sides)


def archive_measures(compared: Sequence[Compared]) -> set[tuple[str, ...]]:
    """The different measures of the archives of runs and studies.

    Raises:
        ConfigError: a summary cannot be read.
    """
    return {tuple(summary["measures"]) for each in compared for summary in _summaries(each)}


def _summaries(compared: Compared) -> list[ArchiveSummary]:
    if archive_settings(compared.settings) is None:
        return []
    found = [read_run_summary(path).get("archive") for path in compared.directories]
    return [each for each in found if each is not None]
