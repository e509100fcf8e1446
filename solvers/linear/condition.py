"""The condition of an operator as far as a solve has seen it, and what error of x that means.

Any vectors v and w give a lower bound, (||A v|| / ||v||) / (||A w|| / ||w||) <= cond(A):

    1. w = x, which is A^{-1} b.
    2. Of a Hermitian definite A the Rayleigh quotients that the sweeps have met anyway (solvers.sweeping.
       preconditioner), and those of two product vectors, the mode of each chosen for the least or the largest quotient
       beside the modes already chosen and the partial traces over those to come: exact for a sum over modes.
    3. Of any other A: v from a few power steps v <- A^H A v, of small rank, and w from two loose sweeps of small rank
       for A w = x: inverse iteration.
Golub and Van Loan, Matrix Computations, 4th ed., sections 2.6.2 and 3.5.4. The relative error of x is at most
cond(A) ||b - A x|| / ||A x||; with the bound in place of cond(A) an estimate of that.
"""

from __future__ import annotations

import math

import numpy as np

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.sweeps import Sweeping
from solvers.linear.system import System
from solvers.methods import AMEn

STEPS = 2  # powers
RANK = 3  # of their vectors, and of the right-hand side of the inverse step
ROUGH = 1e-2
LOOSE = 0.1  # relative residual of the inverse step
METHOD = AMEn(sweeps=2, enrichment=2, max_rank=6)  # a fifth of the time of a solve to 1e-6, measured
LARGEST_MODE = 256  # beyond, its eigenvectors cost more than they tell


def condition_seen(system: System, x: TensorTrain, residual: float, ends: tuple[float, float] | None) -> float | None:
    """A lower bound of the condition number of A, from x with ||b - A x|| = ``residual``, ||b|| = 1.

    ``ends``: the least and the largest Rayleigh quotient seen, of a Hermitian definite A. None where x is zero, or
    where a norm on the way leaves the range of double precision.
    """
    own = x.norm()
    if not own > 0.0:
        return None
    shrinks = (1.0 + residual) / own  # ||A x|| / ||x|| at most
    rng = np.random.default_rng(0)
    try:
        if ends is not None:
            low, high = product_ends(system)
            least, most = min(ends[0], shrinks), ends[1]
            if 0.0 < low <= high < math.inf:
                least, most = min(least, low), max(most, high)
            return most / least
        least = min(shrinks, _inverse_step(system, x, shrinks, rng))
        return largest_stretch(system, rng) / least if least > 0.0 else np.inf
    except ValueError:
        return None


def product_ends(system: System) -> tuple[float, float]:
    """The Rayleigh quotients of two products of unit vectors, one small and one large. Cost O(n^2 R^2 + n^3) a mode."""
    behind = [np.ones(1)]
    for core in reversed(system.cores):
        behind.append(core.trace @ behind[-1] / core.dims[1])
    behind.reverse()
    found = []
    for end in (0, -1):
        left = np.ones(1)
        basis: dict[int, np.ndarray] = {}
        for core, right in zip(system.cores, behind[1:]):
            n = core.dims[1]
            blocks = np.tensordot(left, core.dense, axes=(0, 0))  # i j beta
            if n > LARGEST_MODE:
                k = int(np.argmin((np.einsum("iib->ib", blocks) @ right).real * (1 if end == 0 else -1)))
                left = blocks[k, k]
                continue
            matrix = blocks @ right
            v = basis.get(id(core))
            if v is None or not _diagonal(rotated := v.conj().T @ matrix @ v):
                v = basis[id(core)] = np.linalg.eigh(0.5 * (matrix + matrix.conj().T))[1]
                rotated = v.conj().T @ matrix @ v
            levels = rotated.diagonal().real
            u = v[:, int(np.argmin(levels) if end == 0 else np.argmax(levels))]
            left = np.tensordot(u.conj(), np.tensordot(blocks, u, axes=(1, 0)), axes=(0, 0))
        found.append(float(left[0].real))
    return found[0], found[1]


def _diagonal(matrix: np.ndarray) -> bool:
    size = np.abs(matrix)
    return bool((size.sum() - size.trace()) <= 1e-8 * size.trace())


def largest_stretch(system: System, rng: np.random.Generator) -> float:
    """A lower bound of the 2-norm of A, close after a few power steps."""
    a = system.operator
    adjoint = a.adjoint()
    v = random_train(system.b.shape, 1, rng, system.dtype)
    best = 0.0
    for _ in range(STEPS):
        size = v.norm()
        if not size > 0.0:
            break
        v = (a @ (v * (1.0 / size))).round(ROUGH, RANK)
        stretch = v.norm()
        if not stretch > 0.0:
            break
        best = max(best, stretch)
        v = (adjoint @ (v * (1.0 / stretch))).round(ROUGH, RANK)
    return best


def _inverse_step(system: System, x: TensorTrain, shrinks: float, rng: np.random.Generator) -> float:
    """||A w|| / ||w|| of an inverse step from x; inf where it leads nowhere."""
    side = x.round(ROUGH, RANK)
    side = side * (1.0 / side.norm())
    inverse = System(system.operator, side, system.dtype, system.definite, system.cores, system.mirror)
    sweeping = Sweeping.of(inverse, inverse, METHOD, side * (1.0 / shrinks), LOOSE, rng)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in sweeping.run():
            pass
    w = sweeping.iteration.train()
    size = w.norm()
    return system.image_norm(w, rng) / size if math.isfinite(size) and size > 0.0 else math.inf
