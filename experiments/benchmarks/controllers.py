"""Networks that can balance CartPole-v1, for measuring speed: a fallen pole would end the work early.

All contestants get the same 4-16-2 networks (tanh, then linear), as genomes in evonet's order: weights from input to
hidden layer (4, 16), biases of the hidden layer (16), weights to the output layer (16, 2), its biases (2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evonet import Architecture

INPUTS, HIDDEN, OUTPUTS = 4, 16, 2
GENES = INPUTS * HIDDEN + HIDDEN + HIDDEN * OUTPUTS + OUTPUTS
STEPS = 500

# Two poles: 6-6-1 networks (tanh, tanh, no biases), the size with which the peer's CMA-ES needs fewest evaluations.
POLES_HIDDEN = 6
POLES_EPISODE = 1_000  # steps of an episode where speed is measured
POLES_SOLUTIONS = 16  # different networks among those that are timed
POLES_BALANCED = 100_000  # steps that count as balanced

# Push to where the pole falls, and lean into the way back: position, velocity, angle, angular velocity.
_GAINS = np.array([0.12, 0.3, 2.2, 0.9])
_PILOT = 3  # the hidden unit that steers; the others whisper

Blocks = tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]


def blocks(genomes: NDArray[np.floating], hidden: int = HIDDEN) -> Blocks:
    """Views: weights (…, 4, hidden), biases (…, hidden), weights (…, hidden, 2), biases (…, 2) of `genomes`."""
    shapes = [(INPUTS, hidden), (hidden,), (hidden, OUTPUTS), (OUTPUTS,)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    pieces = np.split(genomes, ends[:-1], axis=-1)
    first, second, third, fourth = (
        piece.reshape(*genomes.shape[:-1], *shape) for piece, shape in zip(pieces, shapes, strict=True)
    )
    return first, second, third, fourth


def controllers(n: int, hidden: int = HIDDEN, seed: int = 1) -> NDArray[np.float64]:
    """n different genomes: a linear controller in one of the hidden units, small random weights in all others."""
    rng = np.random.default_rng(seed)
    genomes = rng.uniform(-0.4, 0.4, (n, INPUTS * hidden + hidden + hidden * OUTPUTS + OUTPUTS))
    incoming, bias, outgoing, tilt = blocks(genomes, hidden)
    outgoing *= 0.02 / hidden**0.5
    incoming[:, :, _PILOT] = _GAINS * rng.uniform(0.95, 1.05, (n, INPUTS))
    bias[:, _PILOT] = 0.0
    outgoing[:, _PILOT] = [-0.8, 0.8]
    # Upright and at rest no side is preferred: the output biases take back what the other units say there.
    tilt[...] = -np.einsum("nh,nho->no", np.tanh(bias), outgoing)
    return genomes


def sparse_controllers(architecture: Architecture, n: int, seed: int = 1) -> NDArray[np.float64]:
    """n controllers with skip connections, without half of the weights that lead from the inputs to other units."""
    rng = np.random.default_rng(seed)
    genomes = np.zeros((n, architecture.genome_size))
    views = architecture.views(genomes)
    names = ("input_hidden_weights", "hidden_bias", "hidden_output_weights", "output_bias")
    for name, block in zip(
        names, blocks(controllers(n, architecture.num_hidden, seed), architecture.num_hidden), strict=True
    ):
        views[name][...] = block
    views["input_output_weights"][...] = rng.uniform(-0.01, 0.01, (n, INPUTS, OUTPUTS))
    for name in ("input_hidden_weights", "input_output_weights"):
        exists = rng.random(views[name].shape) < 0.5
        if name == "input_hidden_weights":
            exists[:, :, _PILOT] = True
        views[name][...] *= exists
    return genomes


def action(genome_blocks: Blocks, observation: NDArray[np.floating]) -> int:
    """What one network does, as a textbook has it."""
    incoming, bias, outgoing, tilt = genome_blocks
    hidden = np.tanh(np.dot(observation, incoming) + bias)
    return int(np.argmax(np.dot(hidden, outgoing) + tilt))
