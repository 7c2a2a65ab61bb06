"""Configs: all errors are reported at once, each with its position and repair; defaults are written once."""

import contextlib
import inspect
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evonet import EpisodeReturn, GeneticAlgorithm, Validation
from evonet.activations import ACTIVATIONS
from evonet.cli import main
from evonet.environments.wrappers import Wrapper
from evonet.errors import ConfigError, EvonetError
from evonet.experiment.build import (
    build_algorithm,
    build_fitness,
    build_stop_rule,
    build_validation,
    build_validation_fitness,
)
from evonet.experiment.config.config import Config, with_defaults
from evonet.experiment.config.document import Document, to_yaml
from evonet.experiment.config.experiment_model import experiment_model
from evonet.experiment.config.json_schema import json_schema
from evonet.experiment.runner import run
from evonet.experiment.stopping import Stop
from evonet.experiment.target import target_of, target_warnings
from evonet.operators.registry import OPERATORS
from evonet.operators.structural_mutation import STRUCTURAL_MUTATIONS
from evonet.testing import CHECKS
from tests.environments_for_tests import MODULE

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "configs").glob("*.yaml"))
MINIMAL = "environment: {id: CartPole-v1}\n"
WALK = f"{MODULE}:evonet-tests/Walk-v0"


@pytest.fixture
def load(tmp_path):
    def load(text, *overrides, allow=()):
        path = tmp_path / "c.yaml"
        path.write_text(text, encoding="utf-8")
        return Config.load(str(path), overrides, allow)

    return load


@pytest.fixture
def refusal(load, tmp_path):
    """The message of a config that is refused when it is read or built."""

    def refusal(text, *overrides, allow=()):
        with pytest.raises(ConfigError) as refused:
            build_fitness(load(text, *overrides, allow=allow)).close()
        return str(refused.value).replace(f"{tmp_path}/", "")

    return refusal


