"""Evaluation: genomes × episode seeds → returns, a pure function of its arguments.

An engine runs episodes; an executor runs engines, in this process or in workers elsewhere. Neither order nor chunks nor
workers can change a bit of the result.
"""
