"""Minimisation on manifolds: descent, the manifolds, and the completion of trains from samples."""

from solvers.optimisation.completion.dimension import parameters

__all__ = ["parameters"]
