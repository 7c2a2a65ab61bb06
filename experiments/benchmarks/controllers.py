"""Networks that can balance CartPole-v1, for measuring speed: a fallen pole would end the work early.

All contestants get the same 4-16-2 networks (tanh, then linear), as genomes in evonet's order: weights from input to
hidden layer (4, 16), biases of the hidden layer (16), weights to the output layer (16, 2), its biases (2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INPUTS, HIDDEN, OUTPUTS = 4, 16, 2
GENES = INPUTS * HIDDEN + HIDDEN + HIDDEN * OUTPUTS + OUTPUTS
STEPS = 500

# Push to where the pole falls, and lean into the way back: position, velocity, angle, angular velocity.
_GAINS = np.array([0.12, 0.3, 2.2, 0.9])
_PILOT = 5  # the hidden unit that steers; the others whisper

Blocks = tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]


def blocks(genomes: NDArray[np.floating]) -> Blocks:
    """Views: weights (…, 4, 16), biases (…, 16), weights (…, 16, 2), biases (…, 2) of `genomes (…, 114)`."""
    shapes = [(INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, OUTPUTS), (OUTPUTS,)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    pieces = np.split(genomes, ends[:-1], axis=-1)
    first, second, third, fourth = (
        piece.reshape(*genomes.shape[:-1], *shape) for piece, shape in zip(pieces, shapes, strict=True)
    )
    return first, second, third, fourth


def controllers(n: int, seed: int = 1) -> NDArray[np.float64]:
    """n different genomes `(n, 114)`: a linear controller in one hidden unit, small random weights in all others."""
    rng = np.random.default_rng(seed)
    genomes = rng.uniform(-0.4, 0.4, (n, GENES))
    incoming, bias, outgoing, tilt = blocks(genomes)
    outgoing *= 0.005
    incoming[:, :, _PILOT] = _GAINS * rng.uniform(0.95, 1.05, (n, INPUTS))
    bias[:, _PILOT] = 0.0
    outgoing[:, _PILOT] = [-0.8, 0.8]
    # Upright and at rest no side is preferred: the output biases take back what the other units say there.
    tilt[...] = -np.einsum("nh,nho->no", np.tanh(bias), outgoing)
    return genomes


def action(genome_blocks: Blocks, observation: NDArray[np.floating]) -> int:
    """What one network does, as a textbook has it."""
    incoming, bias, outgoing, tilt = genome_blocks
    hidden = np.tanh(np.dot(observation, incoming) + bias)
    return int(np.argmax(np.dot(hidden, outgoing) + tilt))
