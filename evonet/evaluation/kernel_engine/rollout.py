"""The rollout that Numba compiles: lanes side by side, each taking the next episode the moment its own has ended.

Plain functions over arrays whose last axis is the lane, so that each innermost loop does the same for neighbouring
lanes and becomes vector instructions. The names in capitals and those that stand for `_put_in` are put in for each task
by `evonet.evaluation.kernel_engine.compilation`. Sums run in the same order as in
`evonet.evaluation.kernel_engine.columns`, whence the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from evonet.environments.kernels.arithmetic import where
from evonet.evaluation.kernel_engine.aligned import aligned_zeros
from evonet.evaluation.kernel_engine.plan import Plan

WIDTHS = 16
"""Loops run over a multiple of so many lanes: a few vectors, and no remainder."""

GOES_ON, CUT, TERMINATED, BAD_OBSERVATION, BAD_OUTPUT, BAD_REWARD = 0, 1, 2, 4, 5, 6  # as in `Outcome`

INPUTS = OUTPUTS = STATE = 0
TOGETHER = 1  # neurons of which each lane does so many in one go
BIAS = RECURRENT = NORMALISE = False
LIMIT = 0.0
observed = np.float64


def _put_in(*arguments: Any) -> Any:
    raise NotImplementedError


step = observe = decode = activate_hidden = activate_output = real = _put_in
load_state = store_state = load_outputs = store_observation = add_neurons = add_neuron = _put_in


class Episodes(NamedTuple):
    """All episodes of a run, m of them: what they are, and how they went.

    Attributes:
        genomes: `(k, genome_size)`, float64.
        individuals: row of the genomes of each episode, `(m,)`.
        starts: start states, `(s, STATE)`.
        which: row of the start states of each episode, `(m,)`.
        returns: `(m,)`, to be filled; of an episode with a bad reward, that reward.
        lengths: `(m,)`, to be filled.
        outcomes: `(m,)`, to be filled, see `Outcome`.
        sums: of deviations of observations, `(m, INPUTS)`, to be filled if they are normalised.
        squares: of the same, squared.
    """

    genomes: Any
    individuals: Any
    starts: Any
    which: Any
    returns: Any
    lengths: Any
    outcomes: Any
    sums: Any
    squares: Any


class Lanes(NamedTuple):
    """The episodes under way, one in each lane; the lane is every array's last axis."""

    genomes: Any
    state: Any
    observations: Any
    inputs: Any
    outputs: Any
    memory: Any
    echo: Any
    sums: Any
    squares: Any
    events: Any
    returns: Any
    lengths: Any
    episodes: Any

    @classmethod
    def empty(cls, plan: Plan, num_lanes: int) -> Lanes:
        """So many lanes; not made by what is compiled, which would take a second more of compiling."""
        architecture, real, observed = plan.architecture, plan.real, plan.task.observation_space.dtype
        inputs, hidden, outputs = architecture.num_inputs, architecture.num_hidden, architecture.num_outputs
        return cls(
            genomes=aligned_zeros((architecture.genome_size, num_lanes), real),
            state=aligned_zeros((plan.state_size, num_lanes)),
            observations=aligned_zeros((inputs, num_lanes), observed),
            inputs=aligned_zeros((inputs, num_lanes), real),
            outputs=aligned_zeros((outputs, num_lanes), real),
            memory=aligned_zeros((hidden, num_lanes), real),
            echo=aligned_zeros((hidden, num_lanes), real),
            sums=aligned_zeros((inputs, num_lanes)),
            squares=aligned_zeros((inputs, num_lanes)),
            events=aligned_zeros((num_lanes,), np.int64),
            returns=aligned_zeros((num_lanes,)),
            lengths=aligned_zeros((num_lanes,)),
            episodes=aligned_zeros((num_lanes,), np.int64),
        )


def look(lanes: Any, width: int) -> None:
    """Observe each lane's state, and mark lanes that see numbers that are not finite."""
    state, observations, events = lanes.state, lanes.observations, lanes.events
    for lane in range(width):
        store_observation(observations, lane, observe(load_state(state, lane)))
    for lane in range(width):  # by itself, since compilers give up on a loop with too many arrays
        zero = observed(0.0)
        for k in range(INPUTS):
            zero += observations[k, lane] - observations[k, lane]
        events[lane] = where(zero == 0.0, GOES_ON, BAD_OBSERVATION)


