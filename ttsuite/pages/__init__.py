"""Runs as people see them: reports, comparisons, the index, cards of a notebook."""
