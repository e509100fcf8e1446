"""Gaussian charges in a box of edge BOX, and their Coulomb energies in closed form."""

from itertools import product

import numpy as np
from scipy.special import erf

from solvers.formats.tucker.tensor import combine, rank_one

BOX = 16.0

CASES = {
    "ion": [(2.0, (0.0, 0.0, 0.0), 0.9)],
    "ion off centre": [(2.0, (1.1, -0.7, 2.0), 0.9)],
    "dipole": [(1.0, (2.0, 0.0, 0.0), 1.1), (-1.0, (-2.0, 0.3, 0.0), 0.8)],
    "cube": [(0.5, p, 1.3) for p in product((-2.0, 2.0), repeat=3)],
    "octupole": [(np.prod(np.sign(p)), p, 1.3) for p in product((-1.5, 1.5), repeat=3)],
    "far out": [(1.0, (4.6, 0.0, 0.0), 1.0), (1.0, (-4.6, 1.0, 0.0), 1.0), (-1.5, (0.0, 0.0, 4.6), 1.0)],
}


def charge_of(grid, charged):
    """Gaussians (charge, place, exponent) as a Tucker tensor."""
    terms = [(q * (a / np.pi) ** 1.5, rank_one([np.exp(-a * (grid.x - c) ** 2) for c in p])) for q, p, a in charged]
    return combine(terms, tol=1e-14)


def exact_energy(charged):
    total = 0.0
    for (q, p, a), (z, s, b) in product(charged, charged):
        r, joint = np.linalg.norm(np.subtract(p, s)), np.sqrt(a * b / (a + b))
        total += 0.5 * q * z * (erf(joint * r) / r if r > 0.0 else 2.0 * joint / np.sqrt(np.pi))
    return total
