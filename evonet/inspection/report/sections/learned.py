"""The section on what the champion learned: its policy, and the influence of its inputs and neurons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from evonet.inspection.analysis.influence import Removals, without_inputs, without_neurons
from evonet.inspection.analysis.policy import policy_surface, policy_table
from evonet.inspection.phrases import counted, number, percent
from evonet.inspection.plots import influence_bars, policy_grid, policy_map, removal_bars
from evonet.inspection.report.figure import Figure, drawn
from evonet.inspection.report.findings import Findings
from evonet.inspection.report.section import Section

_MAX_PARTS = 40
_MAX_BARS = 16
_MAX_PANELS = 2
_MAX_INPUTS = 16
_MAX_VALUES = 2_500  # of a Discrete observation, in the table of the policy
_SECONDS = 0.5


def learned(findings: Findings) -> Section:
    """The policy over the two most influential inputs, each input's influence, and returns without each part."""
    if findings.task is None or findings.champion is None:
        return Section("learned", "What it learned", notices=[f"Left out: {findings.why_no_episodes}"])
    removals = [figure for figure in (_without_inputs(findings), _without_neurons(findings)) if figure is not None]
    figures = [*_policies(findings), _influence(findings), *removals]
    notices = (
        [] if len(removals) == 2 else [f"Returns without an input or a neuron are left out: {findings.cost_in_words}."]
    )
    return Section("learned", "What it learned", [_lead(findings)], figures, notices=notices)


def _lead(findings: Findings) -> str:
    order = np.argsort(-findings.influence, kind="stable")[:2]
    inputs = [f"{findings.names.inputs[index]} ({percent(findings.influence[index])})" for index in order]
    return f"The most influential inputs: {' and '.join(inputs)}."


def _policies(findings: Findings) -> list[Figure]:
    champion, names = findings.champion, findings.names
    assert champion is not None
    assert findings.task is not None
    if isinstance(findings.task.observation_space, spaces.Discrete):
        return [_table(findings)]
    order = np.argsort(-findings.influence, kind="stable")
    surface = policy_surface(champion, findings.episodes, order.tolist())
    rest = "" if champion.architecture.num_inputs <= 2 else ", all others at their median"
    rest += ", its memory too" if champion.architecture.recurrent else ""
    inputs = " and ".join(names.inputs[index] for index in surface.inputs)
    panels = 1 if findings.choices else min(surface.actions.shape[2], _MAX_PANELS)
    figures = []
    for panel in range(panels):
        of = "" if panels == 1 else f", {names.outputs[panel]}"
        found = np.unique(surface.actions[:, :, panel]).tolist()
        words = [names.outputs[int(v)] if 0 <= int(v) < len(names.outputs) else f"{v:g}" for v in found]
        figures.append(
            drawn(
                f"policy-{panel}", f"Policy{of}",
                f"The action over {inputs}, its most influential inputs{rest}. "
                "Dots: observations in the episodes shown above.",
                lambda ax, panel=panel: policy_map(surface, names, choices=findings.choices, number=panel, ax=ax),  # type: ignore[misc]
                words=words if findings.choices else (), size=(4.0, 3.2),
            )
        )  # fmt: skip
    return figures


def _table(findings: Findings) -> Figure:
    champion = findings.champion
    assert champion is not None
    actions = policy_table(champion, _MAX_VALUES)
    values = champion.architecture.num_inputs
    cut = f" The first {_MAX_VALUES:,} of {values:,} observations are shown." if values > _MAX_VALUES else ""
    rows, tiles = _layout(findings, len(actions))
    place = ", on the environment's own map" if tiles else ""
    return drawn(
        "policy-0", "Policy", f"The action for each observation{place}.{cut}",
        lambda ax: policy_grid(actions, findings.names, rows, tiles, ax), size=(4.0, 3.9),
        alternative="; ".join(f"{v}: {_word(findings, action)}" for v, action in enumerate(actions.tolist()[:100])),
    )  # fmt: skip


def _word(findings: Findings, action: float) -> str:
    outputs = findings.names.outputs
    return outputs[int(action)] if 0 <= int(action) < len(outputs) else f"{action:g}"


