"""The rollout that Numba compiles: lanes side by side, each taking the next episode the moment its own has ended.

Plain functions over arrays whose last axis is the lane, so that each innermost loop does the same for neighbouring lanes
and becomes vector instructions. The names in capitals and the functions declared below are put in for each task by
`evonet.evaluation.kernel_engine.compilation`; the rest of a task (sizes of layers, limits) are arguments. Sums run in
the same order as in `evonet.evaluation.kernel_engine.columns`, whence the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

INPUTS = 0
OUTPUTS = 0
STATE = 0
BIAS = False
RECURRENT = False
NORMALISE = False
LIMIT = 0.0
GOES_ON, CUT, TERMINATED, BAD_OBSERVATION, BAD_OUTPUT, BAD_REWARD = 0, 1, 2, 4, 5, 6
WIDTHS = 16  # loops run over a multiple of so many lanes: a few vectors, and no remainder

step: Any
observe: Any
decode: Any
activate_hidden: Any
activate_output: Any
real: Any
observed: Any
load_state: Any
store_state: Any
load_outputs: Any
store_observation: Any
where: Any


def look(state: Any, observations: Any, events: Any, width: int) -> None:
    """Observe each lane's state, and mark lanes that see numbers that are not finite."""
    for lane in range(width):
        store_observation(observations, lane, observe(load_state(state, lane)))
        zero = 0.0
        for k in range(INPUTS):
            zero += observations[k, lane] - observations[k, lane]
        events[lane] = where(zero == 0.0, GOES_ON, BAD_OBSERVATION)


def normalise(observations: Any, inputs: Any, sums: Any, squares: Any, mean: Any, deviation: Any, width: int) -> None:
    """Inputs of observations; their deviations from the mean are added up."""
    for k in range(INPUTS):
        for lane in range(width):
            wide = observations[k, lane] - mean[k]
            sums[k, lane] += wide
            squares[k, lane] += wide * wide
            inputs[k, lane] = real(np.minimum(np.maximum(wide / deviation[k], -LIMIT), LIMIT))


def keep(observations: Any, inputs: Any, width: int) -> None:
    """Observations as inputs, as they are."""
    for k in range(INPUTS):
        for lane in range(width):
            inputs[k, lane] = real(observations[k, lane])


def think(genomes: Any, inputs: Any, outputs: Any, hidden_size: int, width: int) -> None:
    """Outputs of networks without memory; each hidden neuron adds its part to the outputs at once."""
    bias = INPUTS * hidden_size
    outgoing = bias + hidden_size if BIAS else bias
    for k in range(OUTPUTS):
        for lane in range(width):
            outputs[k, lane] = real(0.0)
    for neuron in range(hidden_size):
        for lane in range(width):
            total = inputs[0, lane] * genomes[neuron, lane]
            for i in range(1, INPUTS):
                total += inputs[i, lane] * genomes[i * hidden_size + neuron, lane]
            if BIAS:
                total += genomes[bias + neuron, lane]
            hidden = real(activate_hidden(total))
            for k in range(OUTPUTS):
                outputs[k, lane] += hidden * genomes[outgoing + neuron * OUTPUTS + k, lane]
    finish(genomes, outputs, outgoing + hidden_size * OUTPUTS, width)


def think_again(genomes: Any, inputs: Any, outputs: Any, memory: Any, echo: Any, hidden_size: int, width: int) -> None:
    """Outputs of recurrent networks. `memory` holds the last outputs of the hidden layer, and then the new ones."""
    bias = INPUTS * hidden_size
    recurrent = bias + hidden_size if BIAS else bias
    outgoing = recurrent + hidden_size * hidden_size
    for neuron in range(hidden_size):
        for lane in range(width):
            echo[neuron, lane] = memory[0, lane] * genomes[recurrent + neuron, lane]
        for other in range(1, hidden_size):
            for lane in range(width):
                echo[neuron, lane] += memory[other, lane] * genomes[recurrent + other * hidden_size + neuron, lane]
    for k in range(OUTPUTS):
        for lane in range(width):
            outputs[k, lane] = real(0.0)
    for neuron in range(hidden_size):
        for lane in range(width):
            total = inputs[0, lane] * genomes[neuron, lane]
            for i in range(1, INPUTS):
                total += inputs[i, lane] * genomes[i * hidden_size + neuron, lane]
            if BIAS:
                total += genomes[bias + neuron, lane]
            hidden = real(activate_hidden(total + echo[neuron, lane]))
            memory[neuron, lane] = hidden
            for k in range(OUTPUTS):
                outputs[k, lane] += hidden * genomes[outgoing + neuron * OUTPUTS + k, lane]
    finish(genomes, outputs, outgoing + hidden_size * OUTPUTS, width)


def finish(genomes: Any, outputs: Any, bias: int, width: int) -> None:
    """Biases and activation of the output layer."""
    for k in range(OUTPUTS):
        for lane in range(width):
            total = outputs[k, lane]
            if BIAS:
                total += genomes[bias + k, lane]
            outputs[k, lane] = real(activate_output(total))


