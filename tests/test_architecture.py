"""The house keeps its plan: data and imports flow one way, modules stay small, no randomness comes from nowhere."""

import ast
import re
from pathlib import Path

import pytest

import evonet

PACKAGE = Path(evonet.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
MAX_LINES = 400
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "tools", "stuff", "machine"}
WATCHES_RANDOMNESS = {"evonet.testing.contract"}  # it looks whether others draw from a global generator
HAS_A_SECRET = {"evonet.watch.server"}  # in its address, which no result depends on
GLOBAL_RANDOMNESS = re.compile(r"np\.random\.(seed|rand|normal|choice)|random\.(random|seed)|seed *\+")

# DESIGN.md, section 2: a module imports only from rows above its own, from settings, types and errors, and, within one
# folder, from its siblings.
FOUNDATIONS = {f"evonet.{name}" for name in ("settings", "types", "errors", "foreign", "lazy", "shell", "version")}
ROWS = [
    ["evonet.arithmetic", "evonet.pareto"],
    ["evonet.seeding", "evonet.files", "evonet.processes", "evonet.extras"],
    ["evonet.linear_algebra"],
    ["evonet.fingerprint"],
    ["evonet.activations", "evonet.statistics", "evonet.pareto", "evonet.cluster", "evonet.measures"],
    ["evonet.architecture"],
    ["evonet.network"],
    ["evonet.operators", "evonet.population", "evonet.archives"],
    ["evonet.strategies", "evonet.environments", "evonet.variation"],
    ["evonet.genetic_algorithm", "evonet.task"],
    ["evonet.policy", "evonet.nsga2"],
    ["evonet.individual"],
    ["evonet.evaluation", "evonet.replay", "evonet.scores"],
    ["evonet.fitness", "evonet.champion"],
    ["evonet.function_fitness", "evonet.elite_validation"],
    ["evonet.champion_selection", "evonet.generation"],
    ["evonet.evolution"],
    ["evonet.experiment"],
    ["evonet.inspection", "evonet.export"],
    ["evonet.running", "evonet.plot"],
    ["evonet.progress_bar"],
    ["evonet.watch"],
    ["evonet.cli"],
    ["evonet.__main__"],
    ["evonet.testing"],
]
ROOMS = {room: row for row, rooms in enumerate(ROWS) for room in rooms}


def room_of(module):
    """The room, a module or folder directly below `evonet`, that a module lies in."""
    return ".".join(module.split(".")[:2])


def imports_of(module, source, modules=MODULES):
    """Every evonet module that `source` imports, wherever in it, under `if TYPE_CHECKING` too."""
    package = module.split(".") if module in {name.rpartition(".")[0] for name in modules} else module.split(".")[:-1]
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("evonet."))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "evonet":
            inner = f"evonet.{node.attr}"
            if not node.attr.startswith("__"):  # `evonet.__version__` and its like lie at the front door
                yield inner if inner in modules else "evonet"
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            if origin.split(".")[0] == "evonet":
                for alias in node.names:
                    if (origin, alias.name) != ("evonet", "__version__"):
                        inner = f"{origin}.{alias.name}"
                        yield inner if inner in modules else origin


def violations(module, source, modules=MODULES):
    """Imports of `source` that go against the plan."""
    if module == "evonet":  # the front door names what the rooms hold
        return []
    own = room_of(module)
    wrong = []
    for imported in imports_of(module, source, modules):
        room = room_of(imported)
        if imported == "evonet":
            wrong.append(f"{module} imports from the front door, not from the room")
        elif module in FOUNDATIONS and room not in FOUNDATIONS:
            wrong.append(f"{module} is a foundation and imports {imported}")
        elif room in FOUNDATIONS or (room == own and len(module.split(".")) > 1):
            continue
        elif ROOMS[room] >= ROOMS[own]:
            wrong.append(f"{module} (row {ROOMS[own]}) imports {imported} (row {ROOMS[room]})")
    return wrong


def circles(imports):
    """Groups of modules that import each other, directly or by others.

    Args:
        imports: the modules that each module imports.
    """
    reached = {module: set(found) for module, found in imports.items()}
    for between in reached:
        for module in reached:
            if between in reached[module]:
                reached[module] |= reached[between]
    inside = [module for module, found in reached.items() if module in found]
    return sorted(
        {tuple(sorted(other for other in inside if other in reached[one] and one in reached[other])) for one in inside}
    )


def test_no_modules_import_each_other():
    imports = {
        module: {imported for imported in imports_of(module, path.read_text()) if imported in MODULES} - {module}
        for module, path in MODULES.items()
        if module != "evonet"
    }
    assert circles(imports) == []


def test_a_circle_of_modules_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": set(), "d": {"a"}}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [("a", "b", "c")]
    source = "def f():\n    from evonet.experiment.study import study"
    assert list(imports_of("evonet.experiment.seed_run", source)) == ["evonet.experiment.study"]


