"""Nothing but an environment: a loop around `env.step`.

usage: python -m bare ENVIRONMENT defaults|unchecked|replay

With random actions, drawn beforehand, in the environment as `gym.make` wraps it (time limit, order enforcer, checker)
or without the checker; or, as the strictest measure of what an engine adds, with the very actions of the networks that
the engine runs, on the same episodes, in an environment without any wrapper.
"""

from __future__ import annotations

import sys
from itertools import cycle
from typing import Any

import gymnasium
import numpy as np

from contestant import Measure, serve, timed
from controllers import controllers

_PIECE = 2_000  # steps between two looks at the clock
_EPISODES = 64


def prepare_random(environment_id: str, checked: bool) -> Measure:
    environment = gymnasium.make(environment_id, disable_env_checker=not checked)
    environment.action_space.seed(1)
    actions = cycle([environment.action_space.sample() for _ in range(10_000)])
    environment.reset(seed=1)

    def work() -> int:
        step, reset = environment.step, environment.reset
        for _, action in zip(range(_PIECE), actions, strict=False):
            _, _, terminated, truncated, _ = step(action)
            if terminated or truncated:
                reset()
        return _PIECE

    return lambda: timed(work)


def prepare_replay(environment_id: str) -> Measure:
    import evonet

    fitness = evonet.EpisodeReturn(environment_id, episodes=1)
    architecture, limit = fitness.architecture, fitness.task.max_steps
    if environment_id.startswith("CartPole"):
        genomes = controllers(_EPISODES)
    else:
        genomes = np.random.default_rng(1).standard_normal((_EPISODES, architecture.genome_size))
    environment = gymnasium.make(environment_id).unwrapped
    episodes = [_actions(environment, architecture, genome, seed, limit) for seed, genome in enumerate(genomes)]
    turns = cycle(enumerate(episodes))

    def work() -> int:
        seed, actions = next(turns)
        environment.reset(seed=seed)
        for action in actions:
            environment.step(action)
        return len(actions)

    return lambda: timed(work)


def _actions(environment: Any, architecture: Any, genome: Any, seed: int, limit: int) -> list[int]:
    import evonet

    network = evonet.NeuralNetwork.from_genome(architecture, genome)
    observation, _ = environment.reset(seed=seed)
    actions: list[int] = []
    while len(actions) < limit:
        actions.append(int(network.predict(observation).argmax()))
        observation, _, terminated, truncated, _ = environment.step(actions[-1])
        if terminated or truncated:
            break
    return actions


if __name__ == "__main__":
    name, way = sys.argv[1:]
    serve(lambda: prepare_replay(name) if way == "replay" else prepare_random(name, checked=way == "defaults"))
