"""Mean-field energy of a product state, its one-mode functions optimised for that state (VSCF).

    h_k = sum_terms c O_k prod_(j != k) <O_j>,    E = sum_terms c prod_k <O_k>

Every mode keeps the eigenfunction of h_k that resembles the one before most, from the functions of the ground state's
mean field on (Bowman, J. Chem. Phys. 68, 608 (1978)). Functions are those of the basis, which are converged for levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.eigen.configuration_interaction import ProductTerms

SWEEPS = 100
DAMPED_AFTER = 8
SETTLED = 1e-9  # of the one-mode energies: change of the energy in a sweep


def mean_field_energies(terms: ProductTerms, products: Sequence[Sequence[int]]) -> np.ndarray:
    """Energies (n,) of ``products``: an index of a function for every mode along the train; NaN where the iteration
    does not settle. Cost of a sweep O(terms + d n^3)."""
    table = _Table(terms)
    return np.array([table.energy(functions) for functions in products])


class _Table:
    def __init__(self, terms: ProductTerms) -> None:
        self._matrices = terms.matrices
        widest = max((len(factors) for _, factors in terms.terms), default=1) or 1
        count = len(terms.terms)
        self._c = np.array([c for c, _ in terms.terms])
        self._mode = np.zeros((count, widest), dtype=np.int64)
        self._matrix = np.zeros((count, widest), dtype=np.int64)
        self._there = np.zeros((count, widest), dtype=bool)
        for t, (_, factors) in enumerate(terms.terms):
            for f, (k, p) in enumerate(factors.items()):
                self._mode[t, f], self._matrix[t, f], self._there[t, f] = k, p, True
        self._kinds = max(len(stack) for stack in terms.matrices)
        self._scale = max(float(np.ptp(e[: max(2, len(e) // 2)])) for e in terms.energies) or 1.0

    def energy(self, functions: Sequence[int]) -> float:
        vectors = [np.eye(stack.shape[1])[f] for stack, f in zip(self._matrices, functions, strict=True)]
        means = np.array([self._means(k, v) for k, v in enumerate(vectors)])
        before = self._total(means)
        for sweep in range(SWEEPS):
            fields = self._fields(means)
            new = np.empty_like(means)
            for k, stack in enumerate(self._matrices):
                found = np.linalg.eigh(np.tensordot(fields[k, : len(stack)], stack, 1))[1]
                vectors[k] = found[:, int(np.argmax(np.abs(vectors[k] @ found)))]
                new[k] = self._means(k, vectors[k])
            means = new if sweep < DAMPED_AFTER else 0.5 * (new + means)
            energy = self._total(means)
            if abs(energy - before) <= SETTLED * self._scale:
                return energy
            before = energy
        return float("nan")

    def _means(self, k: int, v: np.ndarray) -> np.ndarray:
        own = (self._matrices[k] @ v) @ v
        return np.concatenate([own, np.zeros(self._kinds - len(own))])

    def _factors(self, means: np.ndarray) -> np.ndarray:
        return np.where(self._there, means[self._mode, self._matrix], 1.0)

    def _total(self, means: np.ndarray) -> float:
        return float(self._c @ np.prod(self._factors(means), axis=1))

    def _fields(self, means: np.ndarray) -> np.ndarray:
        """Coefficient of every matrix of every mode in its h, (d, matrices)."""
        factors = self._factors(means)
        found = np.zeros((len(self._matrices), self._kinds))
        for f in range(factors.shape[1]):
            at = self._there[:, f]
            others = np.prod(np.delete(factors[at], f, axis=1), axis=1)
            np.add.at(found, (self._mode[at, f], self._matrix[at, f]), self._c[at] * others)
        return found
