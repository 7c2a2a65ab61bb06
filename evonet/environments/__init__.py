"""Environments: how one is made, how its spaces meet a network, kernels, and environments of our own."""

from evonet.environments.registration import register

register()
