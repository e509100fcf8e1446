"""Hamiltonians spelled out term by term."""
