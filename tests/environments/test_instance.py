"""An instance: when its environment is made and closed, and what it says of an environment that breaks the rules."""

import contextlib
import functools
import sys
from decimal import Decimal
from fractions import Fraction

import gymnasium as gym
import numpy as np
import pytest

from evonet import EpisodeReturn
from evonet.cli import main
from evonet.environments.instance import Instance, MalformedResult, make_environment
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import (
    CannotRender,
    EnvironmentUnavailable,
    EvonetWarning,
    UnsuitableEnvironment,
)
from evonet.foreign import without_place
from evonet.seeding import Purpose, episode_seeds
from tests.environments_for_tests import MODULE, Walk

SEEDS = np.arange(3)


class Answering(Walk):
    """Returns from `reset` and `step` what it is told to."""

    def __init__(self, begins=None, steps=None, reward=1.0, terminated=False, truncated=False):
        super().__init__()
        self.begins, self.steps = begins, steps
        self.values = (reward, terminated, truncated)

    def reset(self, *, seed=None, options=None):
        first = super().reset(seed=seed)
        return first if self.begins is None else self.begins(first)

    def step(self, action):
        observation, _, _, _, info = super().step(action)
        whole = (observation, *self.values, info)
        return whole if self.steps is None else self.steps(whole)


def stepped(**answers):
    instance = Instance(functools.partial(Answering, **answers))
    instance.reset(1)
    return instance.step(1)


class Secretive:
    """A thing that cannot be shown."""

    def __repr__(self):
        raise RuntimeError("not for you")


@pytest.mark.parametrize(
    ("reward", "shown"),
    [
        (np.array([0.5]), "array([0.5]) of shape (1,)"),
        (np.array([1.0, 2.0]), "array([1., 2.]) of shape (2,)"),
        (np.array([[3]]), "array([[3]]) of shape (1, 1)"),
        ([0.5], "[0.5]"),
        ((1.0, 2.0), "(1.0, 2.0)"),
        (None, "None"),
        ("1.5", "'1.5'"),
        (b"1", "b'1'"),
        (1j, "1j"),
        ({"reward": 1.0}, "{'reward': 1.0}"),
        (np.array("2"), "array('2', dtype='<U1')"),
        (np.complex128(1j), "np.complex128(1j)"),
        (object(), "<object object>"),
        (Secretive(), "a Secretive"),
        (10**400, None),
    ],
)
def test_a_reward_that_is_no_number_is_shown_with_its_shape(reward, shown):
    with pytest.raises(MalformedResult, match=r"^the reward must be a number, got ") as refused:
        stepped(reward=reward)
    assert shown is None or str(refused.value) == f"the reward must be a number, got {shown}"


@pytest.mark.parametrize(
    "reward",
    [1, 1.0, True, np.float32(1), np.float64(1), np.int8(1), np.bool_(True), np.array(1.0), Decimal(1), Fraction(1)],
)
def test_a_reward_may_be_a_number_of_any_type(reward):
    _, number, terminated, truncated, _ = stepped(reward=reward)
    assert (type(number), number) == (float, 1.0)
    assert (terminated, truncated) == (False, False)


@pytest.mark.parametrize(("ended", "is_true"), [(np.bool_(True), True), (1, True), (np.array([False]), False)])
def test_the_end_of_an_episode_is_true_or_false(ended, is_true):
    assert stepped(terminated=ended)[2] is is_true
    assert stepped(truncated=ended)[3] is is_true


def test_an_end_that_is_a_text_is_refused_because_any_text_would_be_true():
    with pytest.raises(MalformedResult) as refused:
        stepped(terminated="False")
    assert str(refused.value) == "terminated must be True or False, got 'False'"


def test_several_ends_at_once_are_refused_by_name():
    with pytest.raises(MalformedResult) as refused:
        stepped(truncated=np.array([True, False]))
    assert str(refused.value) == "truncated must be True or False, got array([ True, False])"


STEP = "step must return (observation, reward, terminated, truncated, info), got"


