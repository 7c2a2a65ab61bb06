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
from evonet.inspection.report.figure import Figure, draw_figure
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section

_MAX_PARTS = 40
_MAX_BARS = 16
_MAX_PANELS = 2
_MAX_INPUTS = 16
_MAX_VALUES = 2_500  # of a Discrete observation, in the table of the policy
_SECONDS = 0.5


def learned(data: ReportData) -> Section:
    """The policy over the two most influential inputs, each input's influence, and returns without each part."""
    if data.task is None or data.champion is None:
        return Section("learned", "What it learned", notices=[f"Left out: {data.why_no_episodes}"])
    removals = [figure for figure in (_without_inputs(data), _without_neurons(data)) if figure is not None]
    figures = [*_policies(data), _influence(data), *removals]
    notices = (
        [] if len(removals) == 2 else [f"Returns without an input or a neuron are left out: {data.cost_in_words}."]
    )
    return Section("learned", "What it learned", [_lead(data)], figures, notices=notices)


def _lead(data: ReportData) -> str:
    order = np.argsort(-data.influence, kind="stable")[:2]
    inputs = [f"{data.names.inputs[index]} ({percent(data.influence[index])})" for index in order]
    return f"The most influential inputs: {' and '.join(inputs)}."


def _policies(data: ReportData) -> list[Figure]:
    champion, names = data.champion, data.names
    assert champion is not None
    assert data.task is not None
    if isinstance(data.task.observation_space, spaces.Discrete):
        return [_table(data)]
    order = np.argsort(-data.influence, kind="stable")
    surface = policy_surface(champion, data.episodes, order.tolist())
    rest = "" if champion.architecture.num_inputs <= 2 else ", all others at their median"
    rest += ", its memory too" if champion.architecture.recurrent else ""
    inputs = " and ".join(names.inputs[index] for index in surface.inputs)
    panels = 1 if data.choices else min(surface.actions.shape[2], _MAX_PANELS)
    figures = []
    for panel in range(panels):
        of = "" if panels == 1 else f", {names.outputs[panel]}"
        found = np.unique(surface.actions[:, :, panel]).tolist()
        words = [names.outputs[int(v)] if 0 <= int(v) < len(names.outputs) else f"{v:g}" for v in found]
        figures.append(
            draw_figure(
                f"policy-{panel}", f"Policy{of}",
                f"The action over {inputs}, its most influential inputs{rest}. "
                "Dots: observations in the episodes shown above.",
                lambda ax, panel=panel: policy_map(surface, names, choices=data.choices, number=panel, ax=ax),  # type: ignore[misc]
                words=words if data.choices else (), size=(4.0, 3.2),
            )
        )  # fmt: skip
    return figures


def _table(data: ReportData) -> Figure:
    champion = data.champion
    assert champion is not None
    actions = policy_table(champion, _MAX_VALUES)
    values = champion.architecture.num_inputs
    notice = f" The first {_MAX_VALUES:,} of {values:,} observations are shown." if values > _MAX_VALUES else ""
    rows, tiles = _layout(data, len(actions))
    place = ", on the environment's own map" if tiles else ""
    return draw_figure(
        "policy-0", "Policy", f"The action for each observation{place}.{notice}",
        lambda ax: policy_grid(actions, data.names, rows, tiles, ax), size=(4.0, 3.9),
        alternative="; ".join(f"{v}: {_word(data, action)}" for v, action in enumerate(actions.tolist()[:100])),
    )  # fmt: skip


def _word(data: ReportData, action: float) -> str:
    outputs = data.names.outputs
    return outputs[int(action)] if 0 <= int(action) < len(outputs) else f"{action:g}"


def _layout(data: ReportData, values: int) -> tuple[int, list[str]]:
    """Rows of the grid, and a letter for each value if the environment has a map with a square for each value."""
    assert data.task is not None
    with data.task.instance() as sample:
        drawing = np.asarray(getattr(sample.open().unwrapped, "desc", ()))
    if drawing.ndim == 2 and drawing.size == values:
        return drawing.shape[0], [_letter(tile) for tile in drawing.ravel()]
    return max(1, round(values**0.5)), []


def _letter(tile: Any) -> str:
    return tile.decode(errors="replace") if isinstance(tile, bytes) else str(tile)


def _influence(data: ReportData) -> Figure:
    names = data.names.inputs
    more = f" The {_MAX_INPUTS} greatest are shown." if len(names) > _MAX_INPUTS else ""
    tried = int(np.isfinite(data.influence).sum())
    if tried < len(names):
        more += f" Of {len(names):,} inputs, {tried:,} were tried: those with the strongest weights that vary most."
    strongest = np.argsort(-data.influence, kind="stable")[: 2 * _MAX_INPUTS].tolist()
    what = (
        "The share of actions that change" if data.choices else "The mean change of actions, as a share of their range,"
    )
    return draw_figure(
        "influence", "Influence of each input", f"{what} if an input gets values from other steps.{more}",
        lambda ax: influence_bars(data.influence, names, _MAX_INPUTS, ax=ax),
        size=_bars(min(len(names), _MAX_INPUTS)),
        alternative="; ".join(
            f"{names[index]}: {percent(data.influence[index], 1)}" for index in strongest
        ),
    )  # fmt: skip


def _without_inputs(data: ReportData) -> Figure | None:
    champion, most = data.champion, _most_removals(data, _MAX_INPUTS)
    assert champion is not None
    if data.trials is None or most < 1:
        return None
    order = np.argsort(-data.influence, kind="stable")[:most].tolist()
    removals = without_inputs(champion, data.episodes, data.trials, order, _SECONDS * data.effort)
    names = [data.names.inputs[index] for index in order]
    return draw_figure(
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


def _most_removals(data: ReportData, most: int) -> int:
    """The number of parts without which the champion can be run, at most `most`."""
    return 0 if data.trials is None else data.trials.affordable(most + 1) - 1


def _without_neurons(data: ReportData) -> Figure | None:
    champion, most = data.champion, _most_removals(data, _MAX_PARTS)
    assert champion is not None
    if data.trials is None or most < 1 or not champion.architecture.num_hidden:
        return None
    neurons = data.strongest("neurons", most)
    hidden = champion.architecture.num_hidden
    notice = f" Tried: the {len(neurons)} neurons with the strongest connections." if len(neurons) < hidden else ""
    notice += f" Shown: the {_MAX_BARS} greatest losses." if len(neurons) > _MAX_BARS else ""
    removals = without_neurons(champion, data.trials, neurons, _SECONDS * data.effort)
    names = [str(index) for index in neurons]
    return draw_figure(
        "without-neurons", "Without a hidden neuron",
        f"Change of the mean return ({number(removals.whole, 4)}) in {counted(removals.episodes, 'episode')} "
        f"if a hidden neuron's output is fixed at 0.{notice}",
        lambda ax: removal_bars(removals, names, "neuron", _MAX_BARS, ax), size=_bars(len(names)),
        alternative=_alternative(removals, names),
    )  # fmt: skip
