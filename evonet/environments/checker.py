"""Gymnasium's own checker of environments, its findings as lines of text."""

from __future__ import annotations

import warnings

import gymnasium as gym
from gymnasium.utils.env_checker import check_env

from evonet.environments.specification import Environment
from evonet.foreign import ANY_ERROR, INTERRUPTS, described

_SIGN = "WARN: "  # in the checker's own warnings; an environment's are no advice
_NOISE = ("unwrapped", "infinity", "symmetric and normalized")
"""Parts of advice that nobody can follow, or that is not needed, because evonet scales actions itself."""


def gymnasium_findings(environment: Environment) -> tuple[str | None, list[str]]:
    """The first rule of Gymnasium that an environment breaks, None if it keeps all, and the checker's advice."""
    broken = None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_env(environment, skip_render_check=True, skip_close_check=True)
    except INTERRUPTS:
        raise
    except ANY_ERROR as error:  # whatever the checker or the environment raises is the finding
        broken = _first_line(error) if isinstance(error, AssertionError | gym.error.Error) else described(error)
    advice = dict.fromkeys(_first_line(each.message) for each in caught if _SIGN in str(each.message))
    return broken, [line for line in advice if not any(part in line for part in _NOISE)]


def _first_line(problem: object) -> str:
    text = str(problem).strip() or type(problem).__name__
    return text.splitlines()[0].replace("\x1b[33m", "").replace("\x1b[0m", "").removeprefix("WARN: ")