def test_every_module_has_its_room():
    rooms = {room_of(module) for module in MODULES} - FOUNDATIONS - {"evonet"}
    assert rooms <= set(ROOMS), f"say in ROWS, and in DESIGN.md, where {sorted(rooms - set(ROOMS))} belongs"


def test_imports_flow_one_way():
    assert [wrong for module, path in MODULES.items() for wrong in violations(module, path.read_text())] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("evonet.seeding", "import evonet.network"),
        ("evonet.network", "from evonet.population import Population"),
        ("evonet.network", "from evonet import population"),
        ("evonet.network", "from .population import Population"),
        ("evonet.network", "def f():\n    from evonet.cli import main"),
        ("evonet.population", "from evonet.operators.selection import Tournament"),
        ("evonet.operators.selection", "from ..population import Population"),
        ("evonet.environments.spaces", "from evonet.genetic_algorithm import GeneticAlgorithm"),
        ("evonet.champion", "from evonet.fitness import EpisodeReturn"),
        ("evonet.settings", "from evonet.network import Architecture"),
        ("evonet.network", "from evonet import Champion"),
        ("evonet.experiment.check", "from evonet.testing.fitness import check_fitness"),
        ("evonet.network", "import evonet\n\nprint(evonet.Champion)"),
        ("evonet.evaluation.engine", "if TYPE_CHECKING:\n    import evonet.fitness"),
    ],
)
def test_an_import_against_the_stream_is_seen(module, source):
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("evonet.network", "import numpy\nfrom evonet.settings import Settings\nfrom evonet.types import FloatArray"),
        ("evonet.operators.selection", "from evonet.operators.mutation import Gaussian"),
        ("evonet.operators.selection", "from .mutation import Gaussian\nfrom ..network import Architecture"),
        ("evonet.cli", "from evonet import __version__\nfrom evonet.inspection import overview"),
        ("evonet.settings", "from evonet.errors import ConfigError"),
        ("evonet.cli", "import evonet\n\nprint(evonet.__version__)"),
    ],
)
def test_an_import_with_the_stream_is_none(module, source):
    assert violations(module, source) == []


def test_a_module_s_name_says_what_lives_there():
    assert [module for module in MODULES if VAGUE_NAMES & set(module.split("."))] == []


def test_a_module_is_read_in_one_sitting():
    lines = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    too_long = {module: number for module, number in lines.items() if number > MAX_LINES}
    assert too_long == {}, "make it a folder with the same import path"


def sources_of_randomness(module, source):
    """Lines of `source` that draw from a global generator, and modules that it imports to do so."""
    yield from (line for line in source.splitlines() if GLOBAL_RANDOMNESS.search(line))
    tree = ast.parse(source)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    if module in WATCHES_RANDOMNESS:
        names.discard("random")
    if module in HAS_A_SECRET:
        names.discard("secrets")
    yield from sorted({"random", "numpy.random", "secrets"} & names)


def test_no_randomness_comes_from_nowhere():
    found = {module: [*sources_of_randomness(module, path.read_text())] for module, path in MODULES.items()}
    assert {module: sources for module, sources in found.items() if sources} == {}


@pytest.mark.parametrize("source", ["import random", "from numpy.random import normal", "import secrets"])
def test_a_module_of_global_randomness_is_seen(source):
    assert [*sources_of_randomness("evonet.network", source)]


@pytest.mark.parametrize(
    "line",
    ["np.random.seed(1)", "x = np.random.normal(size=3)", "random.random()", "random.seed(0)", "seed + 1", "seed+=1"],
)
def test_global_randomness_is_seen(line):
    assert GLOBAL_RANDOMNESS.search(line)


@pytest.mark.parametrize("line", ["rng.random(3)", "Population.random(a, 3, rng)", "np.random.default_rng(seed)"])
def test_a_generator_s_randomness_is_none(line):
    assert not GLOBAL_RANDOMNESS.search(line)


def test_every_module_says_what_it_is():
    assert [module for module, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text()))] == []


def stale_names(folder, docstring):
    """Files that the docstring of a room names, and that are not in it."""
    return [name for name in re.findall(r"`(\w+\.py)`", docstring) if not (folder / name).exists()]


def test_a_room_s_docstring_names_files_that_are_there():
    rooms = [path for path in MODULES.values() if path.name == "__init__.py"]
    docstrings = {path.parent: ast.get_docstring(ast.parse(path.read_text())) or "" for path in rooms}
    assert sum(len(re.findall(r"`\w+\.py`", docstring)) for docstring in docstrings.values()) > 100
    assert {str(folder): stale for folder, text in docstrings.items() if (stale := stale_names(folder, text))} == {}


def test_a_file_that_is_not_there_is_seen():
    assert stale_names(PACKAGE / "files", "`journal.py` appends lines, `diary.py` too") == ["diary.py"]