@pytest.mark.parametrize(
    ("steps", "got"),
    [
        (lambda five: (*five[:3], {}), "a tuple of 4; old Gym had one done for terminated and truncated"),
        (lambda five: five[:3], "a tuple of 3"),
        (lambda five: (*five, 0), "a tuple of 6"),
        (lambda _: None, "NoneType"),
        (lambda five: five[0], "numpy.ndarray"),
        (lambda _: 1.0, "float"),
    ],
)
def test_a_step_that_returns_something_else_is_told_what_it_must_return(steps, got):
    with pytest.raises(MalformedResult) as refused:
        stepped(steps=steps)
    assert str(refused.value) == f"{STEP} {got}"


@pytest.mark.parametrize(
    ("begins", "got"),
    [
        (lambda two: two[0], "numpy.ndarray"),
        (lambda two: (*two, 0.0), "a tuple of 3"),
        (lambda _: None, "NoneType"),
        (lambda two: two[0][:2], "numpy.ndarray"),  # which could be unpacked
    ],
)
def test_a_reset_that_returns_the_observation_alone_is_told_what_it_must_return(begins, got):
    with pytest.raises(MalformedResult) as refused:
        Instance(lambda: Answering(begins)).reset(1)
    rule = "reset must return (observation, info), got"
    assert str(refused.value) == f"{rule} {got}; old Gym returned the observation alone"


class OldReset(Walk):
    def reset(self):
        return super().reset()


def test_a_reset_without_a_seed_is_told_its_signature_under_wrappers_too():
    for make in (OldReset, lambda: gym.Wrapper(OldReset())):
        with pytest.raises(MalformedResult, match=r"^reset must be reset\(self, \*, seed=None, options=None\)$"):
            Instance(make).reset(1)


class Half(Walk):
    """Its spaces come too late."""

    def __init__(self, missing):
        super().__init__()
        delattr(self, missing)


@pytest.mark.parametrize("missing", ["observation_space", "action_space"])
def test_an_environment_without_a_space_is_told_where_it_belongs(missing):
    for make in (lambda: Half(missing), lambda: gym.Wrapper(Half(missing))):
        with pytest.raises(UnsuitableEnvironment) as refused:
            EpisodeReturn(make)
        rule = f"its constructor must set self.{missing}"
        assert str(refused.value) == f"the environment has no {missing}; {rule}"


class Broken(Walk):
    @property
    def action_space(self):
        return self.no_such_thing

    @action_space.setter
    def action_space(self, space):
        pass


def test_a_space_that_is_no_space_or_raises_is_named():
    class OldSpace(Walk):
        def __init__(self):
            super().__init__()
            self.observation_space = None

    with pytest.raises(UnsuitableEnvironment) as refused:
        EpisodeReturn(OldSpace)
    rule = "must be a space of gymnasium.spaces"
    assert str(refused.value) == f"the environment's observation_space {rule}, got None (NoneType)"
    with pytest.raises(UnsuitableEnvironment, match=r"'s action_space cannot be read: AttributeError in tests/env"):
        EpisodeReturn(Broken)


def test_a_vector_environment_and_what_is_no_environment_are_refused():
    with pytest.raises(UnsuitableEnvironment, match=r"must be a single one, got the vector environment gymnasium\."):
        EpisodeReturn(lambda: gym.make_vec("CartPole-v1", 2, vectorization_mode="sync"))
    with pytest.raises(UnsuitableEnvironment, match=r"^the environment must be a gymnasium.Env, got None$"):
        EpisodeReturn(lambda: None)


ONE = Walk()


@pytest.mark.parametrize(
    "make", [lambda: ONE, lambda: gym.Wrapper(ONE), functools.cache(Walk), functools.cache(lambda: gym.Wrapper(Walk()))]
)
def test_an_environment_that_is_open_already_is_refused(make):
    fitness = EpisodeReturn(make, hidden=2, episodes=3)
    with pytest.raises(UnsuitableEnvironment) as refused:
        fitness(np.zeros((2, fitness.architecture.genome_size)), SEEDS)
    assert str(refused.value) == (
        "the environment must be a new one each time that it is made, got one that is open already: "
        "make it inside the function, as in lambda: gymnasium.make('CartPole-v1')"
    )
    fitness.close()


