"""Figures of a run's learning."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from evonet.experiment.run_files.journal_lines import VALIDATION_FITNESS
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.plots.palette import (
    MUTED,
    NEGATIVE,
    POSITIVE,
    TARGET,
    Axes,
    axes_for,
    colour_range,
    finite_span,
    legend,
)

Over = Literal["evaluations", "environment_steps", "generation"]


class Learning(Protocol):
    """A loaded run, or what has its metrics and its target."""

    @property
    def metrics(self) -> dict[str, NDArray[Any]]:
        """Columns by name, `(generations,)` each, as `LoadedRun.metrics`."""
        ...

    @property
    def summary(self) -> dict[str, Any]:
        """At least the `target`, which may be None."""
        ...


def learning_curve(run: Learning, over: Over = "evaluations", ax: Axes | None = None) -> Axes:
    """Best, median and quartiles of the training fitness, and the champion's validation mean, over a run.

    Where weights make the fitness of return and measures, so they do that of the validation, and no target is drawn.

    Args:
        run: a run from `load_run`.
        over: unit of the horizontal axis.
        ax: axes to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    ax = axes_for(ax)
    metrics = run.metrics
    x = metrics[over]
    ax.fill_between(x, metrics["worst"], metrics["best"], color=MUTED, alpha=0.14, linewidth=0, label="worst to best")
    ax.fill_between(
        x, metrics["lower_quartile"], metrics["upper_quartile"], color=MUTED, alpha=0.32, linewidth=0,
        label="middle half",
    )  # fmt: skip
    small = "o" if len(x) < 40 else ""
    ax.plot(x, metrics["median"], color=MUTED, label="median", marker=small, markersize=3)
    ax.plot(x, metrics["best"], color=POSITIVE, label="best in training", marker=small, markersize=3)
    weighted = VALIDATION_FITNESS in metrics
    validation = metrics[VALIDATION_FITNESS if weighted else "validation_mean"]
    if np.isfinite(validation).any():
        ax.step(
            x, validation, color=NEGATIVE, linestyle="--", where="post",
            label="champion in validation", marker=small, markersize=3,
        )  # fmt: skip
    target = None if weighted else run.summary.get("target")
    if target is not None:
        ax.axhline(target, color=TARGET, linewidth=1.4, linestyle=":", label="target")
    _limit(ax, metrics["median"], metrics["lower_quartile"], metrics["best"], validation, target)
    ax.set_xlabel({"generation": "generation"}.get(over, over.replace("_", " ")))
    ax.set_ylabel("fitness" if weighted else "return")
    thousands(ax)
    legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, columnspacing=1.2, borderaxespad=0.2)
    return ax


def diversity(run: LoadedRun, ax: Axes | None = None) -> Axes:
    """Standard deviation of the genes in the population, mean over all genes, over generations."""
    return metric_curve(run, "diversity", "mean deviation of a gene", ax)


def network_sizes(run: LoadedRun, ax: Axes | None = None) -> Axes:
    """Connections and hidden neurons over generations where the structure evolves: the median's and the champion's."""
    ax = axes_for(ax)
    metrics = run.metrics
    small = "o" if len(metrics["generation"]) < 40 else ""
    for name, color in (("connections", POSITIVE), ("hidden_neurons", NEGATIVE)):
        label = name.replace("_", " ")
        for column, style, whose in ((name, "-", "median"), (f"champion_{name}", "--", "champion")):
            ax.plot(
                metrics["generation"], metrics[column], color=color, linestyle=style, drawstyle="steps-post",
                label=f"{label}, {whose}", marker=small, markersize=3,
            )  # fmt: skip
    ax.set_ylim(bottom=0)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("generation")
    ax.set_ylabel("number")
    legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, columnspacing=1.2, borderaxespad=0.2)
    return ax


def sampled_elites(run: LoadedRun, ax: Axes | None = None) -> Axes:
    """The mean fitness of elites drawn at random over generations: in the archive, and on held-out episodes."""
    ax = axes_for(ax)
    metrics = run.metrics
    known = np.isfinite(metrics["sampled_held_out"])
    generations = metrics["generation"][known]
    columns = (("sampled_fitness", "in the archive", POSITIVE), ("sampled_held_out", "on held-out episodes", NEGATIVE))
    for name, label, colour in columns:
        values, _ = colour_range(metrics[name][known]) if known.any() else (metrics[name][known], 1.0)
        ax.plot(
            generations, values, color=colour, label=label, marker="o" if len(generations) < 40 else "", markersize=3
        )
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("generation")
    ax.set_ylabel("mean fitness")
    legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, columnspacing=1.2, borderaxespad=0.2)
    return ax


def metric_curve(run: LoadedRun, name: str, label: str, ax: Axes | None = None) -> Axes:
    """A metric of at least 0 over generations, such as `sigma` or `mean_distance` of a strategy."""
    ax = axes_for(ax)
    metrics = run.metrics
    small = "o" if len(metrics["generation"]) < 40 else ""
    ax.plot(metrics["generation"], metrics[name], color=POSITIVE, label=name, marker=small, markersize=3)
    ax.set_ylim(0, 1.12 * finite_span(metrics[name])[1] or 1.0)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("generation")
    ax.set_ylabel(label)
    return ax


def _limit(ax: Axes, *values: object) -> None:
    """Limit the vertical axis to `values`, because outliers among the worst individuals would flatten the curves."""
    known = np.concatenate([np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in values if each is not None])
    low, high = finite_span(known)
    margin = 0.06 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)


def thousands(ax: Axes) -> None:
    """Label the horizontal axis with abbreviated counts."""
    ax.xaxis.set_major_locator(_locator())
    ax.xaxis.set_major_formatter(lambda value, _: short(value))


def _locator() -> object:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10])


def short(value: float) -> str:
    """An abbreviated count, for example 1,500, 25 k or 3 M."""
    for unit, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * unit or (abs(value) >= unit and sign != "k"):
            return f"{value / unit:g} {sign}"
    return f"{value:,g}"
