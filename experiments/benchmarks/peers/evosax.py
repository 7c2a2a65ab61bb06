"""evosax and gymnax: JAX, compiled for the CPU.

usage: python -m peers.evosax throughput N scan|while|pmap|problem | generation ROWS GENES | champion SEED lean|problem

"problem" is evosax's own problem class; the others are lean loops over gymnax's CartPole, about as fast as it goes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from contestant import Measure, serve, timed
from controllers import STEPS, blocks, controllers
from trial import Policy, Trial

GIVE_UP = 500  # generations


def rollout(variant: str) -> Callable[[Any, Any], Any]:
    """A function of (weights, key): the return of one episode, to be mapped over a population."""
    import gymnax
    import jax
    import jax.numpy as jnp

    environment, settings = gymnax.make("CartPole-v1")

    def act(weights: Any, observation: Any) -> Any:
        incoming, bias, outgoing, tilt = weights
        return jnp.argmax(jnp.tanh(observation @ incoming + bias) @ outgoing + tilt)

    def scanned(weights: Any, key: Any) -> Any:
        observation, state = environment.reset_env(key, settings)

        def step(carry: Any, _: Any) -> Any:
            observation, state, total, standing = carry
            observation, state, _, done, _ = environment.step_env(key, state, act(weights, observation), settings)
            return (observation, state, total + standing, standing * (1.0 - done)), None

        start = (observation, state, jnp.float32(0), jnp.float32(1))
        return jax.lax.scan(step, start, None, length=STEPS)[0][2]

    def until_done(weights: Any, key: Any) -> Any:
        observation, state = environment.reset_env(key, settings)

        def step(carry: Any) -> Any:
            observation, state, total, _ = carry
            observation, state, _, done, _ = environment.step_env(key, state, act(weights, observation), settings)
            return observation, state, total + 1, done

        start = (observation, state, jnp.float32(0), jnp.bool_(False))
        return jax.lax.while_loop(lambda carry: (carry[2] < STEPS) & ~carry[3], step, start)[2]

    return until_done if variant == "while" else scanned


def prepare_throughput(n: int, variant: str) -> Measure:
    cores = len(os.sched_getaffinity(0))
    if variant == "pmap":
        os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={cores}"
    import jax
    import jax.numpy as jnp

    weights = tuple(jnp.asarray(block) for block in blocks(controllers(n).astype(np.float32)))
    keys = jax.random.split(jax.random.key(0), n)
    if variant == "problem":
        evaluate = _problem_class_evaluation(weights)
    elif variant == "pmap":
        run = jax.pmap(jax.vmap(rollout("scan")))
        shards = tuple(block.reshape(cores, n // cores, *block.shape[1:]) for block in weights)
        shard_keys = keys.reshape(cores, n // cores)
        evaluate = lambda: run(shards, shard_keys)  # noqa: E731
    else:
        run = jax.jit(jax.vmap(rollout(variant)))
        evaluate = lambda: run(weights, keys)  # noqa: E731
    assert (np.asarray(evaluate()) == STEPS).all()

    def work() -> int:
        evaluate().block_until_ready()
        return STEPS * n

    return lambda: timed(work)


def _problem_class_evaluation(weights: Any) -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp
    from evosax.problems import GymnaxProblem
    from evosax.problems.networks import MLP

    network = MLP(layer_sizes=(16, 2), activation=jnp.tanh, output_fn=lambda x, key: jnp.argmax(x, -1))
    problem = GymnaxProblem("CartPole-v1", network, use_normalize_obs=False)
    state = problem.init(jax.random.key(0))
    incoming, bias, outgoing, tilt = weights
    layers = {"Dense_0": {"kernel": incoming, "bias": bias}, "Dense_1": {"kernel": outgoing, "bias": tilt}}
    return lambda: problem.eval(jax.random.key(0), {"params": layers}, state)[0]


def prepare_generation(rows: int, genes: int) -> Measure:
    """Its simple genetic algorithm in float32: truncation, uniform crossover, a normal step on each gene."""
    import jax
    import jax.numpy as jnp
    import optax
    from evosax.algorithms import SimpleGA

    algorithm = SimpleGA(rows, jnp.zeros(genes), std_schedule=optax.constant_schedule(0.1))
    settings = algorithm.default_params.replace(crossover_rate=0.5)
    key = jax.random.key(0)
    population = jax.random.normal(key, (rows, genes))
    fitness = jax.random.uniform(key, (rows,))
    state = algorithm.init(key, population, fitness, settings)

    @jax.jit
    def generation(state: Any, key: Any) -> Any:
        key, ask, tell = jax.random.split(key, 3)
        population, state = algorithm.ask(ask, state, settings)
        state, _ = algorithm.tell(tell, population, fitness, state, settings)
        return state, key

    def work() -> int:
        nonlocal state, key
        state, key = jax.block_until_ready(generation(state, key))
        return 1

    work()
    return lambda: timed(work)


def champion(seed: int, variant: str) -> None:
    import jax
    import jax.numpy as jnp

    key, first = jax.random.split(jax.random.key(seed))
    layers = {"a": (4, 16), "b": (16,), "c": (16, 2), "d": (2,)}
    solution = {name: jnp.zeros(shape) for name, shape in layers.items()}
    trial = Trial()
    if variant == "lean":
        generation, carry = _lean_generation(solution, first)
    else:
        generation, carry = _problem_class_generation(first)
    for _ in range(GIVE_UP):
        key, now = jax.random.split(key)
        carry, best, weights = generation(carry, now)
        if trial.passed(float(best), [weights], _policy):
            break
    trial.finish(_policy)


def _lean_generation(solution: Any, key: Any) -> tuple[Callable[[Any, Any], Any], Any]:
    """Its simple genetic algorithm around the lean loop, the whole generation compiled."""
    import jax
    import jax.numpy as jnp
    from evosax.algorithms import SimpleGA

    n = 128
    play = jax.vmap(rollout("while"))
    algorithm = SimpleGA(n, solution)
    settings = algorithm.default_params
    leaves, structure = jax.tree.flatten(solution)
    keys = jax.random.split(key, len(leaves))
    drawn = [jax.random.normal(k, (n, *leaf.shape)) for k, leaf in zip(keys, leaves, strict=True)]
    start = jax.tree.unflatten(structure, drawn)

    def evaluate(population: Any, key: Any) -> Any:
        return play(tuple(population[name] for name in "abcd"), jax.random.split(key, n))

    state = algorithm.init(key, start, -jax.jit(evaluate)(start, key), settings)

    @jax.jit
    def generation(state: Any, key: Any) -> Any:
        ask, run, tell = jax.random.split(key, 3)
        population, state = algorithm.ask(ask, state, settings)
        returns = evaluate(population, run)
        state, _ = algorithm.tell(tell, population, -returns, state, settings)
        best = jnp.argmax(returns)
        return state, returns[best], (tuple(population[name][best] for name in "abcd"), 0.0, 1.0)

    return generation, state


def _problem_class_generation(key: Any) -> tuple[Callable[[Any, Any], Any], Any]:
    """SNES, Adam and normalised observations on its problem class, as its reinforcement learning tutorial has it."""
    import jax
    import jax.numpy as jnp
    import optax
    from evosax.algorithms import SNES
    from evosax.problems import GymnaxProblem
    from evosax.problems.networks import MLP

    network = MLP(layer_sizes=(16, 2), activation=jnp.tanh, output_fn=lambda x, key: jnp.argmax(x, -1))
    problem = GymnaxProblem("CartPole-v1", network)
    solution = problem.sample(key)
    algorithm = SNES(128, solution, optimizer=optax.adam(0.01))
    settings = algorithm.default_params
    carry = algorithm.init(key, solution, settings), problem.init(key)

    @jax.jit
    def generation(carry: Any, key: Any) -> Any:
        state, problem_state = carry
        ask, run, tell = jax.random.split(key, 3)
        population, state = algorithm.ask(ask, state, settings)
        returns, next_problem_state, _ = problem.eval(run, population, problem_state)
        state, _ = algorithm.tell(tell, population, -returns, state, settings)
        best = jnp.argmax(returns)
        dense = jax.tree.map(lambda x: x[best], population)["params"]
        first, second = dense["Dense_0"], dense["Dense_1"]
        weights = first["kernel"], first["bias"], second["kernel"], second["bias"]
        chosen = weights, problem_state.obs_mean, problem_state.obs_std
        return (state, next_problem_state), returns[best], chosen

    return generation, carry


def _policy(candidate: Any) -> Policy:
    weights, mean, deviation = candidate
    incoming, bias, outgoing, tilt = (np.asarray(block) for block in weights)
    mean, deviation = np.asarray(mean), np.asarray(deviation)
    return lambda x: (np.tanh((x - mean) / deviation @ incoming + bias) @ outgoing + tilt).argmax(axis=-1)


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    command, *arguments = sys.argv[1:]
    if command == "throughput":
        serve(lambda: prepare_throughput(int(arguments[0]), arguments[1]))
    elif command == "generation":
        serve(lambda: prepare_generation(int(arguments[0]), int(arguments[1])))
    else:
        champion(int(arguments[0]), arguments[1])
