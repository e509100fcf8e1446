"""The spatial basis of ALS-cross: solves at chosen parameter points, and the system projected onto their span.

V holds the solutions seen so far, orthonormal in the energy product of K = A(mean coefficients). Between the solves the
reduced solution V c with V^T A(i) V c = V^T f(i) (Galerkin) is judged at many candidate points by its residual in the
dual norm, sqrt(r^T K^-1 r), relative to the energy norm of the solution: with a(i) >= alpha K its error is at most
that over alpha. New solves are made only where it is too large, several at once: points whose residuals are large and
far from each other's span (a pivoted Gram-Schmidt of their Riesz representers), so that no two say the same.
Weak greedy basis: Binev, Cohen, Dahmen, DeVore, Petrova, Wojtaszczyk, SIAM J. Math. Anal. 43, 1457 (2011); the idea to
accumulate the solves of all sweeps is in Dolgov and Scheichl, SIAM/ASA J. Uncertain. Quantif. 7, 260 (2019), sec. 4.
Cost a judged point: m^3 / 3 for a basis of m, S sparse products and one triangular solve of size N.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor

import numpy as np
from scipy.linalg.lapack import dposv

from solvers.checkpoint import Journal
from solvers.cross.parametric_system import ParametricSystem, factorised

CHUNK = 300_000  # entries of the stacked matrices of points solved together: they should stay in the cache
LEAST_GAIN = 1e-3  # of a batch's largest residual: what is left of a residual below this is known already
NEGLIGIBLE = 1e-13
TASK = 4  # points a task for the executor
LENGTHS, TOGETHER = np.array([-1.0]), np.array([-2.0])  # keys of what a basis began with: of no parameter point
SMALL = 40  # systems of fewer unknowns are solved in one call


class ReducedBasis:
    """Solves made so far, the basis V (N, m) and the projected system."""

    def __init__(
        self, system: ParametricSystem, executor: Executor | None = None, journal: Journal | None = None
    ) -> None:
        self.system, self.executor = system, executor
        self.journal = journal or Journal(None)
        mean = np.prod([g @ w for g, w in zip(system.factors, system.weights)], axis=0)
        self.energy = system.matrix(mean)
        self.factor = factorised(self.energy)
        self.basis = np.empty((system.size, 0))
        self.matrices = np.empty((len(system.matrices), 0, 0))
        self.loads = np.empty((len(system.loads), 0))
        self.solved: set[tuple[int, ...]] = set()
        self.earlier = 0
        self.sets: list[np.ndarray] | None = None  # right index sets of the last train in this basis

    def on(self, system: ParametricSystem) -> ReducedBasis:
        """The same basis for the same full system (matrices and loads) on another grid of parameter points.

        Raises ValueError where the number of unknowns or terms differs.
        """
        other = ReducedBasis(system, self.executor, self.journal)
        one, two = self.system, system
        if (one.size, len(one.matrices), len(one.loads)) != (two.size, len(two.matrices), len(two.loads)):
            raise ValueError("a basis can only be moved to another grid of the same full system")
        other.energy, other.factor = self.energy, self.factor  # the basis is orthonormal in this product
        other.basis, other.matrices, other.loads = self.basis, self.matrices, self.loads
        other.earlier = self.solves
        if self.sets is not None:  # the index at the same share of the points of a parameter
            old, new = np.array(self.system.shape), np.array(system.shape)
            other.sets = [((2 * points + 1) * new // (2 * old)).astype(np.int64) for points in self.sets]
        return other

    @property
    def solves(self) -> int:
        """Solves of the full system so far, those on earlier grids included."""
        return self.earlier + len(self.solved)

    @property
    def m(self) -> int:
        """Size of the basis."""
        return self.basis.shape[1]

    def add(self, points: np.ndarray) -> int:
        """Solve at those of the grid points (p, d) not solved yet, and extend the basis; returns their number."""
        new = np.array([p for p in dict.fromkeys(map(tuple, points.tolist())) if p not in self.solved])
        if not len(new):
            return 0
        self.solved.update(map(tuple, new.tolist()))
        parts = [new[k : k + TASK] for k in range(0, len(new), TASK)]
        # what tells one solve from another, on whatever grid
        keys = [np.hstack([self.system.coefficients(p), self.system.load_coefficients(p)]) for p in parts]
        found = [self.journal.get(key) for key in keys]
        missing = [part for part, known in zip(parts, found) if known is None]
        mapped = map if self.executor is None or len(missing) < 2 else self.executor.map
        solved = iter(mapped(self.system.solve, missing))
        solutions = []
        for key, known in zip(keys, found):
            if known is None:
                known = next(solved)
                self.journal.put(key, known)
            solutions.append(known)
        self._extend(np.concatenate(solutions).T)
        return len(new)

    def begin_from(self, earlier: Journal) -> None:
        """Take in what ``earlier`` holds, or what the basis of this journal began with before; the journal keeps it."""
        if self.journal.files:
            lengths, together = self.journal.get(LENGTHS), self.journal.get(TOGETHER)
            if lengths is not None and together is not None:
                self.begin_with(np.split(together, np.cumsum(lengths)[:-1]))
            return
        known = [some for some in earlier.known.values() if some.ndim == 2 and some.shape[1] == self.system.size]
        self.begin_with(known)
        if known:
            self.journal.put(LENGTHS, np.array([len(some) for some in known]))
            self.journal.put(TOGETHER, np.concatenate(known))

    def begin_with(self, solutions: Iterable[np.ndarray]) -> None:
        """Take in solutions (p, N) of the full system that were computed elsewhere; they count as no solves here."""
        for some in solutions:
            self._extend(some.T)

    def _extend(self, snapshots: np.ndarray) -> None:
        """Orthonormalise new columns (twice, for the digits) and project the system onto them."""
        added: list[np.ndarray] = []
        for u in snapshots.T:
            size = np.sqrt(u @ (self.energy @ u))
            v = u / size if size > 0.0 else u
            basis = np.column_stack([self.basis, *added]) if added else self.basis
            for _ in range(2):
                v = v - basis @ (basis.T @ (self.energy @ v))
            rest = np.sqrt(max(v @ (self.energy @ v), 0.0))
            if rest > NEGLIGIBLE:
                added.append(v / rest)
        if not added:
            return
        new = np.column_stack(added)
        old, m = self.basis, self.m
        self.basis = np.column_stack([old, new])
        matrices = np.zeros((len(self.matrices), self.m, self.m))
        matrices[:, :m, :m] = self.matrices
        for s, matrix in enumerate(self.system.matrices):
            image = self.basis.T @ (matrix @ new)
            matrices[s, :, m:] = image
            matrices[s, m:, :m] = image[:m].T
        self.matrices = matrices
        self.loads = np.column_stack([self.loads, self.system.loads @ new])

    def reduced_solutions(self, points: np.ndarray) -> np.ndarray:
        """Galerkin coefficients c at grid points (p, d) -> (p, m)."""
        coefficients = self.system.coefficients(points)
        loads = self.system.load_coefficients(points) @ self.loads
        return solve_stacked(self.matrices, coefficients, loads)

    def compliances(self, points: np.ndarray) -> np.ndarray:
        """f^T V c of the reduced solutions at grid points (p, d) -> (p,): of the span, whatever basis it has."""
        loads = self.system.load_coefficients(points) @ self.loads
        return np.einsum("pm,pm->p", loads, self.reduced_solutions(points)) if self.m else np.zeros(len(points))

    def residuals(self, points: np.ndarray, solutions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Relative dual norms (p,) and representers K^-1 r (N, p) for solutions (N, p) at grid points (p, d)."""
        coefficients = self.system.coefficients(points)
        rest = self.system.loads.T @ self.system.load_coefficients(points).T
        for s, matrix in enumerate(self.system.matrices):
            rest -= matrix @ (solutions * coefficients[:, s])
        riesz = self.factor.solve(rest)
        size = np.sqrt(np.maximum(np.sum(solutions * (self.energy @ solutions), axis=0), 1e-300))
        return np.sqrt(np.maximum(np.sum(rest * riesz, axis=0), 0.0)) / size, riesz / size

    def judge(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``residuals`` of the reduced solutions at grid points."""
        return self.residuals(points, self.basis @ self.reduced_solutions(points).T)

    def worst(self, errors: np.ndarray, riesz: np.ndarray, above: float, most: int) -> np.ndarray:
        """Candidates to solve next, at most ``most``: the worst first, each judged by what the others leave of it."""
        rest = riesz[:, errors > above]
        which = np.flatnonzero(errors > above)
        chosen: list[int] = []
        sizes = errors[which].copy()
        floor = max(above, LEAST_GAIN * float(errors.max(initial=0.0)))
        while len(chosen) < most and len(which):
            j = int(np.argmax(sizes))
            if sizes[j] <= floor:
                break
            chosen.append(int(which[j]))
            direction = rest[:, j].copy()
            image = self.energy @ direction
            direction_size = direction @ image
            rest -= np.outer(direction, (image @ rest) / direction_size)
            sizes = np.sqrt(np.maximum(np.sum(rest * (self.energy @ rest), axis=0), 0.0))
        return np.array(chosen, dtype=np.int64)


def solve_stacked(matrices: np.ndarray, coefficients: np.ndarray, loads: np.ndarray) -> np.ndarray:
    """Solve (sum_s c_s A_s) x = f for many small symmetric systems: (S, r, r), (p, S), (p, r) -> (p, r)."""
    terms, r, _ = matrices.shape
    flat = matrices.reshape(terms, r * r)
    out = np.empty((len(coefficients), r))
    chunk = max(16, CHUNK // (r * r))
    for k in range(0, len(coefficients), chunk):
        stacked = (coefficients[k : k + chunk] @ flat).reshape(-1, r, r)
        if r < SMALL:  # one call for all of them
            out[k : k + chunk] = np.linalg.solve(stacked, loads[k : k + chunk, :, None])[:, :, 0]
            continue
        for j, matrix in enumerate(stacked, start=k):
            _, x, info = dposv(matrix.T, loads[j], lower=1)
            # a separated coefficient can lose its sign in a far tail: no reason to stop
            out[j] = x if info == 0 else np.linalg.solve(matrix, loads[j])
    return out
