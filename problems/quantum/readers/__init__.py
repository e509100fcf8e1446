"""Readers of force fields: one file a format."""
