"""Comparisons of runs or studies: rank tests, effect sizes, and a verdict in words on each pair.

`compared.py` reads the runs and studies, `verdicts.py` tests each pair, `curves.py` computes curves; `archives.py` and
`fronts.py` compare archives and Pareto fronts. `overview.py` is the text of `evonet compare`, `page.py` its page, with
the figures of `figures.py` and `archive_figures.py`; `archive_tables.py` has tables of archives and fronts for both.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evonet.errors import ConfigError
from evonet.experiment.config.config import with_defaults
from evonet.experiment.config.differences import differences
from evonet.inspection.comparison.archives import ComparedArchives, archive_measures, compared_archives
from evonet.inspection.comparison.compared import Compared, read_compared
from evonet.inspection.comparison.fronts import ComparedFronts, compared_fronts
from evonet.inspection.comparison.verdicts import Verdict, adjust_for_pairs, compare_evaluations, compare_scores
from evonet.statistics import Statistic, bootstrap_interval, interquartile_mean, mean, median, wilson_interval
from evonet.types import FloatArray

_NOT_SETTINGS = ("name",)


class Comparison:
    """A comparison of runs or studies; a single one has results, but no verdicts.

    If a study is among them, the values that are compared are test scores of seeds; otherwise they are the returns of
    the test episodes of the runs' champions.

    Args:
        paths: directories of runs and studies, or texts `LABEL=PATH`.

    Raises:
        ConfigError: there is no directory, or one holds neither a finished run nor a study.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        if not paths:
            raise ConfigError("a comparison must get at least one directory")
        self.compared = read_compared(paths)
        self.of_seeds = any(each.kind == "study" for each in self.compared)

    def scores(self, each: Compared) -> FloatArray:
        """The scores that are compared: test means of champions if a study is among them, else a champion's returns."""
        return each.test_means if self.of_seeds else each.returns

    @property
    def statistic(self) -> Statistic:
        """The statistic that summarises scores."""
        return interquartile_mean if self.of_seeds else mean

    @property
    def environments(self) -> list[str]:
        """The different environments of the runs and studies."""
        return list(dict.fromkeys(each.environment or "own function" for each in self.compared))

    @cached_property
    def settings(self) -> dict[str, list[Any]]:
        """The settings that differ, with the value of each run or study."""
        configs = [each.settings for each in self.compared]
        with contextlib.suppress(ConfigError):  # a config that this version cannot complete is compared as it is
            configs = [with_defaults(config) for config in configs]
        return differences(configs, ignored=(*_NOT_SETTINGS, "seed") if self.of_seeds else _NOT_SETTINGS)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """The verdicts on each pair: on test scores and, if studies are compared, on evaluations to success.

        Pairs in different environments have none, because their scores are not comparable.

        Raises:
            EvonetError: SciPy is not installed.
        """
        found: list[Verdict] = []
        pairs = [(a, b) for a, b in itertools.combinations(self.compared, 2) if a.environment == b.environment]
        values = "seeds" if self.of_seeds else "episodes"
        if self.of_seeds and all(each.target is not None for each in self.compared):
            verdicts = [compare_evaluations(a.name, b.name, a.evaluations, b.evaluations) for a, b in pairs]
            found += adjust_for_pairs(verdicts, values)
        scores = {each.name: self.scores(each) for each in self.compared if self.scores(each).size}
        scored = [(a.name, b.name) for a, b in pairs if a.name in scores and b.name in scores]
        verdicts = [compare_scores(a, b, scores[a], scores[b], self.statistic) for a, b in scored]
        return found + adjust_for_pairs(verdicts, values)

    @cached_property
    def archives(self) -> ComparedArchives | None:
        """The archives of runs and studies that have some; None without any, or if their measures differ.

        Raises:
            ConfigError: a summary cannot be read.
        """
        return compared_archives(self.compared)

    @cached_property
    def fronts(self) -> ComparedFronts | None:
        """The Pareto fronts of runs and studies that have some; None without any, or if their objectives differ.

        Raises:
            ConfigError: a checkpoint cannot be read.
        """
        return compared_fronts(self.compared)

    @cached_property
    def notes(self) -> list[str]:
        """Notes on the limits of the verdicts."""
        notes = []
        environments = self.environments
        if len(environments) > 1:
            notes.append(
                f"The environments differ ({', '.join(environments)}): scores of different tasks are not comparable, "
                "so only results in the same environment are tested against each other."
            )
        if not self.of_seeds:
            notes.append(
                "These are single runs: the tests compare champions on their test episodes, not configs, "
                "whose results differ from seed to seed. To compare configs, compare studies of them (evonet study)."
            )
        elif any(each.kind == "run" for each in self.compared):
            notes.append("A run that is compared with a study counts as a study of one seed.")
        targets = ["none" if each.target is None else f"{each.target:g}" for each in self.compared]
        if len(set(targets)) > 1 and len(environments) == 1:
            notes.append(f"The targets differ ({', '.join(targets)}), so the evaluations to success do not compare.")
        if self.of_seeds and any(0 < each.solved < len(each.evaluations) for each in self.compared):
            notes.append("An unsolved run ranks behind all solved runs, however many evaluations it took.")
        if len(archive_measures(self.compared)) > 1:
            notes.append("The archives are over different measures, so their QD scores do not compare.")
        notes += [
            f"Failed runs of {each.name}: {each.failures}; they have no test score and count as not solved."
            for each in self.compared
            if each.failures
        ]
        notes += [f"{each.name} has no test scores." for each in self.compared if not self.scores(each).size]
        return notes

    @cached_property
    def data(self) -> dict[str, Any]:
        """The comparison as plain data."""
        names = [each.name for each in self.compared]
        return {
            "of": "seeds" if self.of_seeds else "episodes",
            "compared": [self._described(each) for each in self.compared],
            "settings": {key: dict(zip(names, values, strict=True)) for key, values in self.settings.items()},
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            **({} if self.archives is None else {"archives": self.archives.data}),
            **({} if self.fronts is None else {"fronts": self.fronts.data}),
            "notes": self.notes,
        }

    def _described(self, each: Compared) -> dict[str, Any]:
        scores = self.scores(each)
        runs = len(each.evaluations)
        solved = each.evaluations[np.isfinite(each.evaluations)]
        return {
            "name": each.name,
            "path": str(each.path),
            "kind": each.kind,
            "environment": each.environment,
            "target": each.target,
            "runs": runs,
            "solved": None if each.target is None else each.solved,
            "solved_interval": None if each.target is None else wilson_interval(each.solved, runs),
            "evaluations_to_success": float(median(solved)) if solved.size else None,
            "test_score": float(self.statistic(scores)) if scores.size else None,
            "test_interval": bootstrap_interval(self.statistic, scores) if scores.size else None,
            "test_median": float(median(scores)) if scores.size else None,
        }
