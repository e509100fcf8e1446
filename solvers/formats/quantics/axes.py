"""From one axis to several: Kronecker products and sums, exact compression, and the order of the bits.

Parts given axis by axis, operators or vectors, are joined with the bits in sequence or interleaved. A Kronecker sum is
added up term by term and compressed by joining rank indices whose slices are multiples of each other, in both
directions (Hubig, McCulloch, Schollwoeck, Phys. Rev. B 95, 035129 (2017), section III): exact, zeros stay zeros, and
for the Laplacian in any number of dimensions it finds the TT-ranks 3 and 4 of Kazeev and Khoromskij, SIAM J. Matrix
Anal. Appl. 33, 742 (2012). Index letters: a, b ranks; i row, j column; axis, bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar, cast

import numpy as np

from solvers.formats.quantics.bits import INTERLEAVED, SEQUENTIAL, check_levels, check_order, layout
from solvers.formats.quantics.forms import FormOperator, joined, known_form
from solvers.formats.trains.construct import identity_operator, ones
from solvers.formats.trains.factorisations import EPSILON, LeftSVD, frobenius, truncation_rank
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.permutation import permuted_cores
from solvers.formats.trains.rounding import check_truncation
from solvers.formats.trains.tensor_train import TensorTrain

Part = TypeVar("Part", TensorTrain, TTOperator)
PARALLEL = 8.0 * EPSILON  # of each entry, for slices that count as multiples


def kron(parts: Sequence[Part], order: str = SEQUENTIAL) -> Part:
    """The Kronecker product of one train, or one operator, an axis; axis 0 is the slowest.

    In sequence the ranks are those of the parts; interleaved they are products, one factor an axis, and the parts must
    have equal numbers of modes. Raises ValueError for no parts, mixed kinds, unequal numbers interleaved.
    """
    kinds = [kind for kind in (TensorTrain, TTOperator) if parts and all(isinstance(part, kind) for part in parts)]
    if not kinds:
        raise ValueError("kron needs trains only or operators only, at least one")
    kind = kinds[0]
    check_order(order, [part.d for part in parts])
    if order == SEQUENTIAL:
        return cast(Part, kind(tuple(core for part in parts for core in part.cores)))
    cores = []
    for axis, bit in layout([part.d for part in parts], order):
        core = parts[axis].cores[bit]
        # earlier axes have moved on to the next bit already, later ones have not
        before = math.prod(part.ranks[bit + 1] for part in parts[:axis])
        after = math.prod(part.ranks[bit] for part in parts[axis + 1 :])
        flat = core.reshape(core.shape[0], -1, core.shape[-1])
        wide = np.einsum("pq,aib,rs->pariqbs", np.eye(before), flat, np.eye(after))
        cores.append(wide.reshape(before * core.shape[0] * after, *core.shape[1:-1], -1))
    return cast(Part, kind(tuple(cores)))


def on_axis(part: Part, axis: int, levels: Sequence[int], order: str = SEQUENTIAL) -> Part:
    """``part`` on one axis of a grid of ``levels``: times the identity on the others, or times ones for a vector.

    The ranks are those of ``part``. Raises ValueError for an axis that is not there or with another number of modes.
    """
    levels = check_levels(levels)
    if not 0 <= axis < len(levels) or part.d != levels[axis]:
        raise ValueError(f"a part of {part.d} modes does not fit axis {axis} of levels {levels}")
    if isinstance(part, TTOperator):
        operators = [part if k == axis else identity_operator((2,) * n) for k, n in enumerate(levels)]
        return kron(operators, order)
    return kron([part if k == axis else ones((2,) * n) for k, n in enumerate(levels)], order)


def kronecker_sum(parts: Sequence[Part], order: str = SEQUENTIAL) -> Part:
    """sum_k 1 x ... x A_k x ... x 1 of one operator an axis (or of vectors, with ones), exactly.

    TT-ranks R + 1 in sequence, R that of the parts (the Laplacian: 3 and 4). Raises ValueError as ``kron``.
    """
    if not parts:
        raise ValueError("kronecker_sum needs at least one part")
    levels = [part.d for part in parts]
    total = on_axis(parts[0], 0, levels, order)
    for axis, part in enumerate(parts[1:], start=1):
        total = deparallelised(total + on_axis(part, axis, levels, order))
    given: list[TensorTrain | TTOperator] = list(parts)
    known = [part.forms[0] for part in given if isinstance(part, FormOperator) and len(part.forms) == 1]
    form = joined(known, order) if len(known) == len(parts) else None
    return total if form is None or not isinstance(total, TTOperator) else cast(Part, known_form(total, form))


def deparallelised(x: Part) -> Part:
    """The same train or operator without rank indices that are zero or multiples of others.

    Exact to a rounding error an entry, so sparse cores stay sparse; it does not find sums of several others, as
    ``round`` does. Cost O(d n R^3).
    """
    cores = _joined(_joined(list(x.cores), mirrored=False), mirrored=True)
    kind = TensorTrain if isinstance(x, TensorTrain) else TTOperator
    return cast(Part, kind(tuple(cores)))


def _joined(cores: list[np.ndarray], mirrored: bool) -> list[np.ndarray]:
    """One sweep that keeps the first of parallel slices at every bond, from the left or from the right."""
    if mirrored:
        cores = [core.swapaxes(0, -1) for core in reversed(cores)]
    for k in range(len(cores) - 1):
        core = cores[k]
        kept, transfer = _independent_columns(core.reshape(-1, core.shape[-1]))
        cores[k] = core[..., kept]
        cores[k + 1] = np.tensordot(transfer, cores[k + 1], axes=(1, 0))
    return [core.swapaxes(0, -1) for core in reversed(cores)] if mirrored else cores


def _independent_columns(matrix: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Columns none of which is a multiple of another, and T with matrix = matrix[:, kept] T; at least one column."""
    kept: list[int] = []
    rows: list[np.ndarray] = []
    width = matrix.shape[1]
    for j in range(width):
        column = matrix[:, j]
        size = float(np.abs(column).max())
        if size == 0.0:
            continue
        for row, i in enumerate(kept):
            other = matrix[:, i]
            pivot = int(np.argmax(np.abs(other)))
            ratio = column[pivot] / other[pivot]
            # entry by entry: beside a one, 2^-60 is what an operator on 2^60 points is about
            if (np.abs(column - ratio * other) <= PARALLEL * np.abs(column)).all():
                rows[row][j] = ratio
                break
        else:
            kept.append(j)
            rows.append(np.zeros(width, dtype=matrix.dtype))
            rows[-1][j] = 1.0
    if not kept:
        return [0], np.zeros((1, width), dtype=matrix.dtype)
    return kept, np.array(rows)


