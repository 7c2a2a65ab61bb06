"""Processes: how many cores there are, and processes of one's own that make calls."""
