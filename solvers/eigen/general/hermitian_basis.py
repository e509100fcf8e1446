"""An operator on density matrices in real numbers.

A Lindblad operator maps Hermitian matrices to Hermitian ones. In the orthonormal basis of Hermitian matrices

    |i><i|,  (|i><j| + |j><i|) / sqrt 2,  i (|i><j| - |j><i|) / sqrt 2   (i < j)

of every mode (of size n^2, index n i + j for |i><j|) its matrix is real, and Hermitian matrices have real trains.
Gell-Mann matrices, but for the diagonal ones: R. A. Bertlmann, P. Krammer, J. Phys. A 41, 235303 (2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.eigen.complex_hermitian import real_part
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain


def in_hermitian_basis(operator: TTOperator) -> tuple[TTOperator, list[np.ndarray]] | None:
    """U^H A U in real cores and the unitary U of each mode (n^2, n^2); None where a mode's size is no square or the
    operator leaves the Hermitian matrices. Cost O(d n^6 R^2) and a rounding."""
    sides = [math.isqrt(size) for size in operator.row_shape]
    if operator.column_shape != operator.row_shape or any(n * n != size for n, size in zip(sides, operator.row_shape)):
        return None
    basis = [hermitian_matrices(n) for n in sides]
    cores = [np.einsum("xi,axyb,yj->aijb", u.conj(), core, u) for core, u in zip(operator.cores, basis)]
    found = real_part(TTOperator(tuple(np.ascontiguousarray(core) for core in cores)))
    return None if found is None else (found, basis)


def hermitian_matrices(n: int) -> np.ndarray:
    """(n^2, n^2), unitary: a column a matrix."""
    found = np.zeros((n * n, n * n), dtype=complex)
    column = 0
    for i in range(n):
        found[n * i + i, column] = 1.0
        column += 1
    for i in range(n):
        for j in range(i + 1, n):
            found[[n * i + j, n * j + i], column] = math.sqrt(0.5)
            found[n * i + j, column + 1], found[n * j + i, column + 1] = 1j * math.sqrt(0.5), -1j * math.sqrt(0.5)
            column += 2
    return found


def turned(x: TensorTrain, basis: Sequence[np.ndarray], back: bool = False) -> TensorTrain:
    """U x; ``back``: U^H x."""
    cores = []
    for u, core in zip(basis, x.cores):
        cores.append(np.einsum("xi,aib->axb", u.conj().T if back else u, core))
    return TensorTrain(tuple(np.ascontiguousarray(core) for core in cores))
