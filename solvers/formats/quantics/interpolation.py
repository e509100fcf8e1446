"""Quantics trains of functions of one variable by piecewise polynomial interpolation, never on the whole grid.

A dyadic interval of the grid on which the function is a polynomial of degree p to the tolerance is described by its
values at p + 1 Chebyshev points; the values at the points of its two halves follow by a fixed matrix,

    core[a, b, c] = l_a((b + u_c) / 2),    l_a Lagrange polynomials of the Chebyshev points u_c of [0, 1], bit b.

An interval that is not resolved is a state of its own and is halved. So the TT-ranks before rounding are p + 1 plus the
unresolved intervals of a level, few where the function is rough in few places: peaks, kinks, jumps, singular ends.
The last bits are a table of values. Multiscale interpolative construction: Lindsey, arXiv:2311.12554 (2023).

Cost O(L (p + u)^3) and O(L p u) values of f, u unresolved intervals a level. Index letters: a, c Chebyshev
points, b bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from solvers.formats.quantics.bits import check_levels
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.rounding import check_truncation
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount

POINTS = 20  # Chebyshev points of an interval
TABLE = 4  # last bits, given as values
TESTS = 3 * POINTS  # equidistant points at which an interpolant is judged
MAX_STATES = 1000  # unresolved intervals of one level
LEAST = 1e-14  # tolerance of a rounding: interpolation makes such errors
SCOUTS = 2**12 + 1  # points for the size of the function

ANGLES = np.pi * (np.arange(POINTS) + 0.5) / POINTS
U = 0.5 - 0.5 * np.cos(ANGLES)
BARYCENTRIC = (-1.0) ** np.arange(POINTS) * np.sin(ANGLES)


def lagrange(points: np.ndarray) -> np.ndarray:
    """The Lagrange polynomials of the Chebyshev points of [0, 1] at ``points`` (m,): array (POINTS, m).

    By the barycentric formula, stable to rounding errors; they add up to one.
    """
    apart = points - U[:, None]
    hits = apart == 0.0
    terms = BARYCENTRIC[:, None] / np.where(hits, 1.0, apart)
    return np.where(hits.any(axis=0), hits, terms / terms.sum(axis=0))


def interpolated(
    f: Callable[[np.ndarray], np.ndarray],
    levels: int,
    start: float = 0.0,
    step: float = 1.0,
    tol: float = 1e-12,
    features: Sequence[tuple[float, float]] = (),
) -> TensorTrain:
    """f at the 2^levels points start + i step, to 2 ``tol`` times the largest |f|, in the maximum norm.

    ``f``: vectorised, (m,) -> (m,), real or complex; it is also called between the points and up to one step beyond
    the last one. ``features``: pairs (position, width) of peaks that might be missed otherwise: an interval
    around the position is halved until it is no longer than the width. Half of the error is that of the
    final rounding, which cannot be finer than 1e-14 in the 2-norm: on huge grids 1e-14 2^(levels/2) may come on top.
    ``round`` again where the 2-norm is enough, for smaller ranks. Raises ValueError for NaN or infinity of f, and where
    more than 1000 intervals of a level stay unresolved.
    """
    (levels,) = check_levels([levels])
    check_truncation(tol, None)
    if not np.isfinite([start, step]).all() or step == 0.0:
        raise ValueError(f"the grid needs a finite start and a step other than zero, not {start!r}, {step!r}")

    def at(index: np.ndarray) -> np.ndarray:
        if index.size == 0:
            return np.zeros(index.shape)
        values = np.asarray(f((start + step * index).reshape(-1)))
        if values.shape != (index.size,) or values.dtype.kind not in "iufc":
            raise ValueError(f"the function must return {index.size} numbers, not {values.dtype} {values.shape}")
        if not np.isfinite(values).all():
            bad = start + step * index.reshape(-1)[int(np.flatnonzero(~np.isfinite(values))[0])]
            raise ValueError(f"the function is not finite at x = {bad}")
        return values.reshape(index.shape)

    if levels <= TABLE + 1:
        return tt_svd(at(np.arange(2.0**levels)).reshape((2,) * levels), tol)
    marks = [((position - start) / step, abs(width / step)) for position, width in features]
    inside = [place for place, _ in marks if 0.0 <= place < 2.0**levels]
    scouts = np.concatenate([np.linspace(0.0, 2.0**levels - 1.0, SCOUTS), np.floor(inside), np.ceil(inside)])
    scale = float(np.abs(at(np.minimum(scouts, 2.0**levels - 1.0))).max())
    halves = lagrange((np.array([0.0, 1.0])[:, None] + U).reshape(-1) / 2.0).reshape(POINTS, 2, POINTS)
    tests = (np.arange(TESTS) + 0.5) / TESTS
    judge = lagrange(tests)

    cores: list[np.ndarray] = []
    open_ = np.zeros(1)  # first points of the unresolved intervals
    for k in range(levels - TABLE - 1):
        size = 2.0 ** (levels - 1 - k)
        children = (open_[:, None] + size * np.arange(2.0)).reshape(-1)
        values = at(children[:, None] + size * U)
        exact = at(children[:, None] + size * tests)
        resolved = np.abs(values @ judge - exact).max(axis=1) <= tol * scale
        for place, width in marks:
            resolved &= (size <= width) | (place < children - 1.0) | (place > children + size)
        next_open = children[~resolved]
        if len(next_open) > MAX_STATES:
            raise ValueError(
                f"the function is not resolved to {amount(tol)} on {len(next_open)} intervals of {size:.0f} points; "
                "raise tol, or use cross approximation"
            )
        before, after = len(open_), len(next_open)
        core = np.zeros((before + POINTS, 2, after + POINTS), dtype=values.dtype)
        chosen = np.where(resolved[:, None], values, 0.0).reshape(before, 2, POINTS)
        core[:before, :, after:] = chosen
        place_of = np.cumsum(~resolved) - 1
        for child in np.flatnonzero(~resolved):
            core[child // 2, child % 2, place_of[child]] = 1.0
        core[before:, :, after:] = halves
        cores.append(core)
        open_ = next_open
    table = 2**TABLE
    m = np.arange(2 * table)
    first = at(open_[:, None] + m).reshape(len(open_), 2, table)
    cores.append(np.concatenate([first, lagrange(m / (2.0 * table)).reshape(POINTS, 2, table)]))
    cores[0] = cores[0][:1]  # the root is the only state at the start
    cores += [np.eye(2**bits).reshape(2**bits, 2, -1) for bits in range(TABLE, 0, -1)]
    train = TensorTrain(tuple(cores))
    norm = train.norm()
    # an error of tol scale in the 2-norm is at most that in the maximum norm
    return train.round(min(max(tol * scale / norm, LEAST), tol) if norm > 0.0 else tol)
