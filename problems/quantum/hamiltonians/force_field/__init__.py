"""Polynomial force fields in dimensionless normal coordinates."""