def prepare(lanes: Any, mean: Any, deviation: Any, width: int) -> None:
    """Inputs of observations; if they are normalised, their deviations from the mean are added up."""
    observations, inputs, sums, squares = lanes.observations, lanes.inputs, lanes.sums, lanes.squares
    for k in range(INPUTS):
        for lane in range(width):
            if NORMALISE:
                wide = observations[k, lane] - mean[k]
                sums[k, lane] += wide
                squares[k, lane] += wide * wide
                inputs[k, lane] = real(np.minimum(np.maximum(wide / deviation[k], -LIMIT), LIMIT))
            else:
                inputs[k, lane] = real(observations[k, lane])


def think(lanes: Any, hidden_size: int, width: int) -> None:
    """Outputs of the networks; each hidden neuron adds its part to them at once."""
    genomes, inputs, outputs, memory, echo = lanes.genomes, lanes.inputs, lanes.outputs, lanes.memory, lanes.echo
    bias = INPUTS * hidden_size
    outgoing = bias + hidden_size if BIAS else bias
    if RECURRENT:
        remember(genomes, memory, echo, outgoing, hidden_size, width)
        outgoing += hidden_size * hidden_size
    clear(outputs, width)
    together = hidden_size // TOGETHER * TOGETHER
    for neuron in range(0, together, TOGETHER):
        for lane in range(width):
            add_neurons(genomes, inputs, memory, echo, outputs, bias, outgoing, hidden_size, neuron, lane)
    for neuron in range(together, hidden_size):
        for lane in range(width):
            add_neuron(genomes, inputs, memory, echo, outputs, bias, outgoing, hidden_size, neuron, lane)
    answer(genomes, outputs, outgoing + hidden_size * OUTPUTS, width)


def respond(
    genomes: Any, inputs: Any, memory: Any, echo: Any, bias: int, hidden_size: int, neuron: int, lane: int
) -> Any:
    """Output of a hidden neuron."""
    total = inputs[0, lane] * genomes[neuron, lane]
    for i in range(1, INPUTS):
        total += inputs[i, lane] * genomes[i * hidden_size + neuron, lane]
    if BIAS:
        total += genomes[bias + neuron, lane]
    if RECURRENT:
        total += echo[neuron, lane]
    hidden = real(activate_hidden(total))
    if RECURRENT:
        memory[neuron, lane] = hidden
    return hidden


def clear(outputs: Any, width: int) -> None:
    """Nothing yet."""
    for k in range(OUTPUTS):
        for lane in range(width):
            outputs[k, lane] = real(0.0)


def remember(genomes: Any, memory: Any, echo: Any, recurrent: int, hidden_size: int, width: int) -> None:
    """What each hidden neuron hears of the hidden layer's last outputs."""
    for neuron in range(hidden_size):
        for lane in range(width):
            echo[neuron, lane] = memory[0, lane] * genomes[recurrent + neuron, lane]
        for other in range(1, hidden_size):
            for lane in range(width):
                echo[neuron, lane] += memory[other, lane] * genomes[recurrent + other * hidden_size + neuron, lane]


def answer(genomes: Any, outputs: Any, bias: int, width: int) -> None:
    """Biases and activation of the output layer."""
    for k in range(OUTPUTS):
        for lane in range(width):
            total = outputs[k, lane]
            if BIAS:
                total += genomes[bias + k, lane]
            outputs[k, lane] = real(activate_output(total))


