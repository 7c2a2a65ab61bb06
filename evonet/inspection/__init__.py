"""Run directories read back: summaries, reports, replays, and comparisons of runs and studies."""
