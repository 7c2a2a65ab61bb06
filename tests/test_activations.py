"""Activations keep their contract."""

import numpy as np

from evonet.activations import ACTIVATIONS
from evonet.testing.contract import as_parameters
from tests import activation_contract


@as_parameters(activation_contract.CHECKS, ACTIVATIONS)
def test_an_activation_keeps_its_contract(check):
    check()


def test_a_gaussian_of_a_huge_number_is_0_and_overflows_nowhere():
    numbers = np.array([1e300, -np.inf, np.nan, 0.5, 1e-200])
    ACTIVATIONS["gaussian"].apply(numbers)
    assert numbers[[0, 1, 4]].tolist() == [0.0, 0.0, 1.0]
    assert np.isnan(numbers[2])
    assert numbers[3] == np.exp(-0.25)
