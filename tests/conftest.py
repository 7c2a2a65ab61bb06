"""Hypothesis draws the same examples on every machine and leaves no folder behind; started processes load fast."""

import os

from hypothesis import settings

settings.register_profile("evonet", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("evonet")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of the hundreds that tests start would compile all of evonet
