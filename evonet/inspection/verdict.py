"""The result of a run or of a champion in a few lines of at most 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evonet.champion import Champion
from evonet.environments.specification import EnvironmentSpec
from evonet.experiment.run_files.champion_results import champion_results
from evonet.files.text import Paint, printable
from evonet.inspection.phrases import (
    counted,
    duration,
    number,
    pruning,
    refinement,
    scores,
    shortened,
    title,
    verdict_sentence,
)

COLUMNS = 80


def plain(text: str, _: str) -> str:
    """The text without colours."""
    return text


def run_verdict(summary: Mapping[str, Any], paint: Paint = plain) -> str:
    """A run's result in at most nine lines: its scores and the target, pruning, refinement, effort and place."""
    word = _word(summary)
    if summary["champion"] is None:
        lines = [f"  {verdict_sentence(summary)}"]
    else:
        lines = _table(scores(summary), summary["target"], paint)
    steps = summary["environment_steps"] + summary["validation_steps"]
    ended = f"; stopped by {summary['stopped_by']}" if summary["finished"] else " so far"
    took = f"{counted(summary['generations'], 'generation')}, {counted(steps, 'step')}{ended}"
    if "pruning" in summary:
        lines.append(f"  {'pruned':<10}  {shortened(pruning(summary), COLUMNS - 14)}")
    if "refinement" in summary:
        lines.append(f"  {'refined':<10}  {shortened(refinement(summary), COLUMNS - 14)}")
    lines.append(f"  {'took':<10}  {duration(summary['seconds'])}, {took}")
    lines.append(f"  {'saved in':<10}  {printable(summary['run_directory'], keep='')}")
    return "\n".join([_heading(word, title(summary), paint), *lines])


def champion_verdict(champion: Champion, path: str | Path, target: float | None, paint: Paint = plain) -> str:
    """The result of the champion in the file or run directory `path`: its scores, and whether it reached `target`."""
    environment = champion.task.environment if champion.task is not None else None
    name = environment.id if isinstance(environment, EnvironmentSpec) else "own environment or fitness function"
    summary = champion_results(champion, target)
    lines = _table(scores(summary), target, paint)
    if champion.edited:
        lines.insert(0, "  Its weights were changed after it was scored, so it has no scores.")
    return "\n".join([_heading(_word({**summary, "finished": True}), f"{path} · {name}", paint), *lines])


_COLOURS = {"Solved": "good", "Not solved": "bad", "No champion": "bad", "Not tested": "bad"}


def _word(summary: Mapping[str, Any]) -> str:
    champion = summary["champion"]
    if not summary["finished"]:
        return "Unfinished"
    if champion is None:
        return "No champion"
    if not champion["test_episodes"]:
        return "Not tested"
    if summary["target"] is None:
        return "Tested"
    return "Solved" if summary["solved"] else "Not solved"


def _heading(word: str, name: str, paint: Paint) -> str:
    return f"{paint(word, _COLOURS.get(word, 'dim'))}  {shortened(name, COLUMNS - 2 - len(word))}"


def _table(rows: list[tuple[str, str, str]], target: float | None, paint: Paint) -> list[str]:
    """Lines with name, value and description of each score, and of the target after the test."""
    if target is not None:
        after = 1 if rows and rows[0][0] == "test" else 0
        rows = [*rows[:after], ("target", number(target), ""), *rows[after:]]
    width = max((len(value) for _, value, _ in rows), default=0)
    lines = []
    for name, value, what in rows:
        described = f"  {paint(shortened(what, COLUMNS - 16 - width), 'dim')}" if what else ""
        lines.append(f"  {name:<10}  {f'{value:<{width}}' if what else value}{described}")
    return lines
