"""A config names parts of the user's own, of every kind, as `module:Class`; the rules are those of evonet's parts."""

import contextlib
import json
import pickle
import sys

import numpy as np
import pytest

from evonet.activations import ACTIVATIONS
from evonet.champion import Champion
from evonet.cli import main
from evonet.environments.known import KNOWN, KnownEnvironment
from evonet.errors import ConfigError
from evonet.experiment.build import build_algorithm, build_fitness
from evonet.experiment.config import Config
from evonet.experiment.config.named_parts import named_parts
from evonet.experiment.runner import resume, run
from evonet.experiment.study import study
from evonet.export import export
from evonet.export.policy import NotExportable
from evonet.inspection.loaded_run import load_run
from evonet.network import NeuralNetwork
from tests.own_parts import LINE_KERNEL, MODULE, Best

TINY = "validation: {episodes: 2}\ntest: {episodes: 2}\nevaluation: {episodes: 1, workers: 1}\nstop: {generations: 2}\n"
SMALL = "algorithm: {population_size: 6}\n"
KINDS = {
    "selection": f"algorithm: {{population_size: 6, selection: '{MODULE}:Best'}}\n",
    "crossover": f"algorithm: {{population_size: 6, crossover: {{type: '{MODULE}:Halves', rate: 1.0}}}}\n",
    "mutation": f"algorithm: {{population_size: 6, mutation: [gaussian, {{type: '{MODULE}:SignFlip', rate: 0.2}}]}}\n",
    "replacement": f"algorithm: {{population_size: 6, replacement: {{type: '{MODULE}:KeepBest', extra: 1}}}}\n",
    "niching": f"algorithm: {{population_size: 6, niching: '{MODULE}:InOrder'}}\n",
    "initialisation": f"algorithm: {{population_size: 6, initialisation: '{MODULE}:Zeros'}}\n",
    "schedule": f"algorithm: {{population_size: 6, mutation: {{sigma: {{schedule: '{MODULE}:Halving'}}, "
    f"type: '{MODULE}:Finer'}}}}\n",
    "activation": f"network: {{hidden: 3, hidden_activation: '{MODULE}:SOFTSIGN'}}\n{SMALL}",
    "strategy": f"algorithm: {{type: '{MODULE}:HillClimber', population_size: 4}}\n",
    "within another": f"algorithm: {{type: islands, islands: 2, algorithm: {{population_size: 6, "
    f"mutation: '{MODULE}:SignFlip'}}}}\n",
    "an island": f"algorithm: {{type: islands, migrants: 0, algorithm: {{population_size: 6}}, "
    f"islands: [{{}}, '{MODULE}:HillClimber']}}\n",
    "environment": f"environment: {{id: '{MODULE}:Line', max_steps: 9}}\n{SMALL}",
}


@pytest.fixture(autouse=True)
def activations():
    """Afterwards there are only the activations that there were before, for tests that list all of them."""
    before = dict(ACTIVATIONS)
    yield
    ACTIVATIONS.clear()
    ACTIVATIONS.update(before)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """A function of a config's text that loads it, with the module of parts allowed."""
    monkeypatch.chdir(tmp_path)

    def load(text, allow=(MODULE,)):
        (tmp_path / "own.yaml").write_text(text)
        return Config.load("own.yaml", allow_imports=allow)

    return load


@pytest.fixture
def refusal(load):
    """A function of a config's text: what the refusal says, without the name of the file."""

    def refusal(text, allow=(MODULE,)):
        with pytest.raises(ConfigError) as refused:
            build(load(f"environment: {{id: CartPole-v1}}\n{text}", allow))
        return str(refused.value).replace("own.yaml:", "")

    return refusal


def build(config):
    """The algorithm of a config."""
    with contextlib.closing(build_fitness(config)) as fitness:
        return build_algorithm(config, fitness.architecture)


