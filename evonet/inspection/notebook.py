"""A run as it shows itself in a notebook."""

from __future__ import annotations

from evonet.drawing import curves_svg, network_svg, page_part, paragraph, table
from evonet.environments.names import names_for
from evonet.inspection.account import number, scores, title, verdict
from evonet.inspection.loaded_run import LoadedRun

_CURVES = {"validation": "validation_mean", "best": "best", "median": "median"}


def run_html(run: LoadedRun) -> str:
    """The verdict, the scores, the learning curve and the champion's network; every text escaped."""
    curves = {name: run.metrics[column] for name, column in _CURVES.items() if column in run.metrics}
    parts = [paragraph(verdict(run.summary)), curves_svg(curves, "generation") if curves else ""]
    champion = run.champion
    if champion is not None:
        shape = champion.architecture
        names = names_for(run.summary["environment"], shape.num_inputs, shape.num_outputs)
        rows = [(name, number(mean), what) for name, mean, what in scores(run.summary)]
        parts += [
            table(("score", "mean", "of"), rows),
            paragraph(f"champion: network {shape}, {shape.genome_size} genes"),
            network_svg(shape.views(champion.genome), names.inputs, names.outputs),
        ]
    return page_part(title(run.summary), *parts)
