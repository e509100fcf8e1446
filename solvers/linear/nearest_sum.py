"""The start of sweeps: x of the sum A' = sum_g 1 x ... x A_g x ... x 1 nearest to A, roughly.

    1. The groups between which nothing couples (solvers.linear.parts), or else every mode by itself; A_g is the
       partial trace of A over all other modes. Of A_g the Hermitian part.
    2. Where A' is definite, A'^{-1} b by a few exponentials (solvers.linear.exponential_sum), of a small rank.
A few sweeps at the ranks of the solution are saved: of the Laplacian in 32 dimensions 4 of 6, of one with coupled
neighbours 2 of 6, measured. Cost N^3 for each different part of N indices, and O(d n r^3).
"""

from __future__ import annotations

import math

import numpy as np

from solvers.formats.trains.rounding import round_cores
from solvers.formats.trains.sums import rounded_sum
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.exponential_sum import diagonalised, exponential_terms, spectrum
from solvers.linear.parts import partial_traces, parts
from solvers.linear.system import System

START_RANK = 8
LARGEST_PART = 256  # indices of a group: its eigenvectors take 15 ms
LARGEST_CONDITION = 1e10
MOST_RANKS = 128  # of all terms together
ROUGH = 1e-5  # relative residual of A': what couples leaves more
CUT = 0.1  # of that, by rounding


def start_of(system: System, start: TensorTrain | None) -> TensorTrain:
    """The start, or without one x of the nearest sum, or else the right-hand side, of a small rank."""
    if start is not None:
        return start
    x = solved_roughly(system, START_RANK)
    # of a definite A any x serves: the projection scales it
    if x is not None and (system.definite or system.residual(x, np.random.default_rng(0)) < 1.0):
        return x
    b = system.b
    return b if b.max_rank <= START_RANK else TensorTrain(round_cores(b.cores, None, 0.0, START_RANK)[0])


def solved_roughly(system: System, most: int) -> TensorTrain | None:
    """A'^{-1} b, of rank ``most`` at most; None where A' is not definite, too large, or out of range."""
    cores = system.cores
    found = parts(cores, LARGEST_PART)
    if found is None:
        if max(core.dims[1] for core in cores) > LARGEST_PART:
            return None
        single = [range(k, k + 1) for k in range(len(cores))]
        found = partial_traces(cores, single), single
    matrices, groups = found
    if not all(np.isfinite(matrix).all() for matrix in matrices):
        return None
    levels, vectors = diagonalised(matrices)
    low, high = spectrum(levels)
    if not 0.0 < high < LARGEST_CONDITION * low:
        return None
    blocks = exponential_terms(system.b, levels, vectors, groups, ROUGH, MOST_RANKS)
    if blocks is None or not all(np.isfinite(block).all() for block in blocks):
        return None
    x = rounded_sum(blocks, CUT * ROUGH)
    if x.d < system.b.d:
        x = x.reshape(system.b.shape, tol=CUT * ROUGH)
    if x.max_rank > most:
        x = x.round(CUT * ROUGH, most)
    return x if math.isfinite(x.norm()) else None
