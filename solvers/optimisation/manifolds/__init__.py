"""Manifolds to minimise on."""
