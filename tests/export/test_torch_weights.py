import json

import numpy as np
import pytest

from evonet.export import export
from evonet.export.policy import NotExportable
from tests.export.champions import CASES, champion, observations

safetensors = pytest.importorskip("safetensors.numpy")

FITTING = [
    name
    for name, case in CASES.items()
    if not case.get("recurrent")
    and (not case.get("skip") or name == "linear")
    and name not in ("sin", "gaussian", "step")
]


def layers_of(path):
    size = int.from_bytes(path.read_bytes()[:8], "little")
    return json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]["layers"]


def forward(tensors, layers, x):
    """`torch.nn.Sequential` in NumPy."""
    functions = {
        "Identity": lambda x: x,
        "Tanh": np.tanh,
        "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "ReLU": lambda x: np.maximum(x, 0),
        "LeakyReLU": lambda x: np.where(x < 0, 0.01 * x, x),
        "Hardtanh": lambda x: np.clip(x, -10, 10),
    }
    for index, layer in enumerate(layers.replace("), ", ")|").split("|")):
        name = layer.partition("(")[0]
        if name == "Linear":
            x = x @ tensors[f"{index}.weight"].T + tensors.get(f"{index}.bias", 0.0)
        else:
            x = functions[name](x)
    return x


def inputs_and_outputs(winner):
    batch = observations(winner.task.observation_space, 2_000)
    rows = np.stack([winner.task.encoder.encode(one) for one in batch])
    normalised = rows.copy()
    if winner.normaliser is not None:
        winner.normaliser.normalise(normalised)
    return rows, winner.network.predict(normalised)


@pytest.mark.parametrize("case", FITTING)
def test_the_weights_compute_the_champion_s_outputs(case, tmp_path):
    winner = champion(**CASES[case])
    (path,) = export(winner, "safetensors", tmp_path / "weights.safetensors")
    rows, outputs = inputs_and_outputs(winner)
    assert np.abs(forward(safetensors.load_file(path), layers_of(path), rows) - outputs).max() <= 1e-6


@pytest.mark.parametrize("case", ["box->discrete", "normalised", "without bias"])
def test_torch_loads_them(case, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    winner = champion(**CASES[case])
    (path,) = export(winner, "safetensors", tmp_path / "weights.safetensors")
    model = eval(f"torch.nn.Sequential({layers_of(path)})", {"torch": torch, **vars(torch.nn)}).double()
    model.load_state_dict(load_file(path))
    rows, outputs = inputs_and_outputs(winner)
    assert np.abs(model(torch.from_numpy(rows)).detach().numpy() - outputs).max() <= 1e-6


def test_a_recurrent_network_is_refused():
    with pytest.raises(NotExportable, match=r"^safetensors is written for torch.nn.Sequential, which has no recurrent"):
        export(champion(recurrent=True), "safetensors", "never")


def test_an_activation_that_torch_has_not_is_refused():
    with pytest.raises(NotExportable, match=r"torch has no layer 'gaussian'$"):
        export(champion(hidden_activation="gaussian"), "safetensors", "never")
