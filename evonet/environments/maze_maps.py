"""Maps of mazes: walls, start and goal; the two of Lehman and Stanley (2011), and those in files.

Lehman and Stanley, "Abandoning Objectives: Evolution Through the Search for Novelty Alone", Evolutionary Computation 19
(2011), with the walls of their published maps.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

from evonet.errors import ConfigError
from evonet.files.bounded import read_text, reading
from evonet.files.text import short_repr

Wall: TypeAlias = tuple[float, float, float, float]
"""The ends of a wall: x1, y1, x2, y2."""

MAX_WALLS = 200
_LONGEST_FILE = 1 << 16  # bytes
_LARGEST = 1e6  # a coordinate
_HEADER = (1, 2, 1, 2)  # numbers in the lines before the walls


class MazeMap(NamedTuple):
    """A map; x grows to the right, y downwards, and headings from x towards y.

    Attributes:
        start: where the robot begins, x and y.
        heading: heading at the start, in degrees.
        goal: x and y of the goal.
        walls: at least one.
    """

    start: tuple[float, float]
    heading: float
    goal: tuple[float, float]
    walls: tuple[Wall, ...]

    def frame(self) -> tuple[float, float, float, float]:
        """The least x and y of walls, start and goal, and the greatest."""
        x = [self.start[0], self.goal[0], *(each for wall in self.walls for each in wall[::2])]
        y = [self.start[1], self.goal[1], *(each for wall in self.walls for each in wall[1::2])]
        return min(x), min(y), max(x), max(y)


MAPS = {
    "medium": MazeMap(
        start=(30.0, 22.0),
        heading=0.0,
        goal=(270.0, 100.0),
        walls=(
            (5.0, 5.0, 295.0, 5.0),
            (295.0, 5.0, 295.0, 135.0),
            (295.0, 135.0, 5.0, 135.0),
            (5.0, 135.0, 5.0, 5.0),
            (241.0, 135.0, 58.0, 65.0),
            (114.0, 5.0, 73.0, 42.0),
            (130.0, 91.0, 107.0, 46.0),
            (196.0, 5.0, 139.0, 51.0),
            (219.0, 125.0, 182.0, 63.0),
            (267.0, 5.0, 214.0, 63.0),
            (271.0, 135.0, 237.0, 88.0),
        ),
    ),
    "hard": MazeMap(
        start=(36.0, 184.0),
        heading=0.0,
        goal=(31.0, 20.0),
        walls=(
            (5.0, 5.0, 5.0, 200.0),
            (5.0, 200.0, 200.0, 200.0),
            (200.0, 200.0, 200.0, 5.0),
            (200.0, 5.0, 5.0, 5.0),
            (5.0, 49.0, 57.0, 53.0),
            (56.0, 54.0, 56.0, 157.0),
            (57.0, 106.0, 158.0, 162.0),
            (77.0, 200.0, 108.0, 164.0),
            (5.0, 80.0, 33.0, 121.0),
            (200.0, 146.0, 87.0, 91.0),
            (56.0, 55.0, 133.0, 30.0),
        ),
    ),
}
"""The published maps by name."""


def maze_map(name: str) -> MazeMap:
    """A published map by its name, or the map in a file.

    Raises:
        ConfigError: there is no such map or file, or the file cannot be read.
        ValueError: the file is not a map; the message has the line.
    """
    return MAPS[name] if name in MAPS else read_map(name)


def read_map(path: str) -> MazeMap:
    """The map in a text file, in the format of the published maps.

    Lines of numbers: how many walls, the start's x and y, the heading in degrees, the goal's x and y, then x1 y1 x2 y2
    of each wall. Empty lines, and what follows a #, are skipped.

    Raises:
        ConfigError: the file cannot be read; the message names the published maps too.
        ValueError: the file is not a map; the message has the line.
    """
    try:
        with reading(path) as file:
            text = read_text(file, _LONGEST_FILE)
    except ConfigError as error:
        raise ConfigError(f"{error}; the map must be {', '.join(MAPS)} or a file") from error
    rows: list[tuple[int, list[float]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.partition("#")[0].split():
            expected = _HEADER[len(rows)] if len(rows) < len(_HEADER) else 4
            rows.append((number, _numbers(words, expected, f"{path}:{number}")))
    if len(rows) <= len(_HEADER):
        s = "s" * (len(rows) != 1)
        rule = f"{path}: a map must have a number of walls, a start, a heading, a goal and walls"
        raise ValueError(f"{rule}, got {len(rows)} line{s}")
    (first, (count,)), (_, start), (_, (heading,)), (_, goal), *walls = rows
    if count != len(walls) or count > MAX_WALLS:
        rule = f"{path}:{first}: must be the number of walls that follow, at most {MAX_WALLS}"
        raise ValueError(f"{rule}, got {count:g}; {len(walls)} follow")
    for number, (x1, y1, x2, y2) in walls:
        if (x1, y1) == (x2, y2):
            raise ValueError(f"{path}:{number}: a wall must have two different ends, got {x1:g} {y1:g} twice")
    return MazeMap((start[0], start[1]), heading, (goal[0], goal[1]), tuple((w[0], w[1], w[2], w[3]) for _, w in walls))


def _numbers(words: list[str], count: int, place: str) -> list[float]:
    """The numbers of a line.

    Raises:
        ValueError: a word is no finite number of moderate size, or there are more or fewer than `count`.
    """
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = [math.nan]
    if len(numbers) != count or not all(abs(number) <= _LARGEST for number in numbers):
        s = "s" * (count > 1)
        raise ValueError(
            f"{place}: must be {count} number{s} within ±{_LARGEST:,.0f}, got {short_repr(' '.join(words))}"
        )
    return numbers