def reordered(x: Part, levels: Sequence[int], order: str, tol: float = 1e-12) -> Part:
    """``x`` with its bits brought into ``order`` from the other order; relative error ``tol`` (2-norm, Frobenius norm).

    Neighbouring modes are exchanged by SVD, the centre following, so errors add up in squares. The ranks are those the
    new order needs; cost O(n^3 r^3) an exchange, about L^2 axes^2 / 4 exchanges. Raises ValueError for unequal levels.
    """
    check_order(INTERLEAVED, check_levels(levels))
    check_order(order, levels)
    other = SEQUENTIAL if order == INTERLEAVED else INTERLEAVED
    wanted = {place: k for k, place in enumerate(layout(levels, order))}
    places = layout(levels, other)
    if x.d != len(places):
        raise ValueError(f"levels {tuple(levels)} need {len(places)} modes, not {x.d}")
    return permuted(x, [wanted[place] for place in places], tol)


def permuted(x: Part, targets: Sequence[int], tol: float = 1e-12) -> Part:
    """``x`` with mode k moved to place ``targets[k]``, by exchanges of neighbours; error and cost as ``reordered``.

    Raises ValueError unless ``targets`` is a permutation of the modes and 0 <= tol < 1.
    """
    shapes = {int(goal): core.shape[1:-1] for goal, core in zip(targets, x.cores)}
    flat = [core.reshape(core.shape[0], -1, core.shape[-1]) for core in x.cores]
    cores, centre = permuted_cores(flat, targets, tol)
    if isinstance(x, TensorTrain):
        return TensorTrain(cores, centre)
    return TTOperator(tuple(core.reshape(core.shape[0], *shapes[k], -1) for k, core in enumerate(cores)))


def split_axes(x: TensorTrain, tol: float = 1e-12) -> TensorTrain:
    """A train of one mode of 2^L points an axis as a quantics train, bits in sequence; relative error ``tol``.

    SVDs from the last bit to the first, the centre moving along; what a cut leaves of the tolerance passes on to the
    next, as in rounding. Cost O(N a^2 b^2) at worst for a core (a, N, b). Raises ValueError for other mode sizes.
    """
    check_truncation(tol, None)
    if any(n < 2 or n & (n - 1) for n in x.shape):
        raise ValueError(f"a quantics axis has 2, 4, 8, ... points, not {x.shape}")
    levels = [n.bit_length() - 1 for n in x.shape]
    cores = x.orthogonalise(-1).cores
    norm = frobenius(cores[-1])
    cuts, spent = sum(levels) - 1, 0.0
    bits: list[np.ndarray] = []
    carried = cores[-1]
    for axis in range(len(cores) - 1, -1, -1):
        for level in range(levels[axis] - 1, -1, -1):
            a, _, b = carried.shape
            if axis == 0 and level == 0:
                bits.insert(0, carried)
                break
            pair = carried.reshape(-1, 2 * b)
            # right singular vectors stay behind, right-orthogonal: those of the transpose are left ones
            svd = LeftSVD(np.array(pair.T, order="F"))
            budget = norm * math.sqrt(max(tol**2 / cuts, (tol**2 - spent) / (cuts - len(bits))))
            rank, discarded = truncation_rank(svd.s, budget, None)
            spent += (discarded / norm) ** 2 if norm > 0.0 else 0.0
            right = svd.vectors(rank)
            bits.insert(0, right.T.reshape(rank, 2, b))
            carried = pair @ right.conj()
            if level:
                carried = carried.reshape(a, 2**level, rank)
        if axis:
            carried = np.tensordot(cores[axis - 1], carried, axes=(2, 0))
    return TensorTrain(tuple(bits), 0)
