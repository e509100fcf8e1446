"""The lowest barrier before a polynomial potential falls without end, over all directions.

Along a ray q = rho u the potential falls where its part of highest degree is negative, V_n(u) < 0, and the barrier is
h(u) = max_rho V(rho u). A direction in which h is stationary is a stationary point of V, the saddle that leads into the
hole (the ray gives dV/drho = 0, the sphere the rest), so that

1. from many starts, axes, diagonals of coupled modes, random directions, V_n goes down the sphere until it is negative
   (and no further: the deepest V_n is not the lowest barrier);
2. from those where it is negative, and along all of them at once, h is minimised by steps along its tangent gradient
   rho grad V(rho u), each start with a step of its own that grows while h falls; the lowest by L-BFGS to the end.

Whether a quartic form is negative anywhere is NP-hard to decide (Hillar, Lim, J. ACM 60, 45 (2013)): none found is no
proof. Cost: starts x terms x degree a step, some 160 steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from problems.quantum.hamiltonians.force_field.field import products_of

SEED = 7
WORK = 400_000  # starts times terms: 12 modes with all quartic constants (2,000 terms) take 3 s
FEWEST, MOST = 48, 900  # starts
KEPT, POLISHED = 150, 20  # of the lowest barriers after 1, and of those after the steps of 2
NEGATIVE = 1e-3  # of the largest coefficient: V_n that is enough to begin with
DOWN, ALONG = 60, 60  # steps of 1 and of 2
POLISHING = 200  # steps of L-BFGS
FIRST_STEP, LONGER, SHORTER = 0.1, 1.4, 0.4  # radians, of the tangent step
FLAT = 1e-12  # of the largest coefficient: a leading part that is none
REAL = 1e-7  # imaginary part of a real root
Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Saddle:
    """A direction (d,) of norm one along which the potential falls behind a barrier of ``height`` at ``distance``."""

    direction: np.ndarray
    height: float
    distance: float


class _Parts:
    """The homogeneous parts of a polynomial, evaluated at many points at once."""

    def __init__(self, d: int, polynomial: Sequence[tuple[Mapping[int, int], float]]) -> None:
        self.d = d
        terms: dict[int, list[tuple[list[int], float]]] = {}
        for powers, c in polynomial:
            modes = [k for k, p in sorted(powers.items()) for _ in range(p)]
            if modes and c:
                terms.setdefault(len(modes), []).append((modes, c))
        self.modes = {n: np.array([modes for modes, _ in of_degree]) for n, of_degree in terms.items()}
        self.values = {n: np.array([c for _, c in of_degree]) for n, of_degree in terms.items()}
        self.degree = max(terms, default=0)
        self.count = sum(len(values) for values in self.values.values())
        # for each factor of the terms of a degree: the others, and the sum over the terms of each mode
        self.derivatives = {
            n: [
                (
                    np.delete(modes, p, axis=1),
                    sparse.csr_array(
                        (np.ones(len(modes)), (modes[:, p], np.arange(len(modes)))), shape=(d, len(modes))
                    ),
                )
                for p in range(n)
            ]
            for n, modes in self.modes.items()
        }

    def at(self, u: np.ndarray) -> np.ndarray:
        """V_0 .. V_degree at the points (m, d), (m, degree + 1)."""
        found = np.zeros((len(u), self.degree + 1))
        for n, modes in self.modes.items():
            found[:, n] = products_of(u, modes) @ self.values[n]
        return found

    def gradient(self, q: np.ndarray, degrees: Sequence[int] | None = None) -> np.ndarray:
        """The gradient (m, d) of the parts of these degrees, all of them where none are named."""
        found = np.zeros_like(q)
        for n in self.modes if degrees is None else degrees:
            for others, sums in self.derivatives[n]:
                found += (sums @ (products_of(q, others) * self.values[n]).T).T
        return found


def lowest_saddle(d: int, polynomial: Sequence[tuple[Mapping[int, int], float]]) -> Saddle | None:
    """The lowest barrier found of sum_t c_t prod_k q_k^p before it falls without end; terms as ({mode: power}, c).

    None where no direction is found in which it falls.
    """
    parts = _Parts(d, polynomial)
    if parts.degree < 3:
        return None
    top = parts.degree
    if top % 2 == 0 and np.all(parts.values[top] >= 0.0) and np.all(np.diff(parts.modes[top], axis=1)[:, ::2] == 0):
        return None  # a sum of squares: coefficients and powers of the leading part are even
    u, least = _starts(d, parts), -NEGATIVE * float(np.abs(parts.values[top]).max())
    u, _ = _descend(u, lambda x: np.maximum(parts.at(x)[:, top], least), lambda x: parts.gradient(x, [top]), DOWN)
    u = u[parts.at(u)[:, top] < 0.5 * least]
    if not len(u):
        return None
    u = u[np.argsort(_highest(parts.at(u))[0], kind="stable")[:KEPT]]
    u, heights = _descend(u, lambda x: _highest(parts.at(x))[0], lambda x: _slope(parts, x), ALONG)
    u = np.array([_polished(parts, x) for x in u[np.argsort(heights, kind="stable")[:POLISHED]]])
    heights, distances = _highest(parts.at(u))
    best = int(np.argmin(heights))
    return Saddle(u[best], float(heights[best]), float(distances[best]))


def _polished(parts: _Parts, u: np.ndarray) -> np.ndarray:
    """The direction with h as low as L-BFGS gets it from ``u``; ``u`` itself where that is no lower."""
    before = float(_highest(parts.at(u[None]))[0][0])

    def of_vector(v: np.ndarray) -> tuple[float, np.ndarray]:
        size = float(np.linalg.norm(v))
        x = v[None] / size
        height = float(_highest(parts.at(x))[0][0])
        if not np.isfinite(height):
            return 2.0 * before, np.zeros_like(v)  # the ray rises: too far
        g = _slope(parts, x)[0]
        return height / before, (g - (g @ x[0]) * x[0]) / (size * before)

    v = minimize(of_vector, u, jac=True, method="L-BFGS-B", options={"maxiter": POLISHING}).x
    v /= np.linalg.norm(v)
    return v if _highest(parts.at(v[None]))[0][0] < before else u


def _starts(d: int, parts: _Parts) -> np.ndarray:
    """Directions (m, d): axes along which the leading part is lowest, diagonals of the modes of terms, random ones."""
    count = int(np.clip(WORK / max(parts.count, 1), FEWEST, MOST)) // 3
    rng = np.random.default_rng(SEED)
    axes = np.concatenate([np.eye(d), -np.eye(d)])
    axes = axes[np.argsort(parts.at(axes)[:, parts.degree], kind="stable")[: max(count, 1)]]
    modes = parts.modes[parts.degree]
    diagonals = np.zeros((count, d))
    for row, of_term in zip(diagonals, modes[rng.integers(len(modes), size=count)]):
        row[of_term] = rng.choice([-1.0, 1.0], size=len(of_term))
    u = np.concatenate([axes, diagonals, rng.standard_normal((count, d))])
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def _descend(u: np.ndarray, value: Function, slope: Function, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions (m, d) and values (m,) after steps down the sphere, each direction on its own."""
    best, step = value(u), np.full(len(u), FIRST_STEP)
    for _ in range(steps):
        g = slope(u)
        g = g - np.sum(g * u, axis=1, keepdims=True) * u
        size = np.linalg.norm(g, axis=1, keepdims=True)
        tried = u - step[:, None] * g / np.where(size > 0.0, size, 1.0)
        tried /= np.linalg.norm(tried, axis=1, keepdims=True)
        found = value(tried)
        better = found < best
        u = np.where(better[:, None], tried, u)
        best = np.where(better, found, best)
        step = np.where(better, LONGER * step, SHORTER * step)
    return u, best


