"""Eigenvalue methods on tensor trains."""
