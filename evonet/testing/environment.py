"""What an environment promises: Gymnasium's rules, and that a seed decides an episode."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np

from evonet.environments.checker import gymnasium_findings
from evonet.environments.instance import Instance, make_environment
from evonet.environments.specification import EnvironmentFactory, EnvironmentSpec
from evonet.errors import UnsuitableEnvironment
from evonet.evaluation.results import EpisodeResults
from evonet.fitness import EpisodeReturn
from evonet.testing.contract import require, run_checks, same_bits
from evonet.testing.fitness import check_is_a_pure_function

AnyEnvironment = str | EnvironmentSpec | EnvironmentFactory

_GENOMES, _EPISODES, _MAX_STEPS = 5, 3, 200


def check_environment(environment: AnyEnvironment) -> None:
    """Hold an environment to its contract, in short episodes of random networks.

    A network can serve its spaces; it keeps Gymnasium's rules; observations fit their space and rewards are finite; a
    seed decides an episode, whatever ran before; and it can be sent to worker processes.

    Args:
        environment: a registered id, a specification, or a callable that makes it.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, environment)


def check_gymnasium_rules(environment: AnyEnvironment) -> None:
    """As Gymnasium's own checker has them."""
    spec = EnvironmentSpec(environment) if isinstance(environment, str) else environment
    with Instance(partial(make_environment, spec)) as instance:
        broken, _ = gymnasium_findings(instance.open())
    require(broken is None, f"Gymnasium's checker: {broken}")


def check_a_network_can_serve_its_spaces(environment: AnyEnvironment) -> None:
    """Observations become numbers, and numbers actions."""
    try:
        _fitness(environment).close()
    except UnsuitableEnvironment as error:
        raise AssertionError(f"a network must be able to act in it: {error}") from error


def check_episodes_have_no_faults(environment: AnyEnvironment) -> None:
    """It never raises; observations fit their space; rewards and observations are finite."""
    faults = _episodes(_fitness(environment)).faults
    require(not faults, f"an episode failed: {faults[0].location}: {faults[0].message}" if faults else "")


def check_a_seed_decides_an_episode(environment: AnyEnvironment) -> None:
    """In a fresh environment, and in one that has run before."""
    fitness = _fitness(environment)
    try:
        check_is_a_pure_function(fitness)
    finally:
        fitness.close()


def check_can_be_sent_to_worker_processes(environment: AnyEnvironment) -> None:
    """It can be pickled, and what comes of that plays the same episodes."""
    try:
        sent: AnyEnvironment = pickle.loads(pickle.dumps(environment))  # noqa: S301 - what was pickled here
    except Exception as error:
        raise AssertionError(
            f"it must be possible to send it to worker processes, let a module name what makes it: {error}"
        ) from error
    here, there = _episodes(_fitness(environment)), _episodes(_fitness(sent))
    require(same_bits(here.returns, there.returns), "sent to a worker process, it must play the same episodes")


CHECKS = (
    check_a_network_can_serve_its_spaces,
    check_gymnasium_rules,
    check_episodes_have_no_faults,
    check_a_seed_decides_an_episode,
    check_can_be_sent_to_worker_processes,
)


def _fitness(environment: AnyEnvironment) -> EpisodeReturn:
    return EpisodeReturn(environment, hidden=4, episodes=_EPISODES, max_steps=_MAX_STEPS, engine="gymnasium")


def _episodes(fitness: EpisodeReturn) -> EpisodeResults:
    genomes = np.random.default_rng(0).normal(size=(_GENOMES, fitness.architecture.genome_size))
    try:
        return fitness(genomes, np.arange(_EPISODES))
    finally:
        fitness.close()
