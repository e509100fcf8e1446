"""Vibrational levels of polynomial force fields."""
