"""Sweeps over dense trains: the local operator, its preconditioner and solves, and a train with its environments."""