def _layout(findings: Findings, values: int) -> tuple[int, list[str]]:
    """Rows of the grid, and a letter for each value if the environment has a map with a square for each value."""
    assert findings.task is not None
    with findings.task.instance() as sample:
        drawing = np.asarray(getattr(sample.open().unwrapped, "desc", ()))
    if drawing.ndim == 2 and drawing.size == values:
        return drawing.shape[0], [_letter(tile) for tile in drawing.ravel()]
    return max(1, round(values**0.5)), []


def _letter(tile: Any) -> str:
    return tile.decode(errors="replace") if isinstance(tile, bytes) else str(tile)


def _influence(findings: Findings) -> Figure:
    names = findings.names.inputs
    more = f" The {_MAX_INPUTS} greatest are shown." if len(names) > _MAX_INPUTS else ""
    tried = int(np.isfinite(findings.influence).sum())
    if tried < len(names):
        more += f" Of {len(names):,} inputs, {tried:,} were tried: those with the strongest weights that vary most."
    strongest = np.argsort(-findings.influence, kind="stable")[: 2 * _MAX_INPUTS].tolist()
    what = (
        "The share of actions that change"
        if findings.choices
        else "The mean change of actions, as a share of their range,"
    )
    return drawn(
        "influence", "Influence of each input", f"{what} if an input gets values from other steps.{more}",
        lambda ax: influence_bars(findings.influence, names, _MAX_INPUTS, ax=ax),
        size=_bars(min(len(names), _MAX_INPUTS)),
        alternative="; ".join(
            f"{names[index]}: {percent(findings.influence[index], 1)}" for index in strongest
        ),
    )  # fmt: skip


def _without_inputs(findings: Findings) -> Figure | None:
    champion, most = findings.champion, _most_removals(findings, _MAX_INPUTS)
    assert champion is not None
    if findings.trials is None or most < 1:
        return None
    order = np.argsort(-findings.influence, kind="stable")[:most].tolist()
    removals = without_inputs(champion, findings.episodes, findings.trials, order, _SECONDS * findings.effort)
    names = [findings.names.inputs[index] for index in order]
    return drawn(
        "without-inputs", "Without an input",
        f"Change of the mean return ({number(removals.whole, 4)}) in {counted(removals.episodes, 'episode')} "
        "if an input is fixed at its mean.",
        lambda ax: removal_bars(removals, names, "input", _MAX_BARS, ax), size=_bars(len(names)),
        alternative=_alternative(removals, names),
    )  # fmt: skip


def _alternative(removals: Removals, names: Sequence[str]) -> str:
    means = removals.means.tolist()
    return "; ".join(f"without {name}: {number(mean, 4)}" for name, mean in zip(names, means, strict=True))


def _bars(count: int) -> tuple[float, float]:
    """The size of a figure with `count` horizontal bars, in inches."""
    return 4.0, max(2.9, 0.21 * min(count, _MAX_BARS) + 0.8)


def _most_removals(findings: Findings, most: int) -> int:
    """The number of parts without which the champion can be run, at most `most`."""
    return 0 if findings.trials is None else findings.trials.affordable(most + 1) - 1


def _without_neurons(findings: Findings) -> Figure | None:
    champion, most = findings.champion, _most_removals(findings, _MAX_PARTS)
    assert champion is not None
    if findings.trials is None or most < 1 or not champion.architecture.num_hidden:
        return None
    neurons = findings.strongest("neurons", most)
    hidden = champion.architecture.num_hidden
    cut = f" Tried: the {len(neurons)} neurons with the strongest connections." if len(neurons) < hidden else ""
    cut += f" Shown: the {_MAX_BARS} greatest losses." if len(neurons) > _MAX_BARS else ""
    removals = without_neurons(champion, findings.trials, neurons, _SECONDS * findings.effort)
    names = [str(index) for index in neurons]
    return drawn(
        "without-neurons", "Without a hidden neuron",
        f"Change of the mean return ({number(removals.whole, 4)}) in {counted(removals.episodes, 'episode')} "
        f"if a hidden neuron's output is fixed at 0.{cut}",
        lambda ax: removal_bars(removals, names, "neuron", _MAX_BARS, ax), size=_bars(len(names)),
        alternative=_alternative(removals, names),
    )  # fmt: skip
