"""Chains of 20 spins against free fermions, and what the bounds say about it.

XX chain: S+ S- hops with amplitude Jxy/2, so the correlations of a product state move like one particle. Ising chain in
a field: with the Majoranas a = (prod X) Z and (prod X) Y, H is i/4 sum A a a, a(t) = exp(A t) a, and Z_k Z_(k+1) is a
bilinear of them; the start is taken as the even superposition of all up and all down, which such observables cannot
tell from all up before signals from both ends meet. Lieb, Schultz, Mattis, Ann. Phys. 16, 407 (1961).
"""

import numpy as np
from dynamics_cases import Z, ising, product, xxz
from scipy.linalg import expm

from solvers.dynamics.evolve import evolve
from solvers.methods import TDVP

L = 20


def local(x, matrices):
    """<matrix> at each site, for normalised x."""
    x = x.orthogonalise(0)
    center, values = x.cores[0], []
    for k in range(x.d):
        values.append(np.einsum("anb,nm,amb->", center.conj(), matrices, center).real)
        if k + 1 < x.d:
            r = np.linalg.qr(center.reshape(-1, center.shape[2]))[1]
            center = np.tensordot(r, x.cores[k + 1], axes=(1, 0))
    return np.array(values)


def neighbours(x, matrix):
    """<matrix_k matrix_(k+1)>, for normalised x."""
    x = x.orthogonalise(0)
    center, values = x.cores[0], []
    for k in range(x.d - 1):
        pair = np.tensordot(center, x.cores[k + 1], axes=(2, 0))
        values.append(np.einsum("anmb,nn,mm,anmb->", pair.conj(), matrix, matrix, pair).real)
        r = np.linalg.qr(center.reshape(-1, center.shape[2]))[1]
        center = np.tensordot(r, x.cores[k + 1], axes=(1, 0))
    return np.array(values)


def test_xx_chain():
    up = np.arange(L) % 2 == 0
    hopping = 0.5 * (np.eye(L, k=1) + np.eye(L, k=-1))
    times = np.linspace(0.0, 3.0, 4)
    solution = evolve(
        xxz(L, 1.0, 0.0),
        product([0, 1] * (L // 2)),
        times,
        method=TDVP(time_step=0.1, max_rank=24),
        accuracy=1e-2,
        observe=lambda t, x: {"z": local(x, Z)},
        throw=False,
    )
    for t, z, bound in zip(times, solution.value.observed["z"], solution.value.errors):
        moved = expm(-1j * t * hopping)
        true = 2.0 * (np.abs(moved) ** 2 @ up) - 1.0
        assert np.abs(z - true).max() <= 2.0 * bound + bound**2 + 1e-10
    assert np.abs(z - true).max() <= 1e-3


def test_ising_chain():
    j, h = 1.0, 0.5
    a = np.zeros((2 * L, 2 * L))
    for k in range(L):
        a[2 * k, 2 * k + 1] = -2.0 * h
        if k + 1 < L:
            a[2 * k + 1, 2 * k + 2] = -2.0 * j
    a -= a.T
    gamma = np.zeros((2 * L, 2 * L))
    for k in range(L - 1):
        gamma[2 * k + 1, 2 * k + 2] = 1.0
    gamma[2 * L - 1, 0] = 1.0
    gamma -= gamma.T
    times = np.linspace(0.0, 2.0, 3)
    solution = evolve(
        ising(L, j, h),
        product([0] * L),
        times,
        method=TDVP(time_step=0.1, max_rank=16),
        accuracy=1e-2,
        observe=lambda t, x: {"zz": neighbours(x, Z)},
        throw=False,
    )
    for t, zz, bound in zip(times, solution.value.observed["zz"], solution.value.errors):
        turned = expm(a * t)
        moved = turned @ gamma @ turned.T
        true = np.array([moved[2 * k + 1, 2 * k + 2] for k in range(L - 1)])
        assert np.abs(zz - true).max() <= 2.0 * bound + bound**2 + 1e-10
    assert np.abs(zz - true).max() <= 1e-3
