"""The rollout that Numba compiles: lanes side by side, each of which takes the next episode when its own has ended.

Plain functions over arrays whose last axis is the lane, so that each innermost loop does the same for neighbouring
lanes and becomes vector instructions. `evonet.evaluation.kernels.codegen` replaces the names in capitals, and those
that are `_filled_in` here, by what they are for a task. Sums run in the same order as in
`evonet.evaluation.kernels.numpy_engine`, so the bits are the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from evonet.environments.known.arithmetic import where
from evonet.evaluation.kernels.aligned import aligned_zeros
from evonet.evaluation.kernels.task import KernelTask

LANE_BLOCK = 16
"""Loops run over a multiple of this number of lanes: a few vectors, and no remainder."""

RUNNING, TRUNCATED, TERMINATED, BAD_OBSERVATION, BAD_OUTPUT, BAD_REWARD = 0, 1, 2, 4, 5, 6  # as in `Outcome`

INPUTS = OUTPUTS = STATE = ROWS = 0
TOGETHER = 1  # neurons that a lane computes in one go
BIAS = RECURRENT = SKIP = NORMALISE = MEASURED = REWARDED = False
LIMIT = 0.0
observation_dtype = np.float64


def _filled_in(*arguments: Any) -> Any:
    """Stands for a function that the generated module has for its task."""
    raise NotImplementedError


step = observe = decode = activate_hidden = activate_output = network_dtype = _filled_in
load_state = store_state = load_outputs = store_observation = add_neurons = add_neuron = _filled_in
measure_lanes = clear_rows = _filled_in


class Episodes(NamedTuple):
    """All episodes of a run, m of them: what they are, and how they went.

    Attributes:
        genomes: `(k, genome_size)`, float64.
        individuals: row of the genomes of each episode, `(m,)`.
        starts: start states, `(s, STATE)`.
        start_rows: row of the start states of each episode, `(m,)`.
        returns: `(m,)`, to be filled; the return of an episode with a bad reward is that reward.
        lengths: `(m,)`, to be filled.
        outcomes: `(m,)`, to be filled, see `Outcome`.
        sums: sums of the deviations of observations, `(m, INPUTS)`, to be filled if they are normalised.
        squares: sums of the squares of these deviations, `(m, INPUTS)`.
        rows: the running sums and extremes of the measures, `(m, ROWS)`, to be filled.
    """

    genomes: Any
    individuals: Any
    starts: Any
    start_rows: Any
    returns: Any
    lengths: Any
    outcomes: Any
    sums: Any
    squares: Any
    rows: Any


class Lanes(NamedTuple):
    """The running episodes, one in each lane; the lane is every array's last axis.

    Attributes:
        genomes: genomes of the networks, `(genome_size, lanes)`.
        state: states of the environments, `(STATE, lanes)`.
        observations: their observations, `(INPUTS, lanes)`.
        inputs: what the networks read of these, `(INPUTS, lanes)`.
        outputs: the networks' outputs, `(OUTPUTS, lanes)`.
        hidden: outputs of the hidden layer, which a recurrent network reads in the next step, `(hidden, lanes)`.
        recurrent: share of these in the hidden neurons' sums, `(hidden, lanes)`.
        sums: sums of the deviations of observations, `(INPUTS, lanes)`.
        squares: sums of the squares of these deviations, `(INPUTS, lanes)`.
        outcomes: how the episodes ended, or `RUNNING`, `(lanes,)`.
        rows: running sums and extremes of the measures, `(ROWS, lanes)`.
        rewards: rewards of the last step, if a measure reads them, `(lanes,)`.
        returns: returns so far, `(lanes,)`.
        lengths: steps so far, `(lanes,)`.
        episodes: which of `Episodes` each lane runs, `(lanes,)`; -1 before the first.
    """

    genomes: Any
    state: Any
    observations: Any
    inputs: Any
    outputs: Any
    hidden: Any
    recurrent: Any
    sums: Any
    squares: Any
    outcomes: Any
    rows: Any
    rewards: Any
    returns: Any
    lengths: Any
    episodes: Any

    @classmethod
    def empty(cls, task: KernelTask, num_lanes: int) -> Lanes:
        """`num_lanes` lanes; made outside of what is compiled, which would take a second more to compile."""
        architecture, network_dtype, observation_dtype = task.architecture, task.network_dtype, task.observation_dtype
        inputs, hidden, outputs = architecture.num_inputs, architecture.num_hidden, architecture.num_outputs
        return cls(
            genomes=aligned_zeros((architecture.genome_size, num_lanes), network_dtype),
            state=aligned_zeros((task.state_size, num_lanes)),
            observations=aligned_zeros((inputs, num_lanes), observation_dtype),
            inputs=aligned_zeros((inputs, num_lanes), network_dtype),
            outputs=aligned_zeros((outputs, num_lanes), network_dtype),
            hidden=aligned_zeros((hidden, num_lanes), network_dtype),
            recurrent=aligned_zeros((hidden, num_lanes), network_dtype),
            sums=aligned_zeros((inputs, num_lanes)),
            squares=aligned_zeros((inputs, num_lanes)),
            outcomes=aligned_zeros((num_lanes,), np.int64),
            rows=aligned_zeros((0 if task.measures is None else len(task.measures.initial_values), num_lanes)),
            rewards=aligned_zeros((num_lanes,)),
            returns=aligned_zeros((num_lanes,)),
            lengths=aligned_zeros((num_lanes,)),
            episodes=aligned_zeros((num_lanes,), np.int64),
        )


def observe_lanes(lanes: Any, width: int) -> None:
    """Observe each lane's state, and mark the lanes where an observation is not finite."""
    state, observations, outcomes = lanes.state, lanes.observations, lanes.outcomes
    for lane in range(width):
        store_observation(observations, lane, observe(load_state(state, lane)))
    for lane in range(width):  # a loop of its own, because compilers make no vectors of a loop with too many arrays
        zero = observation_dtype(0.0)  # stays 0 if all are finite: infinity minus infinity is NaN, and so is NaN - NaN
        for k in range(INPUTS):
            zero += observations[k, lane] - observations[k, lane]
        outcomes[lane] = where(zero == 0.0, RUNNING, BAD_OBSERVATION)


