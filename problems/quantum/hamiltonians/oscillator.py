"""Functions of the harmonic oscillator: coherent states, values, and an absorbing potential.

A gaussian is the coherent state c_v = exp(-|alpha|^2/2) alpha^v / sqrt(v!), alpha = (centre + i momentum)/sqrt 2, cut
and not normalised again. The absorber's matrix is W = Phi diag(w_j) Phi^T in Gauss points on the smooth side of its
kink, so it is exact to rounding errors and positive semidefinite.
"""

from __future__ import annotations

import math

import numpy as np

from problems.quantum.keys import Absorber

EDGE = 2  # functions of a mode whose population tells of the cut
BEYOND, PANEL = 9.0, 1.0  # of q: beyond the turning point nothing is left; length of a panel of Gauss points


def coherent_state(n: int, centre: float, momentum: float = 0.0) -> np.ndarray:
    """Coefficients (n,) of a coherent state in harmonic functions; real where the momentum is zero."""
    alpha = (centre + 1j * momentum) / math.sqrt(2.0)
    # by recursion: alpha^v and v! overflow apart
    ratios = alpha / np.sqrt(np.arange(1, n))
    c = np.exp(-0.5 * abs(alpha) ** 2) * np.concatenate([[1.0], np.cumprod(ratios)])
    return c.real.copy() if momentum == 0.0 else c


def absorbing_matrix(n: int, absorber: Absorber) -> np.ndarray:
    """(|q| - start)_+^order in n harmonic functions (n, n), real, symmetric, positive semidefinite.

    The integrand is smooth between the kink at ``start`` and where all functions have died out, so Gauss points there
    give it to rounding errors; points spread over the kink would be 1e-6 off at order 2. By parity twice one side.
    """
    end = max(math.sqrt(2.0 * n + 1.0) + BEYOND, absorber.start)
    panels = max(1, math.ceil((end - absorber.start) / PANEL))
    # a panel holds at most sqrt(2 n) PANEL / pi waves of a product's half
    nodes, weights = np.polynomial.legendre.leggauss(20 + math.ceil(PANEL * math.sqrt(2.0 * n)))
    edges = np.linspace(absorber.start, end, panels + 1)
    half = 0.5 * np.diff(edges)[:, None]
    points = (edges[:-1, None] + half * (1.0 + nodes)).ravel()
    amounts = 2.0 * (half * weights).ravel() * (points - absorber.start) ** absorber.order
    functions = harmonic_values(n, points) * np.sqrt(amounts)
    matrix = functions @ functions.T
    matrix[np.add.outer(np.arange(n), np.arange(n)) % 2 == 1] = 0.0
    return 0.5 * (matrix + matrix.T)


def harmonic_values(n: int, q: np.ndarray) -> np.ndarray:
    """The first n harmonic functions at ``q`` (m,) -> (n, m), by their recursion; nothing underflows on the way."""
    values = np.zeros((n, len(q)))
    logarithm = -0.5 * q**2
    before, here = np.zeros(len(q)), np.full(len(q), math.pi**-0.25)
    for v in range(n):
        values[v] = here * np.exp(logarithm)
        before, here = here, math.sqrt(2.0 / (v + 1)) * q * here - math.sqrt(v / (v + 1)) * before
        size = np.maximum(np.abs(here), 1.0)
        before, here, logarithm = before / size, here / size, logarithm + np.log(size)
    return values
