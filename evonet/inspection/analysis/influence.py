"""The influence of each input and each hidden neuron on a champion's actions and returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from gymnasium import spaces

from evonet.activations import ACTIVATIONS
from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.inspection.analysis.responses import Responses
from evonet.inspection.analysis.trajectory import Trajectory
from evonet.inspection.analysis.trials import Trials
from evonet.seeding import Purpose, generator
from evonet.types import FloatArray

NeuronState = Literal["active", "dead", "saturated"]
_MAX_ROWS = 2_000
_MIN_ROWS = 64
_MAX_NUMBERS = 1 << 24  # numbers of all observations together, 128 MB
_MAX_TRIED = 1_000  # inputs
_MAX_SUMS = 1 << 28  # sums of neurons that the influence of all inputs takes, some seconds
_SHUFFLES = 4
_NEAR = 0.02  # share of an activation's range within which an output counts as at its limit
_MOSTLY = 0.95  # share of the steps at a limit from which a neuron is saturated
_CONSTANT = 1e-6  # range of outputs below which a neuron is dead


@dataclass(frozen=True, eq=False)
class Removals:
    """Returns of a champion without one of its inputs or neurons.

    Attributes:
        parts: indices of the inputs or hidden neurons that were removed, one at a time.
        means: mean return without each part, `(parts,)`; NaN where an episode failed.
        whole: mean return of the unchanged champion on the same episodes.
        episodes: number of episodes.
    """

    parts: Sequence[int]
    means: FloatArray
    whole: float
    episodes: int


def sampled_observations(episodes: Sequence[Trajectory]) -> tuple[FloatArray, FloatArray]:
    """At most 2,000 observations, fewer of more than 8,388 inputs, and the network's memory at each.

    The observations are evenly spread over the episodes.

    Returns:
        Observations `(m, inputs)` and memories `(m, hidden)`.
    """
    steps = sum(map(len, episodes))
    most = min(_MAX_ROWS, max(_MIN_ROWS, _MAX_NUMBERS // episodes[0].observations.shape[1]))
    rows = np.linspace(0, steps - 1, min(steps, most)).round().astype(int)
    ends = np.cumsum([len(episode) for episode in episodes])
    chosen = [
        rows[(rows >= end - len(each)) & (rows < end)] - end + len(each)
        for each, end in zip(episodes, ends, strict=True)
    ]
    return (
        np.concatenate([each.observations[own] for each, own in zip(episodes, chosen, strict=True)]),
        np.concatenate([each.memory[own] for each, own in zip(episodes, chosen, strict=True)]),
    )


def action_influence(champion: Champion, episodes: Sequence[Trajectory]) -> FloatArray:
    """The influence of each input on the actions, `(inputs,)`, from 0 to 1; NaN for an input that was not tried.

    Values of an input are shuffled over the steps (permutation importance, Breiman 2001). The influence is the share of
    discrete actions that change, or the mean change of continuous actions as a share of their range.

    At most 1,000 inputs are tried, fewer if there are many hidden neurons: those with the strongest paths to the
    outputs, times the deviation of the input. An input that never changes has no influence and need not be tried.
    """
    observations, memory = sampled_observations(episodes)
    responses = Responses(champion, observations, memory)
    actions = responses.actions()
    extent = np.ptp(actions, axis=0)
    extent = np.where(extent > 0, extent, 1.0)
    rng = generator(0, Purpose.INSPECTION)
    orders = [rng.permutation(len(observations)) for _ in range(_SHUFFLES)]
    varies = np.ptp(observations, axis=0) > 0
    found = np.where(varies, np.nan, 0.0)
    strength = np.where(varies, path_strength(champion)[0] * responses.inputs.std(axis=0), -1.0)
    most = min(_tried(champion.architecture, len(observations)), int(varies.sum()))
    for index in np.argsort(-strength, kind="stable")[:most].tolist():
        values = observations[:, index]
        changed = [responses.actions({index: values[order]}) for order in orders]
        found[index] = sum(_difference(champion, actions, each, extent) / _SHUFFLES for each in changed)
    return found


def _tried(architecture: Architecture, rows: int) -> int:
    """The number of inputs whose influence is computed, by the number of sums that it takes."""
    sums = _SHUFFLES * rows * (architecture.num_hidden + architecture.num_outputs)
    return min(_MAX_TRIED, max(1, _MAX_SUMS // sums))


def _difference(champion: Champion, actions: FloatArray, changed: FloatArray, extent: FloatArray) -> float:
    if is_choice(champion):
        return float((actions != changed).any(axis=1).mean())
    return float(np.minimum(np.abs(actions - changed) / extent, 1.0).mean())


def is_choice(champion: Champion) -> bool:
    """Whether the champion's actions are discrete."""
    return champion.task is not None and not isinstance(champion.task.action_space, spaces.Box)


