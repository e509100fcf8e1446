"""Processes and clusters that independent tasks are computed on."""
