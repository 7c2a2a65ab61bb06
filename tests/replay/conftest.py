"""The small finished runs of the tests of inspection."""

from tests.inspection.conftest import own_run, small_run

__all__ = ["own_run", "small_run"]
