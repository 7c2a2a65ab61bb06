"""The overview of a study that `evonet study` and `evonet inspect` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonet.files.text import printable
from evonet.inspection.phrases import counted, duration, interval, number, percent, score

_SHOWN_FAILURES = 10
_EFFORT = {
    "evaluations": "evaluations",
    "environment_steps": "environment steps",
    "validation_steps": "validation steps",
    "generations": "generations",
}


def study_overview(study: Mapping[str, Any]) -> str:
    """A study's overview as text of at most 80 columns, unless names are longer.

    Args:
        study: a summary from `study`, or from `LoadedStudy`, whose runs may be unfinished.
    """
    seeds = study["seeds"]
    names = [printable(study["name"], keep=""), study["environment"] or "own fitness function", counted_seeds(seeds)]
    title = " · ".join(names)
    sections = [title, _verdict(study), _test(study["test"]), _time(study)]
    if study["failures"]:
        sections.append(_failures(study["failures"], len(seeds)))
    if study.get("unfinished"):
        sections.append(f"Not finished: {counted_seeds(study['unfinished'])}; the same `evonet study` command resumes.")
    return "\n\n".join(sections)


def ranges(seeds: Sequence[int]) -> str:
    """Seeds as ranges: `0-49, 60` for the numbers from 0 to 49, and 60."""
    spans: list[list[int]] = []
    for seed in sorted(seeds):
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


def counted_seeds(seeds: Sequence[int]) -> str:
    """Seeds with their number, for example `3 seeds (0-1, 7)`."""
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds ({ranges(seeds)})"


def _verdict(study: Mapping[str, Any]) -> str:
    success, reached = study["success"], study["to_success"]
    if success is None:
        return "No target, so no run counts as solved or not solved."
    low, high = success["interval"]
    verdict = (
        f"Solved: {success['solved']} of {success['runs']} runs ({percent(success['rate'])}; 95 % interval "
        f"{percent(low)} to {percent(high)})\nby a test mean of at least {study['target']:g}."
    )
    if not reached["runs"]:
        return verdict
    unsolved = success["runs"] - reached["runs"]
    lines = [verdict, "", f"  {'to success':<18}{'median':>11}  {'quartiles':^23}{'mean':>11}" + _per_success(unsolved)]
    for key, name in _EFFORT.items():
        spread = reached[key]
        quartiles = f"{_figure(spread['lower_quartile']):>10} to {_figure(spread['upper_quartile']):<9}"
        row = f"  {name:<18}{_figure(spread['median']):>11}  {quartiles}{_figure(spread['mean']):>11}"
        lines.append(row + (f"{_figure(spread['per_success']):>12}" if unsolved else ""))
    if unsolved:
        lines.append(
            f"\nMedian, quartiles and mean are those of the {reached['runs']} solved runs. Per success: the\n"
            "total of all runs divided by the number of solved runs."
        )
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return number(value, 4)


def _per_success(unsolved: int) -> str:
    return f"{'per success':>12}" if unsolved else ""


def _test(test: Mapping[str, Any]) -> str:
    if not test["runs"]:
        return "No run is finished."
    return (
        f"Test score ({test['runs']} champions, each on {test['episodes'] or 'no'} fresh episodes):\n"
        f"  interquartile mean {score(test['interquartile_mean'])} (95 % interval {interval(test['interval'])})\n"
        f"  median {score(test['median'])}, quartiles {score(test['lower_quartile'])} to "
        f"{score(test['upper_quartile'])}\n"
        f"  worst {score(test['worst'])} (seed {test['worst_seed']}), best {score(test['best'])} "
        f"(seed {test['best_seed']})"
    )


def _time(study: Mapping[str, Any]) -> str:
    seconds, command = study["seconds"], study.get("this_command")
    if command is not None and not command["runs"]:
        took = "All runs were finished before this command."
    elif command is not None:
        took = f"{counted(command['runs'], 'run')} in {duration(command['seconds'])}, {command['at_once']} in parallel."
    else:
        took = ""
    if seconds["median"] is None:
        return took
    spent = f"A run took {duration(seconds['median'])} (median) on {', '.join(study['engines'])}"
    return f"{spent}; all runs together {duration(seconds['total'])}.\n{took}".rstrip()


def _failures(failures: Sequence[Mapping[str, Any]], runs: int) -> str:
    lines = [f"Failed: {len(failures)} of {runs} runs, counted as not solved; the same command tries again."]
    lines += [f"  seed {failure['seed']}: {_first_line(failure['error'])}" for failure in failures[:_SHOWN_FAILURES]]
    more = len(failures) - _SHOWN_FAILURES
    return "\n".join([*lines, *([f"  … and {more} more, all of them with --json"] if more > 0 else [])])


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
