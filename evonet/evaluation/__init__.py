"""Evaluation: genomes × episode seeds → returns, a pure function of its arguments.

An engine runs episodes; a carrier brings chunks of them to where an engine is. Neither order nor chunks nor workers can
change a bit of the result.
"""
