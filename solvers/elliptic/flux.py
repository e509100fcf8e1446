"""One dimension without iteration: the flux is a sum of the load, the solution a sum of the flux.

With q_i = a_i (u_i - u_(i - 1)) / h on the edge before point i and F_i = h sum_(j < i) f_j,

    q_i = c - F_i,    c = <F, r> / <1, r>,    r_i = 1 / (g_i a_i),    u_i = h sum_(e <= i) q_e r_e,

g = 1, and 2 for the half edge to a zero at a face. c = 0 where a mirror is on the left, c = F_N where it is on the
right. Sums are products with the quantics operator of a cumulative sum, TT-ranks 2: no digit is lost to differences,
whatever L. What the answer is worth is what 1/a is worth as a train; it is held against the function at points where
it was not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.cross.cross import cross
from solvers.elliptic.leaves import GROUND, OFFSET, step_of
from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.functions import unit_vector
from solvers.formats.quantics.interpolation import interpolated
from solvers.formats.quantics.operators import cumulative_sum
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.methods import Cross

CLEAN = 1e-14
NOISE = 50.0  # times the rounding errors of a function: no train is asked to follow those
EVALUATIONS = 1_000_000  # of a function that no polynomials follow, a few seconds
LOOKS = 1000  # points at which a train is held against its function


@dataclass(frozen=True, eq=False)
class Flow:
    """``u`` and its slope (u_i - u_(i - 1)) / h as trains, h f.u, and the largest error found in 1/a and the load."""

    u: TensorTrain
    slope: TensorTrain
    energy: float
    deviation: float


def flow(
    levels: int,
    ends: tuple[str, str],
    diffusion: Callable[[np.ndarray], np.ndarray] | float,
    load: TensorTrain | Callable[[np.ndarray], np.ndarray] | float,
    accuracy: float,
    rng: np.random.Generator,
    features: Sequence[tuple[float, float]] = (),
) -> Flow:
    """The solution of -(a u')' = f on 2^levels points; one end at least holds u to zero.

    Callables take points (m, 1).  Raises ValueError where a is not positive, and for values that are not finite.
    """
    step = step_of(levels, ends)
    tol = max(0.1 * accuracy, CLEAN)
    deviation = 0.0

    def train(f: Callable[[np.ndarray], np.ndarray], shift: float) -> TensorTrain:
        nonlocal deviation
        built, error = _built(f, levels, (OFFSET[ends[0]] + shift) * step, step, tol, rng, features)
        deviation = max(deviation, error)
        return built

    def resistance(x: np.ndarray) -> np.ndarray:
        if not callable(diffusion):
            return np.full(x.shape, 1.0 / diffusion)
        return 1.0 / diffusion(x[:, None])

    flat = ones((2,) * levels)
    r = train(resistance, -0.5) if callable(diffusion) else flat * (1.0 / float(diffusion))
    first, last = (
        resistance(np.array([at]))[0] / GROUND[end] if GROUND[end] else 0.0
        for end, at in ((ends[0], 0.5 * OFFSET[ends[0]] * step), (ends[1], 1.0 - 0.5 * OFFSET[ends[1]] * step))
    )
    at_first = float(r.entries(np.zeros((1, levels), dtype=int))[0])
    if first != at_first:
        r = r + unit_vector(levels, 0) * (first - at_first)
    if isinstance(load, TensorTrain):
        f = load
    else:
        given = load
        f = train(lambda x: np.asarray(given(x[:, None])), 0.0) if callable(given) else flat * float(given)
    total = step * dot(flat, f).real
    sums = cumulative_sum(levels)
    before = ((sums @ f) - f).round(CLEAN) * step  # F_i
    if not GROUND[ends[0]]:
        c = 0.0
    elif not GROUND[ends[1]]:
        c = total
    else:
        c = (dot(before, r).real + total * last) / (dot(flat, r).real + last)
    q = (flat * c - before).round(CLEAN)
    slope = (q * r).round(CLEAN)
    energy = step * (dot(q, slope).real + (c - total) ** 2 * last)
    u = (sums @ slope) * step
    if not GROUND[ends[0]]:
        u = u - flat * (step * (dot(flat, slope).real + (c - total) * last))
    return Flow(u.round(CLEAN), slope, energy, deviation)


def _built(
    f: Callable[[np.ndarray], np.ndarray],
    levels: int,
    start: float,
    step: float,
    tol: float,
    rng: np.random.Generator,
    features: Sequence[tuple[float, float]],
) -> tuple[TensorTrain, float]:
    """The train of f at start + i step, and the largest error at random points, relative to the largest value."""
    try:
        built = interpolated(f, levels, start, step, tol, features)
    except ValueError as refusal:
        if "not resolved" not in str(refusal):
            raise
        weights = 2.0 ** np.arange(levels - 1, -1, -1)
        tol = max(tol, NOISE * _noise(f, start + step * np.floor(rng.random(LOOKS) * 2.0**levels)))
        found = cross(
            lambda bits: f(start + step * (bits @ weights)),
            (2,) * levels,
            method=Cross(max_evaluations=EVALUATIONS),
            accuracy=tol,
            rng=rng,
            throw=False,
        )
        built = found.value
    index = rng.integers(0, 2**levels, LOOKS)
    exact = f(start + step * index.astype(float))
    error = np.abs(built.entries(to_bits(index[:, None], [levels])) - exact).max()
    return built, float(error / max(np.abs(exact).max(), np.finfo(float).tiny))


def _noise(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> float:
    """What the rounding of x makes of f, relative to its largest value: oscillations of width w err by eps / w."""
    values = np.asarray(f(x))
    moved = np.asarray(f(x * (1.0 + 2.0 * np.finfo(float).eps)))
    return float(np.abs(moved - values).max() / max(np.abs(values).max(), np.finfo(float).tiny))
