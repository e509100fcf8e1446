"""The lowest levels of a small sum of products without trains: dense diagonalisation, or Lanczos on full vectors.

    H = sum_t c_t prod_k M_{t,k}        M: a matrix of one mode, the unit matrix where the term has none

The judge of the iterative methods: it takes the terms as they are and knows neither ranks, nor sectors, nor a start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from problems.route import NotReached

DENSE = 1500  # functions up to which the whole matrix is diagonalised: 2 s on one core
LARGEST = 20_000  # functions up to which Lanczos takes seconds to a minute
SEARCHES = 4  # Lanczos runs, each orthogonal to what the earlier ones have found
MORE = 4  # levels beyond those wanted

Terms = Sequence[tuple[complex, Mapping[int, np.ndarray]]]


def lowest_levels(
    shape: Sequence[int], terms: Terms, count: int, seed: int = 0, dense: int = DENSE
) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` lowest levels of the sum of ``terms`` on modes of sizes ``shape``, and bounds of their errors.

    A level found at all is within its residual (Weyl); that none is missing is a matter of the whole matrix, or of
    Lanczos runs from fresh random starts orthogonal to everything found, until one finds nothing lower. Raises
    NotReached where they do not converge. Cost: O(N^3), or some hundred products of ``apply`` each.
    """
    size = math.prod(shape)
    apply = product(shape, terms)
    complex_ = any(complex(c).imag != 0.0 or any(map(np.iscomplexobj, ms.values())) for c, ms in terms)
    kind = complex if complex_ else float
    if size <= dense:
        matrix = apply(np.eye(size, dtype=kind))
        energies, vectors = eigh(matrix, subset_by_index=(0, min(count, size) - 1))
        return energies, np.linalg.norm(matrix @ vectors - vectors * energies, axis=0) + _rounding(energies)
    return of_product(apply, size, count, kind, seed)


def of_product(
    apply: Callable[[np.ndarray], np.ndarray], size: int, count: int, kind: type = float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """As ``lowest_levels``, of the Hermitian matrix whose product with the columns of an (N, m) array is ``apply``."""
    rng = np.random.default_rng(seed)
    wanted = min(count + MORE, size - 2)
    energies = np.zeros(0)
    vectors: np.ndarray = np.zeros((size, 0), dtype=kind)
    for search in range(SEARCHES):
        lift = 0.0 if not search else 2.0 * float(np.ptp(energies)) + 1.0

        def lifted(x: np.ndarray, lift: float = lift, known: np.ndarray = vectors) -> np.ndarray:
            x = x.reshape(size, -1)
            return apply(x) + (lift * (known @ (known.conj().T @ x)) if lift else 0.0)

        start = rng.standard_normal(size) + (1j * rng.standard_normal(size) if kind is complex else 0.0)
        operator = LinearOperator((size, size), matvec=lifted, matmat=lifted, dtype=kind)
        many = wanted if not search else max(2, wanted // 4)
        try:
            new, found = eigsh(operator, many, which="SA", v0=start, ncv=min(size - 1, 2 * many + 40), maxiter=20_000)
        except ArpackNoConvergence:
            raise NotReached("Lanczos on full vectors did not converge") from None
        before = np.inf if not search else energies[:count][-1]
        missed = bool(search) and bool(np.any(new < before - 1e-9 * max(1.0, abs(before))))
        vectors = np.linalg.qr(np.concatenate([vectors, found], axis=1))[0] if search else np.linalg.qr(found)[0]
        small = vectors.conj().T @ apply(vectors)
        energies, turn = np.linalg.eigh(0.5 * (small + small.conj().T))
        vectors = vectors @ turn
        if search and not missed:
            break
    else:
        raise NotReached(f"Lanczos on full vectors found new levels in each of {SEARCHES} searches")
    energies, vectors = energies[:count], vectors[:, :count]
    return energies, np.linalg.norm(apply(vectors) - vectors * energies, axis=0) + _rounding(energies)


def product(shape: Sequence[int], terms: Terms) -> Callable[[np.ndarray], np.ndarray]:
    """The product of H with the columns of an (N, m) array; what is diagonal, and what acts on one mode, is summed."""
    size = math.prod(shape)
    diagonal: np.ndarray = np.zeros(size)
    alone: dict[int, np.ndarray] = {}
    rest: list[tuple[complex, Mapping[int, np.ndarray]]] = []
    for c, matrices in terms:
        c = c.real if complex(c).imag == 0.0 else c
        if all(not np.any(m - np.diag(np.diag(m))) for m in matrices.values()):
            values: np.ndarray = np.array([c])
            for k, n in enumerate(shape):
                values = np.outer(values, np.diag(matrices[k]) if k in matrices else np.ones(n)).ravel()
            diagonal = diagonal + values
        elif len(matrices) == 1:
            ((k, m),) = matrices.items()
            alone[k] = alone.get(k, 0.0) + c * m
        else:
            rest.append((c, matrices))
    products = [*((1.0, {k: m}) for k, m in alone.items()), *rest]

    def apply(x: np.ndarray) -> np.ndarray:
        y = diagonal[:, None] * x
        for c, matrices in products:
            z = x
            for k, m in matrices.items():
                left, n = math.prod(shape[:k]), shape[k]
                z = np.matmul(m, z.reshape(left, n, -1)).reshape(x.shape)
            y = y + c * z
        return y

    return apply


def _rounding(energies: np.ndarray) -> np.ndarray:
    return np.full(len(energies), 1e-13 * max(1e-300, float(np.abs(energies).max(initial=0.0))))
