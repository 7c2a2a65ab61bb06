"""Figures of a champion's policy, and of its inputs' and neurons' influence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonet.environments.known import Names
from evonet.inspection.analysis.influence import Removals
from evonet.inspection.analysis.policy import PolicySurface
from evonet.inspection.phrases import ARROWS, shortened
from evonet.inspection.plots.palette import (
    MUTED,
    NEGATIVE,
    POSITIVE,
    Axes,
    axes_for,
    categories,
    colour_range,
    diverging,
    mark,
    package,
)
from evonet.types import FloatArray

_MAX_SPOTS = 300


def policy_map(
    surface: PolicySurface, names: Names, *, choices: bool = False, number: int = 0, ax: Axes | None = None
) -> Axes:
    """The action over two inputs as a map, or over one input as a line; dots are observations of the champion.

    Args:
        surface: a surface from `policy_surface`.
        names: names of inputs and outputs.
        choices: whether actions are discrete.
        number: index of the component of the action that is drawn.
        ax: axes to draw on; by default new ones.
    """
    ax = axes_for(ax)
    values = surface.actions[:, :, number]
    if len(surface.inputs) == 1:
        ax.plot(surface.x, values[0], color=POSITIVE, drawstyle="steps-mid" if choices else "default")
        ax.set_ylabel("action" if choices else _name_of_number(names, number))
    elif choices:
        _areas(ax, surface, values, names)
    else:
        values, reach = colour_range(values)
        mesh = ax.pcolormesh(
            surface.x, surface.y, values, cmap=diverging(), vmin=-reach, vmax=reach, shading="nearest", rasterized=True
        )
        ax.figure.colorbar(mesh, ax=ax, label=_name_of_number(names, number), shrink=0.9, pad=0.02)
    if len(surface.inputs) == 2:
        spots = surface.visited[:: max(1, len(surface.visited) // _MAX_SPOTS)]
        ax.scatter(spots[:, 0], spots[:, 1], s=5, color="#1b1f24", alpha=0.45, linewidth=0)
        ax.set_xlim(surface.x[0], surface.x[-1])
        ax.set_ylim(surface.y[0], surface.y[-1])
        ax.set_ylabel(shortened(names.inputs[surface.inputs[1]], 32))
    ax.set_xlabel(shortened(names.inputs[surface.inputs[0]], 32))
    return ax


def _name_of_number(names: Names, number: int) -> str:
    return names.outputs[number] if number < len(names.outputs) else f"number {number}"


def _areas(ax: Axes, surface: PolicySurface, values: FloatArray, names: Names) -> None:
    found = np.unique(values)
    place = np.searchsorted(found, values)
    colours = package("matplotlib.colors").ListedColormap(categories(len(found)))
    ax.pcolormesh(
        surface.x, surface.y, place, cmap=colours, vmin=-0.5, vmax=len(found) - 0.5, shading="nearest", rasterized=True
    )
    patches = package("matplotlib.patches")
    handles = [
        patches.Patch(color=colour, label=_name_of_choice(names, value))
        for value, colour in zip(found, categories(len(found)), strict=True)
    ]
    ax.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=3,
        borderaxespad=0.2,
        frameon=False,
        fontsize="small",
    )


def _name_of_choice(names: Names, value: float) -> str:
    index = int(value)
    return shortened(names.outputs[index]) if 0 <= index < len(names.outputs) else f"{value:g}"


def policy_grid(
    actions: FloatArray, names: Names, rows: int, tiles: Sequence[str] = (), ax: Axes | None = None
) -> Axes:
    """The discrete action for each value of a Discrete observation, laid out as a grid.

    Args:
        actions: index of the action for each value, `(values,)`.
        names: names of the actions; left, right, up and down become arrows.
        rows: rows of the grid.
        tiles: letters of the environment's map, one for each value; by default the values are written.
        ax: axes to draw on; by default new ones.
    """
    ax = axes_for(ax)
    columns = -(-len(actions) // rows)
    found = np.unique(actions)
    fills = dict(zip(found.tolist(), categories(len(found)), strict=True))
    patches = package("matplotlib.patches")
    for value, action in enumerate(actions.tolist()):
        row, column = divmod(value, columns)
        cell = ax.add_patch(patches.Rectangle((column, row), 1, 1, facecolor=fills[action], edgecolor="white"))
        mark(cell, f"value-{value}", f"observation {value}: {_name_of_choice(names, action)}")
        if rows * columns <= 144:
            word = _name_of_choice(names, action)
            ax.text(
                column + 0.5, row + 0.5, ARROWS.get(word, shortened(word, 7)), ha="center", va="center",
                color="#1b1f24", fontsize="x-large" if word in ARROWS else "small",
            )  # fmt: skip
            tile = tiles[value] if value < len(tiles) else str(value)
            ax.text(column + 0.06, row + 0.1, tile, va="top", color="#1b1f24", fontsize="small", alpha=0.7)
    ax.set_xlim(0, columns)
    ax.set_ylim(rows, 0)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def influence_bars(influence: FloatArray, names: Sequence[str], most: int = 16, ax: Axes | None = None) -> Axes:
    """Influence of each input on the actions, with a bar for each of the `most` greatest and the greatest on top.

    Inputs whose influence is NaN were not tried; they come last.
    """
    ax = axes_for(ax)
    order = np.argsort(-influence, kind="stable")[:most][::-1]
    bars = ax.barh(range(len(order)), influence[order], color=POSITIVE, height=0.65)
    for bar, index in zip(bars, order, strict=True):
        mark(bar, f"input-{index}", f"{names[index]}: {100 * influence[index]:.1f} %")
    ax.set_yticks(range(len(order)), [shortened(names[index]) for index in order], fontsize="small")
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    ax.set_xlim(0, max(float(np.nanmax(influence, initial=0.0)) * 1.08, 0.01))
    ax.set_xlabel("change of actions if shuffled")
    return ax


def removal_bars(removals: Removals, names: Sequence[str], kind: str, most: int = 16, ax: Axes | None = None) -> Axes:
    """Change of the mean return without each part, a bar for each of the `most` greatest losses, the greatest on top.

    Args:
        removals: removals from `without_neurons` or `without_inputs`.
        names: names of the removed parts.
        kind: kind of the parts, "neuron" or "input".
        most: greatest number of bars.
        ax: axes to draw on; by default new ones.
    """
    ax = axes_for(ax)
    change = np.nan_to_num(removals.means - removals.whole)
    order = np.argsort(change, kind="stable")[:most][::-1]
    colours = [NEGATIVE if change[index] < 0 else POSITIVE for index in order]
    bars = ax.barh(range(len(order)), change[order], color=colours, height=0.65)
    for bar, index in zip(bars, order.tolist(), strict=True):
        words = f"without {names[index]}: {removals.means[index]:.4g}, {change[index]:+.3g}"
        mark(bar, f"without-{kind}-{removals.parts[index]}", words)
    ax.axvline(0, color=MUTED, linewidth=1.0)
    ax.set_yticks(range(len(order)), [shortened(names[index], 22) for index in order], fontsize="small")
    ax.set_ylabel(kind if max(map(len, names), default=0) <= 3 else "")
    ax.margins(x=0.06)
    ax.set_xlabel("change of the mean return")
    return ax
