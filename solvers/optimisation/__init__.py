"""Minimisation on manifolds: descent, the manifolds, and the completion of trains from samples."""
