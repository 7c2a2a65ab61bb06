"""Analyses of a champion in numbers: its episodes, policy, inputs, neurons, robustness and ancestors."""
