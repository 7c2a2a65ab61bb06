"""C: one header with no dependencies and no heap, for microcontrollers.

The header needs only C99, without the mathematics library: it has its own activations, with errors below 1e-9. Define
`EVONET_REAL` as `float` before including the header if double precision costs too much.

In the templates, `${p}` is the prefix of all names, and `${g}` that prefix in capitals, for macros and constants.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from string import Template

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from evonet.activations import ACTIVATIONS, LEAK
from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.environments.normaliser import LIMIT
from evonet.environments.spaces import Space, Stretch
from evonet.export.compact import compact
from evonet.export.policy import (
    NotExportable,
    SimpleSpace,
    environment_id,
    flat_layout,
    named_parts,
    one_hot_layout,
    task_of,
    test_in_words,
)
from evonet.files.directory import write_atomically
from evonet.task import Task
from evonet.version import __version__

_EXP = """
static EVONET_REAL ${p}_exp(EVONET_REAL x) {  /* halved until small, a series, squared as often */
    EVONET_REAL sum = 1, term = 1;
    int i, halvings = 0;
    if (x < -60) return 0;
    if (x > 60) x = 60;
    while (x > 0.5 || x < -0.5) { x /= 2; halvings++; }
    for (i = 1; i < 14; i++) { term *= x / i; sum += term; }
    while (halvings-- > 0) sum *= sum;
    return sum;
}
"""
_TANH = (
    _EXP
    + """
static EVONET_REAL ${p}_tanh(EVONET_REAL x) {
    const EVONET_REAL size = x < 0 ? -x : x;
    const EVONET_REAL y = size > 25 ? 1 : 1 - 2 / (${p}_exp(2 * size) + 1);
    return x < 0 ? -y : y;
}
"""
)
_SIN = """
static EVONET_REAL ${p}_sin(EVONET_REAL x) {
    EVONET_REAL sum, term;
    int i;
    x -= (EVONET_REAL)6.283185307179586 * (long)(x / (EVONET_REAL)6.283185307179586);
    if (x > (EVONET_REAL)3.141592653589793) x -= (EVONET_REAL)6.283185307179586;
    if (x < (EVONET_REAL)-3.141592653589793) x += (EVONET_REAL)6.283185307179586;
    sum = term = x;
    for (i = 2; i < 26; i += 2) { term *= -x * x / (i * (i + 1)); sum += term; }
    return sum;
}
"""
_ROUND = """
static EVONET_REAL ${p}_round(EVONET_REAL x) {  /* halves go to the even neighbour */
    const long whole = (long)x - ((EVONET_REAL)(long)x > x);
    const EVONET_REAL rest = x - whole;
    return (EVONET_REAL)(whole + (rest > 0.5 || (rest == 0.5 && whole % 2 != 0)));
}
"""
_FUNCTIONS = {"tanh": _TANH, "sigmoid": _TANH, "gaussian": _EXP, "sin": _SIN}
_EXPRESSIONS = {
    "identity": "x",
    "tanh": "${p}_tanh(x)",
    "sigmoid": "(EVONET_REAL)0.5 * ${p}_tanh((EVONET_REAL)0.5 * x) + (EVONET_REAL)0.5",
    "relu": "(x > 0 ? x : 0)",
    "leaky_relu": f"(x < 0 ? (EVONET_REAL){LEAK} * x : x)",
    "sin": "${p}_sin(x)",
    "gaussian": "${p}_exp(-x * x)",
    "step": "(x > 0 ? 1 : 0)",
}

_HEADER = """\
/* A policy that evolved: $origin.
 *
 * Score: $score.
 * No dependencies, no heap. Written by evonet $version; not to be edited by hand.
 *
$interface
 *
 * An example of use:
 *
$example */
#ifndef ${g}_H
#define ${g}_H

#ifndef EVONET_REAL
#define EVONET_REAL double
#endif

enum { ${g}_INPUTS = $inputs, ${g}_HIDDEN = $hidden, ${g}_OUTPUTS = $outputs };

$constants
$functions
/* The network's memory; zeros at an episode's start. */
typedef struct { EVONET_REAL hidden[${g}_HIDDEN ? ${g}_HIDDEN : 1]; } ${p}_memory;

static void ${p}_reset(${p}_memory *memory) {
    int j;
    for (j = 0; j < ${g}_HIDDEN; j++) memory->hidden[j] = 0;
}

