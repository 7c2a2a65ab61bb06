"""The champion: the genome that did best on episodes evolution never saw, with all that it takes to act.

Its file is self-contained: genome, architecture, normaliser, spaces, environment, scores. It is a NumPy archive with a
JSON header, needs no pickle, and loading it runs nobody's code.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.space_descriptions import describe_space, space_from
from evonet.environments.spaces import Space
from evonet.environments.specification import EnvironmentFactory, EnvironmentSpec, Wrapper
from evonet.errors import ConfigError, EnvironmentUnavailable
from evonet.evaluation.engines import real_engine
from evonet.evaluation.results import EpisodeResults
from evonet.evaluation.task import Task
from evonet.machine import write_whole
from evonet.network import Architecture, NetworkStack, NeuralNetwork
from evonet.scores import Score
from evonet.seeding import Purpose, episode_seeds
from evonet.types import BoolArray, FloatArray, IntArray

FORMAT = "evonet champion 1"
_SCORES = ("validation", "test")


@dataclass(frozen=True, eq=False)
class Champion:
    """One genome, ready to act.

    The three kinds of score stay apart: training fitness chose its parents, validation chose it, the test judges it.

    Attributes:
        architecture: what the genome means.
        genome: `(genome_size,)`.
        task: the environment and how the network meets its spaces; None for one that a function of one's own scored.
        normaliser: of observations, as it stood when the champion was chosen; None if they stay as they are.
        individual: its id in the run.
        generation: in which it was chosen.
        training_fitness: what it had then; chosen for luck as well as for skill, never a result.
        validation: its score on the held-out episodes, None if there was no validation.
        test: its score on episodes that nothing was chosen by, None before the test.
    """

    architecture: Architecture
    genome: FloatArray
    task: Task | None = None
    normaliser: ObservationNormaliser | None = None
    individual: int = 0
    generation: int = 0
    training_fitness: float = -np.inf
    validation: Score | None = None
    test: Score | None = None
    _network: NeuralNetwork = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_network", NeuralNetwork.from_genome(self.architecture, self.genome))

    @property
    def network(self) -> NeuralNetwork:
        """The network, on the champion's own genome."""
        return self._network

    def reset(self) -> None:
        """Forget the episode so far; needed between episodes if the network is recurrent."""
        self._network.reset()

    def act(self, observation: Any) -> Any:
        """The action for an observation of the environment.

        Raises:
            EnvironmentUnavailable: the champion has no environment.
        """
        task = self._task
        inputs = task.encoder.encode(observation)
        if self.normaliser is not None:
            self.normaliser.normalise(inputs)
        return task.decoder.decode(self._network.predict(inputs)[None, :])[0]

    def predict(
        self,
        observation: Any,
        state: tuple[FloatArray, ...] | None = None,
        episode_start: BoolArray | None = None,
        deterministic: bool = True,  # noqa: FBT001, FBT002 - the order and names are Stable-Baselines3's
    ) -> tuple[NDArray[Any], tuple[FloatArray, ...] | None]:
        """Actions and memory as Stable-Baselines3 expects them of a policy, so that its tools run a champion unchanged.

        Args:
            observation: of the environment, or a batch of them: an array `(m, …)`, or a dict of such.
            state: what a recurrent network remembers, `((m, hidden),)`; None at the start.
            episode_start: `(m,)`, True for an observation that begins an episode.
            deterministic: taken for its name's sake; a champion always is.

        Raises:
            EnvironmentUnavailable: the champion has no environment.
        """
        task = self._task
        single = _is_one(task.observation_space, observation)
        observations = [observation] if single else _unbatched(observation)
        inputs = np.stack([task.encoder.encode(one) for one in observations])
        if self.normaliser is not None:
            self.normaliser.normalise(inputs)
        stack = NetworkStack(self.architecture, self.genome[None, :], len(inputs))
        if self.architecture.recurrent and state is not None:
            stack.hidden[...] = state[0]
            if episode_start is not None:
                stack.hidden[np.asarray(episode_start, dtype=np.bool_)] = 0.0
        actions = np.array(task.decoder.decode(stack.forward(inputs)))
        memory = (stack.hidden.copy(),) if self.architecture.recurrent else None
        return (actions[0] if single else actions), memory

    def run(self, seeds: IntArray) -> EpisodeResults:
        """Act in the real environment, an episode for each of `seeds (episodes,)`; results `(1, episodes)`.

        Raises:
            EnvironmentUnavailable: the champion has no environment, or it cannot be made.
        """
        engine = real_engine(self._task)
        try:
            individuals = np.zeros(len(seeds), dtype=np.int64)
            results = engine.run(self.genome[None, :], individuals, seeds, self.normaliser)
        finally:
            engine.close()
        return EpisodeResults.joined([results], individuals, len(seeds))

    def evaluate(self, episodes: int = 100, seed: int = 0) -> Score:
        """The score on fresh episodes of the real environment, from the test stream of `seed`."""
        results = self.run(episode_seeds(seed, Purpose.TEST, 0, episodes))
        return Score(results.returns[0])

    def tested(self, score: Score) -> Champion:
        """The champion with its test score."""
        return replace(self, test=score)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file; whole or not at all, the same bytes for the same champion."""
        header = json.dumps(self._header, allow_nan=True).encode()
        arrays: dict[str, NDArray[Any]] = {"header": np.frombuffer(header, dtype=np.uint8), "genome": self.genome}
        arrays |= {name: score.returns for name, score in self._scores.items()}
        if self.normaliser is not None:
            arrays["normaliser_mean"] = self.normaliser.mean
            arrays["normaliser_squares"] = self.normaliser.squares
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        write_whole(Path(path), buffer.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Champion:
        """Read a file that `save` wrote. No code is run; the environment is made when it is needed.

        Raises:
            ConfigError: it cannot be read, or is no champion file.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
                header = json.loads(archive["header"].tobytes())
                if header["format"] != FORMAT:
                    raise ValueError(f"its format is {header['format']!r}, not {FORMAT!r}")  # noqa: TRY301
                return cls._from(header, archive)
        except Exception as error:  # garbage makes NumPy, zipfile, JSON and Gymnasium raise whatever they like
            raise ConfigError(f"{os.fspath(path)}: not a champion file: {error}") from error

    @property
    def _task(self) -> Task:
        if self.task is None:
            raise EnvironmentUnavailable("this champion was scored by a function and has no environment to act in")
        return self.task

    @property
    def _scores(self) -> dict[str, Score]:
        return {name: score for name in _SCORES if (score := getattr(self, name)) is not None}

    @property
    def _header(self) -> dict[str, Any]:
        task = self.task
        return {
            "format": FORMAT,
            "architecture": asdict(self.architecture),
            "individual": self.individual,
            "generation": self.generation,
            "training_fitness": self.training_fitness,
            "normaliser_count": self.normaliser and self.normaliser.count,
            "task": task
            and {
                "environment": _describe_environment(task.environment),
                "observation_space": describe_space(task.observation_space),
                "action_space": describe_space(task.action_space),
                "squash": task.squash,
                "max_steps": task.max_steps,
                "normalise": task.normalise,
            },
        }

    @classmethod
    def _from(cls, header: dict[str, Any], archive: Any) -> Champion:
        architecture = Architecture(**header["architecture"])
        task, count = header["task"], header["normaliser_count"]
        normaliser = None
        if count is not None:
            normaliser = ObservationNormaliser(count, archive["normaliser_mean"], archive["normaliser_squares"])
            shapes = {normaliser.mean.shape, normaliser.squares.shape}
            if shapes != {(architecture.num_inputs,)}:
                raise ValueError(f"its normaliser is not for {architecture.num_inputs} inputs")
        return cls(
            architecture=architecture,
            genome=NeuralNetwork.from_genome(architecture, archive["genome"]).genome,
            task=task and _task_from(task, architecture),
            normaliser=normaliser,
            individual=header["individual"],
            generation=header["generation"],
            training_fitness=header["training_fitness"],
            **{name: Score(archive[name]) for name in _SCORES if name in archive},
        )