def test_a_hard_reset_needs_a_new_environment_too():
    gym.register("evonet-tests/Same-v0", lambda: ONE)
    environment = EnvironmentSpec("evonet-tests/Same-v0", hard_reset=True).make()
    with pytest.raises(UnsuitableEnvironment, match="hard_reset needs a new environment each time"):
        environment.reset(seed=1)
    del gym.registry["evonet-tests/Same-v0"]


class Counted(Walk):
    """Counts how many are open."""

    now = most = made = 0

    def __init__(self):
        super().__init__()
        Counted.now += 1
        Counted.made += 1
        Counted.most = max(Counted.most, Counted.now)

    def close(self):
        Counted.now -= 1


@pytest.fixture
def counted(monkeypatch):
    for name in ("now", "most", "made"):
        monkeypatch.setattr(Counted, name, 0)
    return Counted


def play_all(instances):
    """Training, the observation of safe mutation, validation and the test of a champion."""
    fitness = EpisodeReturn(Counted, hidden=2, episodes=3, instances=instances)
    validation = EpisodeReturn(Counted, hidden=2, episodes=5, instances=instances)
    genomes = np.random.default_rng(0).normal(size=(4, fitness.architecture.genome_size))
    results = []
    for _ in range(2):
        results += [fitness(genomes, SEEDS), validation(genomes, episode_seeds(0, Purpose.TEST, 0, 5))]
        observations, _ = fitness.observe(genomes[0], 1)
        results.append(fitness(genomes[::-1], SEEDS))
    bits = [result.returns.tobytes() for result in results] + [observations.tobytes()]
    fitness.close()
    validation.close()
    return bits


def test_no_more_environments_are_open_than_instances_allow_and_results_are_the_same(counted):
    wanted = play_all(None)
    assert counted.most > 16  # two fitnesses and an observer side by side
    assert counted.now == 0
    for instances in (1, 2, 3, 7):
        counted.most = 0
        assert play_all(instances) == wanted
        assert counted.most == instances
        assert counted.now == 0


def test_an_environment_is_made_when_it_is_first_needed_and_kept(counted):
    fitness = EpisodeReturn(Counted, hidden=2, episodes=3)
    assert (counted.made, counted.now) == (1, 0)  # for the spaces
    genomes = np.zeros((2, fitness.architecture.genome_size))
    fitness(genomes, SEEDS)
    fitness(genomes, SEEDS)
    assert (counted.made, counted.now) == (1 + 6, 6)
    fitness.close()
    assert counted.now == 0


class Alone(Counted):
    """Only one can be open in a process."""

    def __init__(self):
        if Counted.now:
            raise OSError("port 5005 is in use")
        super().__init__()


def test_where_a_second_environment_cannot_be_made_the_setting_is_named(counted):
    fitness = EpisodeReturn(Alone, hidden=2)
    genomes = np.zeros((2, fitness.architecture.genome_size))
    with pytest.raises(EnvironmentUnavailable) as refused:
        fitness(genomes, SEEDS)
    assert without_place(str(refused.value)) == (
        "the environment cannot be made: OSError: port 5005 is in use\n"
        "an environment is open in this process; if there can be only one, set evaluation.instances to 1 "
        "(in Python, EpisodeReturn.instances)"
    )
    fitness.close()
    one = EpisodeReturn(Alone, hidden=2, instances=1)
    assert one(genomes, SEEDS).faults == []
    one.close()


def test_an_environment_that_failed_is_replaced_before_the_next_episode_only(counted):
    class Failing(Counted):
        def step(self, action):
            raise RuntimeError("no luck")

    fitness = EpisodeReturn(Failing, hidden=2, episodes=3, instances=1)
    results = fitness(np.zeros((1, fitness.architecture.genome_size)), SEEDS)
    assert len(results.faults) == 3
    assert (counted.made, counted.now) == (1 + 3, 0)  # the last was closed, and no other was needed
    fitness.close()