def complete(text):
    """A config that runs at once, from one of `KINDS`."""
    return (text if "environment:" in text else f"environment: {{id: CartPole-v1, max_steps: 9}}\n{text}") + TINY


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_every_kind_runs_and_its_run_resumes_and_repeats(kind, load, tmp_path):
    config = load(complete(KINDS[kind]))
    summary = run(config, tmp_path / "run")
    again = Config.load(str(tmp_path / "run/config.yaml"), allow_imports=[MODULE])
    assert again.resolved == config.resolved
    more = ("stop.generations=3",)
    assert resume(tmp_path / "run", more, [MODULE])["generations"] == 3
    longer = run(Config.load("own.yaml", more, [MODULE]), tmp_path / "longer")
    assert longer["champion"] == json.loads((tmp_path / "run/run.json").read_text())["champion"]
    assert summary["generations"] == 2
    journals = [(tmp_path / name / "lineage.jsonl").read_text() for name in ("run", "longer")]
    assert journals[0] == journals[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_any_kind_is_imported_only_where_its_module_is_allowed(kind, load):
    with pytest.raises(
        ConfigError, match=f"would import the module '{MODULE}', which runs its code; to allow that, add"
    ):
        build_fitness(load(complete(KINDS[kind]), ()))


@pytest.mark.parametrize(
    "text",
    [
        "algorithm: {mutation: 'untouched_parts:Flip'}",
        "algorithm: {type: 'untouched_parts:Climb'}",
        "algorithm: {mutation: {type: gaussian, sigma: {schedule: 'untouched_parts:Halving'}}}",
        "network: {output_activation: 'untouched_parts:SOFTSIGN'}",
        "algorithm: {type: islands, islands: [{}, {crossover: 'untouched_parts:Mix'}], algorithm: {}}",
    ],
)
def test_a_module_that_is_not_allowed_is_not_imported_when_a_config_is_read(text, load, tmp_path, monkeypatch):
    (tmp_path / "untouched_parts.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for allow in ((), (MODULE,), ("untouched",)):
        with pytest.raises(
            ConfigError, match="'untouched_parts', which runs its code; to allow that, add --allow-import"
        ):
            load(f"environment: {{id: CartPole-v1}}\n{text}\n", allow)


def test_one_refusal_names_every_module_that_must_be_allowed(refusal):
    text = (
        "validation: {environment: {id: 'far:Away-v0'}}\nalgorithm: {mutation: 'near:Flip', crossover: 'far.x:Mix'}\n"
    )
    assert refusal(text).startswith(
        "2:28: validation.environment: 'far:Away-v0', 'far.x:Mix' and 'near:Flip' would import the modules 'far', "
        "'far.x' and 'near', which runs their code; to allow that, add --allow-import far --allow-import near, or"
    )
    assert refusal(text, ["far"]).startswith("3:13: algorithm.mutation: 'near:Flip' would import the module 'near'")


WRONG = {
    "rule of its settings": (
        f"algorithm: {{mutation: {{type: '{MODULE}:SignFlip', rate: 3}}}}\n",
        "2:58: algorithm.mutation.rate must be at most 1.0, got 3",
    ),
    "unknown key": (
        f"algorithm: {{mutation: {{type: '{MODULE}:SignFlip', rato: 0.3}}}}\n",
        "2:58: algorithm.mutation.rato is not a known key; did you mean 'rate'? Known: rate, type",
    ),
    "type of a setting without a dataclass": (
        f"algorithm: {{replacement: {{type: '{MODULE}:KeepBest', extra: many}}}}\n",
        "2:61: algorithm.replacement.extra must be a whole number, got 'many'",
    ),
    "another kind": (
        f"algorithm: {{crossover: '{MODULE}:SignFlip'}}\n",
        f"2:13: algorithm.crossover: '{MODULE}:SignFlip' is a mutation, not a crossover",
    ),
    "another kind, by its base": (
        f"algorithm: {{initialisation: {{type: '{MODULE}:Finer'}}}}\n",
        f"2:30: algorithm.initialisation: '{MODULE}:Finer' is a mutation, not an initialisation",
    ),
    "another kind, by the names of its arguments": (
        f"algorithm: {{initialisation: '{MODULE}:Noise'}}\n",
        f"2:13: algorithm.initialisation: '{MODULE}:Noise' is a mutation, not an initialisation",
    ),
    "a strategy in place of an operator": (
        f"algorithm: {{selection: '{MODULE}:HillClimber'}}\n",
        f"2:13: algorithm.selection: '{MODULE}:HillClimber' is an algorithm, not a selection",
    ),
    "an environment in place of an operator": (
        f"algorithm: {{selection: '{MODULE}:Line'}}\n",
        f"2:13: algorithm.selection: '{MODULE}:Line' is an environment, not a selection",
    ),
    "an operator in place of an algorithm": (
        f"algorithm: '{MODULE}:SignFlip'\n",
        f"2:1: algorithm: '{MODULE}:SignFlip' lacks the methods ask, tell, state, restore, which every algorithm has",
    ),
    "an operator in place of a schedule": (
        f"algorithm: {{mutation: {{type: gaussian, sigma: {{schedule: '{MODULE}:SignFlip'}}}}}}\n",
        f"2:48: algorithm.mutation.sigma: '{MODULE}:SignFlip' must be a subclass of evonet.settings.Schedule",
    ),
    "no class": (
        f"algorithm: {{mutation: '{MODULE}:flip'}}\n",
        f"2:13: algorithm.mutation: '{MODULE}:flip' is a function, and must be a class",
    ),
    "no activation": (
        f"network: {{hidden_activation: '{MODULE}:Best'}}\n",
        f"2:11: network.hidden_activation: '{MODULE}:Best' must be an evonet.activations.Activation, got {Best!r}",
    ),
    "a method is missing": (
        f"algorithm: {{crossover: '{MODULE}:Unfinished'}}\n",
        f"2:13: algorithm.crossover: '{MODULE}:Unfinished' lacks the method combine",
    ),
    "a method of a strategy is missing": (
        f"algorithm: '{MODULE}:NeverLearns'\n",
        f"2:1: algorithm: '{MODULE}:NeverLearns' lacks the method learn",
    ),
    "a strategy without a seed": (
        f"algorithm: '{MODULE}:NoSeed'\n",
        f"2:1: algorithm: '{MODULE}:NoSeed' must take the argument seed, as every algorithm does",
    ),
    "not callable": (
        f"algorithm: {{mutation: '{MODULE}:Activation'}}\n",
        f"2:13: algorithm.mutation: '{MODULE}:Activation' lacks the method __call__(rng, genomes, parents), which ",
    ),
    "no such name": (
        f"algorithm: {{mutation: '{MODULE}:SignFlop'}}\n",
        f"2:13: algorithm.mutation: the module '{MODULE}' has no 'SignFlop'; did you mean 'SignFlip'? Known: ",
    ),
    "an error while it is made": (
        f"algorithm: {{mutation: '{MODULE}:Fussy'}}\n",
        "2:13: Fussy cannot be made: LookupError in tests/own_parts.py:132: there is no list of levels",
    ),
    "an error while the algorithm is made": (
        f"algorithm: {{initialisation: '{MODULE}:BadInitialisation'}}\n",
        f"2:1: algorithm: the algorithm with '{MODULE}:BadInitialisation' cannot be made: LookupError in ",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_part_that_cannot_be_used_is_answered_with_place_and_reason(what, refusal):
    text, message = WRONG[what]
    said = refusal(text)
    assert said.startswith(message) if message.endswith(" ") else said == message, said


def test_the_names_of_arguments_are_the_user_s_own_where_their_number_fits(load):
    build(load(f"environment: {{id: CartPole-v1}}\nalgorithm: {{mutation: '{MODULE}:Noise'}}\n"))


def test_a_wrong_part_and_a_wrong_setting_elsewhere_are_reported_together(refusal):
    text = f"algorithm: {{mutation: '{MODULE}:Best', elites: -1}}\nstop: {{generations: 0}}\n"
    assert [line.partition(" ")[2] for line in refusal(text).splitlines()] == [
        f"algorithm.mutation: '{MODULE}:Best' is a selection, not a mutation",
        "algorithm.elites must be at least 0, got -1",
        "stop.generations must be at least 1, got 0",
    ]


def test_a_module_that_cannot_be_imported_is_answered_with_its_own_error(refusal, tmp_path, monkeypatch):
    (tmp_path / "broken_parts.py").write_text("import no_such_module_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert refusal("algorithm: {mutation: 'broken_parts:Flip'}\n", ["broken_parts"]) == (
        "2:13: algorithm.mutation: 'broken_parts:Flip' cannot be used: ModuleNotFoundError in broken_parts.py:1: "
        "No module named 'no_such_module_anywhere'"
    )


def test_an_argument_without_an_annotation_is_a_setting_and_one_that_no_config_can_hold_is_left_out(load):
    config = load(complete(KINDS["strategy"].replace("population_size: 4", "population_size: 5, sigma: 0.5")))
    assert config.resolved["algorithm"] == {
        "type": f"{MODULE}:HillClimber", "population_size": 5, "sigma": 0.5, "start_from": None
    }  # fmt: skip
    assert build(config).ask().shape[0] == 5


def test_every_part_is_found_wherever_it_stands_and_wrong_values_stop_nothing():
    data = {
        "network": {"hidden_activation": "a", "output_activation": 3},
        "algorithm": {
            "type": "islands",
            "islands": [None, {"selection": {"size": {"schedule": "s", "start": 1}}}, "i"],
            "algorithm": {"mutation": ["m", {"type": "n"}], "elites": {"schedule": None}, "crossover": []},
        },
    }
    assert [(".".join(map(str, part.path)), part.kind, part.name) for part in named_parts(data)] == [
        ("network.hidden_activation", "activation", "a"),
        ("network.output_activation", "activation", 3),
        ("algorithm.type", "algorithm", "islands"),
        ("algorithm.algorithm.type", "algorithm", "genetic_algorithm"),
        ("algorithm.algorithm.mutation.0", "mutation", "m"),
        ("algorithm.algorithm.mutation.1.type", "mutation", "n"),
        ("algorithm.algorithm.elites.schedule", "schedule", None),
        ("algorithm.islands.1.type", "algorithm", "genetic_algorithm"),
        ("algorithm.islands.1.selection.type", "selection", None),
        ("algorithm.islands.1.selection.size.schedule", "schedule", "s"),
        ("algorithm.islands.2", "algorithm", "i"),
    ]
    assert [part.name for part in named_parts({"algorithm": None, "network": 3})] == [None]


def test_a_study_runs_parts_of_the_users_own_in_its_worker_processes(load, tmp_path):
    text = complete(
        KINDS["mutation"].replace("algorithm:", f"network: {{hidden_activation: '{MODULE}:SOFTSIGN'}}\nalgorithm:")
    )
    summary = study(load(text), [0, 1], tmp_path / "study", workers=2)
    assert (summary["failures"], len(summary["seeds"])) == ([], 2)
    assert study(load(text), [0, 1], tmp_path / "study", workers=2)["this_command"]["runs"] == 0


def test_a_champion_with_an_activation_of_the_users_own_loads_where_its_module_is_allowed(load, tmp_path, monkeypatch):
    run(load(complete(KINDS["activation"])), tmp_path / "run")
    name = f"{MODULE}:SOFTSIGN"
    monkeypatch.delitem(ACTIVATIONS, name)
    with pytest.raises(ConfigError, match=f"hidden_activation '{name}' would import the module"):
        Champion.load(tmp_path / "run/champion.npz")
    assert name not in ACTIVATIONS
    champion = load_run(tmp_path / "run", [MODULE]).champion
    x = np.array([0.1, -2.0, 0.3, 5.0])
    hidden = x @ champion.network.input_hidden_weights + champion.network.hidden_bias
    hidden = hidden / (1 + np.abs(hidden))
    expected = hidden @ champion.network.hidden_output_weights + champion.network.output_bias
    np.testing.assert_allclose(champion.network.predict(x), expected)


def test_what_needs_to_know_an_activation_refuses_one_of_the_users_own(load, tmp_path):
    text = complete(KINDS["activation"])
    with pytest.raises(
        ConfigError, match=rf"SafeMutation needs the derivative of each activation, and that of '{MODULE}"
    ):
        build(load(text.replace("population_size: 6", "population_size: 6, mutation: safe")))
    run(load(text), tmp_path / "run")
    champion = load_run(tmp_path / "run", [MODULE]).champion
    for form in ("c", "onnx"):
        with pytest.raises(NotExportable, match="cannot represent the activation"):
            export(champion, form, tmp_path / "file")
    export(champion, "json", tmp_path / "file")


def test_an_architecture_brings_its_activation_to_a_process_that_does_not_know_it(load, monkeypatch):
    config = load(complete(KINDS["activation"]))
    with contextlib.closing(build_fitness(config)) as fitness:
        sent = pickle.dumps(fitness.architecture)
    genome, x = np.linspace(-1, 1, fitness.architecture.genome_size), np.ones(4)
    outputs = NeuralNetwork.from_genome(fitness.architecture, genome).predict(x)
    monkeypatch.delitem(ACTIVATIONS, f"{MODULE}:SOFTSIGN")
    received = NeuralNetwork.from_genome(pickle.loads(sent), genome)
    assert (received.predict(x) == outputs).all()


def test_a_class_of_the_users_own_module_has_the_kernel_that_is_entered_for_it(load, tmp_path, monkeypatch):
    monkeypatch.setitem(KNOWN, "Line", KnownEnvironment(kernel=LINE_KERNEL))
    assert run(load(complete(KINDS["environment"])), tmp_path / "run")["engine"].startswith("numpy")


def test_the_commands_take_own_parts_and_what_they_print_has_the_flags(load, tmp_path, capsys):
    load(complete(KINDS["mutation"]))
    assert main(["check", "own.yaml"]) == 2
    assert f"to allow that, add --allow-import {MODULE}, or" in capsys.readouterr().err
    assert main(["check", "own.yaml", "--allow-import", MODULE]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"evonet run own.yaml --allow-import {MODULE}")
    assert main(["run", "own.yaml", "--output", "run", "--allow-import", MODULE]) == 0
    assert f"evonet inspect run --html --allow-import {MODULE}\n" in capsys.readouterr().err
    assert main(["inspect", "run", "--json"]) == 0
    assert main(["compare", "run", "run", "--json"]) in (0, 2)
    assert main(["resume", "run"]) == 2
    assert f"add --allow-import {MODULE}, or" in capsys.readouterr().err
    assert load_run("run").imports == [MODULE]


@pytest.mark.parametrize("command", ["run", "check", "resume"])
def test_a_permission_for_a_module_that_nothing_names_is_answered_with_a_notice(command, load, capsys):
    load(complete(KINDS["mutation"]))
    main(["run", "own.yaml", "--output", "run", "--quiet", "--allow-import", MODULE])
    arguments = {"run": ["own.yaml", "--output", "other", "--quiet"], "check": ["own.yaml"], "resume": ["run"]}[command]
    capsys.readouterr()
    assert main([command, *arguments, "--allow-import", MODULE, "--allow-import", "testx"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "changes nothing" in line]
    name = "run/config.yaml" if command == "resume" else "own.yaml"
    assert said == [f"evonet: --allow-import testx changes nothing: {name} names nothing of that module"]
    assert "testx" not in sys.modules
