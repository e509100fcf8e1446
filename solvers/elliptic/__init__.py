"""-div(a grad u) + c u = f on quantics grids of up to 2^60 points an axis, one to three axes."""
