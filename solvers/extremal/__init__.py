"""Extremal vectors: where a matrix stretches most in norms that are not Euclidean."""