def prepare_inputs(lanes: Any, mean: Any, deviation: Any, width: int) -> None:
    """Turn observations into inputs; if they are normalised, add up their deviations from the mean."""
    observations, inputs, sums, squares = lanes.observations, lanes.inputs, lanes.sums, lanes.squares
    for k in range(INPUTS):
        for lane in range(width):
            if NORMALISE:
                difference = observations[k, lane] - mean[k]
                sums[k, lane] += difference
                squares[k, lane] += difference * difference
                inputs[k, lane] = network_dtype(np.minimum(np.maximum(difference / deviation[k], -LIMIT), LIMIT))
            else:
                inputs[k, lane] = network_dtype(observations[k, lane])


def forward(lanes: Any, hidden_size: int, width: int) -> None:
    """Compute the networks' outputs; each hidden neuron adds its share to them at once."""
    genomes, inputs, outputs, hidden, recurrent = (
        lanes.genomes,
        lanes.inputs,
        lanes.outputs,
        lanes.hidden,
        lanes.recurrent,
    )
    bias = INPUTS * hidden_size  # rows of the genome from which the hidden biases and the output weights are
    outgoing = bias + hidden_size if BIAS else bias
    if RECURRENT:
        fill_recurrent(genomes, hidden, recurrent, outgoing, hidden_size, width)
        outgoing += hidden_size * hidden_size
    clear_outputs(outputs, width)
    together = hidden_size // TOGETHER * TOGETHER
    for neuron in range(0, together, TOGETHER):
        for lane in range(width):
            add_neurons(genomes, inputs, hidden, recurrent, outputs, bias, outgoing, hidden_size, neuron, lane)
    for neuron in range(together, hidden_size):
        for lane in range(width):
            add_neuron(genomes, inputs, hidden, recurrent, outputs, bias, outgoing, hidden_size, neuron, lane)
    finish_outputs(genomes, inputs, outputs, outgoing + hidden_size * OUTPUTS, width)