def without_inputs(
    champion: Champion, episodes: Sequence[Trajectory], trials: Trials, inputs: Sequence[int], seconds: float
) -> Removals:
    """Mean returns of the champion with one input at a time fixed at its mean over `episodes`."""
    observations, _ = sampled_observations(episodes)
    means = observations.mean(axis=0)
    if champion.normaliser is not None:
        champion.normaliser.normalise(means)
    genomes = [_with_input_fixed(champion.architecture, champion.genome, index, means[index]) for index in inputs]
    return _removals(champion, trials, inputs, genomes, seconds)


def without_neurons(champion: Champion, trials: Trials, neurons: Sequence[int], seconds: float) -> Removals:
    """Mean returns of the champion with the output of one hidden neuron at a time fixed at 0."""
    genomes = [_without_neuron(champion.architecture, champion.genome, index) for index in neurons]
    return _removals(champion, trials, neurons, genomes, seconds)


def _removals(
    champion: Champion, trials: Trials, parts: Sequence[int], genomes: Sequence[FloatArray], seconds: float
) -> Removals:
    returns = trials.within(np.stack([champion.genome, *genomes]), seconds).returns
    means = returns.mean(axis=1)
    return Removals(parts, means[1:], float(means[0]), returns.shape[1])


def _with_input_fixed(architecture: Architecture, genome: FloatArray, index: int, value: float) -> FloatArray:
    """The genome that acts as if the input always were `value`, or 0 in a network without biases."""
    changed = genome.copy()
    blocks = architecture.views(changed)
    for weights, bias in (("input_hidden_weights", "hidden_bias"), ("input_output_weights", "output_bias")):
        if weights in blocks:
            if architecture.bias:
                blocks[bias] += blocks[weights][index] * value
            blocks[weights][index] = 0.0
    return changed


def _without_neuron(architecture: Architecture, genome: FloatArray, index: int) -> FloatArray:
    changed = genome.copy()
    blocks = architecture.views(changed)
    blocks["hidden_output_weights"][index] = 0.0
    if architecture.recurrent:
        blocks["hidden_hidden_weights"][index] = 0.0
    return changed


def neuron_states(architecture: Architecture, hidden: FloatArray) -> list[NeuronState]:
    """The state of each hidden neuron over its outputs `hidden (steps, hidden)`.

    A neuron is dead if its output never changes, and saturated if its bounded activation is at one of its limits in
    95 % of the steps.
    """
    activation = ACTIVATIONS[architecture.hidden_activation]
    dead = np.ptp(hidden, axis=0) <= _CONSTANT
    at_end = np.zeros(architecture.num_hidden)
    if activation.bounded:
        margin = _NEAR * (activation.high - activation.low)
        at_end = ((hidden <= activation.low + margin) | (hidden >= activation.high - margin)).mean(axis=0)
    return [
        "dead" if is_dead else "saturated" if share >= _MOSTLY else "active"
        for is_dead, share in zip(dead, at_end, strict=True)
    ]


def path_strength(champion: Champion) -> tuple[FloatArray, FloatArray]:
    """Sums of absolute weights over all paths to the outputs, for inputs `(inputs,)` and hidden neurons `(hidden,)`."""
    network = champion.network
    incoming, outgoing = np.abs(network.input_hidden_weights), np.abs(network.hidden_output_weights).sum(axis=1)
    inputs = incoming @ outgoing
    if network.architecture.skip:
        inputs = inputs + np.abs(network.input_output_weights).sum(axis=1)
    return inputs, incoming.sum(axis=0) * outgoing
