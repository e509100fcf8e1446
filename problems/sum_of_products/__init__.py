"""A user's own Hamiltonian: a sum of products of named one-mode operators."""
