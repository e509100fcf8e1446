"""Learning from examples by low-rank weights: interactions of fields, score functions of patches."""
