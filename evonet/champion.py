"""The champion: the individual that did best on episodes that evolution never saw, with all that it needs to act.

Its file is self-contained: genome, architecture, normaliser, spaces, environment, scores. It is a NumPy archive with a
JSON header, needs no pickle, and loading it runs no code of the file's author.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evonet.environments.batches import is_single, stacked, unbatched
from evonet.environments.known import Names
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentFactory, EnvironmentSpec
from evonet.errors import ConfigError, EvonetError, EvonetWarning, TooManyFaults
from evonet.evaluation.aggregation import episode_fitness
from evonet.evaluation.engines import real_engine
from evonet.evaluation.evaluate import evaluate
from evonet.evaluation.results import EpisodeResults
from evonet.evaluation.task_descriptions import CHAMPION_LIMITS, architecture_from, describe_task, task_from
from evonet.files.archive import check_format, pack_archive, read_archive
from evonet.files.bounded import reading
from evonet.files.directory import write_atomically
from evonet.files.fields import Fields
from evonet.files.numbers import take_vector
from evonet.files.text import short_number
from evonet.individual import Individual
from evonet.policy import Policy
from evonet.scores import EarnedScore, Score, described_scores, scores_from
from evonet.seeding import Purpose, episode_seeds
from evonet.settings import Episodes, Natural, check
from evonet.task import Task
from evonet.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.replay.playback import Playback

FORMAT = "evonet champion 1"
_SCORES = ("validation", "test")


@dataclass(frozen=True, eq=False)
class Champion(Individual):
    """The individual that validation chose, ready to act.

    The three kinds of score stay apart: training fitness chose its parents, validation chose it, the test measures it.
    Scores belong to the network that earned them: once a weight is changed, `validation` and `test` are None.

    Attributes:
        task: the environment's spaces and how the network acts in them; None if a function scored it.
        validation: its score on the held-out episodes, None if there was no validation.
        test: its score on fresh episodes, not used for selection; None before the test.
        scored_digest: `digest` of the network that earned the scores; by default of this one.
    """

    _: KW_ONLY
    task: Task | None = None
    validation: EarnedScore = EarnedScore()  # noqa: RUF009 - a descriptor
    test: EarnedScore = EarnedScore()  # noqa: RUF009 - a descriptor
    scored_digest: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "scored_digest", self.scored_digest or self.digest)

    @property
    def edited(self) -> bool:
        """Whether the network was changed after it earned its scores."""
        return self.digest != self.scored_digest

    @cached_property
    def policy(self) -> Policy:
        """The champion's policy in its environment.

        Raises:
            EnvironmentUnavailable: a function scored the champion; it has no environment.
        """
        return self.policy_for(self.task)

    def __repr__(self) -> str:
        place = "" if self.task is None else f" in {self.task.environment_name}"
        scores = [f"{name} {short_number(score.mean)}" for name, score in self._scores.items()]
        shown = ", ".join([str(self.architecture), f"generation {self.generation}", *scores])
        return f"<{type(self).__name__} {self.id}{place}: {shown}>"

    def reset(self) -> None:
        """Forget the episode so far; needed between episodes if the network is recurrent."""
        self.network.reset()
        if self.task is not None:
            self.policy.reset()

    def act(self, observation: Any) -> Any:
        """The action for an observation of the environment.

        Raises:
            EnvironmentUnavailable: the champion has no environment.
            MalformedObservation: it is not of the environment's space, or has a number that is not finite.
        """
        return self.policy.act(observation)

    def predict(
        self,
        observation: Any,
        state: tuple[FloatArray, ...] | None = None,
        episode_start: BoolArray | None = None,
        deterministic: bool = True,  # noqa: FBT001, FBT002 - the order and names are Stable-Baselines3's
    ) -> tuple[NDArray[Any], tuple[FloatArray, ...] | None]:
        """Actions and memory as Stable-Baselines3 expects them of a policy, so that its tools run a champion unchanged.

        Args:
            observation: of the environment, or a batch of them: an array `(m, …)`, a dict of such for a Dict space, or
                a list of observations.
            state: the memory of a recurrent network, `((m, hidden),)`; None at the start.
            episode_start: `(m,)`, True for the first observation of an episode.
            deterministic: ignored; a champion always is.

        Returns:
            The action, or an array of a batch's actions `(m, …)`, of objects if actions have parts; and the memory,
            None if the network is not recurrent.

        Raises:
            EnvironmentUnavailable: the champion has no environment.
            MalformedObservation: an observation is not of the environment's space, or has a number that is not finite.
            ValueError: `state` or `episode_start` has another shape.
        """
        space = self.policy.task.observation_space
        single = is_single(space, observation)
        observations = [observation] if single else unbatched(space, observation)
        policy = self.policy_for(self.task, lanes=len(observations))
        if self.architecture.recurrent and state is not None:
            _check_shape("state[0]", state[0], policy.memory.shape)
            policy.memory[...] = state[0]
            if episode_start is not None:
                _check_shape("episode_start", episode_start, (len(observations),))
                policy.memory[np.asarray(episode_start, dtype=np.bool_)] = 0.0
        actions = policy.act_batch(observations)
        memory = (policy.memory.copy(),) if self.architecture.recurrent else None
        return (actions[0] if single else stacked(actions)), memory

    def run(self, seeds: IntArray) -> EpisodeResults:
        """Act in the real environment, an episode for each of `seeds (episodes,)`; results `(1, episodes)`.

        Raises:
            EnvironmentUnavailable: the champion has no environment, or it cannot be made.
            ValueError: `seeds` are not whole numbers of at least 0, or there are none.
        """
        whole = np.asarray(seeds)
        if whole.dtype.kind not in "iu" or whole.ndim != 1 or whole.size == 0 or whole.min() < 0:
            raise ValueError(f"Champion.run.seeds must be whole numbers of at least 0, (episodes,), got {seeds!r}")
        engine = real_engine(self.policy.task)
        with closing(engine):
            return evaluate(engine.run, self.genome[None, :], whole, self.normaliser)

    def evaluate(self, episodes: Episodes = 100, seed: Natural = 0) -> Score:
        """The score on fresh episodes of the real environment, from the test stream of `seed`.

        If some episodes fail, a warning has the first one's message.

        Raises:
            EnvironmentUnavailable: the champion has no environment, or it cannot be made.
            TooManyFaults: all episodes failed; the message has the first one's.
            TypeError, ValueError: `episodes` or `seed` has the wrong type or is out of range.
        """
        check(Champion.evaluate, {"episodes": episodes, "seed": seed})
        results = self.run(episode_seeds(seed, Purpose.TEST, 0, episodes))
        if len(results.faults) == episodes:
            raise TooManyFaults(results.failures, results.faults)
        if results.faults:
            warnings.warn(results.failures, EvonetWarning, stacklevel=2)
        return score_of(self.task, results, 0)

    def play(self, episodes: int = 1, seed: int = 0) -> Playback:
        """Play episodes in a window, at the environment's own speed; in a notebook, as an animation below the cell.

        Args:
            episodes: number of episodes.
            seed: seed from which the seeds of the episodes follow, the same as those of `evonet replay`.

        Raises:
            CannotRender: there is no display and no notebook, or the environment cannot be rendered.
            EnvironmentUnavailable: the champion has no environment, or it cannot be made.
            TypeError, ValueError: `episodes` or `seed` has the wrong type or is out of range.
        """
        from evonet.replay.playback import play

        return play(self.policy, episodes, seed)

    def gif(self, path: str | os.PathLike[str] | None = None, episodes: int = 1, seed: int = 0) -> Playback:
        """Play episodes without a window as an animation, which a notebook shows, and write it as a GIF file.

        Args:
            path: path of the file; None writes no file.
            episodes: number of episodes.
            seed: seed from which the seeds of the episodes follow, the same as those of `evonet replay`.

        Raises:
            CannotRender: the environment renders no pictures, or Pillow is missing.
            EnvironmentUnavailable: the champion has no environment, or it cannot be made.
            OSError: the file cannot be written.
            TypeError, ValueError: `episodes` or `seed` has the wrong type or is out of range.
        """
        from evonet.replay.playback import gif

        return gif(self.policy, path, episodes, seed)

    @property
    def target(self) -> float | None:
        """The mean return at which its environment counts as solved; None if it has none, or cannot be looked up."""
        with contextlib.suppress(EvonetError):
            return None if self.task is None else self.task.reward_threshold()
        return None

    def tested(self, score: Score) -> Champion:
        """The champion with its test score; an edited one has no other."""
        fitness = math.nan if self.edited else self.training_fitness
        return replace(self, test=score, training_fitness=fitness, scored_digest="")

    @property
    def names(self) -> Names:
        """Names of the network's inputs and outputs; numbers where the champion has no environment."""
        shape = self.architecture
        return Names.numbered(shape.num_inputs, shape.num_outputs) if self.task is None else self.task.names

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file; whole or not at all, the same bytes for the same champion."""
        write_atomically(Path(path), self.packed())

    def packed(self) -> bytes:
        """The content of the file."""
        arrays = {"genome": self.genome} | described_scores(self._scores)[1]
        if self.normaliser is not None:
            parts = self.normaliser.to_arrays()
            arrays |= {f"normaliser_{name}": parts[name] for name in ("mean", "squares")}
        return pack_archive(self._header, arrays, CHAMPION_LIMITS)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        allow_imports: Collection[str] = (),
        environment: str | EnvironmentSpec | EnvironmentFactory | None = None,
    ) -> Champion:
        """Read a champion file, a stranger's too. No code of its author is run.

        Args:
            path: path of the file.
            allow_imports: modules that may be imported, no others are: that of the champion's environment when it acts
                there, if its id is `module:Id-v0`, and that of an activation `module:NAME` when the file is read.
            environment: the environment in which it acts, as for `within`; by default the one in the file.

        Raises:
            ConfigError: the file cannot be read, or is no champion file; the message says why.
            UnsuitableEnvironment, EnvironmentUnavailable: as for `within`.
        """
        with reading(path) as file:
            champion = cls.read(file, allow_imports)
        return champion if environment is None else champion.within(environment)

    def within(self, environment: str | EnvironmentSpec | EnvironmentFactory) -> Champion:
        """The champion in another environment with the same spaces; scores are kept if it has the same name.

        Args:
            environment: an id, a specification, or a callable that makes the environment.

        Raises:
            UnsuitableEnvironment: the environment is unknown, or has other spaces.
            EnvironmentUnavailable: the environment cannot be made, or a function scored the champion.
        """
        old = self.policy.task
        task = old.within(environment)
        same = describe_task(old)["environment"] == describe_task(task)["environment"]
        return replace(self, task=task) if same else replace(self, task=task, validation=None, test=None)

    @classmethod
    def read(cls, file: IO[bytes], allow_imports: Collection[str] = ()) -> Champion:
        """Read a champion from an open file; see `load`."""
        header, arrays = read_archive(file, CHAMPION_LIMITS)
        check_format(file.name, header.get("format"), FORMAT)
        try:
            return cls.from_parts(header, arrays, allow_imports)
        except (TypeError, ValueError, ConfigError) as error:
            raise ConfigError(f"{file.name}: not a champion file: {error}") from error

    @classmethod
    def from_parts(
        cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], allow_imports: Collection[str] = ()
    ) -> Champion:
        """The champion that a file describes; every value is checked before it is used, and no code is run.

        Args:
            header: plain data.
            arrays: by name.
            allow_imports: as for `load`.

        Raises:
            TypeError, ValueError, ConfigError: the content describes no champion; the message says why.
        """
        return cls._from(Fields(header, "header"), dict(arrays), allow_imports)

    @property
    def _scores(self) -> dict[str, Score]:
        return {name: score for name in _SCORES if (score := getattr(self, name)) is not None}

    @property
    def _header(self) -> dict[str, Any]:
        measures = described_scores(self._scores)[0]
        return {
            "format": FORMAT,
            "architecture": self.architecture.to_dict(),
            "individual": self.id,
            "generation": self.generation,
            "training_fitness": None if math.isnan(self.training_fitness) else self.training_fitness,
            "digest": self.scored_digest,
            "normaliser_count": self.normaliser and self.normaliser.count,
            "task": self.task and describe_task(self.task),
            **({"measures": measures} if measures else {}),
        }

    @classmethod
    def _from(cls, header: Fields, arrays: dict[str, NDArray[Any]], allow_imports: Collection[str]) -> Champion:
        names = ("format", "architecture", "individual", "generation", "training_fitness")
        header.allow_only(*names, "digest", "normaliser_count", "task", "measures")
        architecture = architecture_from(header.fields("architecture"), allow_imports)
        genome = take_vector(arrays, "genome", architecture.genome_size)
        normaliser = None
        if header.has("normaliser_count"):
            parts: dict[str, Any] = {
                name: take_vector(arrays, f"normaliser_{name}", architecture.num_inputs) for name in ("mean", "squares")
            }
            parts["count"] = header.integer("normaliser_count")
            normaliser = ObservationNormaliser.from_arrays(parts, architecture.num_inputs)
        task = task_from(header.get("task"), architecture, allow_imports) if header.has("task") else None
        if task is not None and task.normalise != (normaliser is not None):
            raise ValueError("task.normalise must say whether there is a normaliser")
        scores = scores_from(header, arrays, _SCORES)
        fitness = header.optional("training_fitness", header.number)  # null: the network was edited, then tested
        if arrays:
            raise ValueError(f"the file must have no array {next(iter(arrays))!r}")
        return cls(
            architecture=architecture,
            genome=genome,
            task=task,
            normaliser=normaliser,
            id=header.integer("individual"),
            generation=header.integer("generation"),
            training_fitness=math.nan if fitness is None else fitness,
            scored_digest=header.word("digest") if header.has("digest") else "",  # files of older versions have none
            **scores,
        )


def score_of(task: Task | None, results: EpisodeResults, row: int) -> Score:
    """The score of an individual on its episodes.

    Args:
        task: the task of the episodes; None if a function scored the individual.
        results: `(n, episodes)`.
        row: row of the individual.
    """
    measures = {} if task is None else results.measures_of(row, task.measure_names)
    weighted = episode_fitness(task, results)[row].copy() if task is not None and task.weights else None
    return Score(results.returns[row].copy(), measures, weighted)


def _check_shape(name: str, value: Any, shape: tuple[int, ...]) -> None:
    if np.shape(value) != shape:
        raise ValueError(f"Champion.predict.{name} must have shape {shape}, got {np.shape(value)}")
