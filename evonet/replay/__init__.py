"""A policy plays its environment for a person to see: in a window, in a film, below a notebook's cell."""
