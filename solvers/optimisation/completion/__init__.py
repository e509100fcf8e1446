"""A train of adaptive ranks from some of its entries."""
