"""Experiments from YAML: settings, the objects they stand for, the run and its files."""