def act(lanes: Any, max_steps: float, parameters: Any, width: int) -> int:
    """One step of each lane; `events` says how its episode ended, if it did. Returns 0 if all go on."""
    state, outputs, events, returns, lengths = lanes.state, lanes.outputs, lanes.events, lanes.returns, lanes.lengths
    ended = 0
    for lane in range(width):
        zero = 0.0
        for k in range(OUTPUTS):
            zero += outputs[k, lane] - outputs[k, lane]
        new, reward, terminated = step(load_state(state, lane), decode(load_outputs(outputs, lane)), parameters)
        store_state(state, lane, new)
        length = lengths[lane] + 1.0
        event = where(terminated, TERMINATED, where(length == max_steps, CUT, GOES_ON))
        event = where(reward - reward == 0.0, event, BAD_REWARD)
        event = where(zero == 0.0, event, BAD_OUTPUT)
        event = where(events[lane] == GOES_ON, event, events[lane])
        lengths[lane] = where(event <= TERMINATED, length, lengths[lane])
        returns[lane] = where(event == BAD_REWARD, reward, returns[lane] + reward)
        events[lane] = event
        ended |= event
    return ended


def begin(lanes: Any, lane: int, episodes: Any, episode: int) -> None:
    """An episode starts in a lane; the weights stay if they are the same individual's."""
    row, last = episodes.individuals[episode], lanes.episodes[lane]
    if last < 0 or episodes.individuals[last] != row:
        for gene in range(episodes.genomes.shape[1]):
            lanes.genomes[gene, lane] = real(episodes.genomes[row, gene])
    lanes.episodes[lane] = episode
    for k in range(STATE):
        lanes.state[k, lane] = episodes.starts[episodes.which[episode], k]
    lanes.returns[lane] = lanes.lengths[lane] = 0.0
    if RECURRENT:
        for neuron in range(lanes.memory.shape[0]):
            lanes.memory[neuron, lane] = real(0.0)
    if NORMALISE:
        for k in range(INPUTS):
            lanes.sums[k, lane] = lanes.squares[k, lane] = 0.0


def end(lanes: Any, lane: int, episodes: Any) -> None:
    """Write down how the lane's episode went."""
    episode = lanes.episodes[lane]
    episodes.returns[episode] = lanes.returns[lane]
    episodes.lengths[episode] = int(lanes.lengths[lane])
    episodes.outcomes[episode] = lanes.events[lane]
    if NORMALISE:
        for k in range(INPUTS):
            episodes.sums[episode, k] = lanes.sums[k, lane]
            episodes.squares[episode, k] = lanes.squares[k, lane]


def move(lanes: Any, source: int, target: int) -> None:
    """One lane's episode goes on in another."""
    for table in (lanes.state, lanes.sums, lanes.squares):
        for k in range(table.shape[0]):
            table[k, target] = table[k, source]
    for table in (lanes.genomes, lanes.memory):
        for k in range(table.shape[0]):
            table[k, target] = table[k, source]
    for row in (lanes.returns, lanes.lengths):
        row[target] = row[source]
    lanes.episodes[target] = lanes.episodes[source]
    lanes.events[target] = lanes.events[source]


def roll_out(
    lanes: Any, episodes: Any, order: Any, mean: Any, deviation: Any, parameters: Any, max_steps: float
) -> None:
    """Run some episodes, and write down how each went.

    Args:
        lanes: `Lanes`, as many as a multiple of `WIDTHS`; what is in them does not matter.
        episodes: `Episodes`.
        order: numbers of the episodes to run.
        mean: of the observations, `(INPUTS,)`.
        deviation: of the observations, `(INPUTS,)`.
        parameters: of the kernel.
        max_steps: steps after which an episode is cut.
    """
    num_lanes, hidden_size = len(lanes.events), len(lanes.memory)
    busy = begun = min(num_lanes, len(order))
    for lane in range(busy):
        lanes.episodes[lane] = -1
        begin(lanes, lane, episodes, order[lane])
    while busy > 0:
        width = min(num_lanes, (busy + WIDTHS - 1) // WIDTHS * WIDTHS)
        look(lanes, width)
        prepare(lanes, mean, deviation, width)
        think(lanes, hidden_size, width)
        if act(lanes, max_steps, parameters, width) == GOES_ON:
            continue
        lane = 0
        while lane < busy:
            if lanes.events[lane] == GOES_ON:
                lane += 1
                continue
            end(lanes, lane, episodes)
            if begun < len(order):
                begin(lanes, lane, episodes, order[begun])
                begun += 1
                lane += 1
            else:  # the last busy lane moves here, and is looked at next
                busy -= 1
                move(lanes, busy, lane)
