"""Shipped configurations, kept as a package so that the wheel carries them."""
