"""The policy: the one place where an observation becomes an action.

encode → normalise → network → decode. A policy has *lanes*: as many networks as environments that run side by side, or
one network in all of them. A lane's action depends on nothing but its own network, observations and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import Actions, MalformedObservation
from evonet.errors import EnvironmentUnavailable
from evonet.network import NetworkStack
from evonet.task import Task
from evonet.types import FloatArray


class Policy:
    """Networks acting in the environment of a task.

    All arrays are made once: an action allocates no weights.

    Args:
        task: the environment's spaces and the networks' architecture; None, as an individual has that a function
            scored, is refused.
        genomes: `(lanes, genome_size)`, float64; or `(1, genome_size)` for one network in all lanes. They are kept and
            read at each action, never written.
        normaliser: normaliser of observations; None if they stay as they are.
        lanes: how many observations are acted on at once; by default one for each genome.

    Attributes:
        task: the environment's spaces and the networks' architecture.
        observations: the lanes' encoded observations, `(lanes, num_inputs)`.
        inputs: what the networks read, `(lanes, num_inputs)`: the observations, normalised by the last `forward`.

    Raises:
        EnvironmentUnavailable: there is no task.
    """

    def __init__(
        self,
        task: Task | None,
        genomes: FloatArray,
        normaliser: ObservationNormaliser | None = None,
        lanes: int | None = None,
    ) -> None:
        if task is None:
            raise EnvironmentUnavailable("this individual was scored by a function and has no environment to act in")
        lanes = len(genomes) if lanes is None else lanes
        self.task = task
        self.observations = np.zeros((lanes, task.architecture.num_inputs))
        self.inputs = self.observations if normaliser is None else np.zeros_like(self.observations)
        self._normaliser = normaliser
        self._networks = NetworkStack(task.architecture, genomes, lanes)

    @property
    def memory(self) -> FloatArray:
        """The hidden layer's last outputs, `(lanes, num_hidden)`, a view; recurrent networks read them."""
        return self._networks.hidden

    def reset(self, lane: int | slice = slice(None)) -> None:
        """Forget the episode in a lane; in all lanes by default."""
        self.observations[lane] = 0.0
        self.memory[lane] = 0.0

    def observe(self, lane: int, observation: Any) -> None:
        """Encode an observation into a lane.

        Raises:
            MalformedObservation: the observation is not of the environment's space.
        """
        self.observers[lane](observation)

    @cached_property
    def observers(self) -> list[Callable[[Any], None]]:
        """For each lane, `observe` as a function of an observation: a loop over steps saves a call by it."""
        return [self.task.encoder.writer(row) for row in self.observations]

    def forward(self) -> FloatArray:
        """The networks' outputs for the lanes' observations, `(lanes, num_outputs)`; the next call overwrites them."""
        if self._normaliser is not None:
            np.copyto(self.inputs, self.observations)
            self._normaliser.normalise(self.inputs)
        return self._networks.forward(self.inputs)

    def decode(self, outputs: FloatArray) -> Actions:
        """The environment's actions for `outputs (lanes, num_outputs)`."""
        return self.task.decoder.decode(outputs)

    def act(self, observation: Any) -> Any:
        """The action for an observation, in the first lane.

        Raises:
            MalformedObservation: it is not of the environment's space, or has a number that is not finite.
        """
        return self.act_batch((observation,))[0]

    def act_batch(self, observations: Sequence[Any]) -> Actions:
        """Actions for observations, one for each lane.

        Raises:
            MalformedObservation: one is not of the environment's space, or has a number that is not finite.
        """
        for lane, observation in enumerate(observations):
            self.observe(lane, observation)
        if not np.isfinite(self.observations).all():
            raise MalformedObservation("an observation must have finite numbers, got NaN or infinity")
        return self.decode(self.forward())