def _is_one(space: Space, observation: Any) -> bool:
    """Whether this is one observation, not a batch of them."""
    if isinstance(space, spaces.Dict):
        key = next(iter(space.spaces))
        return _is_one(space.spaces[key], observation[key])
    if isinstance(space, spaces.Tuple):
        return isinstance(observation, tuple)
    return bool(np.shape(observation) == space.shape)


def _unbatched(observation: Any) -> list[Any]:
    if isinstance(observation, Mapping):
        size = len(next(iter(observation.values())))
        return [{key: values[i] for key, values in observation.items()} for i in range(size)]
    return list(observation)


def _describe_environment(environment: EnvironmentSpec | EnvironmentFactory) -> dict[str, Any]:
    if isinstance(environment, EnvironmentSpec):
        return asdict(environment)
    if isinstance(environment, _Lost):
        return {"made_by": environment.made_by}
    return {"made_by": f"{environment.__module__}.{getattr(environment, '__qualname__', type(environment).__name__)}"}


def _task_from(header: dict[str, Any], architecture: Architecture) -> Task:
    description = dict(header["environment"])
    environment: EnvironmentSpec | EnvironmentFactory
    if "made_by" in description:
        environment = _Lost(description["made_by"])
    else:
        wrappers = tuple(Wrapper(**wrapper) for wrapper in description.pop("wrappers"))
        environment = EnvironmentSpec(**description, wrappers=wrappers)
    return Task(
        environment,
        space_from(header["observation_space"]),
        space_from(header["action_space"]),
        architecture,
        header["squash"],
        header["max_steps"],
        header["normalise"],
    )


@dataclass(frozen=True)
class _Lost:
    """Stands where a callable made the environment: a file cannot hold code."""

    made_by: str

    def __call__(self) -> Any:
        raise EnvironmentUnavailable(
            f"this champion's environment was made by {self.made_by}, which its file does not hold; "
            "use dataclasses.replace to give its task an environment"
        )