/* Outputs of the network for its inputs. */
static void ${p}_network(${p}_memory *memory, const EVONET_REAL *inputs, EVONET_REAL *outputs) {
    EVONET_REAL hidden[${g}_HIDDEN ? ${g}_HIDDEN : 1], x;
    int i, j;
$hidden_layer    for (j = 0; j < ${g}_OUTPUTS; j++) {
        x = $output_start;
$output_sums        outputs[j] = $activate_output;
    }
    for (j = 0; j < ${g}_HIDDEN; j++) memory->hidden[j] = hidden[j];
}

/* The action for an observation. */
static $action_type ${p}_act(${p}_memory *memory, $observation$action_argument) {
    EVONET_REAL inputs[${g}_INPUTS], outputs[${g}_OUTPUTS];
    int i;
$read
    ${p}_network(memory, inputs, outputs);
$write
}

#endif
"""


def export_c(champion: Champion, path: Path) -> list[Path]:
    """Write a C header whose names begin with the file's name.

    Raises:
        NotExportable: the action space is a Tuple or Dict, or there is no environment.
    """
    prefix = re.sub(r"\W", "_", path.stem, flags=re.ASCII) or "policy"
    write_atomically(path, c_header(champion, f"_{prefix}" if prefix[0].isdigit() else prefix).encode())
    return [path]


def c_header(champion: Champion, prefix: str = "policy") -> str:
    """The header's text, all names beginning with `prefix`."""
    task, network, normaliser = task_of(champion, "c"), compact(champion.network), champion.normaliser
    architecture = network.architecture
    if not isinstance(task.action_space, SimpleSpace):
        raise NotExportable(f"c cannot represent the action space {task.action_space}; use onnx or json")
    constants = [_array(prefix, name, block) for name, block in architecture.views(network.genome).items()]
    if normaliser is not None:
        constants += [_array(prefix, "mean", normaliser.mean), _array(prefix, "deviation", normaliser.deviation)]
    read, read_constants = _read(task, prefix)
    write, write_constants = _write(task, prefix)
    names = champion.names
    activations = (architecture.hidden_activation, architecture.output_activation)
    squashed = isinstance(task.action_space, spaces.Box) and not ACTIVATIONS[activations[1]].bounded
    used = [*activations, "tanh"] if squashed and task.squash == "tanh" else list(activations)
    functions = dict.fromkeys(_FUNCTIONS[name] for name in used if name in _FUNCTIONS)
    if _TANH in functions:
        functions.pop(_EXP, None)  # _TANH includes it
    whole = isinstance(task.action_space, spaces.Box) and np.issubdtype(task.action_space.dtype, np.integer)
    returns = isinstance(task.action_space, spaces.Discrete)
    text = Template(_HEADER).substitute(
        p=prefix,
        g=prefix.upper(),
        origin=_comment(environment_id(champion) or "a champion"),
        score=_comment(test_in_words(champion)),
        version=__version__,
        example=_example(task, prefix),
        interface="\n".join(
            [*_parts(task.observation_space), *_listed("Inputs", names.inputs), *_listed("Outputs", names.outputs)]
        ),
        inputs=architecture.num_inputs,
        hidden=architecture.num_hidden,
        outputs=architecture.num_outputs,
        constants="\n".join([*constants, *read_constants, *write_constants]),
        functions="".join([*functions, *([_ROUND] if whole else [])]),
        output_start="${p}_output_bias[j]" if architecture.bias else "0",
        hidden_layer=_hidden_layer(architecture),
        output_sums=(_HIDDEN_SUM if architecture.num_hidden else "") + (_SKIP_SUM if architecture.skip else ""),
        activate_output=_EXPRESSIONS[activations[1]],
        action_type="int" if returns else "void",
        observation=_observation(task),
        action_argument="" if returns else f", {_action_type(task)} *action",
        read=_NORMALISED.join([read, ""]) if normaliser is not None else read,
        write=write,
    )
    return Template(text).substitute(p=prefix, g=prefix.upper())


