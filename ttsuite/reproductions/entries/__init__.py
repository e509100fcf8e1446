"""Library computations that an item of a collection may name: tables that no configuration computes."""
