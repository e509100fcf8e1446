"""Quantics operators on one axis of 2^L points, exact: shifts, sums, differences, the Laplacian and its inverse.

Adding a number to an index is done bit by bit with a carry, so a shift by any distance has TT-ranks 2: the rank index
is the carry handed to the next more significant bit. Comparing two indices is an automaton too. From these: lower and
upper bidiagonal matrices 2, tridiagonal ones 3, each corner entry one more. The inverse Laplacian has a closed form,

    (A^-1)_ij = h^2 [ min(i, j) + s - (i + s)(j + s) / W ],   W = 2^L - 1 + s + t,

where i + s is the discrete harmonic function of the left end, s = 1 (dirichlet) or 1/2 (face), t that of the right
end; with a mirror on the right the last term drops out. TT-ranks 5, with a mirror 4.

Kazeev, Khoromskij, SIAM J. Matrix Anal. Appl. 33, 742 (2012). Every builder costs O(L). Index letters: i row, j column,
first core the most significant bit; N = 2^L.
"""

from __future__ import annotations

import math

import numpy as np

from solvers.formats.quantics.axes import deparallelised
from solvers.formats.quantics.bits import SEQUENTIAL, check_levels, closed
from solvers.formats.quantics.forms import Form, known_form
from solvers.formats.quantics.functions import unit_vector
from solvers.formats.trains.chain import check_kind
from solvers.formats.trains.construct import identity_operator
from solvers.formats.trains.factorisations import freeze
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

PERIODIC = "periodic"
GHOST = {"dirichlet": 0.0, "face": -1.0, "neumann": 1.0}  # value beyond the end, as a multiple of that at the end
OFFSET = {"dirichlet": 1.0, "face": 0.5}  # distance of the zero from the last point, in steps

EQUAL, LOWER, UPPER = np.eye(2), np.eye(2, k=-1), np.eye(2, k=1)
ONES = np.ones((2, 2))


def identity(levels: int) -> TTOperator:
    """The identity, TT-ranks 1."""
    check_levels([levels])
    return identity_operator((2,) * levels)


def shift(levels: int, distance: int = 1) -> TTOperator:
    """(S x)_i = x_(i - distance), zero where that lies outside; TT-ranks 2.  Any integer distance, of either sign."""
    check_levels([levels])
    if abs(distance) >= 2**levels:
        return TTOperator((np.zeros((1, 2, 2, 1)),) * levels)
    forward = TTOperator(closed(_carries(levels, abs(distance)), np.array([1.0, 0.0]), np.array([1.0, 0.0])))
    return forward if distance >= 0 else forward.T


def cyclic_shift(levels: int, distance: int = 1) -> TTOperator:
    """(S x)_i = x_(i - distance mod N), TT-ranks 2."""
    check_levels([levels])
    return TTOperator(closed(_carries(levels, distance % 2**levels), np.ones(2), np.array([1.0, 0.0])))


def _carries(levels: int, distance: int) -> list[np.ndarray]:
    """Cores [carry out, i, j, carry in]: one where j + bit of the distance + carry in = i + 2 carry out."""
    cores = []
    for k in range(levels):
        bit = (distance >> (levels - 1 - k)) & 1
        core = np.zeros((2, 2, 2, 2))
        for j in range(2):
            for carry in range(2):
                out, i = divmod(j + bit + carry, 2)
                core[out, i, j, carry] = 1.0
        cores.append(core)
    return cores


def cumulative_sum(levels: int) -> TTOperator:
    """(C x)_i = sum_(j <= i) x_j: ones on and below the diagonal, TT-ranks 2."""
    check_levels([levels])
    core = np.zeros((2, 2, 2, 2))  # state 0: i = j so far, 1: i > j
    core[0, :, :, 0], core[0, :, :, 1], core[1, :, :, 1] = EQUAL, LOWER, ONES
    return TTOperator(closed([core] * levels, np.array([1.0, 0.0]), np.ones(2)))


def first_difference(levels: int) -> TTOperator:
    """(D x)_i = x_i - x_(i - 1), x_(-1) = 0: the inverse of the cumulative sum, TT-ranks 2."""
    return deparallelised(identity(levels) - shift(levels))


def tridiagonal(levels: int, lower: complex, diagonal: complex, upper: complex, periodic: bool = False) -> TTOperator:
    """(T x)_i = lower x_(i - 1) + diagonal x_i + upper x_(i + 1), zero outside or ``periodic``; TT-ranks 3."""
    step = cyclic_shift if periodic else shift
    return deparallelised(identity(levels) * diagonal + step(levels, 1) * lower + step(levels, -1) * upper)


