"""ONNX: a model from observation to action in float64, including the normaliser and the decoding of actions.

The model takes a batch: `observation (batch, …)` of the environment's own shape and type, and for a recurrent network
`memory (batch, hidden)`, zeros at an episode's start. It returns `action (batch, …)`, for a recurrent network
`next_memory`, and on request the network's `outputs (batch, outputs)`, in this order. Each part of a Dict or Tuple is
an input or output of its own: `observation.key`, `observation.0`, `action.key.0`; parts without numbers are left out.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from evonet.activations import ACTIVATIONS, LEAK
from evonet.champion import Champion
from evonet.environments.normaliser import LIMIT
from evonet.environments.spaces import Stretch
from evonet.export.compact import compact
from evonet.export.policy import SimpleSpace, description, named_parts, one_hot_layout, package, task_of
from evonet.files.directory import write_atomically
from evonet.network import NeuralNetwork
from evonet.task import Task

_OPSET, _IR_VERSION = 17, 8  # old enough for runtimes of 2022


def export_onnx(champion: Champion, path: Path, *, raw: bool = False, float32: bool = False) -> list[Path]:
    """Write an ONNX model, checked in full by the `onnx` package.

    Args:
        champion: the champion.
        path: path of the file.
        raw: whether the model also returns the network's outputs, from which the action is decoded.
        float32: whether inputs and outputs that would be float64 are float32; the model still computes in float64.

    Raises:
        NotExportable: there is no environment, two parts of a space have the same name, or `onnx` is not installed.
    """
    onnx = package("onnx")
    model = onnx_model(champion, raw=raw, float32=float32)
    onnx.checker.check_model(model, full_check=True)
    write_atomically(path, model.SerializeToString(deterministic=True))
    return [path]


def onnx_model(champion: Champion, *, raw: bool = False, float32: bool = False) -> Any:
    """The champion as an `onnx.ModelProto`; `raw` and `float32` are those of `export_onnx`."""
    onnx = package("onnx")
    task = task_of(champion, "onnx")
    graph = _Graph(onnx, np.float32 if float32 else np.float64)
    inputs = _read_observation(graph, task)
    if champion.normaliser is not None:
        inputs = graph.node("Sub", inputs, graph.constant(champion.normaliser.mean))
        inputs = graph.node("Div", inputs, graph.constant(champion.normaliser.deviation))
        inputs = graph.node("Clip", inputs, graph.constant(-LIMIT), graph.constant(LIMIT))
    network = compact(champion.network)
    outputs, hidden = _network(graph, network, inputs)
    _write_action(graph, task, outputs)
    if network.architecture.recurrent:
        graph.output("next_memory", hidden, np.float64, (network.architecture.num_hidden,))
    if raw:
        graph.output("outputs", outputs, np.float64, (champion.architecture.num_outputs,))
    return graph.model(description(champion))


class _Graph:
    """Builder of a graph: each method adds a node, a constant, an input or an output.

    Args:
        onnx: the package.
        real: the type of inputs and outputs that would be float64.
    """

    def __init__(self, onnx: Any, real: type[np.floating[Any]]) -> None:
        self._onnx = onnx
        self._real = real
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def element(self, dtype: Any) -> int:
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def constant(self, value: Any, dtype: Any = np.float64) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"value_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def cast(self, value: str, dtype: Any) -> str:
        return self.node("Cast", value, to=self.element(dtype))

    def reshape(self, value: str, shape: tuple[int, ...]) -> str:
        return self.node("Reshape", value, self.constant([-1, *shape], np.int64))

    def columns(self, value: str, begin: int, end: int) -> str:
        return self.node("Gather", value, self.constant(np.arange(begin, end), np.int64), axis=1)

    def input(self, name: str, dtype: Any, shape: tuple[int, ...]) -> str:
        declared = self._declared(dtype)
        self._inputs.append(self._value_info(name, declared, shape))
        return name if declared == dtype else self.cast(name, dtype)

    def output(self, name: str, value: str, dtype: Any, shape: tuple[int, ...]) -> None:
        declared = self._declared(dtype)
        value = value if declared == dtype else self.cast(value, declared)
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._value_info(name, declared, shape))

    def _declared(self, dtype: Any) -> Any:
        return self._real if dtype == np.float64 else dtype

    def _value_info(self, name: str, dtype: Any, shape: tuple[int, ...]) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, self.element(dtype), ["batch", *shape])

    def model(self, about: dict[str, Any]) -> Any:
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, "policy", self._inputs, self._outputs, self._constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="evonet",
            doc_string="An evolved policy: observation in, action out.",
        )
        helper.set_model_props(model, {"evonet": json.dumps(about, sort_keys=True)})
        return model


def _read_observation(graph: _Graph, task: Task) -> str:
    parts = [_read_part(graph, *part) for part in named_parts(task.observation_space, "observation").items()]
    return parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=1)


def _read_part(graph: _Graph, name: str, space: SimpleSpace) -> str:
    observation = graph.input(name, space.dtype, space.shape or ())
    if not isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        return graph.reshape(graph.cast(observation, np.float64), (spaces.flatdim(space),))
    columns, starts, values = one_hot_layout(space)
    flat = graph.reshape(graph.cast(observation, np.int64), (int(columns[-1]) + 1,))
    numbers = graph.node("Gather", flat, graph.constant(columns, np.int64), axis=1)
    places = graph.node("Sub", numbers, graph.constant(starts, np.int64))
    return graph.cast(graph.node("Equal", places, graph.constant(values, np.int64)), np.float64)


def _network(graph: _Graph, network: NeuralNetwork, inputs: str) -> tuple[str, str]:
    """The network's outputs and its hidden layer's, which has no name in a network without one."""
    architecture = network.architecture
    hidden = _hidden_layer(graph, network, inputs) if architecture.num_hidden else ""
    shares = [graph.node("MatMul", hidden, graph.constant(network.hidden_output_weights))] if hidden else []
    if architecture.skip:
        shares.append(graph.node("MatMul", inputs, graph.constant(network.input_output_weights)))
    if architecture.bias:
        shares.append(graph.constant(network.output_bias))
    outputs = functools.reduce(functools.partial(graph.node, "Add"), shares)
    return _activate(graph, architecture.output_activation, outputs), hidden


def _hidden_layer(graph: _Graph, network: NeuralNetwork, inputs: str) -> str:
    architecture = network.architecture
    hidden = graph.node("MatMul", inputs, graph.constant(network.input_hidden_weights))
    if architecture.bias:
        hidden = graph.node("Add", hidden, graph.constant(network.hidden_bias))
    if architecture.recurrent:
        memory = graph.input("memory", np.float64, (architecture.num_hidden,))
        recurrent = graph.node("MatMul", memory, graph.constant(network.hidden_hidden_weights))
        hidden = graph.node("Add", hidden, recurrent)
    return _activate(graph, architecture.hidden_activation, hidden)


def _activate(graph: _Graph, name: str, x: str) -> str:
    def sigmoid() -> str:
        half = graph.constant(0.5)
        return graph.node("Add", graph.node("Mul", graph.node("Tanh", graph.node("Mul", x, half)), half), half)

    def leaky_relu() -> str:  # runtimes know LeakyRelu in float32 only
        zero = graph.constant(0.0)
        below = graph.node("Mul", graph.node("Min", x, zero), graph.constant(LEAK))
        return graph.node("Add", graph.node("Max", x, zero), below)

    writers: dict[str, Callable[[], str]] = {
        "identity": lambda: x,
        "tanh": lambda: graph.node("Tanh", x),
        "sigmoid": sigmoid,
        "relu": lambda: graph.node("Max", x, graph.constant(0.0)),
        "leaky_relu": leaky_relu,
        "sin": lambda: graph.node("Sin", x),
        "gaussian": lambda: graph.node("Exp", graph.node("Neg", graph.node("Mul", x, x))),
        "step": lambda: graph.cast(graph.node("Greater", x, graph.constant(0.0)), np.float64),
    }
    return writers[name]()


def _write_action(graph: _Graph, task: Task, outputs: str) -> None:
    end = 0
    for name, space in named_parts(task.action_space, "action").items():
        size = spaces.flatdim(space)
        end += size
        own = outputs if size == task.decoder.size else graph.columns(outputs, end - size, end)
        action = _part_action(graph, task, space, own)
        graph.output(name, graph.cast(action, space.dtype), space.dtype, space.shape or ())


def _part_action(graph: _Graph, task: Task, space: SimpleSpace, outputs: str) -> str:
    """The action of one part for its own `outputs (batch, size)`, in any type."""
    shape, activation = space.shape or (), ACTIVATIONS[task.architecture.output_activation]
    if isinstance(space, spaces.Discrete):
        choice = graph.node("ArgMax", outputs, axis=1, keepdims=0)
        return graph.node("Add", choice, graph.constant(space.start, np.int64))
    if isinstance(space, spaces.MultiDiscrete):
        sizes = [int(size) for size in space.nvec.ravel()]
        ends = np.cumsum(sizes).tolist()
        parts = [graph.columns(outputs, end - size, end) for end, size in zip(ends, sizes, strict=True)]
        choices = graph.node("Concat", *(graph.node("ArgMax", part, axis=1, keepdims=1) for part in parts), axis=1)
        return graph.reshape(graph.node("Add", choices, graph.constant(space.start.ravel(), np.int64)), shape)
    if isinstance(space, spaces.MultiBinary):
        return graph.reshape(graph.node("Greater", outputs, graph.constant(activation.middle)), shape)
    return graph.reshape(_box_action(graph, task, space, outputs), shape)


def _box_action(graph: _Graph, task: Task, space: spaces.Box, outputs: str) -> str:
    stretch, activation = Stretch.onto(space), ACTIVATIONS[task.architecture.output_activation]
    if activation.bounded:
        centred = graph.node("Sub", outputs, graph.constant(activation.middle))
        values = graph.node("Mul", centred, graph.constant(2.0 / (activation.high - activation.low)))
    elif task.squash == "tanh":
        values = graph.node("Tanh", outputs)
    else:
        values = graph.node("Clip", outputs, graph.constant(-1.0), graph.constant(1.0))
    if not stretch.finite.all():
        values = graph.node("Where", graph.constant(stretch.finite, np.bool_), values, outputs)
    values = graph.node("Add", graph.node("Mul", values, graph.constant(stretch.reach)), graph.constant(stretch.centre))
    values = graph.node("Min", graph.node("Max", values, graph.constant(stretch.low)), graph.constant(stretch.high))
    return graph.node("Round", values) if np.issubdtype(space.dtype, np.integer) else values
