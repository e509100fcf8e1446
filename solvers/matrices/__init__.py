"""Decompositions of single matrices."""
