"""The robot in a maze: constants, kernel and threshold; `evonet.environments.maze` is the environment.

Lehman and Stanley, "Abandoning Objectives: Evolution Through the Search for Novelty Alone", Evolutionary Computation 19
(2011); `evonet.environments.maze_maps` has the maps.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from evonet.environments.known.arithmetic import Column, bounded, sin_cos, where
from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.ground_plan import GroundPlan
from evonet.environments.known.kernel import Columns, Kernel
from evonet.environments.maze_maps import MazeMap, maze_map

RADIUS = 8.0  # of the robot
MAX_SPEED, MAX_TURNING = 3.0, 3.0  # units and degrees in a step
REACH = 100.0  # of the range finders
ANGLES = (-90.0, -45.0, 0.0, 45.0, 90.0, 180.0)  # of the range finders, in degrees from the heading
ARRIVED = 5.0  # distance to the goal at which an episode ends
FARTHEST = 300.0  # from which the distance at the end is taken away
MAX_STEPS = 400
REWARD_THRESHOLD = FARTHEST - ARRIVED
DEFAULT_MAP = "medium"
ENTRY_POINT = "evonet.environments.maze:Maze"

RADIAN = math.pi / 180
HALF_ROOT = math.sqrt(0.5)


def x_of(state: Columns) -> Column:
    """Where the robot is, from the map's edge at x = 0."""
    return state[0]


def y_of(state: Columns) -> Column:
    """Where the robot is, from the map's edge at y = 0."""
    return state[1]


def distance_of(state: Columns) -> Column:
    """How far the robot is from the goal."""
    return state[5]


INFOS: Mapping[str, Callable[[Columns], Column]] = {"x": x_of, "y": y_of, "distance": distance_of}


def variant(arguments: Mapping[str, Any]) -> Kernel:
    """The kernel for the keyword argument `map`; its walls are constants of the functions."""
    plan = maze_map(arguments.get("map", DEFAULT_MAP))
    return Kernel(ENTRY_POINT, start_of(plan), observe_in(plan), step_in(plan), infos=INFOS)


def constants_of(plan: MazeMap) -> tuple[tuple[float, float, float, float, float], ...]:
    """Of each wall one end, the way from there to the other, and 1 / the square of its length."""
    return tuple(
        (x1, y1, x2 - x1, y2 - y1, 1.0 / ((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1)))
        for x1, y1, x2, y2 in plan.walls
    )


def start_of(plan: MazeMap) -> Callable[[np.random.Generator], Sequence[float]]:
    """`start` on a map: x, y, heading in degrees, speed, angular velocity, and the distance to the goal.

    The distance begins as 300, so that the rewards add up to 300 minus the last one.
    """
    state = (*plan.start, plan.heading, 0.0, 0.0, FARTHEST)

    def start(_rng: np.random.Generator) -> Sequence[float]:
        return state

    return start


def observe_in(plan: MazeMap) -> Callable[[Columns], Columns]:
    """`observe` on a map: the range finders, then the pie slices."""
    goal_x, goal_y = plan.goal
    walls = constants_of(plan)

    def observe(state: Columns) -> Columns:
        x, y = state[0], state[1]
        sine, cosine = sin_cos(state[2] * RADIAN)
        # closeness is 1 / distance: of walls ahead of the ray the greatest counts, of those behind it the least
        zero = 0.0 * x
        front = back = left = right = fore_left = fore_right = zero
        for x1, y1, wide, high, _ in walls:
            dx, dy = x1 - x, y1 - y
            ahead, aside = dx * cosine + dy * sine, dy * cosine - dx * sine  # of the wall's first end
            long, broad = wide * cosine + high * sine, high * cosine - wide * sine  # from there to the other end
            scale = 1.0 / (dx * high - dy * wide)
            closeness = inverse_distance(aside, broad, scale)
            front, back = np.maximum(front, closeness), np.minimum(back, closeness)
            closeness = inverse_distance(-ahead, -long, scale)
            right, left = np.maximum(right, closeness), np.minimum(left, closeness)
            fore_left = np.maximum(fore_left, inverse_distance(aside + ahead, broad + long, scale))
            fore_right = np.maximum(fore_right, inverse_distance(aside - ahead, broad - long, scale))
        ahead = (goal_x - x) * cosine + (goal_y - y) * sine
        aside = (goal_y - y) * cosine - (goal_x - x) * sine
        across = np.abs(ahead) < np.abs(aside)
        return (
            range_reading(-left),
            range_reading(fore_left * HALF_ROOT),
            range_reading(front),
            range_reading(fore_right * HALF_ROOT),
            range_reading(right),
            range_reading(-back),
            where(ahead >= np.abs(aside), 1.0, 0.0),
            where(across & (aside > 0.0), 1.0, 0.0),
            where(ahead < -np.abs(aside), 1.0, 0.0),
            where(across & (aside < 0.0), 1.0, 0.0),
        )

    return observe


