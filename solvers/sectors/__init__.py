"""Block-sparse trains in one symmetry sector: trains, operators, environments, residuals and error estimates."""
