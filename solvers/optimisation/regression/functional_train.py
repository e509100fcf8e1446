"""A function of many coordinates as a train of coefficients in products of functions of one coordinate each.

    f(x_1, .., x_d) = sum_{i_1 .. i_d} C[i_1, .., i_d] phi_1,i_1(x_1) .. phi_d,i_d(x_d)

Values, gradients and integrals go mode by mode; cost O(d n r^2) a point, for a gradient three times that, by passes of
both directions. Gorodetsky and Jakeman, J. Comput. Phys. 374, 1219 (2018), for the name and for fits of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from solvers.cards import Card, Fact, dimensions, ranks
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.regression.bases import Basis, Fourier, Interval

Outside = Literal["refuse", "extrapolate", "clip"]
BATCH = 1 << 16  # points at a time
EDGE = 1e-12  # of a domain: rounding errors of points on its ends


@dataclass(frozen=True, eq=False)
class FunctionalTrain(Card):
    """``coefficients`` C, ``bases`` phi_k, and the ``domain``: of each coordinate the ends between which it is known.

    Call it at points: ``f(points)``.
    """

    coefficients: TensorTrain
    bases: tuple[Basis, ...]
    domain: tuple[Interval, ...]

    @property
    def d(self) -> int:
        """How many coordinates there are."""
        return len(self.bases)

    def worded(self) -> list[Fact]:
        """Bases, ranks and domain."""
        low, high = (np.array([ends[side] for ends in self.domain]) for side in (0, 1))
        alike = np.ptp(low) == 0.0 == np.ptp(high)
        told = f"[{low[0]:g}, {high[0]:g}]^{self.d}" if alike else f"from [{low[0]:g}, {high[0]:g}] on, {self.d} in all"
        names = sorted({type(basis).__name__ for basis in self.bases})
        return [
            ("functions", f"{dimensions(self.coefficients.shape)} ({', '.join(names)})"),
            ("ranks", ranks(self.coefficients.ranks)),
            ("domain", told),
        ]

    def __call__(self, points: np.ndarray, *, outside: Outside = "refuse") -> np.ndarray:
        """f (m,) at points (m, d); of one coordinate (m,) will do.

        ``outside`` the domain nothing was seen: "refuse" such points, "extrapolate" what the bases say, or "clip" them
        to the nearest end. Raises ValueError for other shapes, coordinates that are not finite, and refused points.
        """
        points = self._inside(points, outside)
        found = [self._values(points[begin : begin + BATCH]) for begin in range(0, len(points), BATCH)]
        return np.concatenate(found) if found else np.zeros(0, dtype=self.coefficients.dtype)

    def gradient(self, points: np.ndarray, *, outside: Outside = "refuse") -> np.ndarray:
        """The derivatives (m, d) by each coordinate at points (m, d). Raises ValueError as a call does."""
        points = self._inside(points, outside)
        rights = [np.ones((len(points), 1))]
        for k in range(self.d - 1, 0, -1):
            core = self.coefficients.cores[k]
            rights.append(_times(rights[-1], self.bases[k].values(points[:, k]), core.T))
        left, columns = np.ones((len(points), 1)), []
        for k, (core, basis) in enumerate(zip(self.coefficients.cores, self.bases)):
            along = _times(left, basis.slopes(points[:, k]), core)
            columns.append(np.einsum("ja,ja->j", along, rights[self.d - 1 - k]))
            left = _times(left, basis.values(points[:, k]), core)
        return np.stack(columns, axis=1)

    def on_grid(self, *nodes: np.ndarray) -> TensorTrain:
        """The values at all points of a grid, as a train of the same ranks; nodes (n_k,) of each coordinate."""
        if len(nodes) != self.d:
            raise ValueError(f"a grid of {self.d} coordinates needs as many arrays of nodes, not {len(nodes)}")
        return self._contracted([basis.values(np.asarray(x, dtype=float)) for basis, x in zip(self.bases, nodes)])

    def integral(self) -> complex:
        """Over the domain."""
        return self._weighed(lambda weights: weights)

    def mean(self) -> complex:
        """Over the domain."""
        return self._weighed(lambda weights: weights / weights.sum())

    def variance(self) -> float:
        """The mean over the domain of |f - mean|^2."""
        nodes, roots = [], []
        for basis, ends in zip(self.bases, self.domain):
            x, weights = basis.quadrature(*ends)
            nodes.append(basis.values(x))
            roots.append(np.sqrt(weights / weights.sum()))
        # f - mean first: a small variation on a large mean keeps its digits
        whole = self._contracted([root[:, None] * phi for root, phi in zip(roots, nodes)])
        constant = TensorTrain(tuple(root.reshape(1, -1, 1) for root in roots)) * self.mean()
        return float((whole - constant).norm()) ** 2

    def _weighed(self, share: Callable[[np.ndarray], np.ndarray]) -> complex:
        rows = np.ones((1, 1))
        for core, basis, ends in zip(self.coefficients.cores, self.bases, self.domain):
            x, weights = basis.quadrature(*ends)
            rows = _times(rows, (share(weights) @ basis.values(x))[None, :], core)
        return rows[0, 0].item()

    def _contracted(self, matrices: Sequence[np.ndarray]) -> TensorTrain:
        cores = [np.einsum("anb,mn->amb", c, phi) for c, phi in zip(self.coefficients.cores, matrices, strict=True)]
        return TensorTrain(tuple(cores))

    def _values(self, points: np.ndarray) -> np.ndarray:
        rows = np.ones((len(points), 1))
        for k, (core, basis) in enumerate(zip(self.coefficients.cores, self.bases)):
            rows = _times(rows, basis.values(points[:, k]), core)
        return rows[:, 0]

    def _inside(self, points: np.ndarray, outside: Outside) -> np.ndarray:
        if outside not in ("refuse", "extrapolate", "clip"):
            raise ValueError(f"outside is {outside!r}; give refuse, extrapolate or clip")
        found = as_points(points, self.d, "points")
        for k, (low, high) in enumerate(self.domain):
            basis, column = self.bases[k], found[:, k]
            if isinstance(basis, Fourier) and basis.interval == (low, high):
                continue  # a whole period is known: so is everything
            edge = EDGE * (high - low)
            wrong = (column < low - edge) | (column > high + edge)
            if outside == "refuse" and wrong.any():
                j = int(np.argmax(wrong))
                text = f"coordinate {k + 1} of point number {j} is {column[j]:g}, outside [{low:g}, {high:g}]"
                raise ValueError(f"{text}, where no value was seen: give outside='extrapolate' or outside='clip'")
            if outside != "extrapolate":
                found[:, k] = np.clip(column, low, high)
        return found


def as_points(points: np.ndarray, d: int, what: str) -> np.ndarray:
    """Points (m, d) as a new array of floats. Raises ValueError with the first thing wrong."""
    found = np.asarray(points)
    if found.ndim == 1 and d == 1:
        found = found[:, None]
    if found.ndim != 2 or found.shape[1] != d or found.dtype.kind not in "iuf":
        raise ValueError(f"{what}: needs real coordinates (m, {d}), not {found.dtype} {found.shape}")
    found = np.array(found, dtype=np.float64)
    if not np.isfinite(found).all():
        j, k = np.argwhere(~np.isfinite(found))[0]
        raise ValueError(f"{what}: coordinate {k + 1} of point number {j} is not finite")
    return found


def _times(rows: np.ndarray, phi: np.ndarray, core: np.ndarray) -> np.ndarray:
    """rows (m, a), functions (m, n), core (a, n, b) -> (m, b)."""
    a, n, b = core.shape
    return (rows[:, :, None] * phi[:, None, :]).reshape(len(rows), a * n) @ core.reshape(a * n, b)
