"""Hamiltonians as sums of products of one-mode operators."""
