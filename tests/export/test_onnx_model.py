import numpy as np
import pytest
from gymnasium import spaces

from evonet.export import export
from evonet.export.policy import NotExportable
from tests.export.champions import CASES, champion, played_case

onnxruntime = pytest.importorskip("onnxruntime")


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def played(runtime, batch, hidden):
    """Actions of a model: all at once, or one after the other where it remembers."""
    if "memory" not in [end.name for end in runtime.get_inputs()]:
        return runtime.run(["action"], {"observation": batch})[0]
    memory, actions = np.zeros((1, hidden)), []
    for observation in batch:
        action, memory = runtime.run(["action", "next_memory"], {"observation": observation[None], "memory": memory})
        actions.append(action[0])
    return np.array(actions)


@pytest.mark.parametrize("case", CASES)
def test_an_onnx_model_acts_as_the_champion(case, tmp_path):
    winner, batch, wanted = played_case(case)
    (path,) = export(winner, "onnx", tmp_path / "policy.onnx")
    got = played(session(str(path)), batch, 6)
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


def test_a_space_of_several_parts_is_refused():
    winner = champion()
    joint = spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Discrete(2)})
    object.__setattr__(winner.task, "observation_space", joint)
    with pytest.raises(NotExportable, match=r"^onnx cannot represent the observation space Dict\(.*\); use json$"):
        export(winner, "onnx", "never.onnx")


def test_without_its_package_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(NotExportable, match=r"needs onnx, .*pip install .*\[export\]"):
        export(champion(), "onnx", tmp_path / "policy.onnx")
