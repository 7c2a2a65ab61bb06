"""Print pip constraints that hold each requirement of pyproject.toml at the lowest version it allows."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
requirements = [
    *project["dependencies"],
    *(line for extra in project["optional-dependencies"].values() for line in extra),
]
for requirement in sorted(set(requirements)):
    lowest = re.match(r"([\w.-]+)(?:\[[^\]]*\])?>=([\w.]+)", requirement)
    if lowest:
        print(f"{lowest[1]}=={lowest[2]}")
