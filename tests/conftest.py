"""Hypothesis draws the same examples on every machine and leaves no folder behind."""

from hypothesis import settings

settings.register_profile("evonet", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("evonet")