_HIDDEN_LAYER = """\
    for (j = 0; j < ${g}_HIDDEN; j++) {
        x = $start;
        for (i = 0; i < ${g}_INPUTS; i++) x += inputs[i] * ${p}_input_hidden_weights[i][j];
$recurrence        hidden[j] = $activate;
    }
"""
_RECURRENCE = """\
        for (i = 0; i < ${g}_HIDDEN; i++) x += memory->hidden[i] * ${p}_hidden_hidden_weights[i][j];
"""
_HIDDEN_SUM = """\
        for (i = 0; i < ${g}_HIDDEN; i++) x += hidden[i] * ${p}_hidden_output_weights[i][j];
"""
_SKIP_SUM = """\
        for (i = 0; i < ${g}_INPUTS; i++) x += inputs[i] * ${p}_input_output_weights[i][j];
"""
_NORMALISED = f"""
    for (i = 0; i < ${{g}}_INPUTS; i++) {{
        const EVONET_REAL z = (inputs[i] - ${{p}}_mean[i]) / ${{p}}_deviation[i];
        inputs[i] = z < {-LIMIT} ? {-LIMIT} : z > {LIMIT} ? {LIMIT} : z;
    }}"""


def _hidden_layer(architecture: Architecture) -> str:
    if not architecture.num_hidden:
        return ""
    return Template(_HIDDEN_LAYER).safe_substitute(
        start="${p}_hidden_bias[j]" if architecture.bias else "0",
        recurrence=_RECURRENCE if architecture.recurrent else "",
        activate=_EXPRESSIONS[architecture.hidden_activation],
    )


def _array(prefix: str, name: str, values: ArrayLike, kind: str = "EVONET_REAL") -> str:
    """The definition of a constant array with elements of the C type `kind`."""
    array = np.asarray(values)
    sizes = "".join(f"[{size}]" for size in array.shape)
    text = f"static const {kind} {prefix}_{name}{sizes} = {_braces(array.tolist(), kind)};"
    return "\n".join(textwrap.wrap(text, 100, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False))


def _braces(values: object, kind: str) -> str:
    if isinstance(values, list):
        return "{" + ", ".join(_braces(value, kind) for value in values) + "}"
    return repr(values) if kind == "EVONET_REAL" else str(values)


def _comment(text: str) -> str:
    """A text that is safe in a comment of C and in a template."""
    return text.replace("*/", "* /").replace("$", "$$")


def _listed(title: str, names: Sequence[str]) -> list[str]:
    return [f" * {title}:", *(f" *   {index}  {_comment(name)}" for index, name in enumerate(names))]


def _example(task: Task, prefix: str) -> str:
    """A program that prints an action, as lines of a comment."""
    observation_space, action_space = task.observation_space, task.action_space
    size = flat_layout(named_parts(observation_space, "observation").values())[0][-1] + 1
    kind, given = (
        ("long", "observation[0]")
        if isinstance(observation_space, spaces.Discrete)
        else ("long" if isinstance(observation_space, spaces.MultiDiscrete) else "EVONET_REAL", "observation")
    )
    if isinstance(action_space, spaces.Discrete):
        act = [f'printf("%d\\n", {prefix}_act(&memory, {given}));']
    else:
        numbers = action_space.shape or ()
        shown = '"%g\\n", (double)' if isinstance(action_space, spaces.Box) else '"%d\\n", '
        act = [
            f"{_action_type(task)} action[{math.prod(numbers)}];",
            f"{prefix}_act(&memory, {given}, action);",
            f"printf({shown}action[0]);",
        ]
    body = [
        f"{prefix}_memory memory;",
        f"{kind} observation[{size}] = {{0}};",
        f"{prefix}_reset(&memory);",
        *act,
        "return 0;",
    ]
    lines = ["#include <stdio.h>", f'#include "{prefix}.h"', "int main(void) {", *(f"    {each}" for each in body), "}"]
    return "".join(f" *     {line}\n" for line in lines)


def _parts(space: Space) -> list[str]:
    """Lines that say where the parts of a Tuple or Dict are in the observation; none for a space without parts."""
    if isinstance(space, SimpleSpace):
        return []
    lines, begin = [" * Observation: the numbers of its parts, one after the other:"], 0
    for name, part in named_parts(space, "observation").items():
        lines.append(f" *   {begin}  {_comment(name)}")
        begin += math.prod(part.shape or ())
    return lines


