"""Diffusion with random coefficients: moments, sensitivities, distributions and a surrogate."""
