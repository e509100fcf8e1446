"""Functions of many coordinates from their values at scattered points: bases of the coordinates, fits, and results."""
