"""The genetic operators: frozen settings that can be called.

Each takes `rng` first, works on whole arrays, never writes what it is given and draws from nothing but `rng`.
"""
