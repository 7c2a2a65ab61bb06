"""Fuzz: whatever is in a config, champion, checkpoint or journal, it is read or refused by the documented error.

No case may take over 500 MB, nor 10 s on a busy machine (alone it takes milliseconds). A few cases run by default, the
same ones each time; `pytest -m slow` runs 10,000 fresh ones of each kind.
"""

import contextlib
import copy
import functools
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evonet import Champion
from evonet.errors import CheckpointError, ConfigError
from evonet.evaluation.task_descriptions import CHAMPION_LIMITS
from evonet.experiment.config import Config
from evonet.experiment.run_files import checkpoint as checkpoint_files
from evonet.experiment.run_files.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.session import Session
from evonet.files.archive import pack_archive, pack_state, read_archive, read_state
from evonet.files.bounded import read_lines, reading
from tests.files import test_archive as champions
from tests.files import test_state as states
from tests.rewriting import write_anew
from tests.stopped_runs import EAGER, SMALL, run_stopped, run_whole

# Older NumPy takes an array of one number for the number, and warns; newer NumPy refuses it.
pytestmark = pytest.mark.filterwarnings("ignore:Conversion of an array with ndim > 0:DeprecationWarning")

CARTPOLE = f"environment: {{id: CartPole-v1, max_steps: 30}}\nnetwork: {{hidden: 2}}\n{SMALL}"
SEED = b"name: a\nseed: 3\nenvironment: {id: CartPole-v1}\nnetwork: {hidden: 2}\nalgorithm: {mutation: [gaussian]}\n"


def read_journal(path):
    with reading(path) as file:
        return list(read_lines(file, lambda fields: fields, "line"))


def parts_of(kind, path):
    """The header and the arrays of a champion, or the state of a checkpoint."""
    with reading(path) as file:
        if kind == "champion":
            return read_archive(file, CHAMPION_LIMITS)
        return read_state(file, checkpoint_files.FORMAT, checkpoint_files.LIMITS), {}


def packed(kind, header, arrays):
    if kind == "champion":
        return pack_archive(header, arrays, CHAMPION_LIMITS)
    return pack_state(checkpoint_files.FORMAT, header, checkpoint_files.LIMITS)


