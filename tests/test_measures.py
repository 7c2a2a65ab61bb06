"""Settings of measures: what does not make sense is refused in words that say how to repair it."""

import re

import pytest

from evonet.fitness import EpisodeReturn
from evonet.measures import Condition, Measure

PLACE = "the index of {}the measure 'x' must be less than"
FAR = Condition("reward", above=1.0)
ONE_OF = "Measure.of must be one of observation, action, reward, info, length, or module:function"
KNOWN = "Known: action, info, length, observation, reward"
INDEX = "Measure.index must be a whole number of at least 0, or several different ones"
LEFT_OUT = "Measure.{} must be left out where the measure is"
ELSE = "Measure.otherwise, in a config `else`,"
OTHERWISE = f"{ELSE} must be a finite number or what is taken of all steps"
TAKES = "Known: first, last, max, mean, min, share, sum"
NEVER = (
    f"{ELSE} must be given where `when` is and take is 'mean', for an episode in which the condition never holds: "
    "a number, or what is taken of all steps, such as 'last'"
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": "observations"}, f"{ONE_OF}, got 'observations'; did you mean 'observation'? {KNOWN}"),
        ({"of": "info"}, "Measure.key must be given where info is read, got None"),
        ({"of": "action", "key": "x"}, "Measure.key must be left out where no info is read, got 'x'"),
        ({"of": "reward", "index": 0}, "Measure.index must be left out where the reward is read, which is one number"),
        ({"of": "action", "index": -1}, "Measure.index must be at least 0, got -1"),
        ({"of": "action", "index": [0, -1]}, f"{INDEX}, got [0, -1]"),
        ({"of": "action", "index": [1, 1]}, f"{INDEX}, got [1, 1]"),
        ({"of": "action", "power": 9}, "Measure.power must be at most 8, got 9"),
        ({"of": "action", "above": 2, "below": 1}, "Measure.above must be less than Measure.below, got 2 and 1"),
        ({"of": "action", "take": "share"}, "Measure.above or Measure.below must be given where take is 'share'"),
        ({"of": "length", "take": "sum"}, f"{LEFT_OUT.format('take')} the length of an episode"),
        ({"of": "a:b", "power": 2}, f"{LEFT_OUT.format('power')} a function of whole episodes"),
        (
            {"of": "action", "when": FAR, "otherwise": "latest"},
            f"{OTHERWISE}, got 'latest'; did you mean 'last'? {TAKES}",
        ),
        (
            {"of": "action", "otherwise": "last"},
            f"{ELSE} must go with `when`, or every step counts",
        ),
        ({"of": "action", "when": FAR}, NEVER),
    ],
)
def test_a_measure_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Measure(**settings)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Measure("action", index="x"), "Measure.index must be a whole number of at least 0, or several "),
        (lambda: Measure("action", index=[True]), "Measure.index must be a whole number of at least 0, or several "),
        (lambda: Measure("action", when="reward"), "Measure.when must be a Condition, got 'reward'"),
        (lambda: EpisodeReturn("CartPole-v1", measures={"x": "action"}), "x must be a Measure, got 'action'"),
    ],
)
def test_a_setting_of_another_type_is_refused(make, message):
    with pytest.raises(TypeError, match="^" + message):
        make()


def test_a_condition_needs_a_bound():
    with pytest.raises(ValueError, match=r"^Condition.above or Condition.below must be given, because a condition "):
        Condition("reward")


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        ({"x": Measure("observation", index=4)}, f"{PLACE.format('')} 4, because the observation has 4 numbers, got 4"),
        ({"x": Measure("action", index=1)}, f"{PLACE.format('')} 1, because the action has 1 number, got 1"),
        (
            {"x": Measure("reward", when=Condition("observation", index=[2, 5], above=0.0), otherwise=0)},
            f"{PLACE.format('the condition of ')} 4, because the observation has 4 numbers, got 5",
        ),
        ({"return": Measure("reward")}, "'return' must not be a measure's name: it is the name of the return"),
        ({"a\nb": Measure("reward")}, r"a measure's name must be 1 to 100 printable characters, got 'a\\nb'"),
    ],
)
def test_measures_that_do_not_fit_the_environment_are_refused(measures, message):
    with pytest.raises(ValueError, match="^" + message):
        EpisodeReturn("CartPole-v1", measures=measures)
