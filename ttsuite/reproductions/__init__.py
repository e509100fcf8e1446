"""Reproductions: collections of runs whose numbers stand beside published ones, in one table."""
