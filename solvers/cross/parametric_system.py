"""A linear system that depends on parameters, on a tensor grid of parameter points.

    A(i) u(i) = f(i),   A(i) = sum_s A_s prod_m g_m[s, i_m],   f(i) = sum_t f_t prod_m h_m[t, i_m]

i = (i_1, ..., i_d) counts grid points; s = 1..S terms of the matrix, t = 1..T of the load; N unknowns. An affine
diffusion coefficient has this form with S = d + 1; any other one after a separation of variables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import SuperLU, splu

from solvers.cards import Card, Fact, dimensions
from solvers.formats.trains.factorisations import check_finite

Solver = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class ParametricSystem(Card):
    """The system, and how one grid point of it is solved.

    ``matrices``: S sparse (N, N); ``factors``: d arrays (S, n_m) of g; ``loads``: (T, N); ``load_factors``: d arrays
    (T, n_m) of h; ``weights``: d arrays (n_m,) of positive probabilities, each of sum one, which define the norm in
    which u is approximated. ``exact``: solves grid points (p, d) -> (p, N) where the separated form above is itself
    approximate; picklable; None: from the matrices.

    Raises ValueError for shapes that do not fit together, weights that are not positive, NaN or infinity.
    """

    matrices: tuple[csr_array, ...]
    factors: tuple[np.ndarray, ...]
    loads: np.ndarray
    load_factors: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    exact: Solver | None = None

    def worded(self) -> list[Fact]:
        """Unknowns, terms and grid."""
        return [
            ("unknowns", str(self.loads.shape[1])),
            ("terms", f"{len(self.matrices)} of the matrix, {len(self.loads)} of the load"),
            ("grid", dimensions([len(weights) for weights in self.weights])),
            ("exact solves", "from the matrices" if self.exact is None else "given"),
        ]

    def __post_init__(self) -> None:
        size = self.loads.shape[1]
        if any(matrix.shape != (size, size) for matrix in self.matrices):
            raise ValueError(f"the matrices must be ({size}, {size}), as the loads are")
        for s, matrix in enumerate(self.matrices):
            if abs(matrix - matrix.T).max() > 1e-12 * max(abs(matrix).max(), 1e-300):
                raise ValueError(f"matrix {s} is not symmetric")
        if not len(self.factors) == len(self.load_factors) == len(self.weights) >= 1:
            raise ValueError("factors, load_factors and weights must have one entry a parameter")
        for m, (g, h, w) in enumerate(zip(self.factors, self.load_factors, self.weights)):
            if g.shape != (len(self.matrices), len(w)) or h.shape != (len(self.loads), len(w)):
                raise ValueError(f"parameter {m}: factors {g.shape} and {h.shape} do not fit {len(w)} points")
            if not (w > 0.0).all() or abs(w.sum() - 1.0) > 1e-10:
                raise ValueError(f"parameter {m}: the weights must be positive and of sum one")
            check_finite(g, f"the factors of parameter {m}")
            check_finite(h, f"the load factors of parameter {m}")
        check_finite(self.loads, "the loads")

    @property
    def shape(self) -> tuple[int, ...]:
        """Grid points of each parameter."""
        return tuple(len(w) for w in self.weights)

    @property
    def d(self) -> int:
        """Number of parameters."""
        return len(self.weights)

    @property
    def size(self) -> int:
        """Number of unknowns N."""
        return self.loads.shape[1]

    def coefficients(self, points: np.ndarray) -> np.ndarray:
        """prod_m g_m[s, i_m] at grid points (p, d) -> (p, S)."""
        return _products(self.factors, points)

    def load_coefficients(self, points: np.ndarray) -> np.ndarray:
        """prod_m h_m[t, i_m] at grid points (p, d) -> (p, T)."""
        return _products(self.load_factors, points)

    def solve(self, points: np.ndarray) -> np.ndarray:
        """The solutions at grid points (p, d) -> (p, N), by sparse factorisations.

        Raises ValueError where a matrix is singular or a solution is not finite.
        """
        if self.exact is not None:
            solutions = self.exact(points)
        else:
            loads = self.load_coefficients(points) @ self.loads
            solutions = np.array([self._solve(c, f) for c, f in zip(self.coefficients(points), loads)])
        check_finite(solutions, "the solution at a parameter point")
        return solutions

    def matrix(self, coefficients: np.ndarray) -> csc_array:
        """sum_s c_s A_s for coefficients (S,)."""
        total = self.matrices[0] * coefficients[0]
        for c, matrix in zip(coefficients[1:], self.matrices[1:]):
            total = total + c * matrix
        return csc_array(total)

    def _solve(self, coefficients: np.ndarray, load: np.ndarray) -> np.ndarray:
        return factorised(self.matrix(coefficients)).solve(load)


def factorised(matrix: csc_array) -> SuperLU:
    """Sparse LU; raises ValueError for a singular matrix."""
    try:
        return splu(matrix)
    except RuntimeError as error:
        raise ValueError("the matrix is singular at a parameter point, or in the mean") from error


def _products(factors: tuple[np.ndarray, ...], points: np.ndarray) -> np.ndarray:
    product = factors[0][:, points[:, 0]].copy()
    for m in range(1, len(factors)):
        product *= factors[m][:, points[:, m]]
    return product.T
