import re
import shutil
import subprocess

import numpy as np
import pytest
from gymnasium import spaces

from evonet.export import export
from evonet.export.policy import NotExportable
from tests.export.champions import CASES, PART_CASES, champion, observations, played_case, samples

COMPILER = shutil.which("gcc") or shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")

DRIVER = """
#include <stdio.h>
#include "{prefix}.h"

int main(void) {{
    {prefix}_memory memory;
    {kind} observation[{size}];
    int i;
    {prefix}_reset(&memory);
    for (;;) {{
        for (i = 0; i < {size}; i++) if (scanf("{format}", &observation[i]) != 1) return 0;
        {act}
    }}
}}
"""


def numbers_of(space):
    """How many numbers an observation of a space has, without one-hot coding."""
    return len(flat(space.sample()))


def flat(observation):
    if isinstance(observation, dict):
        return [number for part in observation.values() for number in flat(part)]
    if isinstance(observation, tuple):
        return [number for part in observation for number in flat(part)]
    return np.ravel(observation).tolist()


def played(winner, batch, folder, *flags):
    """Compile the header with a small program around it, and let that act."""
    export(winner, "c", folder / "policy.h")
    seen, done = winner.task.observation_space, winner.task.action_space
    whole = isinstance(seen, spaces.Discrete | spaces.MultiDiscrete)
    given = "observation[0]" if isinstance(seen, spaces.Discrete) else "observation"
    if isinstance(done, spaces.Discrete):
        act = f'printf("%d\\n", policy_act(&memory, {given}));'
    else:
        size, kind = int(np.prod(done.shape)), "EVONET_REAL" if isinstance(done, spaces.Box) else "int"
        shown = '"%.17g\\n", (double)' if kind == "EVONET_REAL" else '"%d\\n", '
        act = (
            f"{{ {kind} action[{size}]; policy_act(&memory, {given}, action); "
            f"for (i = 0; i < {size}; i++) printf({shown}action[i]); }}"
        )
    program = DRIVER.format(
        prefix="policy",
        kind="long" if whole else "double",
        format="%ld" if whole else "%lf",
        size=numbers_of(seen),
        act=act,
    )
    (folder / "main.c").write_text(program)
    strict = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wno-unused-function"]
    subprocess.run([COMPILER, *strict, *flags, "main.c", "-o", "main"], cwd=folder, check=True)
    lines = "\n".join(" ".join(map(repr, flat(one))) for one in batch)
    output = subprocess.run([folder / "main"], input=lines, capture_output=True, text=True, check=True).stdout
    return np.array(output.split(), dtype=np.float64)


@pytest.mark.parametrize("case", CASES)
def test_the_header_acts_as_the_champion(case, tmp_path):
    winner, batch, wanted = played_case(case)
    assert np.abs(played(winner, batch, tmp_path) - wanted.ravel()).max() <= 1e-6


@pytest.mark.parametrize("case", [name for name in PART_CASES if name not in {"parts of actions", "two agents"}])
def test_an_observation_with_parts_is_the_numbers_of_its_parts(case, tmp_path):
    winner = champion(**PART_CASES[case])
    batch = samples(winner.task.observation_space, 1_000)
    wanted = np.array([winner.act(observation) for observation in batch])
    assert np.abs(played(winner, batch, tmp_path) - wanted.ravel()).max() <= 1e-6


def test_the_header_says_where_the_parts_of_an_observation_begin(tmp_path):
    text = export(champion("goal"), "c", tmp_path / "policy.h")[0].read_text()
    assert (
        " * Observation: the numbers of its parts, one after the other:\n"
        " *   0  observation.observation\n"
        " *   3  observation.desired_goal\n"
        " *   5  observation.legs.0\n"
        " *   6  observation.legs.1\n"
        " *   10  observation.3\n"
    ) in text


def test_an_action_with_parts_is_refused():
    winner = champion(action="both")
    with pytest.raises(NotExportable) as refused:
        export(winner, "c", "never.h")
    assert str(refused.value) == f"c cannot represent the action space {winner.task.action_space}; use onnx or json"


def test_the_header_needs_nothing_else_and_no_heap(tmp_path):
    text = export(champion(action="box", output_activation="sin"), "c", tmp_path / "policy.h")[0].read_text()
    assert "\n#include" not in text  # that of the example is in a comment
    assert "malloc" not in text


@pytest.mark.parametrize("case", ["box->discrete", "box64->box", "discrete->whole", "multi_discrete->multi_discrete"])
def test_the_example_in_the_header_is_a_program(case, tmp_path):
    export(champion(**CASES[case]), "c", tmp_path / "policy.h")
    text = (tmp_path / "policy.h").read_text()
    assert "Score: mean return 10 (9 to 11) over 2 episodes." in text
    assert max(map(len, text.splitlines())) <= 120
    example = text.partition("An example of use:\n *\n")[2].partition("*/")[0]
    (tmp_path / "main.c").write_text(re.sub(r"^ \*     ", "", example, flags=re.MULTILINE))
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wno-unused-function"]
    subprocess.run([COMPILER, *strict, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout.strip()


def test_single_precision_is_near(tmp_path):
    winner = champion(action="box")
    batch = observations(winner.task.observation_space, 1_000)
    (tmp_path / "single").mkdir()
    double = played(winner, batch, tmp_path)
    export(winner, "c", tmp_path / "single" / "policy.h")
    program = (tmp_path / "main.c").read_text().replace("#include", "#define EVONET_REAL float\n#include", 1)
    program = program.replace("double observation", "float observation").replace("%lf", "%f")
    (tmp_path / "single" / "main.c").write_text(program)
    subprocess.run([COMPILER, "-std=c99", "main.c", "-o", "main"], cwd=tmp_path / "single", check=True)
    lines = "\n".join(" ".join(map(repr, one.tolist())) for one in batch)
    done = subprocess.run([tmp_path / "single" / "main"], input=lines, capture_output=True, text=True, check=True)
    assert np.abs(np.array(done.stdout.split(), float) - double).max() < 1e-4


def test_names_begin_with_the_file_s_and_hostile_ones_stay_a_comment(tmp_path):
    winner = champion(environment="*/ int evil; /*$p")
    text = export(winner, "c", tmp_path / "9-lives.h")[0].read_text()
    assert "static int _9_lives_act(" in text
    comment = text.partition("*/")[0]
    assert "int evil" in comment
