"""States of a user's Hamiltonian: in the functions the file names, and in the words of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import overload

import numpy as np

from problems.quantum.hamiltonians.terms.operators import ModeFunctions
from solvers.eigen.complex_hermitian import recover
from solvers.eigen.states import EigenStates
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.train import SectorTrain, leading_products
from solvers.solution import Solution, Status

LISTED = 8  # modes of a product that are named


class GivenFunctions(Sequence[TensorTrain]):
    """The states as dense trains in the functions that the file names, made when they are asked for."""

    def __init__(self, trains: Sequence[SectorTrain | TensorTrain], functions: Sequence[ModeFunctions]) -> None:
        self._trains, self._functions = trains, functions

    def __len__(self) -> int:
        return len(self._trains)

    @overload
    def __getitem__(self, i: int) -> TensorTrain: ...

    @overload
    def __getitem__(self, i: slice) -> list[TensorTrain]: ...

    def __getitem__(self, i: int | slice) -> TensorTrain | list[TensorTrain]:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        x = self._trains[i]
        dense = x.to_train() if isinstance(x, SectorTrain) else x
        cores = [np.einsum("vn,anb->avb", f.vectors, core) for f, core in zip(self._functions, dense.cores)]
        return TensorTrain(tuple(cores))


def recovered(
    operator: TTOperator, solution: Solution, n_states: int, accuracy: float, max_rank: int | None = None
) -> Solution:
    """The states of a complex operator from twice as many of its real form, in one order of energies.

    ``max_rank``: of the complex states, whose ranks are sums of those of the real ones; None: as the accuracy needs.
    """
    real: EigenStates = solution.value
    tol = float(np.clip(0.1 * np.sqrt(accuracy / max(np.abs(real.energies).max(), 1e-300)), 1e-12, 1e-3))
    trains_of_real = [x.to_train() for x in real.trains if isinstance(x, SectorTrain)]
    energies, trains, errors = recover(operator, trains_of_real, real.errors, n_states, tol, max_rank)
    residual = np.array([(operator @ z - z * complex(e)).norm() for z, e in zip(trains, energies)])
    # every level of the real form is there twice
    value = EigenStates(energies, trains, [0] * n_states, errors, np.sort(real.buffer)[::2], real.probe)
    n_converged = int(np.sum(errors <= accuracy))
    status = Status.CONVERGED if n_converged == n_states else solution.status
    if status is Status.CONVERGED and n_converged < n_states:  # the real ones met it, their combinations do not
        status = Status.RANK_LIMIT
    return replace(solution, value=value, status=status, n_converged=n_converged, residual=residual)


def assignment(x: SectorTrain | TensorTrain, labels: Sequence[np.ndarray], order: Sequence[int], count: int = 2) -> str:
    """The leading products, as in "0.97[1v3] ; 0.20[1v0+2v3]": function 1 of mode 3, modes numbered from 0."""
    products: Sequence[tuple[complex, tuple[int, ...]]]
    products = _leading(x, count) if isinstance(x, TensorTrain) else leading_products(x, count)
    found = []
    for value, functions in products:
        quanta = {order[k]: int(labels[k][n]) for k, n in enumerate(functions) if labels[k][n]}
        names = [f"{v}v{mode}" for mode, v in sorted(quanta.items())]
        names = names if len(names) <= LISTED else [*names[: LISTED - 1], f"and {len(names) - LISTED + 1} more"]
        found.append(f"{abs(value):.2f}[{'+'.join(names) or 'gs'}]")
    return " ; ".join(found)


def _leading(x: TensorTrain, count: int, beam: int = 64) -> list[tuple[complex, tuple[int, ...]]]:
    """As ``leading_products``, for a complex train: a beam search from the left, the rest right-orthogonal."""
    cores = list(x.cores)
    for k in range(len(cores) - 1, 0, -1):
        a, n, b = cores[k].shape
        q, r = np.linalg.qr(cores[k].reshape(a, n * b).conj().T)
        cores[k] = q.conj().T.reshape(-1, n, b)
        cores[k - 1] = np.tensordot(cores[k - 1], r.conj().T, 1)
    functions, vectors = np.zeros((1, 0), dtype=np.int64), np.ones((1, 1), dtype=complex)
    for core in cores:
        n = core.shape[1]
        rows = np.tensordot(vectors, core, 1).reshape(-1, core.shape[2])
        functions = np.column_stack([np.repeat(functions, n, axis=0), np.tile(np.arange(n), len(functions))])
        best = np.argsort(-np.linalg.norm(rows, axis=1), kind="stable")[:beam]
        functions, vectors = functions[best], rows[best]
    return [(complex(v[0]), tuple(int(m) for m in f)) for v, f in zip(vectors[:count], functions[:count])]
