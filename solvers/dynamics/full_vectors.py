"""Small states as full vectors: every method of evolution would only approximate what is exact here at less cost.

    x(t + h) = exp(h s (A - m)) x(t) on all N entries, without a step to err by and without a rank to be short of

1. The operator becomes a sparse matrix.
2. Up to ``DENSE`` entries, where that is cheaper: by eigenvectors where A is Hermitian, else by its exponential
   (scaling and squaring, as scipy has it), kept for steps of the same length. Stiffness does not make it dear.
3. Else by Krylov spaces, divided as their error estimate asks for (solvers.kernels.exponential).
4. What is shown is the vector as a train, rounded within the accuracy and the cap on the ranks. The vector stays as it
   is, so that a rounding is an error of one moment: ``rounding``, which does not add up.

A fixed step or a tolerance asks for the method itself, and gets it.
Cost a step: products of the matrix and of 40 vectors, or 2 N^2; O(N^1.5 n) a train.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import eigh, expm

from solvers.dynamics.krylov import local_exponential
from solvers.dynamics.sparse import MOST_NONZEROS, sparse_matrix
from solvers.dynamics.stepper import Stepper
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.method_base import Integrator
from solvers.sweeping.local_operator import OperatorCore

LARGEST = 40_000  # entries; none: every evolution by its method
DENSE = 1100
MOST_SECONDS = 3.0  # of all exponentials and trains, as estimated by the numbers below
TWO_MODES = 10.0  # times that where a train saves little: fields of 86 x 86 points took 8 s so, 50 by their method
PRODUCT, FLOPS = 2e-9, 1e10  # seconds a nonzero of a product with the matrix, operations a second of dense matrices
TRAIN = 60.0  # times N^1.5 operations for a train
DIMENSION = 40  # of a Krylov space
PRODUCTS = 1.5  # a unit of time and of the matrix's 1-norm
SQUARING = 50.0  # times N^3 operations for an exponential
DIAGONALISING = 10.0  # and for eigenvectors
SHARE = 0.1  # of the accuracy, for roundings
DIGITS = 2e-14  # relative rounding error of a step
RANGE = 1e3  # times the norm before a step of Krylov spaces: beyond, their estimate does not see what an error becomes
GROWING = 1e-15  # relative error of such a step where a small part of the state may outgrow the rest
EPS = float(np.finfo(float).eps)


class FullVectorStepper(Stepper):
    """Steps of the vector.

    ``tol``: relative error a unit of time that the exponentials may make; ``accuracy``: of the evolution. ``rounding``:
    the relative error of ``train()`` beside the state. ``step_error``: errors of the exponentials, accumulated.
    """

    estimates_steps = True

    def __init__(
        self,
        operator: TTOperator,
        matrix: sparse.csr_matrix,
        start: TensorTrain,
        method: Integrator,
        factor: complex,
        tol: float,
        accuracy: float,
        hermitian: bool,
        dense: bool,
        conserve: Sequence[TensorTrain],
    ) -> None:
        super().__init__(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)
        self.shape, self.accuracy, self.dense = start.shape, accuracy, dense
        self.max_rank = max(method.max_rank, start.max_rank)
        self.matrix = matrix.astype(self.dtype)
        self.reach = _reach(self.matrix)
        self.core = None if dense else _core(self.matrix)
        self.vectors: tuple[np.ndarray, np.ndarray] | None = None
        self.exponentials: dict[float, np.ndarray] = {}
        self.x = start.full().reshape(-1).astype(self.dtype)
        self.shown: TensorTrain | None = start

    def train(self) -> TensorTrain:
        """The present state, rounded."""
        if self.shown is None:
            tensor = self.x.reshape(self.shape)
            train = tt_svd(tensor, SHARE * self.accuracy)
            if train.max_rank > self.max_rank:
                train = tt_svd(tensor, 0.0).round(0.0, self.max_rank)
            self.shown = self.invariants.restore(train)[0]
            off = float(np.linalg.norm(self.shown.full().reshape(-1) - self.x))
            self.rounding = off / float(np.linalg.norm(self.x))
        return self.shown

    def kept(self) -> TensorTrain:
        """The present state, not rounded."""
        return tt_svd(self.x.reshape(self.shape), 0.0)

    def load(self, x: TensorTrain) -> None:
        """Replace the state; the invariants keep the values they had."""
        self._take(x.full().reshape(-1).astype(self.x.dtype))

    def _take(self, x: np.ndarray) -> None:
        self.x, self.shown, self.rounding = x, None, 0.0

    def rescale(self, factor: float) -> None:
        """Multiply the state by a number; the invariants follow."""
        self.x = self.x * factor
        self.shown = None if self.shown is None else self.shown * factor
        self.invariants.values = self.invariants.values * factor

    def snapshot(self) -> Any:
        """All that a step changes, except the counts of work."""
        return self.x, self.shown, self.rounding, self.step_error

    def restore(self, saved: Any) -> None:
        """Back to a snapshot."""
        self.x, self.shown, self.rounding, self.step_error = saved

    def advance(self, h: float) -> None:
        """One step of length ``h``. Raises LinAlgError where the norm leaves the range of numbers."""
        before = float(np.linalg.norm(self.x))
        with np.errstate(over="ignore", invalid="ignore"):
            x, error = self._by_matrix(h) if self.dense else self._by_krylov(h, before)
            after = float(np.linalg.norm(x))
        if not (0.0 < after < np.inf and (self.dense or before / RANGE < after < before * RANGE)):
            raise np.linalg.LinAlgError(f"a step of {h:g} is too long for its exponential")
        # in real numbers an error made within the step may grow with the state
        self.step_error += error * max(1.0, after / before) + DIGITS * after
        self._take(x)
        self.work["steps"] += 1

    def _by_krylov(self, h: float, norm: float) -> tuple[np.ndarray, float]:
        one = np.ones((1, 1, 1), dtype=self.x.dtype)
        assert self.core is not None
        tol = self.tol * h if self.factor.real == 0.0 else min(self.tol * h, GROWING)
        found = local_exponential(
            one,
            self.core,
            one,
            self.x[None, :, None],
            self.factor * h,
            tol * norm,
            hermitian=self.hermitian,
            dimension=DIMENSION,
            shift=self.shift,
        )
        self.work["matvecs"] += found.products
        return found.value.reshape(-1), found.error

    def _by_matrix(self, h: float) -> tuple[np.ndarray, float]:
        """And its rounding errors: of the state, as far as they can grow, and of the exponent."""
        norm = float(np.linalg.norm(self.x))
        if self.hermitian:
            if self.vectors is None:
                self.vectors = eigh(self.matrix.toarray())
            levels, vectors = self.vectors
            growth = np.exp(self.factor * h * (levels - self.shift))
            x = vectors @ (growth * (vectors.conj().T @ self.x))
            grown = float(np.abs(growth).max()) * norm
        else:
            key = float(f"{h:.12g}")
            if key not in self.exponentials:
                self.exponentials[key] = expm((self.factor * h) * self.matrix.toarray())
            x = np.exp(-self.factor * h * self.shift) * (self.exponentials[key] @ self.x)
            grown = norm
        # divided by the growth of the norm, which the caller multiplies by
        after = float(np.linalg.norm(x))
        error = EPS * (10.0 * grown + self.reach * abs(self.factor * h) * after)
        return x, error * min(1.0, norm / after)


def full_vectors(
    operator: TTOperator,
    start: TensorTrain,
    times: np.ndarray,
    method: Integrator,
    factor: complex,
    tol: float,
    accuracy: float,
    hermitian: bool,
    conserve: Sequence[TensorTrain],
) -> FullVectorStepper | None:
    """The stepper, where the state is small, the exponentials are cheap and nothing asks for the method's own steps."""
    size = math.prod(start.shape)
    if size > LARGEST or method.time_step is not None or method.tol is not None or len(times) < 2:
        return None
    matrix = sparse_matrix(operator, MOST_NONZEROS)
    if matrix is None:
        return None
    lengths = np.diff(times)
    exponent = _reach(matrix) * abs(factor) * float(lengths.sum())
    seconds = (PRODUCTS * exponent + DIMENSION * len(lengths) / 4) * (matrix.nnz + 2.0 * DIMENSION * size) * PRODUCT
    dense = math.inf
    if size <= DENSE:
        distinct = 1 if hermitian else len({f"{h:.12g}" for h in lengths})
        parts = 4.0 if operator.dtype.kind == "c" or complex(factor).imag else 1.0
        each = DIAGONALISING if hermitian else SQUARING
        dense = parts * (distinct * each * size**3 + len(lengths) * 4.0 * size**2) / FLOPS
    shown = len(times) * TRAIN * size**1.5 / FLOPS
    most = MOST_SECONDS * (TWO_MODES if len(start.shape) <= 2 else 1.0)
    if not min(seconds, dense) + shown <= most:
        return None
    return FullVectorStepper(
        operator,
        matrix,
        start,
        method,
        factor,
        tol,
        accuracy,
        hermitian,
        dense < seconds,
        conserve,
    )


def _reach(matrix: sparse.csr_matrix) -> float:
    """The 1-norm of the matrix without its mean diagonal, which a shift takes."""
    size = matrix.shape[0]
    mean = matrix.diagonal().sum() / size
    return float(abs(matrix - mean * sparse.identity(size, format="csr")).sum(axis=0).max())


def _core(matrix: sparse.csr_matrix) -> OperatorCore:
    """The matrix as the operator of a single mode."""
    size = matrix.shape[0]
    matrix = matrix.tocsr()
    matrix.sort_indices()
    entries = np.zeros((matrix.nnz, 4), dtype=np.int64)
    entries[:, 1] = np.repeat(np.arange(size), np.diff(matrix.indptr))
    entries[:, 2] = matrix.indices
    return OperatorCore(entries, np.ascontiguousarray(matrix.data), (1, size, size, 1))
