"""Environments: how one is made, how its spaces fit a network, what is known of each, and environments of our own."""

from evonet.environments.registration import register

register()
