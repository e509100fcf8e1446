"""The condition of an operator as far as a solve has seen it, and what error of x that means.

Any vectors v and w give a lower bound, (||A v|| / ||v||) / (||A w|| / ||w||) <= cond(A):

    1. v from a few power steps v <- A^H A v, of small rank.
    2. w = x, which is A^{-1} b, and w from two loose sweeps of small rank for A w = x: inverse iteration.
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


def condition_seen(system: System, x: TensorTrain) -> float | None:
    """A lower bound of the condition number of A, seldom far below it.

    None where x is zero, or where a norm on the way leaves the range of double precision.
    """
    rng = np.random.default_rng(0)
    try:
        least = min(_shrinking(system, x, rng))
        return largest_stretch(system, rng) / least if least > 0.0 else np.inf
    except ValueError:
        return None


def _shrinking(system: System, x: TensorTrain, rng: np.random.Generator) -> list[float]:
    """||A w|| / ||w|| of x and of the inverse step from it.  Raises ValueError where there is none."""
    own = x.norm()
    if not own > 0.0:
        raise ValueError("x is zero")
    ratios = [system.image_norm(x, rng) / own]
    side = x.round(ROUGH, RANK)
    side = side * (1.0 / side.norm())
    inverse = System(system.operator, side, system.dtype, system.definite, system.cores, system.mirror)
    start = side * (1.0 / ratios[0]) if ratios[0] > 0.0 else side
    sweeping = Sweeping.of(inverse, inverse, METHOD, start, LOOSE, rng)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in sweeping.run():
            pass
    w = sweeping.iteration.train()
    size = w.norm()
    if math.isfinite(size) and size > 0.0:
        ratios.append(system.image_norm(w, rng) / size)
    return ratios