def hidden_output(
    genomes: Any, inputs: Any, hidden: Any, recurrent: Any, bias: int, hidden_size: int, neuron: int, lane: int
) -> Any:
    """Output of a hidden neuron."""
    total = inputs[0, lane] * genomes[neuron, lane]
    for i in range(1, INPUTS):
        total += inputs[i, lane] * genomes[i * hidden_size + neuron, lane]
    if BIAS:
        total += genomes[bias + neuron, lane]
    if RECURRENT:
        total += recurrent[neuron, lane]
    output = network_dtype(activate_hidden(total))
    if RECURRENT:
        hidden[neuron, lane] = output
    return output


def clear_outputs(outputs: Any, width: int) -> None:
    """Set the outputs to 0."""
    for k in range(OUTPUTS):
        for lane in range(width):
            outputs[k, lane] = network_dtype(0.0)


def fill_recurrent(genomes: Any, hidden: Any, recurrent: Any, first: int, hidden_size: int, width: int) -> None:
    """Set `recurrent` to the share of the hidden layer's last outputs in each hidden neuron's sum.

    The recurrent weights begin at row `first` of the genome.
    """
    for neuron in range(hidden_size):
        for lane in range(width):
            recurrent[neuron, lane] = hidden[0, lane] * genomes[first + neuron, lane]
        for other in range(1, hidden_size):
            for lane in range(width):
                recurrent[neuron, lane] += hidden[other, lane] * genomes[first + other * hidden_size + neuron, lane]


def finish_outputs(genomes: Any, inputs: Any, outputs: Any, first: int, width: int) -> None:
    """Add the inputs' share and the biases of the output layer, and apply its activation.

    The weights of skip connections begin at row `first` of the genome, the biases follow.
    """
    bias = first + INPUTS * OUTPUTS if SKIP else first
    for k in range(OUTPUTS):
        for lane in range(width):
            total = outputs[k, lane]
            if SKIP:
                skipped = inputs[0, lane] * genomes[first + k, lane]
                for i in range(1, INPUTS):
                    skipped += inputs[i, lane] * genomes[first + i * OUTPUTS + k, lane]
                total += skipped
            if BIAS:
                total += genomes[bias + k, lane]
            outputs[k, lane] = network_dtype(activate_output(total))


def step_lanes(lanes: Any, max_steps: float, parameters: Any, width: int) -> int:
    """Take one step in each lane; `outcomes` says whether and how its episode ended. Returns 0 if all go on."""
    state, outputs, outcomes = lanes.state, lanes.outputs, lanes.outcomes
    returns, lengths = lanes.returns, lanes.lengths
    ended = 0
    for lane in range(width):
        zero = 0.0
        for k in range(OUTPUTS):
            zero += outputs[k, lane] - outputs[k, lane]
        new, reward, terminated = step(load_state(state, lane), decode(load_outputs(outputs, lane)), parameters)
        store_state(state, lane, new)
        length = lengths[lane] + 1.0
        outcome = where(terminated, TERMINATED, where(length == max_steps, TRUNCATED, RUNNING))
        outcome = where(reward - reward == 0.0, outcome, BAD_REWARD)
        outcome = where(zero == 0.0, outcome, BAD_OUTPUT)
        outcome = where(outcomes[lane] == RUNNING, outcome, outcomes[lane])
        lengths[lane] = where(outcome <= TERMINATED, length, lengths[lane])
        returns[lane] = where(outcome == BAD_REWARD, reward, returns[lane] + reward)
        if REWARDED:
            lanes.rewards[lane] = reward
        outcomes[lane] = outcome
        ended |= outcome
    return ended


