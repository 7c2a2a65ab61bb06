"""The task: one environment, and how networks of one architecture act in it. It can be pickled for workers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from evonet.activations import ACTIVATIONS
from evonet.architecture import Architecture
from evonet.environments.instance import Instance, RenderMode, make_environment
from evonet.environments.known import Names, names_for
from evonet.environments.spaces import ActionDecoder, ObservationEncoder, Space, Squash
from evonet.environments.specification import Environment, EnvironmentFactory, EnvironmentSpec
from evonet.errors import UnsuitableEnvironment

if TYPE_CHECKING:
    from evonet.measures import Measures


@dataclass(frozen=True)
class Task:
    """Networks of one architecture acting in one environment.

    Attributes:
        environment: the specification of the environment, or a callable that makes it.
        observation_space: observation space of the environment.
        action_space: action space of the environment.
        architecture: architecture of the networks; its inputs and outputs fit the spaces.
        squash: how unbounded outputs are brought into a Box action space.
        max_steps: steps after which an episode is truncated.
        normalise: whether observations are normalised, and their sums returned.
        instances: environments that may be open in a process; None: 32 side by side, and no limit in all.
        input_names: names of the network's inputs; None for those that are known of the environment, or numbers.
        output_names: names of the network's outputs, likewise.
        recorded: how many of an episode's first network inputs are returned; only the engine "gymnasium" does that.
        measures: names and settings of the numbers of an episode that are returned beside its return.
        weights: weights of the return and of each measure in what an episode is worth; empty where it is the return.
    """

    environment: EnvironmentSpec | EnvironmentFactory
    observation_space: Space
    action_space: Space
    architecture: Architecture
    squash: Squash
    max_steps: int
    normalise: bool = False
    recorded: int = 0
    instances: int | None = None
    input_names: tuple[str, ...] | None = None
    output_names: tuple[str, ...] | None = None
    measures: Measures = ()
    weights: tuple[float, ...] = ()

    @property
    def measure_names(self) -> tuple[str, ...]:
        """Names of the measures, in the order of `EpisodeResults.measures`."""
        return tuple(name for name, _ in self.measures)

    def instance(self, render_mode: RenderMode | None = None) -> Instance:
        """An instance of the environment, which is made when it is first needed."""
        return Instance(self.make_environment, self.instances, render_mode)

    def make_environment(self, render_mode: RenderMode | None = None) -> Environment:
        """A new environment, for tools that want Gymnasium's own interface.

        Raises:
            UnsuitableEnvironment: the environment is unknown, or may not be imported.
            EnvironmentUnavailable: the environment cannot be made.
        """
        return make_environment(self.environment, render_mode)

    @property
    def environment_id(self) -> str | None:
        """The environment's id; None if a callable makes it."""
        return self.environment.id if isinstance(self.environment, EnvironmentSpec) else None

    @property
    def environment_name(self) -> str:
        """The environment's id, or the name of the callable that makes it."""
        made = self.environment
        return self.environment_id or str(getattr(made, "__qualname__", type(made).__name__))

    def within(self, environment: str | EnvironmentSpec | EnvironmentFactory) -> Task:
        """This task in another environment with the same spaces, which is made once to read them.

        Raises:
            UnsuitableEnvironment: the environment is unknown, or has other spaces.
            EnvironmentUnavailable: the environment cannot be made.
        """
        source = EnvironmentSpec(environment) if isinstance(environment, str) else environment
        with Instance(partial(make_environment, source), self.instances) as sample:
            for name in ("observation_space", "action_space"):
                wanted, found = getattr(self, name), sample.space(name)
                if found != wanted:
                    raise UnsuitableEnvironment(f"the environment must have the {name} {wanted}, got {found}")
        return replace(self, environment=source)

    @property
    def names(self) -> Names:
        """Names of the network's inputs and outputs."""
        known = names_for(self.environment_id, self.architecture.num_inputs, self.architecture.num_outputs)
        return Names(self.input_names or known.inputs, self.output_names or known.outputs)

    def reward_threshold(self) -> float | None:
        """The mean return from which Gymnasium calls the environment solved; None if it does not say."""
        return self.environment.reward_threshold() if isinstance(self.environment, EnvironmentSpec) else None

    @cached_property
    def encoder(self) -> ObservationEncoder:
        """The encoder of observations as network inputs."""
        return ObservationEncoder(self.observation_space)

    @cached_property
    def decoder(self) -> ActionDecoder:
        """The decoder of network outputs as actions of the space's own types."""
        return self._decoder(python_integers=False)

    @cached_property
    def step_decoder(self) -> ActionDecoder:
        """The decoder of network outputs as actions for `step`, of the types with which the environment is fastest."""
        own = isinstance(self.environment, EnvironmentSpec) and self.environment.is_gymnasiums_own
        return self._decoder(python_integers=own)

    def _decoder(self, *, python_integers: bool) -> ActionDecoder:
        activation = ACTIVATIONS[self.architecture.output_activation]
        return ActionDecoder(self.action_space, activation, self.squash, python_integers=python_integers)

    def __getstate__(self) -> dict[str, Any]:
        # The cached encoder and decoder are closures, which cannot be pickled; a copy makes its own.
        return {name: value for name, value in vars(self).items() if name in self.__dataclass_fields__}
