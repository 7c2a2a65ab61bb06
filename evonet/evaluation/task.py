"""What an episode is: all that an engine must know, in one picklable object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from evonet.activations import ACTIVATIONS
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import ActionDecoder, ObservationEncoder, Space, Squash
from evonet.environments.specification import Environment, EnvironmentFactory, EnvironmentSpec
from evonet.evaluation.results import EpisodeResults
from evonet.network import Architecture
from evonet.types import FloatArray, IntArray


@dataclass(frozen=True)
class Task:
    """Networks of one architecture acting in one environment.

    Attributes:
        environment: by name, or a callable that makes it.
        observation_space: of the environment.
        action_space: of the environment.
        architecture: of the networks; its inputs and outputs fit the spaces.
        squash: how unbounded outputs meet a Box action space.
        max_steps: steps after which an episode is cut.
        normalise: whether observations are normalised, and their sums returned.
        recorded: so many network inputs of each episode are returned, the first; only the engine "gymnasium" does.
    """

    environment: EnvironmentSpec | EnvironmentFactory
    observation_space: Space
    action_space: Space
    architecture: Architecture
    squash: Squash
    max_steps: int
    normalise: bool = False
    recorded: int = 0

    def make_environment(self, render_mode: str | None = None) -> Environment:
        """A new instance of the environment."""
        if isinstance(self.environment, EnvironmentSpec):
            return self.environment.make(render_mode)
        return self.environment()

    def reward_threshold(self) -> float | None:
        """The mean return from which the environment itself says that it is solved, if it does."""
        return self.environment.reward_threshold() if isinstance(self.environment, EnvironmentSpec) else None

    @cached_property
    def encoder(self) -> ObservationEncoder:
        """Observations to network inputs."""
        return ObservationEncoder(self.observation_space)

    @cached_property
    def decoder(self) -> ActionDecoder:
        """Network outputs to actions."""
        return ActionDecoder(self.action_space, ACTIVATIONS[self.architecture.output_activation], self.squash)

    def __getstate__(self) -> dict[str, Any]:
        # The cached encoder and decoder are closures: they stay behind, and are made anew where they are needed.
        return {name: value for name, value in vars(self).items() if name in self.__dataclass_fields__}


class Engine(Protocol):
    """Runs episodes."""

    @property
    def name(self) -> str:
        """The engine, as reports call it."""
        ...

    def run(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> EpisodeResults:
        """Flat results of m episodes, `(m,)`.

        Args:
            genomes: `(k, genome_size)`.
            individuals: which row of the genomes acts in each episode, `(m,)`, ascending.
            seeds: of each episode, `(m,)`.
            normaliser: of observations, standing still meanwhile; None if the task does not normalise.

        Returns:
            Results whose faults carry the number of the flat episode as `episode` and the row as `individual`.
        """
        ...

    def close(self) -> None:
        """Give back what was opened."""
        ...