def _observation(task: Task) -> str:
    space = task.observation_space
    if isinstance(space, spaces.Discrete):
        return "long observation"
    return f"const {'long' if isinstance(space, spaces.MultiDiscrete) else 'EVONET_REAL'} *observation"


def _read(task: Task, prefix: str) -> tuple[str, list[str]]:
    """C statements that fill the inputs from the observation, and the constants that they need."""
    space = task.observation_space
    loop = "    for (i = 0; i < ${g}_INPUTS; i++) inputs[i] = "
    if isinstance(space, spaces.Discrete):
        return f"{loop}observation - {int(space.start)} == i;", []
    if isinstance(space, spaces.MultiDiscrete):
        columns, starts, values = one_hot_layout(space)
        tables = [_array(prefix, "column", columns, "int"), _array(prefix, "value", starts + values, "long")]
        return f"{loop}observation[${{p}}_column[i]] == ${{p}}_value[i];", tables
    if isinstance(space, spaces.Tuple | spaces.Dict):
        columns, values, one_hot = flat_layout(named_parts(space, "observation").values())
        tables = [
            _array(prefix, name, numbers, kind)
            for name, numbers, kind in (
                ("column", columns, "int"),
                ("value", values.astype(np.float64), "EVONET_REAL"),
                ("one_hot", one_hot.astype(int), "int"),
            )
        ]
        number = "observation[${p}_column[i]]"
        return f"{loop}${{p}}_one_hot[i] ? {number} == ${{p}}_value[i] : {number};", tables
    return f"{loop}observation[i];", []


def _action_type(task: Task) -> str:
    return "EVONET_REAL" if isinstance(task.action_space, spaces.Box) else "int"


def _write(task: Task, prefix: str) -> tuple[str, list[str]]:
    """C statements that decode the action from the outputs, and the constants that they need."""
    space, activation = task.action_space, ACTIVATIONS[task.architecture.output_activation]
    if isinstance(space, spaces.Discrete):
        best = "    int best = 0;\n    for (i = 1; i < ${g}_OUTPUTS; i++) if (outputs[i] > outputs[best]) best = i;\n"
        return f"{best}    return best + {int(space.start)};", []
    if isinstance(space, spaces.MultiDiscrete):
        ends = np.cumsum(space.nvec.ravel())
        tables = [_array(prefix, "end", ends, "int"), _array(prefix, "start", space.start.ravel(), "int")]
        return (
            f"    int part, best;\n    for (part = i = 0; part < {ends.size}; part++) {{\n"
            "        const int first = i;\n"
            "        for (best = i; i < ${p}_end[part]; i++) if (outputs[i] > outputs[best]) best = i;\n"
            "        action[part] = best - first + ${p}_start[part];\n    }"
        ), tables
    if isinstance(space, spaces.MultiBinary):
        return f"    for (i = 0; i < ${{g}}_OUTPUTS; i++) action[i] = outputs[i] > {activation.middle};", []
    assert isinstance(space, spaces.Box)
    return _write_box(task, space, prefix)


def _write_box(task: Task, space: spaces.Box, prefix: str) -> tuple[str, list[str]]:
    stretch, activation = Stretch.onto(space), ACTIVATIONS[task.architecture.output_activation]
    if activation.bounded:
        unit = f"(x - {activation.middle}) * {2.0 / (activation.high - activation.low)}"
    else:
        unit = "${p}_tanh(x)" if task.squash == "tanh" else "(x < -1 ? -1 : x > 1 ? 1 : x)"
    tables = [_array(prefix, name, getattr(stretch, name)) for name in ("low", "high", "centre", "reach")]
    if not stretch.finite.all():
        tables.append(_array(prefix, "finite", stretch.finite.astype(int), "int"))
        unit = f"${{p}}_finite[i] ? {unit} : x"
    whole = np.issubdtype(space.dtype, np.integer)
    return (
        "    for (i = 0; i < ${g}_OUTPUTS; i++) {\n        const EVONET_REAL x = outputs[i];\n"
        f"        const EVONET_REAL y = ({unit}) * ${{p}}_reach[i] + ${{p}}_centre[i];\n"
        "        const EVONET_REAL within = y < ${p}_low[i] ? ${p}_low[i] : y > ${p}_high[i] ? ${p}_high[i] : y;\n"
        f"        action[i] = {'${p}_round(within)' if whole else 'within'};\n    }}"
    ), tables
