"""Measures in kernels: the bits of NumPy are those of Numba, and of the environment itself."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonet.environments.known import KNOWN, KnownEnvironment
from evonet.evaluation.cartpole_vector_engine import VectorEngine, has_vector_environment
from evonet.evaluation.engines import make_engine, runs_foreign_code
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.kernels import NumbaEngine, NumpyEngine, kernel_for
from evonet.evaluation.kernels.codegen import rollout_source
from evonet.evaluation.kernels.task import KernelTask, why_no_kernel
from evonet.measures import Condition, Measure
from evonet.testing import check_kernel
from tests.evaluation.kernel_cases import TROUBLED, WALK, TroubledWalk, bits, genomes_for, register_walk, run, task_for

FALLING = Condition("observation", index=[1, 0], below=-0.02)
EVERY_KIND = {
    "last": Measure("observation", index=0, take="last"),
    "first": Measure("observation", index=1, take="first"),
    "several": Measure("observation", index=[1, 0], power=3, take="max"),
    "all": Measure("observation", take="min"),
    "effort": Measure("action", power=2),
    "reward": Measure("reward", take="min"),
    "share": Measure("observation", index=[0, 1], above=-0.05, below=0.01, take="share"),
    "length": Measure("length"),
    "first or last": Measure("observation", index=0, take="first", when=FALLING, otherwise="last"),
    "max or mean": Measure("observation", index=1, take="max", when=FALLING, otherwise="mean"),
    "mean or 7": Measure("action", when=Condition("observation", index=0, above=0.4), otherwise=7),
    "sum when": Measure("reward", take="sum", when=Condition("action", above=0.5)),
    "never": Measure("reward", take="share", above=0.0, when=Condition("action", above=50.0)),
}


def measured(task, measures):
    return dataclasses.replace(task, measures=tuple(measures.items()))


def all_bits(results):
    return bits(results), results.measures.tobytes()


@pytest.mark.parametrize(
    ("environment_id", "variant"),
    [
        ("CartPole-v1", {"max_steps": 40}),
        ("Pendulum-v1", {"normalise": True, "recurrent": True, "max_steps": 25}),
    ],
)
def test_numpy_and_numba_get_the_bits_of_the_environment_itself(environment_id, variant):
    task = measured(task_for(environment_id, hidden=3, **variant), EVERY_KIND)
    genomes = genomes_for(task, 40)
    expected = run(NumpyEngine(task, lanes=16), task, genomes)  # fewer lanes than episodes, and some end early
    for engine in (NumpyEngine(task), NumbaEngine(task, threads=2, lanes=16)):
        assert all_bits(run(engine, task, genomes)) == all_bits(expected)
    real = run(GymnasiumEngine(task), task, genomes)
    assert (real.lengths == expected.lengths).all()
    # Pendulum's reward holds a float32 power of the torque, which a library may get wrong in the last bit.
    exact = [environment_id != "Pendulum-v1" or measure.of != "reward" for measure in EVERY_KIND.values()]
    assert real.measures[:, exact].tobytes() == expected.measures[:, exact].tobytes()
    assert np.allclose(real.measures, expected.measures, rtol=1e-6)


def test_the_vector_environment_of_cartpole_has_the_bits_of_the_single_one():
    task = measured(task_for("CartPole-v1", hidden=2, max_steps=30), EVERY_KIND)
    genomes = genomes_for(task, 12)
    found, expected = run(VectorEngine(task, lanes=5), task, genomes), run(GymnasiumEngine(task), task, genomes)
    assert all_bits(found) == all_bits(expected)
    assert has_vector_environment(task)
    assert not has_vector_environment(measured(task, {"x": Measure("info", key="x")}))


def readings(**settings):
    """Settings of what is read, valid in CartPole."""
    index = st.none() | st.integers(0, 3) | st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)
    sources = {"observation": index, "action": st.none() | st.just(0), "reward": st.none()}
    bounds = st.floats(-1.5, 1.5)
    return st.sampled_from(list(sources)).flatmap(
        lambda of: st.fixed_dictionaries(
            {"of": st.just(of), "index": sources[of], "above": bounds, **settings}, optional={"below": st.just(2.0)}
        )
    )


TAKES = st.sampled_from(["first", "last", "mean", "sum", "min", "max", "share"])
MEASURES = st.builds(
    lambda reading, otherwise, when, whole: Measure(
        **{name: value for name, value in reading.items() if not whole or name not in ("above", "below")}
        | ({"take": "mean"} if whole and reading["take"] == "share" else {}),
        **({} if when is None else {"when": Condition(**when), "otherwise": otherwise}),
    ),
    readings(power=st.integers(1, 4), take=TAKES),
    TAKES | st.floats(-5, 5),
    st.none() | readings(),
    st.booleans(),
)


@settings(max_examples=40)
@given(st.lists(MEASURES, min_size=3, max_size=6), st.integers(0, 1000))
def test_any_measures_have_the_bits_of_the_environment_itself(measures, seed):
    task = measured(task_for("CartPole-v1", hidden=2, max_steps=15), {str(i): each for i, each in enumerate(measures)})
    genomes = genomes_for(task, 4, seed)
    kernel, real = run(NumpyEngine(task), task, genomes), run(GymnasiumEngine(task), task, genomes)
    assert all_bits(kernel) == all_bits(real)


@pytest.mark.parametrize(
    "kwargs",
    [{"nan_observation": 1.0, "far": 0.5}, {"nan_observation": 1.0, "far": 3.0}, {"nan_reward": 1.0}, {}],
    ids=["the end is not finite", "a step is not finite", "a reward is not finite", "no fault"],
)
def test_what_cannot_be_measured_is_the_same_fault_in_every_engine(kwargs, monkeypatch):
    register_walk(monkeypatch)
    measures = {"end": Measure("observation", take="last"), "n": Measure("length")}
    task = measured(task_for(TROUBLED, hidden=2, kwargs=kwargs), measures)
    genomes = genomes_for(task, 12)
    expected = run(GymnasiumEngine(task), task, genomes)
    assert bool(expected.faults) == bool(kwargs)
    for engine in (NumpyEngine(task), NumbaEngine(task)):
        found = run(engine, task, genomes)
        assert found.measures.tobytes() == expected.measures.tobytes()
        assert found.lengths.tolist() == expected.lengths.tolist()
        assert found.terminated.tolist() == expected.terminated.tolist()
        assert [(f.kind, f.step, f.message) for f in found.faults] == [
            (f.kind, f.step, f.message) for f in sorted(expected.faults, key=lambda fault: fault.episode)
        ]


def test_a_measure_that_is_not_finite_is_the_same_fault_in_every_engine(informed):
    vast = Measure("info", key="vast", power=8, take="sum")
    task = measured(task_for("InformedWalk-v0", hidden=2), {"n": Measure("length"), "vast": vast})
    genomes = genomes_for(task, 3)
    expected = run(GymnasiumEngine(task), task, genomes)
    assert {fault.message for fault in expected.faults} == {"the measure 'vast' is inf"}
    found = run(NumpyEngine(task), task, genomes)
    assert np.isnan(found.measures).all()
    assert np.isnan(found.returns).all()
    assert found.terminated.tolist() == expected.terminated.tolist()
    assert found.faults == sorted(expected.faults, key=lambda fault: fault.episode)


class Informed(TroubledWalk):
    """A walk whose info says how far it is from home."""

    def step(self, action):
        *rest, _ = super().step(action)
        return *rest, {"distance": abs(float(self.state[0])), "vast": 1e300, "other": 1.0}


def distance(state):
    return np.abs(state[0])


def vastness(state):
    return state[0] * 0.0 + 1e300


@pytest.fixture
def informed(monkeypatch):
    kernel = dataclasses.replace(WALK, entry_point=Informed, infos={"distance": distance, "vast": vastness})
    monkeypatch.setitem(KNOWN, "InformedWalk-v0", KnownEnvironment(kernel))
    if "InformedWalk-v0" not in gym.registry:
        gym.register("InformedWalk-v0", entry_point=Informed, max_episode_steps=20)
    return kernel


def test_a_kernel_takes_measures_of_the_infos_that_it_has(informed):
    measures = {
        "end": Measure("info", key="distance", take="last"),
        "far": Measure("reward", take="first", when=Condition("info", key="distance", above=2.0), otherwise="min"),
    }
    task = measured(task_for("InformedWalk-v0", hidden=2), measures)
    genomes = genomes_for(task, 20)
    expected = run(GymnasiumEngine(task), task, genomes)
    for engine in (NumpyEngine(task), NumbaEngine(task)):
        assert run(engine, task, genomes).measures.tobytes() == expected.measures.tobytes()


def test_a_measure_that_a_kernel_does_not_have_needs_the_environment_itself_and_says_so(informed):
    known, unknown = Measure("info", key="distance"), Measure("info", key="other")
    task = task_for("InformedWalk-v0", hidden=2)
    whole = measured(task, {"far": known, "odd": unknown})
    assert kernel_for(measured(task, {"far": known})) is not None
    for odd in (unknown, Measure("info", key="distance", index=0), Measure("json:dumps")):
        assert kernel_for(measured(task, {"odd": odd})) is None
    assert make_engine("auto", whole).name == "gymnasium"
    assert runs_foreign_code("auto", whole)
    assert why_no_kernel(measured(task, {"far": known})) == ""
    assert why_no_kernel(whole) == (
        "measures.odd rules out the kernel of InformedWalk-v0: the environment itself runs, many times as slowly"
    )
    with pytest.raises(ValueError, match=r"^Task.measures must be numbers that the kernel of InformedWalk-v0 has, but"):
        make_engine("numpy", whole)


def test_the_contract_of_kernels_compares_infos(informed):
    def read_state(environment):
        return [environment.state[0], 0.0]

    check_kernel(informed, "InformedWalk-v0", episodes=2, read_state=read_state)
    wrong = dataclasses.replace(informed, infos={"distance": lambda state: state[0]})
    with pytest.raises(AssertionError, match="the info 'distance' at step"):
        check_kernel(wrong, "InformedWalk-v0", episodes=2, read_state=read_state)


def test_machine_code_is_of_the_measures_that_it_takes():
    task = task_for("CartPole-v1", hidden=2)
    sources = [
        rollout_source(KernelTask.of(measured(task, measures)))
        for measures in (
            {},
            {"x": Measure("observation", index=0, above=0.1)},
            {"x": Measure("observation", index=0, above=0.2)},
            {"x": Measure("observation", index=1, above=0.2)},
        )
    ]
    assert len(set(sources)) == 4
