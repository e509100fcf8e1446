"""Small spaces outright: the matrix of every symmetry block, diagonalised by LAPACK.

Iterative methods gain nothing in a few hundred functions, and may stumble over what only happens there: all states
asked for, or an H that is a multiple of the unit operator. Cost O(N^3), N product functions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

from solvers.eigen.eigsolve import EigenStates
from solvers.solution import Solution, Status
from solvers.trains.construct import tt_svd
from solvers.trains.operator import TTOperator

LARGEST = 600  # product functions
AFFORDABLE = 3000  # where an iterative method fails
BUFFER = 4  # energies above the last one asked for that are reported
TRAIN_TOLERANCE = 1e-12


def diagonalise(operator: TTOperator, charges: Sequence[np.ndarray], n_states: int) -> Solution:
    """The ``n_states`` lowest states; ``charges[k]``: (n_k,) of the functions of mode k, zeros where there are none.

    The residual norms are those of the trains; the errors are the residuals' bound r (Weyl), as no gap is assumed.
    """
    shape = operator.row_shape
    h = operator.full()
    total = np.zeros(1, dtype=np.int64)
    for c in charges:
        total = (total[:, None] ^ np.asarray(c)[None, :]).ravel()
    levels: list[tuple[float, int, np.ndarray]] = []
    for charge in np.unique(total):
        block = np.flatnonzero(total == charge)
        energies, vectors = eigh(h[np.ix_(block, block)])
        for e, v in zip(energies[: n_states + BUFFER], vectors.T):
            whole = np.zeros(len(h), dtype=h.dtype)
            whole[block] = v
            levels.append((float(e), int(charge), whole))
    levels.sort(key=lambda level: level[0])
    wanted = levels[:n_states]
    trains = [tt_svd(v.reshape(shape), tol=TRAIN_TOLERANCE) for _, _, v in wanted]
    trains = [x * (1.0 / x.norm()) for x in trains]
    residuals = np.array([np.linalg.norm(h @ x.full().ravel() - e * x.full().ravel())
                          for x, (e, _, _) in zip(trains, wanted)])  # fmt: skip
    above = np.array([e for e, _, _ in levels[n_states : n_states + BUFFER]])
    probe = {"method": "none needed: the whole matrix was diagonalised"}
    energies = np.array([e for e, _, _ in wanted])
    value = EigenStates(energies, trains, [c for _, c, _ in wanted], residuals, above, probe)
    counts = {"functions_diagonalised": len(h)}
    return Solution(value, Status.CONVERGED, n_states, residuals, (), counts, {})