def inverse_distance(aside: Column, broad: Column, scale: Column) -> Column:
    """1 / distance at which a line through the robot meets a wall, negative behind the robot; 0 where it does not.

    Args:
        aside: distance of the wall's first end from the line, with a sign.
        broad: distance of the other end, minus `aside`.
        scale: 1 / the cross product of the wall's first end, as seen from the robot, and the wall.
    """
    return where(aside * (aside + broad) < 0.0, broad * scale, 0.0)


def range_reading(closeness: Column) -> Column:
    """What a range finder reads: the distance over its reach, at most 1."""
    return 1.0 / np.maximum(REACH * closeness, 1.0)


def step_in(plan: MazeMap) -> Callable[[Columns, Columns, Columns], tuple[Columns, Column, Column]]:
    """`step` on a map: the rewards add up to 300 minus the distance to the goal."""
    goal_x, goal_y = plan.goal
    walls = constants_of(plan)

    def step(state: Columns, actions: Columns, _parameters: Columns) -> tuple[Columns, Column, Column]:
        x, y, heading = state[0], state[1], state[2]
        turning = bounded(state[4] + (actions[0] - 0.5), -MAX_TURNING, MAX_TURNING)
        speed = bounded(state[3] + (actions[1] - 0.5), -MAX_SPEED, MAX_SPEED)
        sine, cosine = sin_cos(heading * RADIAN)
        new_x, new_y = x + speed * cosine, y + speed * sine
        nearest = new_x * 0.0 + FARTHEST * FARTHEST
        for x1, y1, wide, high, inverse in walls:
            dx, dy = new_x - x1, new_y - y1
            share = bounded((dx * wide + dy * high) * inverse, 0.0, 1.0)
            dx, dy = dx - share * wide, dy - share * high
            nearest = np.minimum(nearest, dx * dx + dy * dy)
        free = nearest >= RADIUS * RADIUS
        x, y = where(free, new_x, x), where(free, new_y, y)
        distance = np.sqrt(np.square(goal_x - x) + np.square(goal_y - y))
        return (x, y, heading + turning, speed, turning, distance), state[5] - distance, distance < ARRIVED

    return step


def ground_plan(arguments: Mapping[str, Any]) -> GroundPlan:
    """The plan of the map that the keyword arguments name."""
    plan = maze_map(arguments.get("map", DEFAULT_MAP))
    return GroundPlan(("x", "y"), plan.walls, {"start": plan.start, "goal": plan.goal}, downwards=True)


MAZE = KnownEnvironment(
    kernel=dataclasses.replace(variant({}), parameters={"map": DEFAULT_MAP}, variant=variant),
    names=Names(
        (
            *(f"wall at {angle:g}°" for angle in ANGLES),
            "goal ahead",
            "goal at 90°",
            "goal behind",
            "goal at -90°",
        ),
        ("turn", "accelerate"),
    ),
    ground_plan=ground_plan,
)
