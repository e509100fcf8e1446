"""Lattice operators that conserve charges, and their levels sector by sector from the dense matrix."""

import numpy as np

from solvers.formats.trains.sum_of_products import sum_of_products

UP = np.array([[0.0, 1.0], [0.0, 0.0]])
SPIN = np.array([np.eye(2), np.diag([0.5, -0.5]), UP, UP.T])


def spin_chain(sites, jz=1.0, fields=()):
    """Heisenberg (XXZ) chain of spins 1/2 with open ends."""
    terms = []
    for k in range(sites - 1):
        terms += [(0.5, {k: 2, k + 1: 3}), (0.5, {k: 3, k + 1: 2})]
        terms += [(jz, {k: 1, k + 1: 1})] if jz else []
    return sum_of_products([SPIN] * sites, terms + [(h, {k: 1}) for k, h in enumerate(fields)])


def twisted_chain(sites, fields):
    """The chain by products of S_x, S_y, S_z, none of which but the last conserves S_z, with S_x S_y - S_y S_x."""
    x, y = 0.5 * (UP + UP.T).astype(complex), -0.5j * (UP - UP.T)
    terms = [(h, {k: 3}) for k, h in enumerate(fields)]
    for k in range(sites - 1):
        terms += [(1.0, {k: a, k + 1: a}) for a in (1, 2, 3)] + [(0.4, {k: 1, k + 1: 2}), (-0.4, {k: 2, k + 1: 1})]
    return sum_of_products([np.array([np.eye(2), x, y, np.diag([0.5, -0.5])])] * sites, terms)


def bosons(sites, functions, u):
    """Bose-Hubbard chain, hopping one."""
    b, n = np.diag(np.sqrt(np.arange(1.0, functions)), 1), np.diag(np.arange(float(functions)))
    terms = [(0.5 * u, {k: 3}) for k in range(sites)]
    for k in range(sites - 1):
        terms += [(-1.0, {k: 1, k + 1: 2}), (-1.0, {k: 2, k + 1: 1})]
    return sum_of_products([np.array([np.eye(functions), b, b.T, n @ (n - np.eye(functions))])] * sites, terms)


def clock(sites, f):
    """Z_3 clock chain, where the charge is diagonal."""
    shift = np.roll(np.eye(3), 1, axis=0)
    terms = [(-f, {k: 3}) for k in range(sites)]
    for k in range(sites - 1):
        terms += [(-1.0, {k: 1, k + 1: 2}), (-1.0, {k: 2, k + 1: 1})]
    return sum_of_products([np.array([np.eye(3), shift, shift.T, np.diag([2.0, -1.0, -1.0])])] * sites, terms)


def members(charges, shape, value, modulus=None):
    """The product functions (numbers) of that charge."""
    total = np.zeros(1)
    for _ in shape:
        total = np.add.outer(total, np.array(list(charges), float)).ravel()
    away = total - value
    return np.flatnonzero(np.abs(away if modulus is None else away % modulus) < 1e-9)


def levels(operator, own):
    """All levels of these product functions."""
    return np.linalg.eigvalsh(operator.full()[np.ix_(own, own)])


def free_fermions(sites, up, n):
    """The ``n`` lowest levels of the chain with J_z = 0 and ``up`` spins up: sums of cosines."""
    e = np.sort(np.cos(np.arange(1, sites + 1) * np.pi / (sites + 1)))
    low = {0: [0.0]}
    for x in e:  # lowest sums of each number of particles
        low = {q: sorted(low.get(q, []) + [y + x for y in low.get(q - 1, [])])[: 4 * n] for q in range(len(low) + 1)}
    return np.array(low[up][:n])
