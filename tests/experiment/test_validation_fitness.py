"""The validation fitness: `validation.environment` and `validation.engine`."""

import contextlib

import numpy as np
import pytest

from evonet import evolve
from evonet.environments.double_pole import DoublePole
from evonet.errors import ConfigError
from evonet.experiment.build import build_algorithm, build_fitness, build_validation, build_validation_fitness
from evonet.experiment.config import Config

POLES = (
    "environment: {id: evonet/DoublePole-v0, kwargs: {velocities: false, damping: true}, max_steps: 60}\n"
    "network: {hidden: 1, bias: false, recurrent: true}\nalgorithm: {population_size: 6}\n"
    "evaluation: {episodes: 1, workers: 1}\n"
)
LENGTHS = "environment: {id: evonet/DoublePole-v0, kwargs: {velocities: false}, max_steps: 60}"


@pytest.fixture
def built(tmp_path):
    """The fitness of a config, the one that validates, and the config itself."""
    with contextlib.ExitStack() as stack:

        def built(text):
            path = tmp_path / "c.yaml"
            path.write_text(text, encoding="utf-8")
            config = Config.load(str(path))
            fitness = stack.enter_context(contextlib.closing(build_fitness(config)))
            return fitness, stack.enter_context(contextlib.closing(build_validation_fitness(config, fitness))), config

        yield built


def last_generation(fitness, validating, config, generations=3):
    algorithm = build_algorithm(config, fitness.architecture)
    evolution = evolve(
        algorithm, fitness, seed=1, validation=build_validation(config, algorithm), validation_fitness=validating
    )
    return [next(evolution) for _ in range(generations)][-1]


def test_by_default_the_fitness_validates_too(built):
    fitness, validating, _ = built(POLES)
    assert validating is fitness
    assert validating.engine in ("numpy", "numba")


def test_the_validation_engine_runs_the_environment_itself(built, monkeypatch):
    fitness, validating, config = built(POLES + "validation: {episodes: 1, engine: gymnasium}\n")
    assert fitness.engine in ("numpy", "numba")
    assert validating.engine == "gymnasium"
    steps = []
    step = DoublePole.step
    monkeypatch.setattr(DoublePole, "step", lambda self, action: steps.append(1) or step(self, action))
    generation = last_generation(fitness, validating, config)
    assert len(steps) == generation.validation_steps > 0
    champion = generation.champion
    assert champion.run(np.array([0])).returns.ravel().tolist() == champion.validation.returns.tolist()


def test_an_environment_of_its_own_gives_other_returns_and_may_have_an_engine_too(built):
    for engine in ("", ", engine: gymnasium"):
        fitness, validating, config = built(POLES + f"validation: {{episodes: 1{engine}, {LENGTHS}}}\n")
        assert (validating.engine == "gymnasium") == bool(engine)
        champion = last_generation(fitness, validating, config).champion
        assert champion.validation.mean >= 1.0 > champion.training_fitness
        assert champion.validation.mean.is_integer()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "environment: {id: FrozenLake-v1}\nvalidation: {engine: numpy}\n",
            "c.yaml:2:14: validation.engine: Task.environment must be one that has a kernel",
        ),
        (
            "environment: {id: CartPole-v1}\nvalidation: {environment: {id: Pendulum-v1}}\n",
            "c.yaml:2:14: validation.environment must have the observation_space",
        ),
        (
            "environment: {id: CartPole-v1}\nvalidation: {engine: fast}\n",
            "c.yaml:2:14: validation.engine must be 'auto', 'gymnasium', 'numpy', 'numba' or 'envpool', got 'fast'",
        ),
    ],
)
def test_a_setting_that_cannot_validate_is_refused_with_its_place(built, text, message, tmp_path):
    with pytest.raises(ConfigError) as refused:
        built(text)
    assert str(refused.value).replace(f"{tmp_path}/", "").startswith(message)


def test_a_function_as_fitness_validates_too(built, tmp_path):
    text = "fitness: {type: tests.environments_for_tests:nothing}\nvalidation: {engine: gymnasium}\n"
    (tmp_path / "c.yaml").write_text(text + "network: {inputs: 2, outputs: 1}\n", encoding="utf-8")
    config = Config.load(str(tmp_path / "c.yaml"))
    with pytest.raises(ConfigError, match=r"validation.engine must be left out where a function is the fitness"):
        build_validation_fitness(config, object())
