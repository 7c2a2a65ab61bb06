"""What matters to a champion: each input, and each hidden neuron."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from gymnasium import spaces

from evonet.activations import ACTIVATIONS
from evonet.champion import Champion
from evonet.inspection.analysis.trajectory import Trajectory, decided
from evonet.inspection.analysis.trials import Trials
from evonet.network import Architecture
from evonet.seeding import Purpose, generator
from evonet.types import FloatArray

NeuronState = Literal["active", "dead", "saturated"]
_MOST_ROWS = 2_000
_SHUFFLES = 4
_NEAR = 0.02  # of an activation's range, so near to an end counts as at it
_MOSTLY = 0.95  # of the steps
_STILL = 1e-6  # deviation of a neuron that always says the same


@dataclass(frozen=True, eq=False)
class Removals:
    """How a champion does without a part of itself.

    Attributes:
        parts: numbers of inputs or hidden neurons, those that were tried.
        means: mean return without each, `(parts,)`; NaN where an episode failed.
        whole: mean return of the champion on the same episodes.
        episodes: how many these were.
    """

    parts: Sequence[int]
    means: FloatArray
    whole: float
    episodes: int


def visited(episodes: Sequence[Trajectory]) -> tuple[FloatArray, FloatArray]:
    """Observations that were met, and what hidden neurons remembered then: `(m, inputs)`, `(m, hidden)`.

    At most 2,000 of them, evenly spread.
    """
    observations = np.concatenate([episode.observations for episode in episodes])
    memory = np.concatenate([episode.memory for episode in episodes])
    rows = np.linspace(0, len(observations) - 1, min(len(observations), _MOST_ROWS)).round().astype(int)
    return observations[rows], memory[rows]


def action_influence(champion: Champion, episodes: Sequence[Trajectory]) -> FloatArray:
    """How much each input has to say in the actions, `(inputs,)`, from 0 to 1.

    An input is given values that it had at other times (permutation importance, Breiman 2001). Where actions are
    choices, its influence is the share of choices that change by that; where they are numbers, how far they move, as a
    share of the range that they had.
    """
    observations, memory = visited(episodes)
    acted = decided(champion, observations, memory)
    extent = np.ptp(acted, axis=0)
    extent = np.where(extent > 0, extent, 1.0)
    rng = generator(0, Purpose.INSPECTION)
    orders = [rng.permutation(len(observations)) for _ in range(_SHUFFLES)]
    found = np.zeros(observations.shape[1])
    for index in range(observations.shape[1]):
        for order in orders:
            shuffled = observations.copy()
            shuffled[:, index] = observations[order, index]
            moved = decided(champion, shuffled, memory)
            found[index] += _difference(champion, acted, moved, extent) / _SHUFFLES
    return found


def _difference(champion: Champion, acted: FloatArray, moved: FloatArray, extent: FloatArray) -> float:
    if is_choice(champion):
        return float((acted != moved).any(axis=1).mean())
    return float(np.minimum(np.abs(acted - moved) / extent, 1.0).mean())


def is_choice(champion: Champion) -> bool:
    """Whether actions are choices, not numbers."""
    return champion.task is not None and not isinstance(champion.task.action_space, spaces.Box)


def without_inputs(
    champion: Champion, episodes: Sequence[Trajectory], trials: Trials, inputs: Sequence[int], seconds: float
) -> Removals:
    """How the champion does if it sees an input's mean over `episodes`, whatever the input is."""
    observations, _ = visited(episodes)
    means = observations.mean(axis=0)
    if champion.normaliser is not None:
        champion.normaliser.normalise(means)
    genomes = [_with_input_fixed(champion.architecture, champion.genome, index, means[index]) for index in inputs]
    return _removals(champion, trials, inputs, genomes, seconds)


def without_neurons(champion: Champion, trials: Trials, neurons: Sequence[int], seconds: float) -> Removals:
    """How the champion does if a hidden neuron is silent: it always says 0."""
    genomes = [_without_neuron(champion.architecture, champion.genome, index) for index in neurons]
    return _removals(champion, trials, neurons, genomes, seconds)


def _removals(
    champion: Champion, trials: Trials, parts: Sequence[int], genomes: Sequence[FloatArray], seconds: float
) -> Removals:
    returns = trials.within(np.stack([champion.genome, *genomes]), seconds).returns
    means = returns.mean(axis=1)
    return Removals(parts, means[1:], float(means[0]), returns.shape[1])


def _with_input_fixed(architecture: Architecture, genome: FloatArray, index: int, value: float) -> FloatArray:
    """The genome that acts as if the input always had the value; 0 in a network without biases to carry it."""
    changed = genome.copy()
    blocks = architecture.views(changed)
    if architecture.bias:
        blocks["hidden_bias"] += blocks["input_hidden_weights"][index] * value
    blocks["input_hidden_weights"][index] = 0.0
    return changed


def _without_neuron(architecture: Architecture, genome: FloatArray, index: int) -> FloatArray:
    changed = genome.copy()
    blocks = architecture.views(changed)
    blocks["hidden_output_weights"][index] = 0.0
    if architecture.recurrent:
        blocks["hidden_hidden_weights"][index] = 0.0
    return changed


def neuron_states(architecture: Architecture, hidden: FloatArray) -> list[NeuronState]:
    """What each hidden neuron does over `hidden (steps, hidden)`.

    Dead is who says the same whatever happens, saturated whose bounded activation is at one of its ends in 95 % of the
    steps.
    """
    activation = ACTIVATIONS[architecture.hidden_activation]
    still = np.ptp(hidden, axis=0) <= _STILL
    at_end = np.zeros(architecture.num_hidden)
    if activation.bounded:
        margin = _NEAR * (activation.high - activation.low)
        at_end = ((hidden <= activation.low + margin) | (hidden >= activation.high - margin)).mean(axis=0)
    return [
        "dead" if dead else "saturated" if share >= _MOSTLY else "active"
        for dead, share in zip(still, at_end, strict=True)
    ]


def path_strength(champion: Champion) -> tuple[FloatArray, FloatArray]:
    """Absolute weight of all paths to the outputs, of each input `(inputs,)` and of each hidden neuron `(hidden,)`."""
    network = champion.network
    incoming, outgoing = np.abs(network.input_hidden_weights), np.abs(network.hidden_output_weights).sum(axis=1)
    return incoming @ outgoing, incoming.sum(axis=0) * outgoing
