"""Quantum problems: Hamiltonians, what is computed of them, and the kinds that a configuration names."""