OPERATOR_NAMES = {role: ", ".join(sorted(registry)) for role, registry in OPERATORS.items()}
TOP = (
    "algorithm, archive, checkpoints, environment, evaluation, faults, fitness, measures, name, network, objectives, "
    "seed, stop, test, tracking, validation"
)
ACTIVATION_NAMES = " or ".join(repr(", ".join(ACTIVATIONS)).replace(", ", "', '").rsplit(", ", 1))
BROKEN = {
    "typo in a key": (
        "environment: {id: CartPole-v1}\nalgorithm:\n  popluation_size: 30\n",
        (
            "c.yaml:3:3: algorithm.popluation_size is not a known key; did you mean 'population_size'? "
            "Known: bounds, crossover, elites, initialisation, mutation, niching, population_size, replacement, "
            "selection, start_from, type"
        ),
    ),
    "typo in a name": (
        "environment: {id: CartPole-v1}\nalgorithm:\n  mutation: {type: gausian, sigma: 0.1}\n",
        (
            "c.yaml:3:3: algorithm.mutation.type must be a known name, got 'gausian'; did you mean 'gaussian'? "
            f"Known: {OPERATOR_NAMES['mutation']}"
        ),
    ),
    "out of range": (
        "environment: {id: CartPole-v1}\nalgorithm:\n  crossover: {type: neuron, rate: 1.5}\n",
        "c.yaml:3:29: algorithm.crossover.rate must be at most 1.0, got 1.5",
    ),
    "wrong type": (
        "environment: {id: CartPole-v1}\nnetwork: {hidden: sixteen}\n",
        "c.yaml:2:11: network.hidden must be a whole number, got 'sixteen'",
    ),
    "1e-3 where a whole number is meant": (
        "environment: {id: CartPole-v1}\nstop:\n  generations: 1e-3\n",
        "c.yaml:3:3: stop.generations must be a whole number, got 0.001",
    ),
    "1e3 where a whole number is meant": (
        "environment: {id: CartPole-v1}\nstop:\n  generations: 1e3\n",
        "c.yaml:3:3: stop.generations must be a whole number, got 1000.0 (write 1000)",
    ),
    "off": (
        "environment: {id: CartPole-v1}\nnetwork:\n  bias: off\n",
        "c.yaml:3:3: network.bias must be true or false, got 'off' (in YAML 1.2 only true and false are booleans)",
    ),
    "duplicate key": (
        "environment: {id: CartPole-v1}\nseed: 1\nstop: {generations: 2}\nseed: 2\n",
        'c.yaml:4:1: not valid YAML: found duplicate key "seed"',
    ),
    "missing environment": (
        "seed: 1\n",
        "c.yaml:1:1: environment.id is required, for example: CartPole-v1",
    ),
    "environment without id": (
        "seed: 1\nenvironment: {kwargs: {}}\n",
        "c.yaml:2:1: environment.id is required",
    ),
    "unsupported space": (
        f"environment:\n  id: {MODULE}:evonet-tests/Wordy-v0\n",
        (
            "c.yaml:2:3: environment: the observation space "
            "Text(1, 5, charset=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz) cannot be "
            "encoded as a network's inputs; use Box, Discrete, MultiDiscrete, "
            "MultiBinary, or a Tuple or Dict of those; a wrapper can convert"
        ),
    ),
    "unknown environment id": (
        "environment: {id: CartPol-v1}\n",
        (
            "c.yaml:1:15: environment: 'CartPol-v1' is not a registered environment; did you mean 'CartPole-v1'? "
            "One that a module registers is written 'module:CartPol-v1'"
        ),
    ),
    "typo in a key of a single operator": (
        "environment: {id: CartPole-v1}\nalgorithm: {mutation: {type: gaussian, sgma: 1}}\n",
        "c.yaml:2:40: algorithm.mutation.sgma is not a known key; did you mean 'sigma'? Known: rate, sigma, type",
    ),
    "an engine that does not serve the environment": (
        "environment: {id: FrozenLake-v1}\nevaluation: {engine: numpy, workers: 1}\n",
        (
            "c.yaml:2:14: evaluation.engine: Task.environment must be one that has a kernel, "
            "got EnvironmentSpec(id='FrozenLake-v1', kwargs={}, wrappers=[], max_steps=None, hard_reset=False, "
            "register=None); "
            "kernels are known for Acrobot-v1, CartPole-v0, CartPole-v1, MountainCar-v0, MountainCarContinuous-v0, "
            "Pendulum-v1, evonet/DoublePole-v0, evonet/Maze-v0, "
            "without wrappers and with few keyword arguments"
        ),
    ),
    "a quoted number": (
        "environment: {id: CartPole-v1}\nseed: '7'\n",
        "c.yaml:2:1: seed must be a whole number, got '7' (write a number without quotes)",
    ),
    "a name instead of a section": (
        "environment: CartPole-v1\n",
        "c.yaml:1:1: environment must be a section of keys, got 'CartPole-v1'",
    ),
    "an unknown activation": (
        "environment: {id: CartPole-v1}\nnetwork: {hidden_activation: tan}\n",
        f"c.yaml:2:11: network.hidden_activation must be {ACTIVATION_NAMES}, got 'tan'; did you mean 'tanh'?",
    ),
    "sizes that contradict the spaces": (
        "environment: {id: CartPole-v1}\nnetwork: {hidden: 3, inputs: 5}\n",
        "c.yaml:2:22: network.inputs must be left out or be 4, as the environment's spaces have it, got 5",
    ),
    "rules between settings": (
        "environment: {id: CartPole-v1}\nalgorithm: {mutation: {type: uniform_reset, low: 2, high: 1}}\n",
        "c.yaml:2:13: UniformReset.low must be below high (1.0), got 2.0",
    ),
    "a wrapper that is no section": (
        "environment: {id: CartPole-v1, wrappers: [3]}\n",
        "c.yaml:1:43: environment.wrappers.0 must be a section of keys, got 3",
    ),
    "workers": (
        "environment: {id: CartPole-v1}\nevaluation: {workers: many}\n",
        "c.yaml:2:14: evaluation.workers must be a whole number or 'auto', got 'many'",
    ),
    "target": (
        "environment: {id: CartPole-v1}\nstop: {target: high}\n",
        "c.yaml:2:8: stop.target must be a number or 'auto', got 'high'",
    ),
    "not a number": (
        "environment: {id: CartPole-v1}\nalgorithm: {mutation: {type: gaussian, sigma: .nan}}\n",
        "c.yaml:2:40: algorithm.mutation.sigma must be finite, got nan",
    ),
    "a number as a key": (
        "environment: {id: CartPole-v1}\n7: 8\n",
        f"c.yaml:2:1: 7 is not a known key; known: {TOP}",
    ),
    "a function without its module": (
        "fitness: {type: sphere}\n",
        "c.yaml:1:11: fitness.type must be 'episode_return' or 'module:function', got 'sphere'",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_config_gets_an_error_with_place_rule_and_repair(name, refusal):
    text, message = BROKEN[name]
    assert refusal(text, allow=[MODULE]) == message


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_config_ends_the_command_with_2_and_without_a_traceback(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text, message = BROKEN[name]
    Path("c.yaml").write_text(text, encoding="utf-8")
    allow = ["--allow-import", MODULE] if MODULE in text else []
    assert main(["run", "c.yaml", "--output", "out", *allow]) == 2
    assert capsys.readouterr() == ("", f"evonet: {message}\n")
    assert not Path("out").exists()


def test_all_errors_come_at_once_in_the_files_order(refusal):
    text = (
        "environment: {id: CartPole-v1}\n"
        "stop: {target: foo}\n"
        "network: {hidden: -1, hiden: 3}\n"
        "evaluation:\n"
        "  episodes: -1\n"
        "  aggregation: men\n"
        "algorithm:\n"
        "  selection: {type: tournament, size: 0}\n"
        "  mutation: [{type: gaussian, sgma: 1}, {type: gaussian, rate: 2}]\n"
    )
    assert refusal(text).splitlines() == [
        "c.yaml:2:8: stop.target must be a number or 'auto', got 'foo'",
        "c.yaml:3:11: network.hidden must be at least 0, got -1",
        (
            "c.yaml:3:23: network.hiden is not a known key; did you mean 'hidden'? "
            "Known: bias, hidden, hidden_activation, input_names, inputs, output_activation, output_names, outputs, "
            "prune, recurrent, skip, structure"
        ),
        "c.yaml:5:3: evaluation.episodes must be at least 1, got -1",
        (
            "c.yaml:6:3: evaluation.aggregation must be 'mean', 'min', 'median' or 'quantile', got 'men'; "
            "did you mean 'mean'?"
        ),
        "c.yaml:8:33: algorithm.selection.size must be at least 1, got 0",
        "c.yaml:9:31: algorithm.mutation.0.sgma is not a known key; did you mean 'sigma'? Known: rate, sigma, type",
        "c.yaml:9:58: algorithm.mutation.1.rate must be at most 1.0, got 2",
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=x", "--set seed=x: seed must be a whole number, got 'x'"),
        ("network.hidden=-1", "--set network.hidden=-1: network.hidden must be at least 0, got -1"),
        ("network.hiden=3", ("--set network.hiden=3: network.hiden is not a known key; did you mean 'hidden'? "
         "Known: bias, hidden, hidden_activation, input_names, inputs, output_activation, output_names, outputs, "
         "prune, recurrent, skip, structure")),
        ("a.b=3", f"--set a.b=3: a is not a known key; known: {TOP}"),
        ("algorithm.mutation.sigma=1", ("--set algorithm.mutation.sigma=1: algorithm.mutation must have a key 'type', "
         "got {'sigma': 1}")),
        ("environment.id=CartPol-v1", ("--set environment.id=CartPol-v1: environment: 'CartPol-v1' is not a registered "
         "environment; did you mean 'CartPole-v1'? One that a module registers is written 'module:CartPol-v1'")),
        ("evaluation.episodes={start: 3}", ("--set evaluation.episodes={start: 3}: evaluation.episodes must have a key "
         "'schedule', got {'start': 3}")),
        ("algorithm.mutation={type: gaussian, sigma: {end: 1}}", ("--set algorithm.mutation={type: gaussian, sigma: "
         "{end: 1}}: algorithm.mutation.sigma must have a key 'schedule', got {'end': 1}")),
        ("evaluation.workers={start: 3}", ("--set evaluation.workers={start: 3}: evaluation.workers must be a whole "
         "number or 'auto', got {'start': 3}")),
    ],
)  # fmt: skip
def test_overrides_are_held_to_the_same_rules(override, message, refusal):
    assert refusal(MINIMAL, override) == message


def test_a_type_that_an_override_changes_is_answered_with_how_to_leave_out_the_keys_of_the_other_type(load, tmp_path):
    text = MINIMAL + "algorithm: {elites: 2, mutation: {type: gaussian, sigma: 0.1}}\n"
    with pytest.raises(ConfigError) as refused:
        load(text, "algorithm.type=snes")
    first, *rest = str(refused.value).splitlines()
    assert first == (
        "--set algorithm.type=snes: the other keys of algorithm stay; to leave them out: --set algorithm=snes"
    )
    assert len(rest) == 2
    assert load(text, "algorithm=snes").resolved["algorithm"]["type"] == "snes"
    with pytest.raises(ConfigError, match=r"to leave them out: --set algorithm\.mutation=cauchy"):
        load(text, "algorithm.mutation.type=cauchy")


def test_overrides_replace_what_the_file_says(load):
    config = load(
        MINIMAL + "network: {hidden: 3}\nalgorithm: {mutation: {type: gaussian, sigma: 0.5}}\n",
        "network.hidden=5", "algorithm.mutation.sigma=1e-3", "evaluation.workers=2", "stop.target=null",
    )  # fmt: skip
    assert config.settings.network.hidden == 5
    assert config.settings.algorithm.mutation[0].sigma == 0.001
    assert config.settings.evaluation.workers == 2
    assert config.settings.stop.target is None


def test_a_whole_number_is_accepted_as_a_number(load):
    assert build_algorithm(load(MINIMAL + "algorithm: {mutation: {type: gaussian, sigma: 1}}\n"), ARCHITECTURE)


ARCHITECTURE = EpisodeReturn("CartPole-v1").architecture


def test_a_bare_name_stands_for_an_operator_with_its_defaults(load):
    config = load(MINIMAL + "algorithm: {selection: roulette, crossover: none, mutation: [gaussian, neuron]}\n")
    algorithm = build_algorithm(config, ARCHITECTURE)
    assert type(algorithm.selection) is OPERATORS["selection"]["roulette"]
    assert algorithm.crossover == OPERATORS["crossover"]["none"]()
    assert algorithm.mutations == (OPERATORS["mutation"]["gaussian"](), OPERATORS["mutation"]["neuron"]())


@pytest.mark.parametrize(
    ("role", "name"), [(role, name) for role, registry in OPERATORS.items() for name in registry], ids=str
)
def test_every_operator_is_usable_by_its_name_and_has_its_own_defaults(role, name, load):
    structure = "network: {structure: {start: full}}\n" if name in STRUCTURAL_MUTATIONS else ""
    config = load(f"{MINIMAL}{structure}algorithm: {{{role}: {{type: {name}}}}}\n")
    algorithm = build_algorithm(config, ARCHITECTURE)
    made = algorithm.mutations[0] if role == "mutation" else getattr(algorithm, role)
    assert made == OPERATORS[role][name]()
    assert Config.load(str(load(config.to_yaml()).document.name)).resolved == config.resolved


def defaults_of(owner, *skipped):
    return {
        name: parameter.default
        for name, parameter in inspect.signature(owner).parameters.items()
        if parameter.default is not parameter.empty and name not in skipped
    }


def test_the_defaults_of_a_config_are_those_of_the_constructors(load):
    config = load(MINIMAL)
    fitness, algorithm = build_fitness(config), build_algorithm(config, ARCHITECTURE)
    by_hand = EpisodeReturn("CartPole-v1")
    assert fitness.architecture == by_hand.architecture
    assert fitness.episodes == by_hand.episodes
    environment = fitness.task.environment
    assert replace(fitness.task, environment=None) == replace(by_hand.task, environment=None)
    assert (environment.id, dict(environment.kwargs), tuple(environment.wrappers), environment.max_steps) == (
        "CartPole-v1", {}, (), None
    )  # fmt: skip
    settings = config.settings
    sections = {**dict(settings.network), **dict(settings.evaluation)}
    for name in ("inputs", "outputs", "structure", "prune", "max_steps", "workers", "race"):
        del sections[name]
    assert sections == {n: d for n, d in defaults_of(EpisodeReturn).items() if n in sections}
    left = {"kwargs", "wrappers", "max_steps", "workers", "faults", "executor", "measures", "weights"}
    assert set(sections) == set(defaults_of(EpisodeReturn)) - left
    for name, default in defaults_of(
        GeneticAlgorithm, "seed", "initial", "population_size", "mutation", "elites"
    ).items():
        assert getattr(algorithm, name) == default, name
    assert len(algorithm.population) == defaults_of(GeneticAlgorithm)["population_size"]
    assert algorithm.elites == GeneticAlgorithm(ARCHITECTURE).elites == 4
    assert algorithm.mutations == (defaults_of(GeneticAlgorithm)["mutation"],)
    assert build_validation(config, algorithm) == Validation()
    assert settings.stop.build() == Stop()
    assert (settings.seed, settings.name, settings.evaluation.workers) == (0, "c", "auto")
    fitness.close()


def test_a_config_says_all_and_every_setting_arrives(load):
    config = load(
        f"name: everything\nseed: 9\nenvironment:\n  id: {WALK}\n  kwargs: {{at: 4}}\n"
        "  wrappers: [{name: TimeAwareObservation}, {name: ClipReward, kwargs: {min_reward: -0.25}}]\n"
        "  max_steps: 8\n  hard_reset: true\n"
        "network: {hidden: 5, hidden_activation: relu, output_activation: sin, bias: false, "
        "recurrent: true, inputs: 4}\n"
        "algorithm:\n  population_size: 10\n  elites: 0\n  selection: {type: truncation, fraction: 0.4}\n"
        "  crossover: {type: k_point, points: 3, rate: 0.1}\n"
        "  mutation: [{type: neuron, rate: 0.3}, {type: uniform_reset, low: -2, high: 2}]\n"
        "evaluation: {episodes: 2, aggregation: quantile, quantile: 0.1, normalise_observations: true, "
        "action_squash: clip, engine: gymnasium, workers: 1}\n"
        "validation: {episodes: 7, candidates: 2}\ntest: {episodes: 6}\n"
        "stop: {generations: null, evaluations: 5, environment_steps: 6, seconds: 7, stagnation: 8, "
        "target: 9, confident: true}\n",
        allow=[MODULE],
    )
    fitness, algorithm = build_fitness(config), build_algorithm(config, ARCHITECTURE)
    wrappers = (Wrapper("TimeAwareObservation"), Wrapper("ClipReward", {"min_reward": -0.25}))
    spec = fitness.task.environment
    assert (spec.id, dict(spec.kwargs), tuple(spec.wrappers), spec.max_steps) == (WALK, {"at": 4}, wrappers, 8)
    assert spec.hard_reset
    assert str(fitness.architecture).startswith("4-5-2")
    shape = fitness.architecture
    assert (shape.hidden_activation, shape.output_activation, shape.bias, shape.recurrent) == (
        "relu",
        "sin",
        False,
        True,
    )
    assert (fitness.episodes, fitness.task.squash, fitness.task.normalise, fitness.task.max_steps) == (
        2,
        "clip",
        True,
        8,
    )
    assert (fitness.aggregation, fitness._quantile, fitness.engine) == ("quantile", 0.1, "gymnasium")
    assert (len(algorithm.population), algorithm.elites, algorithm.seed) == (10, 0, 9)
    assert algorithm.selection == OPERATORS["selection"]["truncation"](fraction=0.4)
    assert algorithm.crossover == OPERATORS["crossover"]["k_point"](points=3, rate=0.1)
    assert algorithm.mutations == (
        OPERATORS["mutation"]["neuron"](rate=0.3), OPERATORS["mutation"]["uniform_reset"](low=-2, high=2)
    )  # fmt: skip
    assert build_validation(config, algorithm) == Validation(7, 2)
    assert config.settings.stop.build() == Stop(None, 5, 6, 7, 8, 9, confident=True)
    assert config.settings.test.episodes == 6
    fitness.close()
    assert load(config.to_yaml()).resolved == config.resolved


@pytest.mark.parametrize("settings", ["{policy: mean}", "{policy: mean, candidates: 2}"])
def test_a_policy_that_the_algorithm_does_not_score_is_an_error_at_its_line(settings, tmp_path):
    algorithm = "pgpe" if "candidates" in settings else "genetic_algorithm"
    (tmp_path / "c.yaml").write_text(
        f"environment: {{id: CartPole-v1}}\nalgorithm: {algorithm}\nvalidation: {settings}\n"
    )
    with pytest.raises(ConfigError, match=r"c.yaml:3:\d+: validation.policy: the policy 'mean' "):
        run(Config.load(tmp_path / "c.yaml"), tmp_path / "run")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_is_read_and_its_resolved_form_is_a_fixed_point(path, load):
    config = Config.load(str(path))
    again = load(config.to_yaml())
    assert again.resolved == config.resolved
    assert again.to_yaml() == config.to_yaml()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_points_an_editor_at_the_schema_and_says_what_it_is(path):
    first, second = path.read_text(encoding="utf-8").splitlines()[:2]
    assert first == "# yaml-language-server: $schema=schema.json"
    assert second.startswith("# ")
    assert len(second) > 10


def test_the_schema_in_the_repository_is_up_to_date(capsys, tmp_path):
    assert main(["schema"]) == 0
    text = (ROOT / "configs" / "schema.json").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text, "run: evonet schema --output configs/schema.json"
    assert main(["schema", "--output", str(tmp_path / "s.json")]) == 0
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == text


def accepts(schema, value, definitions):
    """Whether a JSON Schema, of the words that ours uses, accepts a value; raises at a word that it does not know."""
    words = {
        "$ref", "$defs", "$schema", "title", "description", "default", "type", "properties", "required", "items",
        "additionalProperties", "anyOf", "oneOf", "discriminator", "const", "enum", "minimum", "maximum", "pattern",
        "patternProperties",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "minLength", "maxLength",
    }  # fmt: skip
    assert set(schema) <= words, set(schema) - words
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = schema.get("type")
    if "$ref" in schema and not accepts(definitions[schema["$ref"].rpartition("/")[2]], value, definitions):
        return False
    for word, enough in (("anyOf", lambda n: n >= 1), ("oneOf", lambda n: n == 1)):
        if word in schema and not enough(sum(accepts(part, value, definitions) for part in schema[word])):
            return False
    if kind == "integer" and not (number and value == int(value)):
        return False
    if kind == "number" and not number:
        return False
    if number and "multipleOf" in schema and value % schema["multipleOf"]:
        return False
    if kind in kinds and not isinstance(value, kinds[kind]):
        return False
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        return False
    if number and not (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
    ):
        return False
    if isinstance(value, list) and "items" in schema:
        return len(value) >= schema.get("minItems", 0) and all(accepts(schema["items"], v, definitions) for v in value)
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        patterns = schema.get("patternProperties", {})
        value = {name: item for name, item in value.items() if not any(re.search(p, name) for p in patterns)}
        return (
            set(schema.get("required", ())) <= set(value)
            and (schema["additionalProperties"] or set(value) <= set(known))
            and all(accepts(known[name], item, definitions) for name, item in value.items() if name in known)
        )
    return not isinstance(value, str) or re.search(schema.get("pattern", ""), value) is not None


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_schema_accepts_a_shipped_config_as_written_and_as_resolved(path):
    schema = json_schema()
    config = Config.load(str(path))
    assert accepts(schema, config.document.data, schema["$defs"])
    assert accepts(schema, config.resolved, schema["$defs"])


def test_the_schema_accepts_parts_of_the_users_own():
    schema = json_schema()
    own = {
        "environment": {"id": "my_game:MyGame"},
        "network": {"hidden_activation": "my_ops:SOFTSIGN"},
        "algorithm": {
            "selection": "my_ops:Best",
            "crossover": {"type": "my_ops:Mix", "anything": 3},
            "mutation": ["gaussian", "my_ops:Flip", {"type": "gaussian", "sigma": {"schedule": "my_ops:Halving"}}],
        },
    }
    assert accepts(schema, own, schema["$defs"])
    for algorithm in (
        "my_ops:Climb",
        {"type": "my_ops:Climb", "sigma": 1},
        {"type": "islands", "algorithm": "my_ops:C"},
    ):
        assert accepts(schema, own | {"algorithm": algorithm}, schema["$defs"])
    for algorithm in ("Climb", {"type": "Climb"}, {"selection": "a b:c"}):
        assert not accepts(schema, own | {"algorithm": algorithm}, schema["$defs"])


@pytest.mark.parametrize(
    "name", ["typo in a key", "typo in a name", "out of range", "wrong type", "off", "a quoted number", "target"]
)
def test_the_schema_refuses_what_the_config_refuses(name, load, refusal):
    schema = json_schema()
    assert refusal(BROKEN[name][0])
    data = Document.read(str(load(MINIMAL).document.name)).data
    assert accepts(schema, data, schema["$defs"])
    path = Path(load(MINIMAL).document.name)
    path.write_text(BROKEN[name][0], encoding="utf-8")
    assert not accepts(schema, Document.read(str(path)).data, schema["$defs"])


def test_the_target_is_the_environments_own_unless_the_config_has_another(load):
    targets = {"": 475.0, "stop: {target: 12}\n": 12.0, "stop: {target: null}\n": None, "stop: {target: auto}\n": 475.0}
    for text, target in targets.items():
        config = load(MINIMAL + text)
        fitness = build_fitness(config)
        assert target_of(config) == target
        assert build_stop_rule(config, target, 100)
        fitness.close()


REFUSED_IMPORTS = {
    "environment": ("environment: {id: 'never_imported:Some-v0'}\n", "1:15: environment: 'never_imported:Some-v0'"),
    "wrapper": (
        "environment:\n  id: CartPole-v1\n  wrappers: [{name: 'never_imported:Wrap'}]\n",
        "3:15: environment.wrappers.0: 'never_imported:Wrap'",
    ),
    "fitness": (
        "network: {inputs: 2, outputs: 1}\nfitness: {type: 'never_imported:function'}\n",
        "2:11: fitness.type: 'never_imported:function'",
    ),
}


@pytest.mark.parametrize("what", REFUSED_IMPORTS)
def test_code_is_imported_only_if_the_command_line_allows_its_module(what, refusal, load, tmp_path, monkeypatch):
    (tmp_path / "never_imported.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    text, start = REFUSED_IMPORTS[what]
    expected = (
        f"c.yaml:{start} would import the module 'never_imported', which runs its code; "
        "to allow that, add --allow-import never_imported, or in Python allow_imports=['never_imported']"
    )
    for allowed in ([], ["never"], ["never_imported.py"], ["os"]):
        assert refusal(text, allow=allowed) == expected
    assert "never_imported" not in sys.modules
    with pytest.raises(EvonetError, match=r"left the program \(sys.exit\) in never_imported.py:1: imported"):
        build_fitness(load(text, allow=["never_imported"]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fitness: {type: 'no_such_module:f'}\nnetwork: {inputs: 2, outputs: 1}\n",
         ("c.yaml:1:11: fitness.type 'no_such_module:f' cannot be imported: "
         "ModuleNotFoundError: No module named 'no_such_module'")),
        ("fitness: {type: 'math:sqqrt'}\nnetwork: {inputs: 2, outputs: 1}\n",
         "c.yaml:1:11: fitness.type: the module 'math' has no function 'sqqrt'"),
        ("fitness: {type: 'math:pi'}\nnetwork: {inputs: 2, outputs: 1}\n",
         "c.yaml:1:11: fitness.type: the module 'math' has no function 'pi'"),
        ("fitness: {type: 'math:sqrt'}\nnetwork: {inputs: 2}\n",
         "c.yaml:2:1: network.outputs is required where there is no environment"),
    ],
)  # fmt: skip
def test_a_missing_fitness_function_is_refused(text, message, refusal):
    assert refusal(text, allow=["no_such_module", "math"]) == message


def test_the_elites_must_leave_room(load, tmp_path):
    config = load(MINIMAL + "algorithm: {population_size: 4, elites: 4}\n")
    with pytest.raises(ConfigError) as refused:
        build_algorithm(config, ARCHITECTURE)
    assert str(refused.value) == (
        f"{tmp_path}/c.yaml:2:1: GeneticAlgorithm.elites must be below population_size (4), got 4"
    )


OWN_OPERATOR = '''
import sys
from dataclasses import dataclass
import numpy as np
import pytest
from evonet.operators import mutation
from evonet.settings import PositiveFloat, Probability, Settings

@dataclass(frozen=True)
class Leap(Settings):
    """Some genes leap."""
    scale: PositiveFloat = 0.1
    rate: Probability = 0.5

    def __call__(self, rng, genomes, architecture):
        steps = self.scale * rng.standard_cauchy(genomes.shape)
        return genomes + np.where(rng.random(genomes.shape) < self.rate, steps, 0.0)

mutation.MUTATIONS["leap"] = Leap

if __name__ == "__main__":
    from evonet.cli import main
    good, bad, out = sys.argv[1:]
    statuses = [main(["list"]), main(["run", good, "--quiet", "--output", out]), main(["run", bad])]
    statuses.append(pytest.main(["-p", "no:cacheprovider", "-vv", "-k", "leap", "tests/operators/test_contract.py"]))
    print(*map(int, statuses))
'''


def test_an_operator_of_one_class_and_one_line_is_usable_from_yaml_listed_and_held_to_the_contract(tmp_path):
    good, bad, program, out = (tmp_path / name for name in ("good.yaml", "bad.yaml", "own_operator.py", "out"))
    text = MINIMAL + (
        "algorithm: {population_size: 4, elites: 1, mutation: {type: leap, scale: 0.2}}\n"
        "validation: {episodes: 1}\ntest: {episodes: 1}\nevaluation: {engine: gymnasium, workers: 1}\n"
        "stop: {generations: 2}\n"
    )
    good.write_text(text, encoding="utf-8")
    bad.write_text(text.replace("scale: 0.2", "scale: 0"), encoding="utf-8")
    program.write_text(OWN_OPERATOR, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, good, bad, out],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "0 0 2 0", done.stdout
    assert done.stderr == f"evonet: {bad}:2:67: algorithm.mutation.scale must be greater than 0.0, got 0\n"
    assert re.search(r"^  leap +Some genes leap\.?$", done.stdout, re.MULTILINE)
    assert "leap mutation" in (out / "lineage.jsonl").read_text(encoding="utf-8")
    contract = re.findall(r"test_a_mutation_keeps_its_contract\[leap-\w+\] PASSED", done.stdout)
    assert len(contract) >= len(CHECKS["mutation"])


def test_the_resolved_config_of_odd_values_is_a_fixed_point(load):
    kwargs = {"a": [1, 2.5e-7, None, "on", "1e-3", "", {"b": True}], "c": "2024-01-01", "d": -1e300, "e": 10**20}
    text = to_yaml({"name": "on: [~", "environment": {"id": "CartPole-v1", "kwargs": kwargs}})
    config = load(text)
    assert config.resolved["environment"]["kwargs"] == kwargs
    assert load(config.to_yaml()).resolved == config.resolved
    assert load(config.to_yaml()).to_yaml() == config.to_yaml()


def test_the_model_made_for_a_config_says_what_the_model_of_all_operators_says():
    data = {
        "algorithm": {
            "selection": "roulette",
            "crossover": {"type": "uniform", "swap": 0.25},
            "mutation": ["cauchy", {"type": "gaussian", "sigma": 0.5}],
        }
    }
    assert with_defaults(data) == experiment_model().model_validate(data).model_dump(mode="json")


@pytest.mark.parametrize(
    ("settings", "elites"),
    [("{}", 4), ("{population_size: 9}", 4), ("{population_size: 7}", 3), ("{population_size: 4}", 2),
     ("{population_size: 2}", 1), ("{population_size: 4, elites: 0}", 0), ("{population_size: 200, elites: 9}", 9)],
)  # fmt: skip
def test_the_elites_are_four_but_no_more_than_half_of_the_population_and_the_resolved_config_has_their_number(
    settings, elites, load
):
    config = load(MINIMAL + f"algorithm: {settings}\n")
    assert config.resolved["algorithm"]["elites"] == elites
    assert build_algorithm(config, ARCHITECTURE).elites == elites


def test_an_island_with_a_population_of_its_own_has_elites_that_fit_it(load):
    islands = "{type: islands, algorithm: {mutation: cauchy}, islands: [{}, {population_size: 4}, {elites: 3}]}"
    resolved = load(MINIMAL + f"algorithm: {islands}\n").resolved["algorithm"]
    assert [island["elites"] for island in resolved["islands"]] == [4, 2, 3]
    assert {island["mutation"][0]["type"] for island in resolved["islands"]} == {"cauchy"}


def test_a_wrong_population_size_is_one_error_though_the_elites_follow_from_it(refusal):
    message = "c.yaml:2:13: algorithm.population_size must be at least 2, got 1"
    assert refusal(MINIMAL + "algorithm: {population_size: 1}\n") == message


def test_a_wrapper_without_arguments_may_be_its_name_alone(load):
    config = load("environment: {id: CartPole-v1, wrappers: [FlattenObservation, {name: ClipReward, kwargs: {}}]}\n")
    names = ["FlattenObservation", "ClipReward"]
    assert [wrapper.name for wrapper in config.settings.environment.build().wrappers] == names
    assert config.resolved["environment"]["wrappers"][0] == {"name": "FlattenObservation", "kwargs": {}}
    schema = json_schema()
    assert accepts(schema, config.document.data, schema["$defs"])


WRAPPED = "environment:\n  id: CartPole-v1\n  wrappers:\n  - FlattenObservation\n  - {}\n"


@pytest.mark.parametrize(
    ("wrapper", "column", "message"),
    [
        ("TimeLimt", 5, "'TimeLimt' is not a wrapper of gymnasium.wrappers; did you mean 'TimeLimit'? "),
        ("{name: TimeLimit, kwargs: {steps: 3}}", 5, "the wrapper 'TimeLimit' cannot be made: TypeError: "),
        ("{name: ResizeObservation, kwargs: {shape: [2, 2]}}", 5,
         "the wrapper 'ResizeObservation' cannot be made: "),
        ("{name: TransformReward, kwargs: {func: 'lambda r: 2 * r'}}", 5,
         "the wrapper 'TransformReward' wants a function as 'func', which a config cannot hold"),
    ],
)  # fmt: skip
def test_an_error_about_a_wrapper_has_its_line_and_its_name(wrapper, column, message, load, tmp_path):
    with pytest.raises(EvonetError) as refused:
        build_fitness(load(WRAPPED.format(wrapper)))
    assert str(refused.value).startswith(f"{tmp_path}/c.yaml:5:{column}: environment.wrappers.1: {message}")


def test_an_error_about_a_wrapper_of_the_validation_has_its_line_too(load, tmp_path):
    config = load(MINIMAL + "validation:\n  environment:\n    id: CartPole-v1\n    wrappers: [ClipRewards]\n")
    with contextlib.closing(build_fitness(config)) as fitness, pytest.raises(ConfigError) as refused:
        build_validation_fitness(config, fitness)
    assert str(refused.value).startswith(f"{tmp_path}/c.yaml:5:16: validation.environment.wrappers.0: 'ClipRewards' is")


def test_one_message_has_all_modules_that_may_not_be_imported(refusal):
    text = (
        "environment: {id: 'walks:Walk-v0', wrappers: ['walks.wrappers:Short', 'tricks:Twice']}\n"
        "validation: {environment: {id: 'plain:Walk-v0', register: 'plain:register'}}\n"
    )
    assert refusal(text) == (
        "c.yaml:1:15: environment: 'walks:Walk-v0', 'walks.wrappers:Short', 'tricks:Twice', 'plain:Walk-v0' and "
        "'plain:register' would import the modules 'walks', 'walks.wrappers', 'tricks' and 'plain', which runs their "
        "code; to allow that, add --allow-import walks --allow-import tricks --allow-import plain, or in Python "
        "allow_imports=['walks', 'tricks', 'plain']"
    )
    assert refusal(text, allow=["walks", "tricks"]) == (
        "c.yaml:2:28: validation.environment: 'plain:Walk-v0' and 'plain:register' would import the module 'plain', "
        "which runs its code; to allow that, add --allow-import plain, or in Python allow_imports=['plain']"
    )


@pytest.mark.parametrize(
    ("environment", "difference"),
    [
        ("{id: MountainCar-v0, max_steps: 100}", "max_steps is 100, not 200"),
        ("{id: MountainCar-v0, max_steps: 300}", "max_steps is 300, not 200"),
        ("{id: MountainCar-v0, wrappers: [{name: ClipReward, kwargs: {min_reward: -0.5}}]}",
         "the wrapper 'ClipReward' may change rewards or the end of episodes"),
        ("{id: MountainCar-v0, wrappers: [{name: TimeLimit, kwargs: {max_episode_steps: 150}}]}",
         "the wrapper 'TimeLimit' may change rewards or the end of episodes"),
        ("{id: MountainCar-v0, wrappers: [{name: StickyAction, kwargs: {repeat_action_probability: 0.25}}]}",
         "the wrapper 'StickyAction' may change rewards or the end of episodes"),
        ("{id: MountainCar-v0, kwargs: {goal_velocity: 0.01}}", "kwargs.goal_velocity is 0.01"),
    ],
)  # fmt: skip
def test_another_task_than_the_registered_one_has_no_target_and_a_warning_says_why(environment, difference, load):
    config = load(f"environment: {environment}\n")
    with contextlib.closing(build_fitness(config)):
        assert target_of(config) is None
    (warning,) = target_warnings(config)
    assert warning == (
        f"stop.target is auto, but the threshold of MountainCar-v0 does not apply, because {difference}; there is no "
        "target, unless stop.target is set to the mean at which the task is solved"
    )
    for target in ("null", "-120"):
        assert target_warnings(load(f"environment: {environment}\nstop: {{target: {target}}}\n")) == []


@pytest.mark.parametrize(
    ("environment", "target"),
    [
        ("{id: MountainCar-v0, max_steps: 200, hard_reset: true}", -110.0),
        ("{id: MountainCar-v0, wrappers: [FlattenObservation, RecordEpisodeStatistics]}", -110.0),
        ("{id: MountainCar-v0, wrappers: [{name: TimeLimit, kwargs: {max_episode_steps: 200}}]}", -110.0),
        ("{id: FrozenLake-v1, kwargs: {map_name: 4x4}}", 0.7),
        ("{id: Pendulum-v1, max_steps: 50}", None),
    ],
)
def test_the_registered_task_keeps_its_target_with_wrappers_that_only_change_what_is_seen(environment, target, load):
    config = load(f"environment: {environment}\n")
    with contextlib.closing(build_fitness(config)):
        assert target_of(config) == target
    assert target_warnings(config) == []


FOR_ARCHIVES = ("lunar_lander_qd", "lunar_lander_front", "bipedal_walker_gaits")  # a solved task does not end them


@pytest.mark.parametrize(
    "path", [path for path in SHIPPED if path.stem not in FOR_ARCHIVES], ids=lambda path: path.stem
)
def test_a_shipped_config_has_a_target_and_no_warning_about_it(path):
    config = Config.load(str(path))
    section = config.settings.validation.environment or config.settings.environment
    target = config.settings.stop.target
    assert isinstance(section.build().reward_threshold() if target == "auto" else target, float | int)
    assert target_warnings(config) == []


def test_the_target_is_that_of_the_environment_of_the_validation(load):
    text = "environment: {id: CartPole-v1, max_steps: 9}\nvalidation: {environment: {id: CartPole-v1}}\n"
    assert target_warnings(load(text)) == []
    assert target_of(load(text)) == 475.0
    text = "environment: {id: CartPole-v1}\nvalidation: {environment: {id: CartPole-v1, max_steps: 9}}\n"
    assert len(target_warnings(load(text))) == 1
    assert target_of(load(text)) is None


def test_keys_that_begin_with_x_are_for_anchors(load, refusal):
    config = load("x-small: &small {population_size: 6}\nenvironment: {id: CartPole-v1}\nalgorithm: *small\n")
    assert config.resolved["algorithm"]["population_size"] == 6
    assert not any(key.startswith("x-") for key in config.resolved)
    assert "network.x-hidden is not a known key" in refusal(MINIMAL + "network: {x-hidden: 3}\n")


def test_a_second_document_in_a_file_is_refused_with_its_line(refusal):
    assert refusal(MINIMAL + "---\nseed: 3\n") == (
        "c.yaml:2:1: not valid YAML: a second document begins here; a config is one document, so remove this line and "
        "what follows it"
    )
