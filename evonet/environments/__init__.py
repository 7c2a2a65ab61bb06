"""Environments as evonet sees them: how one is made, and how its spaces meet a network."""