KINDS = {
    "config": (lambda path: Config.load(str(path)), (ConfigError,)),
    "champion": (Champion.load, (ConfigError,)),
    "checkpoint": (Checkpoint.load, (CheckpointError, ConfigError)),
    "journal": (read_journal, (ConfigError,)),
}
SEALS = {"champion": champions.with_digest, "checkpoint": states.with_digest}
PIECES = st.sampled_from(
    [
        b"{",
        b"[" * 50,
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!int ",
        b": ",
        b"\n",
        b"\x00",
        b"\xff",
        b"9" * 500,
        b"1e999",
        b"nan",
        b"null",
        b"PK\x05\x06",
        b"PK\x01\x02",
        b"\x93NUMPY\x01\x00",
        b"|O",
        b"\x80\x04",
        b"../",
        b"]}",
        b'"',
        b"-",
        b"%YAML 1.1",
    ]
)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["flip", "cut", "insert", "repeat"]), st.binary(max_size=8) | PIECES),
    max_size=5,
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A sound file of each kind."""
    folder = tmp_path_factory.mktemp("sound")
    whole, stopped = run_whole(folder, CARTPOLE), run_stopped(folder, CARTPOLE, *EAGER, after=2)
    files = {
        "champion": whole / "champion.npz",
        "checkpoint": checkpoints_in(stopped)[0],
        "journal": whole / "metrics.jsonl",
    }
    return {"config": SEED} | {kind: path.read_bytes() for kind, path in files.items()}


def edited(content, edits):
    for place, what, piece in edits:
        at = int(place * len(content))
        if what == "flip":
            content = content[:at] + piece + content[at + len(piece) :]
        elif what == "cut":
            content = content[:at] + content[at + 1 + len(piece) ** 2 :]
        elif what == "insert":
            content = content[:at] + piece + content[at:]
        else:
            content = content[:at] + content[max(0, at - 40) : at] * 20 + content[at:]
    return content


def hold(kind, content, path: Path):
    """Read a file, within 10 s and 500 MB."""
    write_anew(path, content)
    read, documented = KINDS[kind]
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 500_000_000, hard))
    started = time.process_time()
    try:
        read(path)
    except documented:
        pass  # which error says what, the tests of each file look at
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert time.process_time() - started < 10


NUMBERS = [-1, 0, 7, 2**63, 10**30, 0.5, 1e308, float("inf"), float("nan")]
TEXTS = ["", "x" * 2000, "\ud800", "../x", "evil:Env-v0"]
ARRAYS = [np.zeros(0), np.full(3, np.inf), np.arange(5), np.zeros((1, 1))]
ODD = [None, True, [], {}, [[]], [1, 2], {"a": 1}, *NUMBERS, *TEXTS, *ARRAYS]
TURNS = [
    lambda array: array[:-1] if array.ndim else array[None],
    lambda array: array.astype("f4"),
    lambda array: np.full_like(array, -1),
    lambda array: np.concatenate([array.ravel(), array.ravel()]),
]


def places(tree, way=()):
    """All places in a tree of dicts and short lists, but its root."""
    below = tree.items() if isinstance(tree, dict) else enumerate(tree[:3]) if isinstance(tree, list) else ()
    for step, item in below:
        yield (*way, step)
        yield from places(item, (*way, step))


def replanted(tree, rng):
    """The tree with something else in one or two of its places, or nothing, or an array turned."""
    for _ in range(rng.randint(1, 2)):
        *way, last = rng.choice(list(places(tree)))
        node = functools.reduce(lambda node, step: node[step], way, tree)
        if rng.random() < 0.2 and isinstance(node, dict):
            del node[last]
        elif rng.random() < 0.5 and isinstance(node[last], np.ndarray):
            node[last] = rng.choice(TURNS)(node[last])
        else:
            node[last] = copy.deepcopy(rng.choice(ODD))  # the second time may plant within the first's value
    return tree


def fuzz_parts(kind, sound, path, examples):
    """What is in a sound champion or checkpoint, replaced by what is not: all checks but that of meaning are passed."""
    config = Config.load(str(path.with_name("c.yaml")))
    path.write_bytes(sound[kind])
    header, arrays = parts_of(kind, path)

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False))
    def case(rng):
        tree = replanted(copy.deepcopy({"header": header, "arrays": arrays}), rng)
        try:
            content = packed(kind, tree["header"], tree["arrays"])
        except (LookupError, TypeError, ValueError, AttributeError):
            return  # what no file can hold
        hold(kind, content, path)
        if kind == "checkpoint":
            with contextlib.suppress(CheckpointError, ConfigError), Session(config, lambda _: None) as session:
                session.restore(Checkpoint.load(path))

    case()


def fuzz(kind, sound, path, examples):
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(
        st.one_of(st.builds(lambda edits: edited(sound[kind], edits), EDITS), st.binary(max_size=400)), st.booleans()
    )
    def case(content, is_sealed):
        if is_sealed and kind in SEALS and len(content) > 64:
            content = SEALS[kind](content[:-32])  # with a forged checksum the checks behind it are reached
        hold(kind, content, path)

    case()


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_file_holds_it_is_read_or_refused(kind, sound, tmp_path):
    fuzz(kind, sound, tmp_path / "file.yaml", 60)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_10_000_files_hold_they_are_read_or_refused(kind, sound, tmp_path):
    fuzz(kind, sound, tmp_path / "file.yaml", 10_000)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "c.yaml").write_text(CARTPOLE, encoding="utf-8")
    return tmp_path / "file"


@pytest.mark.parametrize("kind", SEALS)
def test_whatever_the_parts_of_a_file_are_it_is_read_or_refused(kind, sound, place):
    fuzz_parts(kind, sound, place, 60)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SEALS)
def test_whatever_the_parts_of_10_000_files_are_they_are_read_or_refused(kind, sound, place):
    fuzz_parts(kind, sound, place, 10_000)


def test_the_files_of_these_tests_are_sound_before_they_are_edited(sound, tmp_path):
    for kind, content in sound.items():
        path = tmp_path / "file.yaml"
        path.write_bytes(content)
        KINDS[kind][0](path)
        if kind in SEALS:
            assert SEALS[kind](content[:-32]) == content