def begin(lanes: Any, lane: int, episodes: Any, episode: int) -> None:
    """Begin an episode in a lane; the weights stay if the last episode was the same individual's."""
    row, last = episodes.individuals[episode], lanes.episodes[lane]
    if last < 0 or episodes.individuals[last] != row:
        for gene in range(episodes.genomes.shape[1]):
            lanes.genomes[gene, lane] = network_dtype(episodes.genomes[row, gene])
    lanes.episodes[lane] = episode
    for k in range(STATE):
        lanes.state[k, lane] = episodes.starts[episodes.start_rows[episode], k]
    lanes.returns[lane] = lanes.lengths[lane] = 0.0
    if RECURRENT:
        for neuron in range(lanes.hidden.shape[0]):
            lanes.hidden[neuron, lane] = network_dtype(0.0)
    if NORMALISE:
        for k in range(INPUTS):
            lanes.sums[k, lane] = lanes.squares[k, lane] = 0.0
    if MEASURED:
        clear_rows(lanes.rows, lane)


def end(lanes: Any, lane: int, episodes: Any) -> None:
    """Write down how the lane's episode went."""
    episode = lanes.episodes[lane]
    episodes.returns[episode] = lanes.returns[lane]
    episodes.lengths[episode] = int(lanes.lengths[lane])
    episodes.outcomes[episode] = lanes.outcomes[lane]
    if NORMALISE:
        for k in range(INPUTS):
            episodes.sums[episode, k] = lanes.sums[k, lane]
            episodes.squares[episode, k] = lanes.squares[k, lane]
    if MEASURED:
        for k in range(ROWS):
            episodes.rows[episode, k] = lanes.rows[k, lane]
        store_observation(lanes.observations, lane, observe(load_state(lanes.state, lane)))
        zero = observation_dtype(0.0)  # the last observation is measured, too, and may not be finite
        for k in range(INPUTS):
            zero += lanes.observations[k, lane] - lanes.observations[k, lane]
        if zero != 0.0 and lanes.outcomes[lane] <= TERMINATED:  # NaN is not 0
            episodes.outcomes[episode] = BAD_OBSERVATION


def move(lanes: Any, source: int, target: int) -> None:
    """Move the episode of one lane to another."""
    for table in (lanes.state, lanes.sums, lanes.squares, lanes.rows):
        for k in range(table.shape[0]):
            table[k, target] = table[k, source]
    for table in (lanes.genomes, lanes.hidden):
        for k in range(table.shape[0]):
            table[k, target] = table[k, source]
    for row in (lanes.returns, lanes.lengths):
        row[target] = row[source]
    lanes.episodes[target] = lanes.episodes[source]
    lanes.outcomes[target] = lanes.outcomes[source]


def roll_out(
    lanes: Any, episodes: Any, order: Any, mean: Any, deviation: Any, parameters: Any, max_steps: float
) -> None:
    """Run some episodes and store the outcome of each in `episodes`.

    Args:
        lanes: the `Lanes`, a multiple of `LANE_BLOCK` many; their former contents do not matter.
        episodes: the `Episodes`.
        order: indices of the episodes to run.
        mean: mean of the observations, `(INPUTS,)`.
        deviation: standard deviation of the observations, `(INPUTS,)`.
        parameters: the kernel's parameters.
        max_steps: steps after which an episode is truncated.
    """
    num_lanes, hidden_size = len(lanes.outcomes), len(lanes.hidden)
    busy = begun = min(num_lanes, len(order))
    for lane in range(busy):
        lanes.episodes[lane] = -1
        begin(lanes, lane, episodes, order[lane])
    while busy > 0:
        width = min(num_lanes, (busy + LANE_BLOCK - 1) // LANE_BLOCK * LANE_BLOCK)
        observe_lanes(lanes, width)
        prepare_inputs(lanes, mean, deviation, width)
        forward(lanes, hidden_size, width)
        ended = step_lanes(lanes, max_steps, parameters, width)
        if MEASURED:
            measure_lanes(lanes, width)
        if ended == RUNNING:
            continue
        lane = 0
        while lane < busy:
            if lanes.outcomes[lane] == RUNNING:
                lane += 1
                continue
            end(lanes, lane, episodes)
            if begun < len(order):
                begin(lanes, lane, episodes, order[begun])
                begun += 1
                lane += 1
            else:  # the last busy lane moves here, and is the next to be checked
                busy -= 1
                move(lanes, busy, lane)