class CannotClose(Walk):
    def close(self):
        raise self.error


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (AttributeError("no window"), "AttributeError: no window"),
        (AssertionError(), "AssertionError"),
        (SystemExit(0), "it left the program (sys.exit)"),
    ],
)
def test_what_close_raises_is_a_warning_and_costs_nothing(error, why, monkeypatch):
    monkeypatch.setattr(CannotClose, "error", error, raising=False)

    def evaluated():
        with contextlib.closing(EpisodeReturn(CannotClose, hidden=2)) as fitness:
            return fitness(np.zeros((2, fitness.architecture.genome_size)), SEEDS)

    with pytest.warns(EvonetWarning) as warned:
        results = evaluated()
    assert results.faults == []
    for warning in warned:
        said = without_place(str(warning.message))
        assert said == f"the environment cannot be closed: {why}; the results are not affected"


@pytest.mark.parametrize("error", [ValueError("no licence"), SystemExit(3), SystemExit("no licence")])
def test_whatever_a_constructor_raises_is_an_error_of_evonet(error):
    def make():
        raise error

    with pytest.raises(
        EnvironmentUnavailable, match=r"^the environment cannot be made: .* in tests/environments/test_"
    ):
        make_environment(make)


def test_the_arguments_of_the_program_are_hidden_from_a_constructor(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["evonet", "run", "--quiet"])
    seen = []

    def make():
        seen.append(list(sys.argv))
        return Walk()

    make_environment(make)
    assert seen == [[""]]
    assert sys.argv == ["evonet", "run", "--quiet"]


class Drawn(Walk):
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium has it

    def __init__(self, render_mode=None):
        super().__init__()
        self.render_mode = render_mode

    def render(self):
        raise OSError("no graphics library")


def test_an_environment_whose_renderer_fails_says_so():
    instance = Instance(Drawn, render_mode="rgb_array")
    with pytest.raises(CannotRender) as refused:
        instance.render()
    assert without_place(str(refused.value)) == "the environment cannot be rendered: OSError: no graphics library"


def test_an_environment_without_the_render_mode_says_so(counted):
    with pytest.raises(CannotRender) as refused:
        Instance(lambda _mode: Counted(), render_mode="human").open()
    why = "it has no render mode 'human'; its metadata name none"
    assert str(refused.value) == f"the environment cannot be rendered: {why}"
    assert counted.now == 0


class Pictured(Walk):
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium has it

    def __init__(self, render_mode=None):
        super().__init__()
        self.render_mode = render_mode

    def render(self):
        return np.zeros((2, 2, 3), dtype=np.uint8)


@pytest.mark.parametrize("make", [Pictured, lambda render_mode=None: Pictured(render_mode)])
def test_a_class_or_function_that_takes_a_render_mode_gets_it_when_pictures_are_wanted(make):
    task = EpisodeReturn(make).task
    with task.instance("rgb_array") as drawn, task.instance() as plain:
        drawn.reset(seed=0)
        assert drawn.render().shape == (2, 2, 3)
        assert plain.open().render_mode is None


def test_a_function_without_the_argument_chooses_its_render_mode_itself():
    with EpisodeReturn(lambda: Pictured("rgb_array")).task.instance("rgb_array") as drawn:
        drawn.reset(seed=0)
        assert drawn.render().shape == (2, 2, 3)


class Talking(Walk):
    metadata = {"render_modes": ["human", "ansi"]}  # noqa: RUF012 - as Gymnasium has it

    def __init__(self, render_mode=None):
        super().__init__()
        assert render_mode in (None, *self.metadata["render_modes"])


def test_an_environment_that_refuses_the_render_mode_is_asked_which_it_has():
    with pytest.raises(CannotRender) as refused:
        Instance(functools.partial(make_environment_of, Talking), render_mode="rgb_array").open()
    why = "it has no render mode 'rgb_array'; its metadata name 'human', 'ansi'"
    assert str(refused.value) == f"the environment cannot be rendered: {why}"


