import tempfile

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from evonet.export import export
from evonet.export.policy import NotExportable
from tests.environments.test_spaces import MODEST, nested_spaces
from tests.export.champions import CASES, PART_CASES, champion, played_case, samples

onnxruntime = pytest.importorskip("onnxruntime")


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def played(runtime, batch):
    """Actions of a model: all at once, or one after the other where it remembers."""
    sizes = {end.name: end.shape[-1] for end in runtime.get_inputs()}
    if "memory" not in sizes:
        return runtime.run(["action"], {"observation": batch})[0]
    memory, actions = np.zeros((1, sizes["memory"])), []
    for observation in batch:
        action, memory = runtime.run(["action", "next_memory"], {"observation": observation[None], "memory": memory})
        actions.append(action[0])
    return np.array(actions)


@pytest.mark.parametrize("case", CASES)
def test_an_onnx_model_acts_as_the_champion_and_is_loaded_without_a_warning(case, tmp_path, capfd):
    winner, batch, wanted = played_case(case)
    (path,) = export(winner, "onnx", tmp_path / "policy.onnx")
    runtime = session(str(path))
    assert capfd.readouterr() == ("", "")
    got = played(runtime, batch)
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    assert np.abs(got.astype(np.float64) - wanted).max() <= 1e-6


def test_the_same_champion_gives_the_same_bytes(tmp_path):
    first = export(champion(), "onnx", tmp_path / "a.onnx")[0].read_bytes()
    assert first == export(champion(), "onnx", tmp_path / "b.onnx")[0].read_bytes()


def test_a_model_says_what_it_is(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(export(champion(), "onnx", tmp_path / "policy.onnx")[0])
    (about,) = model.metadata_props
    assert '"cart position"' not in about.value  # three outputs are not CartPole's two: no names are made up
    assert '"id": "CartPole-v1"' in about.value


def part_of(value, name):
    """The part that `observation.key.0` names."""
    for step in name.split(".")[1:]:
        value = value[int(step)] if isinstance(value, tuple) else value[step if step in value else int(step)]
    return value


def assert_acts_as(winner, path, batch):
    """The model gives the champion's actions, of the same shapes and types, for observations one after the other."""
    wanted = [winner.act(observation) for observation in batch]
    runtime = session(str(path))
    inputs = [end.name for end in runtime.get_inputs() if end.name != "memory"]
    actions = [end.name for end in runtime.get_outputs() if end.name.startswith("action")]
    memory = {"memory": np.zeros((1, 6))} if winner.architecture.recurrent else {}
    names = [*actions, *(f"next_{name}" for name in memory)]
    for observation, action in zip(batch, wanted, strict=True):
        feed = {name: np.asarray(part_of(observation, name))[None] for name in inputs}
        outputs = dict(zip(names, runtime.run(names, feed | memory), strict=True))
        memory = {name: outputs[f"next_{name}"] for name in memory}
        for name in actions:
            expected, (got,) = np.asarray(part_of(action, name)), outputs[name]
            assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
            assert np.allclose(got.astype(np.float64), expected.astype(np.float64), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("case", PART_CASES)
def test_parts_of_dicts_and_tuples_are_inputs_and_outputs_with_their_names(case, tmp_path, capfd):
    winner = champion(**PART_CASES[case])
    (path,) = export(winner, "onnx", tmp_path / "policy.onnx")
    assert_acts_as(winner, path, samples(winner.task.observation_space, 1_000))
    assert capfd.readouterr() == ("", "")


@given(nested_spaces(MODEST), nested_spaces(MODEST), st.sampled_from(["identity", "sigmoid"]), st.integers(0, 2**31))
@settings(max_examples=25)
def test_a_champion_of_any_spaces_acts_as_its_model(observation, action, activation, seed):
    winner = champion(observation, action, output_activation=activation, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        (path,) = export(winner, "onnx", f"{folder}/policy.onnx")
        assert_acts_as(winner, path, samples(winner.task.observation_space, 20, seed))


def test_inputs_and_outputs_are_named_after_their_parts(tmp_path):
    winner = champion("goal", "parts")
    runtime = session(str(export(winner, "onnx", tmp_path / "policy.onnx")[0]))
    assert {end.name: (end.type, end.shape[1:]) for end in runtime.get_inputs()} == {
        "observation.observation": ("tensor(double)", [3]),
        "observation.desired_goal": ("tensor(float)", [2]),
        "observation.legs.0": ("tensor(int64)", []),
        "observation.legs.1": ("tensor(int8)", [2, 2]),
        "observation.3": ("tensor(int16)", [2]),
    }
    assert [end.name for end in runtime.get_outputs()] == ["action.gear", "action.wheels.0", "action.wheels.1"]


@pytest.mark.parametrize("recurrent", [False, True])
def test_the_first_output_is_the_action_and_raw_outputs_come_last(recurrent, tmp_path):
    winner = champion(action="box", recurrent=recurrent)
    memory = ["next_memory"] * recurrent
    for options, outputs in (({}, ["action", *memory]), ({"raw": True}, ["action", *memory, "outputs"])):
        runtime = session(str(export(winner, "onnx", tmp_path / "policy.onnx", **options)[0]))
        assert [end.name for end in runtime.get_outputs()] == outputs


def test_the_action_of_a_model_with_raw_outputs_is_the_champion_s(tmp_path):
    winner, batch, wanted = played_case("box64->box")
    runtime = session(str(export(winner, "onnx", tmp_path / "policy.onnx", raw=True)[0]))
    action, outputs = runtime.run(None, {"observation": batch})
    assert np.allclose(action, wanted, atol=1e-6)
    assert np.allclose(outputs[0], winner.network.predict(batch[0].ravel()), atol=1e-9)


def test_a_model_in_float32_takes_and_returns_no_float64(tmp_path):
    winner = champion(observation="box64", action="box", recurrent=True, normalised=True)
    batch = played_case("box64->box")[1]
    path = export(winner, "onnx", tmp_path / "policy.onnx", float32=True, raw=True)[0]
    runtime = session(str(path))
    assert {end.type for end in (*runtime.get_inputs(), *runtime.get_outputs())} == {"tensor(float)"}
    feed = {"observation": batch[:1].astype(np.float32), "memory": np.zeros((1, 6), np.float32)}
    winner.reset()
    assert np.allclose(runtime.run(None, feed)[0], winner.act(batch[0]), atol=1e-4)


@pytest.mark.parametrize(
    ("space", "name"),
    [
        (spaces.Dict({1: spaces.Discrete(2), "1": spaces.Discrete(2)}), "observation.1"),
        (
            spaces.Dict({"a": spaces.Dict({"b": spaces.Discrete(2)}), "a.b": spaces.Discrete(2)}),
            "observation.a.b",
        ),
    ],
    ids=["number and text", "dot"],
)
def test_parts_of_the_same_name_are_refused(space, name):
    winner = champion()
    object.__setattr__(winner.task, "observation_space", space)
    with pytest.raises(NotExportable) as refused:
        export(winner, "onnx", "never.onnx")
    assert str(refused.value) == f"two parts of the space {space} would be called {name!r}; use json"


def test_without_its_package_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(NotExportable, match=r"needs onnx, .*pip install .*\[export\]"):
        export(champion(), "onnx", tmp_path / "policy.onnx")
