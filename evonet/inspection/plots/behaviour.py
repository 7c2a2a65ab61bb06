"""Figures of a champion's episodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonet.environments.known import Names
from evonet.inspection.analysis.trajectory import Trajectory
from evonet.inspection.phrases import shortened
from evonet.inspection.plots.palette import (
    MUTED,
    NEGATIVE,
    POSITIVE,
    SERIES,
    STYLES,
    Axes,
    axes_for,
    colour_range,
    diverging,
    legend,
    sequential,
)
from evonet.types import FloatArray

_MAX_LINES = 6
_MAX_STEPS = 400
_MAX_ROWS = 128  # of a heat map
_FEW_VALUES = 3


def observation_traces(episode: Trajectory, names: Names | None = None, ax: Axes | None = None) -> Axes:
    """Observations over an episode: a line for each input, or a heat map if there are many.

    A one-hot observation is drawn as the index of its 1.
    """
    ax = axes_for(ax)
    observations = episode.observations
    labels = [f"input {index}" for index in range(observations.shape[1])] if names is None else list(names.inputs)
    if is_one_hot(observations):
        ax.step(*_thinned(observations.argmax(axis=1)), where="post", color=POSITIVE, label="observation")
        ax.set_ylabel("observation")
    elif len(labels) <= _MAX_LINES:
        _lines(ax, observations, labels)
        ax.set_ylabel("observation")
    else:
        _map(ax, observations, labels, "input")
    ax.set_xlabel("step")
    return ax


def hidden_traces(episode: Trajectory, ax: Axes | None = None) -> Axes:
    """Outputs of the hidden neurons over an episode, as a heat map with a row for each neuron."""
    ax = axes_for(ax)
    _map(ax, episode.hidden, [str(index) for index in range(episode.hidden.shape[1])], "hidden neuron", scaled=False)
    ax.set_xlabel("step")
    return ax


def action_traces(
    episode: Trajectory, names: Names | None = None, *, choices: bool = False, ax: Axes | None = None
) -> Axes:  # fmt: skip
    """Actions over an episode.

    Args:
        episode: the episode.
        names: names of the discrete actions, or of the components of a continuous action.
        choices: whether actions are discrete.
        ax: axes to draw on; by default new ones.
    """
    ax = axes_for(ax)
    numbers = episode.actions.shape[1]
    if choices and numbers == 1:
        ax.step(*_thinned(episode.actions[:, 0]), where="post", color=POSITIVE, linewidth=1.0, label="action")
        if names is not None and len(names.outputs) <= 12:
            ax.set_yticks(range(len(names.outputs)), [shortened(name, 16) for name in names.outputs])
            ax.set_ylim(-0.4, len(names.outputs) - 0.6)
    elif numbers <= _MAX_LINES:
        fitting = names is not None and len(names.outputs) == numbers
        labels = list(names.outputs) if names is not None and fitting else [f"number {i}" for i in range(numbers)]
        _lines(ax, episode.actions, labels)
    else:
        _map(ax, episode.actions, [f"number {i}" for i in range(numbers)], "number of the action")
    ax.set_ylabel("action" if numbers <= _MAX_LINES else ax.get_ylabel())
    ax.set_xlabel("step")
    return ax


def histogram(values: FloatArray, label: str, mark: float | None = None, ax: Axes | None = None) -> Axes:
    """A histogram of values, or a bar for each value if there are at most three different ones.

    Args:
        values: values, `(n,)`; those that are not finite are left out.
        label: label of the horizontal axis.
        mark: the mean, drawn as a dashed line in a histogram.
        ax: axes to draw on; by default new ones.
    """
    ax = axes_for(ax)
    known = values[np.isfinite(values)]
    if has_bars(values):
        distinct, counts = np.unique(known, return_counts=True)
        ax.bar([f"{value:g}" for value in distinct], counts, width=0.5, color=POSITIVE, alpha=0.85)
        ax.margins(x=0.6 / len(distinct))
    else:
        ax.hist(known, bins=min(24, max(6, len(known) // 4)), color=POSITIVE, alpha=0.85)
        if mark is not None and np.isfinite(mark):
            ax.axvline(mark, color=NEGATIVE, linestyle="--", label=f"mean {mark:.4g}")
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel(label)
    ax.set_ylabel("episodes")
    return ax


def has_bars(values: FloatArray) -> bool:
    """Whether `histogram` draws a bar for each value, and no line for the mean."""
    return 0 < len(np.unique(values[np.isfinite(values)])) <= _FEW_VALUES


def is_one_hot(observations: FloatArray) -> bool:
    """Whether each row has a single 1 among zeros."""
    binary = ((observations == 0) | (observations == 1)).all()
    return bool(binary and observations.shape[1] > 1 and (observations.sum(axis=1) == 1).all())


def _lines(ax: Axes, values: FloatArray, labels: Sequence[str]) -> None:
    for index, label in enumerate(labels):
        style = STYLES[index // len(SERIES) % len(STYLES)]
        ax.plot(
            *_thinned(values[:, index]),
            color=SERIES[index % len(SERIES)],
            linestyle=style,
            label=_shown(label),
            linewidth=1.2,
        )
    ax.axhline(0, color=MUTED, linewidth=0.6, zorder=0)
    legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, borderaxespad=0.2)


def _shown(label: str) -> str:
    label = shortened(label)
    return f" {label}" if label.startswith("_") else label  # Matplotlib hides labels that begin with an underscore


def _thinned(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Steps and values, at most 400 of them."""
    steps = np.linspace(0, len(values) - 1, min(len(values), _MAX_STEPS)).round().astype(int)
    return steps.astype(np.float64), values[steps]


def _map(ax: Axes, values: FloatArray, labels: Sequence[str], name: str, *, scaled: bool = True) -> None:
    """A heat map with a row for each column of `values (steps, rows)`; if `scaled`, each column is standardised.

    At most 128 rows are shown, those that vary most.
    """
    rows = np.arange(values.shape[1])
    spread = values.std(axis=0)
    if len(rows) > _MAX_ROWS:
        name = f"{name} (the {_MAX_ROWS} that vary most)"
        rows = np.sort(np.argsort(-spread, kind="stable")[:_MAX_ROWS])
        values, spread, labels = values[:, rows], spread[rows], [labels[row] for row in rows.tolist()]
    shown = values.T
    if scaled:
        shown = ((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).T.clip(-3, 3)
    steps = np.linspace(0, shown.shape[1] - 1, min(shown.shape[1], _MAX_STEPS)).round().astype(int)
    signed = bool((shown < 0).any())
    shown, reach = colour_range(shown)
    image = ax.imshow(
        shown[:, steps], aspect="auto", interpolation="nearest", cmap=diverging() if signed else sequential(),
        vmin=-reach if signed else 0.0, vmax=reach, extent=(-0.5, shown.shape[1] - 0.5, len(labels) - 0.5, -0.5),
    )  # fmt: skip
    if len(labels) <= 20:
        ax.set_yticks(range(len(labels)), [shortened(label, 18) for label in labels], fontsize="small")
    elif rows[-1] >= len(rows):
        ax.set_yticks(range(0, len(rows), 16), [str(row) for row in rows[::16]], fontsize="small")
    ax.set_ylabel(name)
    ax.figure.colorbar(image, ax=ax, label="deviations" if scaled else "output", shrink=0.9, pad=0.02)
