"""The sections of a config, as pydantic models: their keys are the arguments of the classes that they configure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from evonet.champion_selection import Validation
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.executors import Workers
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.experiment.config.model_factory import Section, section_of
from evonet.experiment.run_files.checkpoint import Checkpoints
from evonet.experiment.stopping import Stop
from evonet.fitness import EpisodeReturn
from evonet.operators.structure import Structure
from evonet.settings import Count, Episodes, Natural, Settings

EPISODE_RETURN = "episode_return"


@dataclass(frozen=True)
class Test(Settings):
    """The final test of the champion, on episodes that no choice depends on.

    Attributes:
        episodes: the number of episodes; by default 100, or as many as take 50,000 steps at the environment's step
            limit, but no fewer than 10.
    """

    episodes: Episodes | None = None


class FitnessSection(Section):
    """The fitness: the return of episodes, or the user's function.

    Attributes:
        type: `episode_return`, or `module:function` for a function of your own.
        weights: what an episode is worth, as a sum of weights times its return, called `return`, and its measures, such
            as `{return: 1, effort: -0.1}`; by default the return. A weight may follow a schedule over the generations.
            A target is about the return.
    """

    type: Annotated[str, StringConstraints(pattern=rf"^({EPISODE_RETURN}|[\w.]+:[\w.]+)$")] = EPISODE_RETURN
    weights: dict[str, float] = Field(default_factory=dict)


NETWORK = (
    "hidden",
    "hidden_activation",
    "output_activation",
    "bias",
    "recurrent",
    "skip",
    "input_names",
    "output_names",
)
"""The arguments of `EpisodeReturn` in the section `network`."""

EVALUATION = (
    "episodes",
    "aggregation",
    "quantile",
    "normalise_observations",
    "action_squash",
    "engine",
    "instances",
)
"""The arguments of `EpisodeReturn` in the section `evaluation`, all but `workers`, whose default differs there."""

_NetworkArguments: Any = section_of(EpisodeReturn, *NETWORK)
_EvaluationArguments: Any = section_of(EpisodeReturn, *EVALUATION)
_StructureArguments: Any = section_of(Structure)
_EnvironmentArguments: Any = section_of(EnvironmentSpec)
_ValidationArguments: Any = section_of(Validation)
_TestArguments: Any = section_of(Test)
_FaultArguments: Any = section_of(FaultPolicy)
_StopArguments: Any = section_of(Stop)
_CheckpointArguments: Any = section_of(Checkpoints)
SECTION_DEFAULTS: Any = Field({}, validate_default=True)
"""The default of a section, which is made with the model of the whole config."""


class StructureSection(_StructureArguments):  # type: ignore[misc]
    """The structure of the first networks, the price of connections, the protection of new structures, refinement.

    Attributes:
        refine: a strategy that tunes the weights of the champion's structure after the last generation, with its
            settings and its number of `generations`; the champion changes if a tuned network validates better.
    """

    refine: Any = None


class PruneSection(Section):
    """The removal of inputs at the end of a run, one in each generation, as long as a smaller network is as fit.

    Attributes:
        episodes: episodes, the same for all networks of a generation.
    """

    episodes: Episodes = 40


class NetworkSection(_NetworkArguments):  # type: ignore[misc]
    """The network; its inputs and outputs follow from the environment's spaces.

    Attributes:
        inputs: number of inputs; only where there is no environment.
        outputs: number of outputs; only where there is no environment.
        structure: how the networks' structure begins, if it evolves; `hidden` is then the most hidden neurons there may
            be, and there are skip connections.
        prune: removal of the inputs that the champion can do without, after the last generation; the smallest network
            that validates as well becomes the champion.
    """

    inputs: Count | None = None
    outputs: Count | None = None
    structure: StructureSection | None = None
    prune: PruneSection | None = None


class EvaluationSection(_EvaluationArguments):  # type: ignore[misc]
    """The evaluation of genomes.

    Attributes:
        episodes: episodes of an evaluation; they may follow a schedule over the generations, such as `{schedule:
            linear, start: 1, end: 4, generations: 100}`.
        max_steps: steps after which an episode of training is truncated, at most the environment's, the default; it may
            follow a schedule, too. Validation and test have whole episodes.
        workers: worker processes; 1 is the main process, "auto" one for each core where that is faster, or where the
            environment is not part of Gymnasium.
        race: ends the episodes of individuals that can no longer be among the fittest; by default all run all episodes.
    """

    max_steps: Count | None = None
    workers: Workers = "auto"
    race: Any = None


class Experiment(Section):
    """A whole config; `experiment_model` adds the algorithms that it may name.

    Attributes:
        name: name of the experiment, in paths and reports; by default that of the file.
        seed: seed of all random numbers of the run.
        environment: the environment in which the networks act.
        network: the network that evolves.
        algorithm: the genetic algorithm, another algorithm, or its name alone.
        objectives: what `nsga2` maximises or minimises, by name: measures, `return`, and `connections` where the
            structure evolves.
        fitness: what is maximised.
        measures: numbers of an episode beside its return: the name and the settings of each measure.
        archive: an archive of what the algorithm finds by the way; it changes nothing in the run.
        evaluation: how genomes are scored in training.
        validation: how the champion is chosen.
        test: the final test of the champion, on fresh episodes.
        faults: how episodes that fail are treated.
        stop: when the run ends; the first limit that is reached ends it.
        checkpoints: how often the run is saved.
        tracking: other places that get the metrics of each generation, and at the end the test's score.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "experiment"
    seed: Natural = 0
    environment: _EnvironmentArguments | None = None
    network: NetworkSection = SECTION_DEFAULTS
    algorithm: Any
    objectives: dict[str, Literal["maximise", "minimise"]] | None = None
    fitness: FitnessSection = SECTION_DEFAULTS
    measures: dict[str, Any] = Field(default_factory=dict)
    archive: Any = None
    evaluation: EvaluationSection = SECTION_DEFAULTS
    validation: _ValidationArguments = SECTION_DEFAULTS
    test: _TestArguments = SECTION_DEFAULTS
    faults: _FaultArguments = SECTION_DEFAULTS
    stop: _StopArguments = SECTION_DEFAULTS
    checkpoints: _CheckpointArguments = SECTION_DEFAULTS
    tracking: list[Literal["tensorboard", "csv", "mlflow", "wandb"]] = Field(default_factory=list)