def act(
    state: Any, outputs: Any, events: Any, returns: Any, lengths: Any, max_steps: float, parameters: Any, width: int
) -> None:
    """One step of each lane; `events` says how it ended, if it did."""
    for lane in range(width):
        numbers = load_outputs(outputs, lane)
        zero = 0.0
        for k in range(OUTPUTS):
            zero += outputs[k, lane] - outputs[k, lane]
        new, reward, terminated = step(load_state(state, lane), decode(numbers), parameters)
        store_state(state, lane, new)
        length = lengths[lane] + 1.0
        event = where(terminated, TERMINATED, where(length == max_steps, CUT, GOES_ON))
        event = where(reward - reward == 0.0, event, BAD_REWARD)
        event = where(zero == 0.0, event, BAD_OUTPUT)
        event = where(events[lane] == GOES_ON, event, events[lane])
        good = event <= TERMINATED
        lengths[lane] = where(good, length, lengths[lane])
        returns[lane] = where(event == BAD_REWARD, reward, returns[lane] + reward)
        events[lane] = event


def roll_out(
    weights: Any,
    individuals: Any,
    starts: Any,
    which: Any,
    order: Any,
    hidden_size: int,
    lanes: int,
    max_steps: float,
    parameters: Any,
    mean: Any,
    deviation: Any,
    all_returns: Any,
    all_lengths: Any,
    outcomes: Any,
    all_sums: Any,
    all_squares: Any,
) -> None:
    """Run the episodes whose numbers are in `order`, and write how each went into the last five arrays.

    Args:
        weights: `(k, genome_size)` in the network's precision.
        individuals: row of the weights of each episode, `(m,)`.
        starts: start states, `(s, STATE)`.
        which: row of the start states of each episode, `(m,)`.
        order: numbers of the episodes to run.
        hidden_size: hidden neurons.
        lanes: episodes side by side, a multiple of `WIDTHS`.
        max_steps: steps after which an episode is cut.
        parameters: of the kernel.
        mean: of the observations, `(INPUTS,)`.
        deviation: of the observations, `(INPUTS,)`.
        all_returns: `(m,)`.
        all_lengths: `(m,)`.
        outcomes: `(m,)`, see `Outcome`.
        all_sums: `(m, INPUTS)`, read and written only if observations are normalised.
        all_squares: likewise.
    """
    genome_size = weights.shape[1]
    genomes = np.zeros((genome_size, lanes), weights.dtype)
    state = np.zeros((STATE, lanes))
    observations = np.zeros((INPUTS, lanes), observed)
    inputs = np.zeros((INPUTS, lanes), weights.dtype)
    outputs = np.zeros((OUTPUTS, lanes), weights.dtype)
    memory = np.zeros((hidden_size, lanes), weights.dtype)
    echo = np.zeros((hidden_size, lanes), weights.dtype)
    sums = np.zeros((INPUTS, lanes))
    squares = np.zeros((INPUTS, lanes))
    events = np.zeros(lanes, np.uint8)
    returns = np.zeros(lanes)
    lengths = np.zeros(lanes)
    episodes = np.full(lanes, -1)

    begun = 0
    busy = min(lanes, len(order))
    for lane in range(busy):
        events[lane] = CUT
    width = lanes
    first = True
    while busy > 0:
        if not first:
            look(state, observations, events, width)
            if NORMALISE:
                normalise(observations, inputs, sums, squares, mean, deviation, width)
            else:
                keep(observations, inputs, width)
            if RECURRENT:
                think_again(genomes, inputs, outputs, memory, echo, hidden_size, width)
            else:
                think(genomes, inputs, outputs, hidden_size, width)
            act(state, outputs, events, returns, lengths, max_steps, parameters, width)
        first = False
        lane = 0
        while lane < busy:
            if events[lane] == GOES_ON:
                lane += 1
                continue
            episode = episodes[lane]
            if episode >= 0:
                all_returns[episode] = returns[lane]
                all_lengths[episode] = int(lengths[lane])
                outcomes[episode] = events[lane]
                if NORMALISE:
                    for k in range(INPUTS):
                        all_sums[episode, k] = sums[k, lane]
                        all_squares[episode, k] = squares[k, lane]
            if begun < len(order):
                episode = order[begun]
                begun += 1
                last = episodes[lane]
                episodes[lane] = episode
                row = individuals[episode]
                if last < 0 or individuals[last] != row:
                    for gene in range(genome_size):
                        genomes[gene, lane] = weights[row, gene]
                for k in range(STATE):
                    state[k, lane] = starts[which[episode], k]
                for neuron in range(hidden_size):
                    memory[neuron, lane] = real(0.0)
                for k in range(INPUTS):
                    sums[k, lane] = 0.0
                    squares[k, lane] = 0.0
                returns[lane] = 0.0
                lengths[lane] = 0.0
                lane += 1
            else:  # the last busy lane moves here, and is looked at next
                busy -= 1
                episodes[lane] = episodes[busy]
                events[lane] = events[busy]
                returns[lane] = returns[busy]
                lengths[lane] = lengths[busy]
                for gene in range(genome_size):
                    genomes[gene, lane] = genomes[gene, busy]
                for k in range(STATE):
                    state[k, lane] = state[k, busy]
                for neuron in range(hidden_size):
                    memory[neuron, lane] = memory[neuron, busy]
                for k in range(INPUTS):
                    sums[k, lane] = sums[k, busy]
                    squares[k, lane] = squares[k, busy]
        width = min(lanes, (busy + WIDTHS - 1) // WIDTHS * WIDTHS)