def _highest(rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest values on rho > 0 of polynomials (m, n + 1), ascending, and where; infinite where none falls."""
    n = rays.shape[1] - 1
    height, place = np.full(len(rays), np.inf), np.zeros(len(rays))
    falls = np.flatnonzero(rays[:, n] < -FLAT * np.abs(rays).max(axis=1))
    if not len(falls):
        return height, place
    slopes = rays[falls, 1:] * np.arange(1, n + 1)
    companion = np.zeros((len(falls), n - 1, n - 1))
    companion[:, np.arange(1, n - 1), np.arange(n - 2)] = 1.0
    companion[:, :, -1] = -slopes[:, :-1] / slopes[:, -1:]
    roots = np.linalg.eigvals(companion)
    rho = np.where((np.abs(roots.imag) < REAL * (1.0 + np.abs(roots))) & (roots.real > 0.0), roots.real, 0.0)
    values = np.zeros_like(rho)
    for c in rays[falls, ::-1].T:
        values = values * rho + c[:, None]
    which = np.argmax(values, axis=1)
    row = np.arange(len(falls))
    height[falls], place[falls] = values[row, which], rho[row, which]
    return height, place


def _slope(parts: _Parts, u: np.ndarray) -> np.ndarray:
    """The derivative of the barrier with the direction: rho grad V(rho u), as rho is where the ray is highest."""
    _, rho = _highest(parts.at(u))
    return rho[:, None] * parts.gradient(rho[:, None] * u)
