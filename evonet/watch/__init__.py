"""Runs watched while they go on: a page on this machine's own address, or a window, each in a process of its own.

Nothing here is part of a run. A spectator only reads the run directory, at a lower priority than the run.
"""
