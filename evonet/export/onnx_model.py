"""ONNX: a model from observation to action in float64, including the normaliser and the decoding of actions.

The model takes a batch: `observation (batch, …)` of the environment's own shape and type, and for a recurrent network
`memory (batch, hidden)`, zeros at an episode's start. It returns `action (batch, …)`, the network's `outputs (batch,
outputs)`, and for a recurrent network `next_memory`.
"""

from __future__ import annotations

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
from evonet.export.policy import description, one_hot_layout, package, task_of
from evonet.files.directory import write_atomically
from evonet.task import Task

_OPSET, _IR_VERSION = 17, 8  # old enough for runtimes of 2022


def export_onnx(champion: Champion, path: Path) -> list[Path]:
    """Write an ONNX model, checked in full by the `onnx` package.

    Raises:
        NotExportable: a space is a Tuple or Dict, there is no environment, or `onnx` is not installed.
    """
    onnx = package("onnx")
    model = onnx_model(champion)
    onnx.checker.check_model(model, full_check=True)
    write_atomically(path, model.SerializeToString(deterministic=True))
    return [path]


def onnx_model(champion: Champion) -> Any:
    """The champion as an `onnx.ModelProto`."""
    onnx = package("onnx")
    task = task_of(champion, "onnx")
    graph = _Graph(onnx)
    inputs = _read_observation(graph, task)
    if champion.normaliser is not None:
        inputs = graph.node("Sub", inputs, graph.constant(champion.normaliser.mean))
        inputs = graph.node("Div", inputs, graph.constant(champion.normaliser.deviation))
        inputs = graph.node("Clip", inputs, graph.constant(-LIMIT), graph.constant(LIMIT))
    outputs = _network(graph, champion, inputs)
    graph.output("outputs", outputs, np.float64, (champion.architecture.num_outputs,))
    _write_action(graph, task, outputs)
    return graph.model(description(champion))


class _Graph:
    """Builder of a graph: each method adds a node, a constant, an input or an output."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
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

    def input(self, name: str, dtype: Any, shape: tuple[int, ...]) -> str:
        self._inputs.append(self._value_info(name, dtype, shape))
        return name

    def output(self, name: str, value: str, dtype: Any, shape: tuple[int, ...]) -> None:
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._value_info(name, dtype, shape))

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
    space = task.observation_space
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        columns, starts, values = one_hot_layout(space)
        shape = () if isinstance(space, spaces.Discrete) else space.shape
        flat = graph.reshape(graph.input("observation", np.int64, shape), (int(columns.max()) + 1,))
        numbers = graph.node("Gather", flat, graph.constant(columns, np.int64), axis=1)
        places = graph.node("Sub", numbers, graph.constant(starts, np.int64))
        return graph.cast(graph.node("Equal", places, graph.constant(values, np.int64)), np.float64)
    shape = space.shape or ()
    observation = graph.input("observation", space.dtype, shape)
    return graph.reshape(graph.cast(observation, np.float64), (task.encoder.size,))


def _network(graph: _Graph, champion: Champion, inputs: str) -> str:
    architecture, network = champion.architecture, champion.network
    hidden = graph.node("MatMul", inputs, graph.constant(network.input_hidden_weights))
    if architecture.bias:
        hidden = graph.node("Add", hidden, graph.constant(network.hidden_bias))
    if architecture.recurrent:
        memory = graph.input("memory", np.float64, (architecture.num_hidden,))
        recurrent = graph.node("MatMul", memory, graph.constant(network.hidden_hidden_weights))
        hidden = graph.node("Add", hidden, recurrent)
    hidden = _activate(graph, architecture.hidden_activation, hidden)
    if architecture.recurrent:
        graph.output("next_memory", hidden, np.float64, (architecture.num_hidden,))
    outputs = graph.node("MatMul", hidden, graph.constant(network.hidden_output_weights))
    if architecture.bias:
        outputs = graph.node("Add", outputs, graph.constant(network.output_bias))
    return _activate(graph, architecture.output_activation, outputs)


def _activate(graph: _Graph, name: str, x: str) -> str:
    half, zero = graph.constant(0.5), graph.constant(0.0)

    def sigmoid() -> str:
        return graph.node("Add", graph.node("Mul", graph.node("Tanh", graph.node("Mul", x, half)), half), half)

    def leaky_relu() -> str:  # runtimes know LeakyRelu in float32 only
        below = graph.node("Mul", graph.node("Min", x, zero), graph.constant(LEAK))
        return graph.node("Add", graph.node("Max", x, zero), below)

    writers: dict[str, Callable[[], str]] = {
        "identity": lambda: x,
        "tanh": lambda: graph.node("Tanh", x),
        "sigmoid": sigmoid,
        "relu": lambda: graph.node("Max", x, zero),
        "leaky_relu": leaky_relu,
        "sin": lambda: graph.node("Sin", x),
        "gaussian": lambda: graph.node("Exp", graph.node("Neg", graph.node("Mul", x, x))),
        "step": lambda: graph.cast(graph.node("Greater", x, zero), np.float64),
    }
    return writers[name]()


def _write_action(graph: _Graph, task: Task, outputs: str) -> None:
    space, activation = task.action_space, ACTIVATIONS[task.architecture.output_activation]
    if isinstance(space, spaces.Discrete):
        choice = graph.node("ArgMax", outputs, axis=1, keepdims=0)
        graph.output("action", graph.node("Add", choice, graph.constant(space.start, np.int64)), np.int64, ())
    elif isinstance(space, spaces.MultiDiscrete):
        sizes = [int(size) for size in space.nvec.ravel()]
        ends = np.cumsum(sizes)
        pieces = [graph.constant(np.arange(end - size, end), np.int64) for end, size in zip(ends, sizes, strict=True)]
        parts = [graph.node("Gather", outputs, piece, axis=1) for piece in pieces]
        choices = graph.node("Concat", *(graph.node("ArgMax", part, axis=1, keepdims=1) for part in parts), axis=1)
        shifted = graph.node("Add", choices, graph.constant(space.start.ravel(), np.int64))
        graph.output("action", graph.reshape(shifted, space.shape), np.int64, space.shape)
    elif isinstance(space, spaces.MultiBinary):
        yes = graph.cast(graph.node("Greater", outputs, graph.constant(activation.middle)), space.dtype)
        graph.output("action", graph.reshape(yes, space.shape), space.dtype, space.shape)
    else:
        assert isinstance(space, spaces.Box)
        _write_box(graph, task, space, outputs)


def _write_box(graph: _Graph, task: Task, space: spaces.Box, outputs: str) -> None:
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
    if np.issubdtype(space.dtype, np.integer):
        values = graph.node("Round", values)
    graph.output("action", graph.reshape(graph.cast(values, space.dtype), space.shape), space.dtype, space.shape)
