"""A finished run read back: what evolution found, how good it is, and where it came from."""
