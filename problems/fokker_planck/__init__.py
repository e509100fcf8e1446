"""Fokker-Planck equations with linear drift: densities in time, their moments and marginals."""
