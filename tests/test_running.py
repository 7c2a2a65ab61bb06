"""`evonet.run`, the command's run from Python."""

import warnings

import numpy as np
import pytest

import evonet
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.experiment.seed_run import run_seed
from tests.environments_for_tests import MODULE

CONFIG = {
    "environment": {"id": "CartPole-v1", "max_steps": 30},
    "network": {"hidden": np.int64(2)},
    "algorithm": {"population_size": 4, "mutation": ({"type": "gaussian"}, "neuron")},
    "evaluation": {"episodes": 1, "workers": 1, "engine": "numpy"},
    "validation": {"episodes": 2},
    "test": {"episodes": 2},
    "stop": {"generations": 2, "target": None},
}


def test_a_config_as_a_dict_runs_as_its_file_does_and_comes_back_loaded(tmp_path):
    seen = []
    loaded = evonet.run(CONFIG, seed=5, output=tmp_path / "dict", watch=lambda generation, _: seen.append(generation))
    assert isinstance(loaded, type(evonet.load_run(tmp_path / "dict")))
    assert [generation.number for generation in seen] == [0, 1]
    assert (loaded.summary["seed"], loaded.summary["generations"], loaded.settings["name"]) == (5, 2, "experiment")
    config = Config.load(str(tmp_path / "dict" / "config.yaml"))
    run(config, tmp_path / "file")
    for name in ("champion.npz", "metrics.jsonl", "config.yaml"):
        assert (tmp_path / "dict" / name).read_bytes() == (tmp_path / "file" / name).read_bytes()


def test_a_shipped_config_has_its_name_and_a_file_its_path(tmp_path, monkeypatch):
    monkeypatch.setattr("evonet.experiment.runner.run", lambda config, *_: pytest.fail(config.settings.name))
    (tmp_path / "mine.yaml").write_text("environment: {id: CartPole-v1}", encoding="utf-8")
    for config, name in (("acrobot", "acrobot"), (tmp_path / "mine.yaml", "mine")):
        with pytest.raises(pytest.fail.Exception, match=f"^{name}$"):
            evonet.run(config)


def test_seed_workers_and_imports_are_those_of_the_call(monkeypatch):
    configs = []

    def stop(config, *_):
        configs.append(config)
        raise KeyboardInterrupt

    monkeypatch.setattr("evonet.experiment.runner.run", stop)
    with pytest.raises(KeyboardInterrupt):
        evonet.run(CONFIG, seed=np.int64(9), workers=3, allow_imports=["mine"])
    (config,) = configs
    assert (config.settings.seed, config.settings.evaluation.workers, config.allowed_imports) == (9, 3, ["mine"])
    assert "seed" not in CONFIG, "the caller's dict is not written"


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        ({**CONFIG, "name": 3}, {}, "the config: name must be text, got 3"),
        (
            {**CONFIG, "algorithm": "evolution"},
            {},
            "the config: algorithm.type must be a known name, got 'evolution'",
        ),
        ({}, {}, "the config: environment.id is required, for example: CartPole-v1"),
        ({"environment": {"id": f"{MODULE}:Walk-v0"}}, {}, "the config: environment: "),
    ],
)
def test_a_wrong_value_in_a_dict_is_named_by_its_key(config, settings, message):
    with pytest.raises(evonet.ConfigError) as refused:
        evonet.run(config, **settings)
    assert str(refused.value).startswith(message)


def test_a_wrong_argument_is_refused_by_its_name():
    with pytest.raises(TypeError, match=r"^run\.seed must be a whole number, got '3'$"):
        evonet.run(CONFIG, seed="3")


def test_what_the_command_would_say_is_a_warning(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        evonet.run({**CONFIG, "stop": {"generations": 1}}, output=tmp_path / "run")
    assert [warning.category.__name__ for warning in caught] == ["EvonetWarning"]
    assert "stop.target is auto" in str(caught[0].message)


def in_this_process(seeds, path, allowed_imports):
    for seed in seeds:
        yield run_seed(seed, str(path), allowed_imports)


def test_a_study_comes_back_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr("evonet.experiment.study.seed_runner", lambda *_: in_this_process)
    seeds = []
    study = evonet.study(
        CONFIG, [3, 1], output=tmp_path / "study", workers=1, watch=lambda outcome: seeds.append(outcome.seed)
    )
    assert (seeds, study.seeds) == ([3, 1], [1, 3])
    assert evonet.load_study(tmp_path / "study").summary == study.summary
    assert [run.summary["generations"] for run in study.runs] == [2, 2]
    assert evonet.study(CONFIG, [1, 3], output=tmp_path / "study").seeds == [1, 3], "nothing is left to run"


def test_a_study_s_seeds_differ():
    with pytest.raises(ValueError, match=r"^study\.seeds must be different from each other, got \[1, 1\]$"):
        evonet.study(CONFIG, [1, 1])
    for seeds, got in (
        ("all", "run.seed must be a whole number, got 'a'"),
        (0.5, "study.seeds must be a whole number"),
    ):
        with pytest.raises(TypeError, match=f"^{got}"):
            evonet.study(CONFIG, seeds)


def test_a_config_s_fitness_function_may_score_one_network(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.environments_for_tests.first_weight", lambda network: network.genome[0], raising=False)
    shape = {"inputs": 2, "hidden": 2, "outputs": 1}
    config = {**CONFIG, "environment": None, "network": shape, "fitness": {"type": f"{MODULE}:first_weight"}}
    config["evaluation"] = {"workers": 1}
    run = evonet.run(config, output=tmp_path / "run", allow_imports=[MODULE])
    assert run.champion.validation.mean == run.champion.genome[0]
    monkeypatch.setattr("tests.environments_for_tests.first_weight", lambda: 0.0)
    with pytest.raises(
        evonet.ConfigError, match="must take two arguments, `genomes, episode_seeds`, or one, `network`"
    ):
        evonet.run(config, output=tmp_path / "other", allow_imports=[MODULE])
