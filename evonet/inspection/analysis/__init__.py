"""Analyses of a champion as numbers: its episodes, policy, inputs, neurons, robustness and ancestors."""
