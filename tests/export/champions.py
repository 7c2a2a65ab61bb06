"""Champions of many kinds, and observations for them: what every format must hold."""

import functools

import numpy as np
from gymnasium import spaces

from evonet.activations import ACTIVATIONS
from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import ActionDecoder, ObservationEncoder
from evonet.environments.specification import EnvironmentSpec
from evonet.operators.structure import Structure
from evonet.scores import Score
from evonet.task import Task

BOX = spaces.Box(-np.array([4.8, np.inf, 0.4, np.inf], np.float32), np.array([4.8, np.inf, 0.4, np.inf], np.float32))
OBSERVATIONS = {
    "box": BOX,
    "box64": spaces.Box(-2.0, 2.0, (2, 3), np.float64),
    "bytes": spaces.Box(0, 255, (2, 2), np.uint8),
    "discrete": spaces.Discrete(7, start=-2),
    "multi_discrete": spaces.MultiDiscrete([3, 4, 2], start=[1, 0, -1]),
    "multi_binary": spaces.MultiBinary(5),
    "small": spaces.MultiDiscrete([200, 2], np.uint8, start=[50, 254]),
    "goal": spaces.Dict(
        {
            "observation": spaces.Box(-2.0, 2.0, (3,), np.float64),
            "desired_goal": spaces.Box(-1.0, 1.0, (2,), np.float32),
            "legs": spaces.Tuple([spaces.Discrete(3, start=-1), spaces.MultiBinary((2, 2)), spaces.Box(0, 9, (0,))]),
            3: spaces.MultiDiscrete([2, 3], np.int16, start=[5, 0]),
        }
    ),
    "cards": spaces.Tuple([spaces.Discrete(32), spaces.Discrete(11, dtype=np.int8), spaces.Discrete(2)]),
}
ACTIONS = {
    "discrete": spaces.Discrete(3, start=1),
    "box": spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 5.0], np.float32)),
    "half_open": spaces.Box(np.array([-np.inf, 0.0, -1.0]), np.array([3.0, np.inf, 1.0]), dtype=np.float64),
    "whole": spaces.Box(-3, 9, (2,), np.int32),
    "multi_discrete": spaces.MultiDiscrete([2, 3], start=[0, 5]),
    "multi_binary": spaces.MultiBinary((2, 2)),
    "small": spaces.MultiDiscrete([2, 3], np.uint8, start=[254, 253]),
    "short": spaces.Discrete(3, start=-9, dtype=np.int16),
    "parts": spaces.Dict(
        {
            "gear": spaces.Discrete(4, start=1),
            "wheels": spaces.Tuple([spaces.Box(-1.0, 3.0, (2, 1), np.float32), spaces.MultiBinary(2)]),
        }
    ),
    "both": spaces.Tuple([spaces.Discrete(3), spaces.Discrete(3)]),
}


def champion(
    observation="box",
    action="discrete",
    *,
    hidden_activation="tanh",
    output_activation="identity",
    bias=True,
    recurrent=False,
    hidden=6,
    skip=False,
    density=1.0,
    normalised=False,
    squash="tanh",
    seed=3,
    environment="CartPole-v1",
):
    """A champion for spaces, or for those of the names."""
    observation_space = OBSERVATIONS[observation] if isinstance(observation, str) else observation
    action_space = ACTIONS[action] if isinstance(action, str) else action
    inputs = ObservationEncoder(observation_space).size
    outputs = ActionDecoder(action_space, ACTIVATIONS[output_activation], squash).size
    architecture = Architecture(inputs, hidden, outputs, hidden_activation, output_activation, bias, recurrent, skip)
    rng = np.random.default_rng(seed)
    normaliser = None
    if normalised:
        normaliser = ObservationNormaliser(50, rng.normal(size=inputs), 50 * rng.uniform(0.01, 4, inputs))
    task = Task(EnvironmentSpec(environment), observation_space, action_space, architecture, squash, 500, normalised)
    genome = rng.standard_normal(architecture.genome_size)
    masks = Structure("full", density=density).first(np.random.default_rng(seed), 1, architecture)
    return Champion(
        architecture,
        np.where(masks[0], genome, 0.0),
        task=task,
        normaliser=normaliser,
        test=Score(np.array([9.0, 11.0])),
    )


def observations(space, count, seed=1):
    """`count` observations of a space, stacked; a Box without bounds reaches far beyond what a normaliser lets pass."""
    rng = np.random.default_rng(seed)
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.start, space.start + space.n, count)
    if isinstance(space, spaces.MultiDiscrete):
        start = space.start.astype(np.int64)
        return rng.integers(start, start + space.nvec, (count, *space.shape)).astype(space.dtype)
    if isinstance(space, spaces.MultiBinary):
        return rng.integers(0, 2, (count, *space.shape)).astype(np.int8)
    if np.issubdtype(space.dtype, np.integer):
        return rng.integers(space.low, space.high, (count, *space.shape), space.dtype, endpoint=True)
    values = rng.normal(scale=3.0, size=(count, *space.shape))
    return np.clip(values, space.low, space.high).astype(space.dtype)


def actions_of(champion, batch):
    """What the champion does, one observation after the other, as its environment would ask."""
    champion.reset()
    return np.array([champion.act(observation) for observation in batch])


CASES = {
    **{f"{observation}->{action}": {"observation": observation, "action": action}
       for observation, action in [("box", "discrete"), ("box64", "box"), ("bytes", "half_open"), ("discrete", "whole"),
                                   ("multi_discrete", "multi_discrete"), ("multi_binary", "multi_binary"),
                                   ("small", "small"), ("small", "short")]},
    **{name: {"action": "box", "hidden_activation": name, "output_activation": name} for name in ACTIVATIONS},
    "normalised": {"action": "box", "normalised": True},
    "normalised, discrete": {"normalised": True},
    "clipped": {"action": "box", "squash": "clip"},
    "without bias": {"action": "box", "bias": False},
    "recurrent": {"action": "box", "recurrent": True, "normalised": True},
    "recurrent, discrete": {"recurrent": True},
    "skip": {"action": "box", "skip": True, "normalised": True},
    "linear": {"action": "box", "skip": True, "hidden": 0},
    "grown": {"action": "box", "skip": True, "hidden": 12, "density": 0.3, "hidden_activation": "sigmoid"},
    "grown, recurrent": {"skip": True, "hidden": 12, "density": 0.25, "recurrent": True},
    "grown, none hidden": {"skip": True, "density": 0.05},
    "sigmoid, binary": {"action": "multi_binary", "output_activation": "sigmoid"},
}  # fmt: skip


PART_CASES = {
    "dict": {"observation": "goal"},
    "dict, normalised": {"observation": "goal", "action": "box", "normalised": True},
    "tuple": {"observation": "cards"},
    "tuple, recurrent": {"observation": "cards", "recurrent": True},
    "parts of actions": {"observation": "goal", "action": "parts", "output_activation": "sigmoid"},
    "two agents": {"observation": "cards", "action": "both"},
}


def samples(space, count, seed=1):
    """`count` observations of a space with parts."""
    space.seed(seed)
    return [space.sample() for _ in range(count)]


@functools.cache
def played_case(name):
    """The champion of a case, 2,000 observations, and what it does; the same for every format."""
    winner = champion(**CASES[name])
    batch = observations(winner.task.observation_space, 2_000)
    return winner, batch, actions_of(winner, batch)
