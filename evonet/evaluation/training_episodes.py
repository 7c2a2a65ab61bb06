"""Episodes of an evaluation in training: a number, or a schedule that gives each generation its own."""

from __future__ import annotations

from evonet.settings import Episodes, Schedule, check_value, fitted


def check_training_episodes(episodes: int | Schedule, name: str) -> None:
    """Check episodes of an evaluation, which messages call `name`.

    Raises:
        TypeError: they are no whole number.
        ValueError: they are out of range, or follow a schedule that does not go by the generation alone.
    """
    if isinstance(episodes, Schedule) and not episodes.by_generation:
        rule = f"{name} must follow a schedule of the generation alone: constant, linear or exponential"
        raise ValueError(f"{rule}; got {episodes!r}")
    for number in episodes.extremes if isinstance(episodes, Schedule) else (episodes,):
        whole = isinstance(number, float) and number.is_integer()
        check_value(name, Episodes, int(number) if whole else number)


def episodes_in(episodes: int | Schedule, generation: int) -> int:
    """Episodes of an evaluation in a generation."""
    return int(fitted(Episodes, episodes.at(generation))) if isinstance(episodes, Schedule) else episodes