def laplacian(levels: int, step: float = 1.0, left: str = "dirichlet", right: str = "dirichlet") -> TTOperator:
    """The matrix of -d^2/dx^2 by second differences, (-1, 2, -1) / step^2, positive semidefinite.

    Ends, each "dirichlet": zero at the grid point beyond; "face": zero half a step beyond (cell-centred grids; diagonal
    entry 3); "neumann": mirrored half a step beyond (diagonal entry 1); or both "periodic". TT-ranks 3, and one more
    for each end that is not "dirichlet"; periodic 3. All but the periodic one know what they are, and so do their sums,
    multiples, products and Kronecker sums: ``solve`` then loses no digit on any number of levels. Raises ValueError for
    other ends or a step that is not positive.
    """
    scale = 1.0 / _square(step)
    check_ends(left, right)
    if left == PERIODIC:
        return tridiagonal(levels, -scale, 2.0 * scale, -scale, periodic=True)
    total = tridiagonal(levels, -scale, 2.0 * scale, -scale)
    for end, index in ((left, 0), (right, 2**levels - 1)):
        if GHOST[end]:
            total = total + diagonal(unit_vector(levels, index)) * (-GHOST[end] * scale)
    return known_form(deparallelised(total), Form((levels,), ((left, right),), (scale,), 0.0, SEQUENTIAL))


def inverse_laplacian(levels: int, step: float = 1.0, left: str = "dirichlet", right: str = "dirichlet") -> TTOperator:
    """The inverse of ``laplacian``, in closed form: TT-ranks 5, and 4 with one "neumann" end.

    Errors of about 1e-16 of the largest entry. Raises ValueError as ``laplacian``, and for two "neumann" or "periodic"
    ends, where constants have no inverse.
    """
    scale = _square(step)
    check_ends(left, right)
    if left not in OFFSET and right not in OFFSET:
        raise ValueError(f"the Laplacian with ends {left!r} and {right!r} is singular")
    check_levels([levels])
    last = 2.0**levels - 1.0
    # start row: the coefficients of min(i, j), i j, i, j, 1
    if left not in OFFSET:  # last + t - max(i, j), and max = i + j - min
        row = [1.0, 0.0, -1.0, -1.0, last + OFFSET[right]]
    elif right not in OFFSET:
        row = [1.0, 0.0, 0.0, 0.0, OFFSET[left]]
    else:
        s, width = OFFSET[left], last + OFFSET[left] + OFFSET[right]
        row = [1.0, -1.0 / width, -s / width, -s / width, s - s * s / width]
    cores = []
    for k in range(levels):
        weight = 2.0 ** (levels - 1 - k)
        i, j = weight * np.array([[0.0, 0.0], [1.0, 1.0]]), weight * np.array([[0.0, 1.0], [0.0, 1.0]])
        core = np.zeros((5, 2, 2, 5))  # what the bits that follow still have to give: min, i j, i, j, 1
        core[0, :, :, 0], core[0, :, :, 2], core[0, :, :, 3], core[0, :, :, 4] = EQUAL, UPPER, LOWER, np.minimum(i, j)
        core[0, :, :, 4] *= EQUAL
        core[1, :, :, 1], core[1, :, :, 2], core[1, :, :, 3], core[1, :, :, 4] = ONES, j, i, i * j
        core[2, :, :, 2], core[2, :, :, 4] = ONES, i
        core[3, :, :, 3], core[3, :, :, 4] = ONES, j
        core[4, :, :, 4] = ONES
        cores.append(core)
    end = np.array([0.0, 0.0, 0.0, 0.0, 1.0])
    return deparallelised(TTOperator(closed(cores, scale * np.array(row), end)))


def diagonal(vector: TensorTrain) -> TTOperator:
    """The diagonal operator of a train of any mode sizes, of the same TT-ranks: a potential."""
    check_kind("diagonal", TensorTrain, vector)
    cores = []
    for core in vector.cores:
        a, n, b = core.shape
        wide = np.zeros((a, n, n, b), dtype=core.dtype)
        wide[:, np.arange(n), np.arange(n)] = core
        cores.append(freeze(wide))
    return TTOperator(tuple(cores))


def _square(step: float) -> float:
    if not (math.isfinite(step) and step > 0.0):
        raise ValueError(f"step must be a positive number, not {step!r}")
    return step * step


def check_ends(left: str, right: str) -> None:
    if (left == PERIODIC) != (right == PERIODIC):
        raise ValueError("either both ends are 'periodic' or none")
    for end in (left, right):
        if end != PERIODIC and end not in GHOST:
            raise ValueError(f"an end is one of {', '.join(map(repr, [*GHOST, PERIODIC]))}, not {end!r}")
