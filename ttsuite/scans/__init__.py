"""Many runs: points of a grid, their table and pages."""
