"""Environments: how one is made, how its spaces fit a network, what is known about each, and those of evonet."""

from evonet.environments.registration import register

register()
