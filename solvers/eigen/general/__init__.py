"""Eigenproblems of operators that are not Hermitian, and stationary states of generators."""
