"""Episodes of an evaluation in training: a number, or a schedule that gives each generation its own."""

from __future__ import annotations

from evonet.settings import Episodes, Schedule, check_by_generation, check_schedule, check_value, fitted


def check_training_episodes(episodes: int | Schedule, name: str) -> None:
    """Check episodes of an evaluation, which messages call `name`.

    Raises:
        TypeError: they are no whole number.
        ValueError: they are out of range, or follow a schedule that does not go by the generation alone.
    """
    if isinstance(episodes, Schedule):
        check_by_generation(name, episodes)
        check_schedule(name, Episodes, episodes)
    else:
        check_value(name, Episodes, episodes)


def episodes_in(episodes: int | Schedule, generation: int) -> int:
    """Episodes of an evaluation in a generation.

    Raises:
        AlgorithmFailed: a schedule of the user's own raised an error.
    """
    return int(fitted(Episodes, episodes.at(generation)) if isinstance(episodes, Schedule) else episodes)


def most_episodes(episodes: int | Schedule) -> int:
    """The most episodes of an evaluation in any generation."""
    numbers = episodes.extremes if isinstance(episodes, Schedule) else (episodes,)
    return max(int(fitted(Episodes, number)) for number in numbers)
