"""`evonet plot`: draw curves of runs and studies into a file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evonet.cli.console import DONE, RUNS_HELP, Commands
from evonet.errors import ConfigError

_KINDS = ("learning", "solved", "profile")
_OVER = {"evaluations": "evaluations", "steps": "environment_steps", "generations": "generation"}


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    plot = commands.add_parser(
        "plot",
        help="draw learning curves or performance profiles as PDF, SVG or PNG",
        description="Draws one figure of runs or studies. Learning curves are validation means of the champions so "
        "far; a study has the median of its runs with a band from the lower to the upper quartile.",
    )
    plot.add_argument("runs", metavar="RUN", nargs="+", help=RUNS_HELP)
    plot.add_argument("--to", required=True, type=Path, metavar="FILE", help="the file: .pdf, .svg or .png")
    plot.add_argument(
        "--kind",
        choices=_KINDS,
        default="learning",
        help="learning curves (default), share of runs solved over evaluations, or performance profile of test scores",
    )
    plot.add_argument(
        "--over",
        choices=tuple(_OVER),
        default="evaluations",
        help="horizontal axis of learning curves (default: evaluations)",
    )
    plot.set_defaults(command=_plot)


def _plot(options: argparse.Namespace) -> int:
    from evonet.inspection.figure_file import write_figure

    write_figure(_drawing(options), options.to)
    print(options.to)
    return DONE


def _drawing(options: argparse.Namespace) -> Callable[[Any], object]:
    from evonet.experiment.run_files.run_finder import is_study
    from evonet.inspection.comparison import Comparison
    from evonet.inspection.comparison.compared import labelled
    from evonet.inspection.comparison.figures import learning, profile, solving
    from evonet.inspection.loaded_run import load_run
    from evonet.inspection.plots import learning_curve

    over: Any = _OVER[options.over]
    _, first = labelled(options.runs[0])
    if len(options.runs) == 1 and options.kind == "learning" and not is_study(first):
        run = load_run(first)
        return lambda axes: learning_curve(run, over, axes)
    comparison = Comparison(options.runs)
    figure = {
        "learning": lambda: learning(comparison, over),
        "solved": lambda: solving(comparison),
        "profile": lambda: profile(comparison),
    }[options.kind]()
    if figure is None:
        lacks = {"learning": "finished run", "solved": "study with a solved run", "profile": "test score"}
        raise ConfigError(f"there is nothing to draw: no {lacks[options.kind]} in {', '.join(options.runs)}")
    return figure.draw
