"""Eigenvalue methods on tensor trains."""

from solvers.eigen.eigsolve import eigsolve
from solvers.eigen.states import EigenStates

__all__ = ["EigenStates", "eigsolve"]
