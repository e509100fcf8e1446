"""Random functions on grids, for cross approximation: drawn by seed, judged where everything can be known.

A small one has at most some 10^4 entries, and every entry is compared. A large one has 10^9 to 10^50: it is compared at
random points, at the points it was planted with and at every point that was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from solvers.cross.cross import cross
from solvers.methods import Cross
from solvers.solution import Solution, Status

MARGIN = 10.0  # times the accuracy an error may be, or three times its estimate
LOOKED = 50_000  # random points at which a large one is compared


@dataclass
class Drawn:
    """A function of multi-indices, its shape, the accuracy asked for, and points where it lives (p, d) or None."""

    name: str
    shape: tuple[int, ...]
    f: Callable[[np.ndarray], np.ndarray]
    accuracy: float
    starts: np.ndarray | None = None
    asked: list[np.ndarray] = field(default_factory=list)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        self.asked.append(points.copy())
        return self.f(points)


def _axes(rng: np.random.Generator) -> tuple[tuple[int, ...], Callable[[np.ndarray], np.ndarray], int]:
    """A small shape, its coordinates in [0, 1] and their number: bits of one or two axes, or plain axes."""
    kind = rng.integers(4)
    if kind == 0:
        bits = int(rng.integers(6, 14))
        powers = 2.0 ** -np.arange(1, bits + 1)
        return (2,) * bits, lambda p: (p @ powers)[:, None], 1
    if kind == 1:
        bits = int(rng.integers(3, 7))
        powers = 2.0 ** -np.arange(1, bits + 1)
        return (2,) * (2 * bits), lambda p: np.column_stack([p[:, ::2] @ powers, p[:, 1::2] @ powers]), 2
    d = int(rng.integers(2, 6))
    shape = tuple(int(n) for n in rng.integers(3, max(5, int(12000 ** (1 / d))), d))
    return shape, lambda p: p / (np.array(shape) - 1.0), d


def small(seed: int) -> Drawn:
    """One of smooth, oscillating, kinked, stepped, sparse, integer, noisy, all on at most some 10^4 entries."""
    rng = np.random.default_rng([seed, 20])
    shape, coordinates, q = _axes(rng)
    c, a = rng.uniform(0.3, 3.0, q), rng.random(q)
    level, many = float(rng.uniform(0.2, 0.8) * q), int(rng.integers(2, 25))
    table = rng.random(int(rng.integers(2, 20)))
    sparse = rng.integers(0, shape, (int(rng.integers(1, 20)), len(shape)))
    weights = np.cumprod((1, *shape[:0:-1]))[::-1]
    places, heights = sparse @ weights, rng.random(len(sparse)) + 0.3
    noise = 10.0 ** rng.uniform(-12, -5) * rng.standard_normal(math.prod(shape))

    def sparse_function(p: np.ndarray) -> np.ndarray:
        number = p @ weights
        return sum(h * (number == place) for h, place in zip(heights, places))

    families: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
        ("rational", lambda p: 1.0 / (0.1 + ((coordinates(p) - a) ** 2) @ c)),
        ("wave", lambda p: np.cos(many * coordinates(p) @ c + level)),
        ("kink", lambda p: np.abs(coordinates(p).sum(axis=1) - level)),
        ("root", lambda p: np.sqrt(np.abs(coordinates(p)[:, 0] - coordinates(p)[:, -1] ** 2))),
        ("largest", lambda p: (c * coordinates(p)).max(axis=1)),
        ("half space", lambda p: (coordinates(p) @ c > level * c.mean()) * 1.0),
        ("steps", lambda p: table[(coordinates(p).mean(axis=1) * (len(table) - 1)).astype(int)]),
        ("ball", lambda p: (((coordinates(p) - a) ** 2).sum(axis=1) < 0.08) * 1.0),
        ("few entries", sparse_function),
        ("remainder", lambda p: ((p.sum(axis=1) ** 2) % many).astype(float)),
        ("noise", lambda p: np.cos(coordinates(p) @ c) + noise[p @ weights]),
    ]
    name, f = families[int(rng.integers(len(families)))]
    return Drawn(f"{name} {shape}", shape, f, float(rng.choice([1e-3, 1e-5, 1e-8])))


def large(seed: int) -> Drawn:
    """One of separable, Hilbert-like, quantics and kinked ones, and few entries whose places are said."""
    rng = np.random.default_rng([seed, 21])
    d, n = int(rng.integers(8, 51)), int(rng.integers(4, 30))
    accuracy = float(rng.choice([1e-3, 1e-6, 1e-8]))
    table, rates = rng.random((d, n)), rng.uniform(0.0, 0.5, d)
    bits = int(rng.integers(24, 50))
    powers = 2.0 ** -np.arange(1, bits + 1)
    wave = float(rng.uniform(3.0, 3000.0))
    edges, heights = np.sort(rng.random(8)), rng.random(9)
    needles, sizes = rng.integers(0, n, (4, d)), rng.random(4) + 0.5
    where = rng.integers(0, 2, (4, bits))

    def spikes(p: np.ndarray, at: np.ndarray) -> np.ndarray:
        return sum(h * (p == i).all(axis=1) for h, i in zip(sizes, at))

    cases = [
        Drawn("sum", (n,) * d, lambda p: table[np.arange(d), p].sum(axis=1), accuracy),
        Drawn("wave of a sum", (n,) * d, lambda p: np.sin(p @ rates), accuracy),
        Drawn("Hilbert", (20,) * 8, lambda p: 1.0 / (1.0 + p.sum(axis=1)), accuracy),
        Drawn("quantics wave", (2,) * bits, lambda p: np.sin(wave * (p @ powers)), accuracy),
        Drawn("quantics steps", (2,) * bits, lambda p: heights[np.searchsorted(edges, p @ powers)], accuracy),
        Drawn("quantics root", (2,) * bits, lambda p: np.sqrt(np.abs(p @ powers - edges[3])), accuracy),
        Drawn("kink", (12,) * 9, lambda p: np.abs(p.sum(axis=1) - 50.0 - edges[0]), accuracy),
        Drawn("one count", (2,) * bits, lambda p: (p.sum(axis=1) == bits // 2) * 1.0, accuracy),
        Drawn("needles", (n,) * d, lambda p: spikes(p, needles), accuracy, needles),
        Drawn("needles on a wave", (2,) * bits, lambda p: np.cos(p @ powers) + spikes(p, where), accuracy, where),
    ]
    return cases[int(rng.integers(len(cases)))]


def wide(seed: int) -> Drawn:
    """One of smooth, kinked, stepped, peaked ones on three to six long modes, of which a cross sees few indices."""
    rng = np.random.default_rng([seed, 22])
    d = int(rng.integers(3, 7))
    shape = tuple(int(n) for n in rng.integers(12, 90, d))
    top = np.array(shape) - 1.0
    c, a, rate = rng.uniform(0.3, 3.0, d), rng.random(d), float(rng.uniform(3.0, 200.0))
    edges, heights = np.sort(rng.random(5)), rng.random(6)
    narrow = rng.integers(0, shape, (3, d))
    accuracy = float(rng.choice([1e-3, 1e-5, 1e-8]))
    cases: list[tuple[str, Callable[[np.ndarray], np.ndarray], bool]] = [
        ("rational", lambda p: 1.0 / (0.1 + ((p / top - a) ** 2) @ c), False),
        ("peak", lambda p: np.exp(-rate * ((p / top - a) ** 2).sum(axis=1)), False),
        ("wave", lambda p: np.cos(rate * (p / top) @ c), False),
        ("kink", lambda p: np.abs((p / top - a) @ c), False),
        ("steps of one", lambda p: heights[np.searchsorted(edges, p[:, 0] / top[0])] + (p / top) @ c, False),
        ("rows", lambda p: (p[:, -1] == narrow[0, -1]) * np.cos(p @ c) + (p / top) @ c, False),
        ("largest", lambda p: (c * p / top).max(axis=1), False),
        ("needles", lambda p: (p / top) @ c + sum((p == q).all(axis=1) for q in narrow), True),
    ]
    name, f, said = cases[int(rng.integers(len(cases)))]
    return Drawn(f"{name} {shape}", shape, f, accuracy, narrow if said else None)


def solved(drawn: Drawn, method: Cross | None = None, seed: int = 0) -> Solution:
    """The cross approximation of a drawn function."""
    return cross(
        drawn,
        drawn.shape,
        method=method,
        accuracy=drawn.accuracy,
        starts=drawn.starts,
        throw=False,
        rng=np.random.default_rng(seed),
    )


def judged(drawn: Drawn, solution: Solution) -> str:
    """right, honest (said not to be converged, or wrong in no more entries never asked for than it says) or silent."""
    asked = np.unique(np.concatenate(drawn.asked), axis=0)
    if drawn.size <= 100_000:
        everywhere = np.indices(drawn.shape).reshape(len(drawn.shape), -1).T
    else:
        everywhere = np.random.default_rng(0).integers(0, drawn.shape, (LOOKED, len(drawn.shape)))
    scale = float(np.abs(drawn.f(everywhere)).max())
    scale = max(scale, float(np.abs(drawn.f(asked)).max())) or 1.0

    def errors(points: np.ndarray) -> np.ndarray:
        return np.abs(solution.value.entries(points) - drawn.f(points)) / scale

    seen, wrong = float(errors(asked).max()), errors(everywhere)
    if drawn.starts is not None:
        seen = max(seen, float(errors(drawn.starts).max()))
    limit = max(MARGIN * drawn.accuracy, 3.0 * float(solution.residual[0]))
    if solution.status is not Status.CONVERGED:
        return "honest"
    if max(seen, float(wrong.max())) <= limit:
        return "right"
    share = float(np.mean(wrong > MARGIN * drawn.accuracy))
    return "honest" if seen <= limit and share <= solution.extra["unseen_share"] else "silent"
