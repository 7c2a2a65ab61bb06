"""The policy of a champion that observes one of a few values, such as a square of a map, as text."""

from __future__ import annotations

from gymnasium import spaces

from evonet.champion import Champion
from evonet.environments.known import Names
from evonet.inspection.analysis.policy import policy_table
from evonet.inspection.phrases import ARROWS, shortened

_MAX_VALUES = 144
_COLUMNS = 78  # characters of a row
_WORD = 7


def policy_text(champion: Champion, names: Names) -> str:
    """The action for each value of a Discrete observation, in the rows of a square; "" for other spaces.

    Args:
        champion: the champion.
        names: names of its actions; left, right, up and down become arrows.
    """
    values = champion.architecture.num_inputs
    if champion.task is None or not isinstance(champion.task.observation_space, spaces.Discrete):
        return ""
    choices = champion.task.action_space
    if not isinstance(choices, spaces.Discrete) or values > _MAX_VALUES:
        return ""
    words = [shortened(names.outputs[int(action - choices.start)], _WORD) for action in policy_table(champion)]
    cells = [f"{value:>3} {ARROWS.get(word, word)}" for value, word in enumerate(words)]
    width = max(map(len, cells)) + 2
    columns = min(-(-values // max(1, round(values**0.5))), _COLUMNS // width)
    rows = [cells[start : start + columns] for start in range(0, values, columns)]
    return "\n".join(
        [
            "Policy (the action for each observation)",
            *("".join(f"{each:<{width}}" for each in row).rstrip() for row in rows),
        ]
    )