def make_environment_of(kind, render_mode=None):
    return make_environment(functools.partial(kind, render_mode))


class Unlinked(Walk):
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium has it

    def __init__(self, render_mode=None):
        super().__init__()
        if render_mode is not None:
            raise OSError("no graphics library")


def test_an_environment_that_has_the_render_mode_and_cannot_be_made_with_it_keeps_its_error():
    with pytest.raises(EnvironmentUnavailable, match="no graphics library"):
        Instance(functools.partial(make_environment_of, Unlinked), render_mode="rgb_array").open()


def test_metadata_that_cannot_be_read_are_none():
    class Secret(Walk):
        @property
        def metadata(self):
            raise RuntimeError("not yet")

    assert Instance(Secret).metadata == {}


def test_an_environment_that_draws_nothing_says_what_it_lacks():
    specification = EnvironmentSpec(f"{MODULE}:evonet-tests/Walk-v0")
    with pytest.raises(CannotRender) as refused:
        Instance(specification.make, render_mode="rgb_array").open()
    lacks = "its metadata name none, and it has no method render that returns a picture"
    assert str(refused.value) == f"the environment cannot be rendered: it has no render mode 'rgb_array'; {lacks}"


@pytest.mark.parametrize("modes", [(), ("rgb_array",)])
def test_a_game_that_takes_no_render_mode_draws_by_its_own_method_render(modes, monkeypatch):
    monkeypatch.setattr(Sketched, "metadata", {"render_modes": modes})
    drawn = Instance(EnvironmentSpec(f"{__name__}:Sketched").restricted([__name__]).make, render_mode="rgb_array")
    drawn.reset(seed=0)
    assert drawn.render().shape == (2, 2, 3)


class Sketched(Walk):
    def render(self):
        return np.zeros((2, 2, 3), dtype=np.uint8)


def test_the_environment_that_waits_longest_is_closed_not_one_that_plays(counted):
    playing, waiting, new = (Instance(Counted, max_open=2) for _ in range(3))
    playing.reset(1)
    waiting.reset(1)
    playing.reset(2)
    new.reset(1)
    observation, *_ = playing.step(1)
    assert observation.shape == (3,)
    assert (counted.made, counted.now) == (3, 2)
    waiting.reset(2)
    assert (counted.made, counted.now) == (4, 2)
    for instance in (playing, waiting, new):
        instance.close()


def test_environments_may_be_opened_at_the_same_time_by_another_thread():
    class Interrupted(Walk):
        @property
        def unwrapped(self):  # which is read while the open environments are looked through
            if meanwhile:
                meanwhile.pop()().open()
            return self

    meanwhile, more = [], Instance(Walk)
    first, second = Instance(Interrupted), Instance(Walk)
    with first, second, more:
        first.open()
        meanwhile.append(lambda: more)
        second.open()
        assert not meanwhile


WINDOW = (
    "render_mode must not be 'human', which shows every episode of training in a window, at the speed of the screen\n"
)


@pytest.mark.parametrize(
    "made",
    [
        lambda: EpisodeReturn("CartPole-v1", kwargs={"render_mode": "human"}),
        lambda: EpisodeReturn(lambda: gym.make("CartPole-v1", render_mode="human")),
    ],
    ids=["arguments", "function"],
)
def test_an_environment_that_opens_windows_is_refused_with_the_ways_to_see_it(made):
    with pytest.raises(UnsuitableEnvironment) as refused:
        made()
    assert str(refused.value).startswith(WINDOW)
    for way in ("evonet run CONFIG --watch", "--window", "evonet replay RUN", "champion.play()"):
        assert way in str(refused.value)


def test_a_window_is_refused_in_a_config_with_its_line(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("environment:\n  id: CartPole-v1\n  kwargs: {render_mode: human}\n")
    for command in ("check", "run"):
        assert main([command, str(tmp_path / "c.yaml")]) == 2
        assert f"c.yaml:3:12: environment.kwargs.render_mode: {WINDOW}" in capsys.readouterr().err
