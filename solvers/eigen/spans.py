"""Spans of a few trains: elements of an operator between them, combinations, and the complement of known ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.checkpoint import Content, stored_train, train_arrays
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

INSIDE = 1e-3  # of the norm of a train: what is left of it outside the known ones, below which it is one of theirs
FINE = 1e-8  # of a train, rounded without the known ones: rounding errors bound the residuals of a search


@dataclass
class Pairs:
    """Eigenvalues (m,), trains of norm one, residual norms ||A x - w B x|| (m,)."""

    w: np.ndarray
    trains: list[TensorTrain]
    residuals: np.ndarray

    def content(self) -> Content:
        """As arrays and JSON data, for a checkpoint."""
        arrays: dict[str, np.ndarray] = {"w": self.w, "residuals": self.residuals}
        entries = []
        for k, x in enumerate(self.trains):
            own, entry = train_arrays(f"x{k}", x)
            arrays.update(own)
            entries.append(entry)
        return arrays, {"trains": entries}


def stored_pairs(arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> Pairs:
    """The pairs of ``Subspace.content``."""
    trains = [stored_train(arrays, f"x{k}", entry) for k, entry in enumerate(data["trains"])]
    return Pairs(arrays["w"], trains, arrays["residuals"])


@dataclass
class Known:
    """Right and left trains of eigenvalues that are found, and the inverse of their inner products."""

    right: list[TensorTrain]
    left: list[TensorTrain]

    def __post_init__(self) -> None:
        self.inverse = np.linalg.inv(between(self.left, None, self.right, False))

    def without(self, x: TensorTrain) -> TensorTrain:
        """(1 - R (L^H R)^-1 L^H) x, which commutes with the operator."""
        parts = self.inverse @ between(self.left, None, [x], False)[:, 0]
        size = x.norm()
        for r, c in zip(self.right, parts):
            if abs(c) > 1e-3 * INSIDE * size:
                factor = c.real.item() if abs(c.imag) == 0.0 else complex(c)
                x = (x - r * factor).round(FINE)
        return x


def between(
    left: Sequence[TensorTrain], operator: TTOperator | None, right: Sequence[TensorTrain], symmetric: bool
) -> np.ndarray:
    """<l_i| A |r_j>, A one where there is none; ``symmetric``: that the matrix is Hermitian."""
    kind = np.result_type(*[x.dtype for x in (*left, *right)], *([] if operator is None else [operator.dtype]))
    found = np.zeros((len(left), len(right)), dtype=kind)
    for i, l in enumerate(left):
        for j, r in enumerate(right):
            if symmetric and left is right and j < i:
                found[i, j] = np.conj(found[j, i])
            else:
                found[i, j] = element(l, operator, r)
    return found


def element(l: TensorTrain, operator: TTOperator | None, r: TensorTrain) -> complex:
    """<l| A |r>. Cost O(d n R r^2 (r + n R))."""
    if operator is None:
        e = np.ones((1, 1))
        for p, q in zip(l.cores, r.cores):
            t = (e @ q.reshape(len(q), -1)).reshape(-1, q.shape[2])
            e = p.reshape(-1, p.shape[2]).conj().T @ t
        return complex(e[0, 0]) if np.iscomplexobj(e) else float(e[0, 0])
    left = np.ones((1, 1, 1))
    for p, w, q in zip(l.cores, operator.cores, r.cores):
        t = np.tensordot(left, q, 1)  # a' alpha n b
        t = np.tensordot(t, w, axes=((1, 2), (0, 2)))  # a' b n' beta
        left = np.tensordot(p.conj(), t, axes=((0, 1), (0, 2))).transpose(0, 2, 1)
    return left[0, 0, 0].item()


def combination(
    basis: Sequence[TensorTrain], coefficients: np.ndarray, tol: float, max_rank: int, real: bool = False
) -> TensorTrain:
    """The sum, added up largest first and rounded on the way; real where that is asked, or where its phase allows."""
    c = np.asarray(coefficients)
    turned = c * np.exp(-1j * np.angle(c[np.argmax(np.abs(c))]))
    if real or (np.abs(turned.imag).max() < 1e-13 * np.abs(turned).max() and all(x.dtype.kind != "c" for x in basis)):
        c = turned.real
    total: TensorTrain | None = None
    size = float(np.linalg.norm(c))
    for i in np.argsort(-np.abs(c)):
        factor = c[i].item()
        if abs(factor) * basis[i].norm() <= 0.01 * tol * size:
            continue
        term = basis[i] * factor
        total = term if total is None else (total + term).round(0.3 * tol, max_rank)
    assert total is not None
    return total.round(tol, max_rank)
