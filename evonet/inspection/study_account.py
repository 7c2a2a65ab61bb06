"""The summary of a study that `evonet study` and `evonet inspect` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonet.files.text import printable
from evonet.inspection.phrases import interval, number, percent, score

_SHOWN_FAILURES = 10
_EFFORT = {
    "evaluations": "evaluations",
    "environment_steps": "environment steps",
    "validation_steps": "validation steps",
    "generations": "generations",
}


def study_account(study: Mapping[str, Any]) -> str:
    """A study's summary as text of at most 120 columns, unless names are longer."""
    seeds = study["seeds"]
    title = (
        f"{printable(study['name'], keep='')} · {study['environment'] or 'own fitness function'} · {_counted(seeds)}"
    )
    sections = [title, _verdict(study), _test(study["test"]), _time(study)]
    if study["failures"]:
        sections.append(_failures(study["failures"], len(seeds)))
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


def _counted(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds ({ranges(seeds)})"


def _verdict(study: Mapping[str, Any]) -> str:
    success, reached = study["success"], study["to_success"]
    if success is None:
        return "No target, so no run counts as solved or not solved."
    low, high = success["interval"]
    verdict = (
        f"Solved: {success['solved']} of {success['runs']} runs ({percent(success['rate'])}, 95 % interval "
        f"{percent(low)} to {percent(high)}), by a test mean of at least {study['target']:g}."
    )
    if not reached["runs"]:
        return verdict
    unsolved = success["runs"] - reached["runs"]
    lines = [
        verdict,
        "",
        f"  {'to success':<20} {'median':>13}   {'quartiles':^27} {'mean':>13}" + _per_success(unsolved),
    ]
    for key, name in _EFFORT.items():
        spread = reached[key]
        quartiles = f"{number(spread['lower_quartile']):>11} to {number(spread['upper_quartile']):<12}"
        row = f"  {name:<20} {number(spread['median']):>13}   {quartiles} {number(spread['mean']):>13}"
        lines.append(row + (f" {number(spread['per_success']):>13}" if unsolved else ""))
    if unsolved:
        lines.append(
            f"\nMedian, quartiles and mean are those of the solved runs, {reached['runs']} of {success['runs']}.\n"
            "Per success: the total of all runs divided by the number of solved runs."
        )
    return "\n".join(lines)


def _per_success(unsolved: int) -> str:
    return f" {'per success':>13}" if unsolved else ""


def _test(test: Mapping[str, Any]) -> str:
    if not test["runs"]:
        return "No run came to its end."
    return (
        f"Test score ({test['runs']} champions, each on {test['episodes'] or 'no'} fresh episodes): interquartile mean "
        f"{score(test['interquartile_mean'])} (95 % interval {interval(test['interval'])}),\n"
        f"median {score(test['median'])}, quartiles {score(test['lower_quartile'])} to "
        f"{score(test['upper_quartile'])}, worst {score(test['worst'])} (seed {test['worst_seed']}), "
        f"best {score(test['best'])} (seed {test['best_seed']})."
    )


def _time(study: Mapping[str, Any]) -> str:
    seconds, command = study["seconds"], study["this_command"]
    if seconds["median"] is None:
        return f"This command took {command['seconds']:.3g} s."
    took = f"this command ran {command['runs']} in {command['seconds']:.3g} s, {command['at_once']} at once"
    return (
        f"A run took {seconds['median']:.3g} s (median; {seconds['total']:.3g} s all together) on "
        f"{', '.join(study['engines'])}; {took if command['runs'] else 'this command had none left to run'}."
    )


def _failures(failures: Sequence[Mapping[str, Any]], runs: int) -> str:
    lines = [f"Failed: {len(failures)} of {runs} runs, counted as not solved; the same command tries again."]
    lines += [f"  seed {failure['seed']}: {_first_line(failure['error'])}" for failure in failures[:_SHOWN_FAILURES]]
    more = len(failures) - _SHOWN_FAILURES
    return "\n".join([*lines, *([f"  … and {more} more, all of them with --json"] if more > 0 else [])])


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
