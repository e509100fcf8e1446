"""Eigenvalue methods on tensor trains."""

from solvers.eigen.eigsolve import EigenStates, eigsolve

__all__ = ["EigenStates", "eigsolve"]
