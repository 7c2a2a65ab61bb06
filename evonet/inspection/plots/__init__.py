"""Figures of the report as functions that draw on Matplotlib axes and return them.

Without the argument `ax`, a function makes a new figure, `axes.figure`. No function changes Matplotlib's global state
or imports pyplot. An example:

    run = evonet.load_run("runs/first")
    axes = plots.learning_curve(run, over="environment_steps")
    axes.figure.savefig("learning.pdf")
"""

from evonet.inspection.plots.ancestry import descent_tree, payoff_bars
from evonet.inspection.plots.archive import archive_heatmap, held_out_scatter, parallel_axes
from evonet.inspection.plots.archive_pair import archive_difference
from evonet.inspection.plots.behaviour import action_traces, hidden_traces, histogram, observation_traces
from evonet.inspection.plots.front import pareto_front, several_fronts
from evonet.inspection.plots.learning import diversity, learning_curve, metric_curve, network_sizes, sampled_elites
from evonet.inspection.plots.network import network_diagram, weight_maps
from evonet.inspection.plots.novelty import novelty_map
from evonet.inspection.plots.policy import influence_bars, policy_grid, policy_map, removal_bars
from evonet.inspection.plots.robustness import landscape_map, robustness_curve

__all__ = [
    "action_traces",
    "archive_difference",
    "archive_heatmap",
    "descent_tree",
    "diversity",
    "held_out_scatter",
    "hidden_traces",
    "histogram",
    "influence_bars",
    "landscape_map",
    "learning_curve",
    "metric_curve",
    "network_diagram",
    "network_sizes",
    "novelty_map",
    "observation_traces",
    "parallel_axes",
    "pareto_front",
    "payoff_bars",
    "policy_grid",
    "policy_map",
    "removal_bars",
    "robustness_curve",
    "sampled_elites",
    "several_fronts",
    "weight_maps",
]
