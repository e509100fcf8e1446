"""The hierarchical Tucker format on any dimension tree."""

from solvers.formats.hierarchical.tensor import HierarchicalTensor

__all__ = ["HierarchicalTensor"]
