"""From a matrix to its lowest eigenvalues; each is within its residual (Weyl)."""

import numpy as np
from matrix.result import MatrixResult

from problems.errors import ProblemError
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.operator import TTOperator


def prepare(problem, solver):
    matrix = np.array(problem.rows)
    if matrix.ndim != 2 or not np.array_equal(matrix, matrix.T):
        raise ProblemError("the matrix is not symmetric", "problem.rows")
    return TTOperator((matrix[None, :, :, None],)), solver


def solve(prepared, *, seed, callback, checkpoint, executor, earlier=None):
    operator, solver = prepared
    found = eigsolve(operator, solver.n_states, accuracy=solver.accuracy, callback=callback, throw=False)
    return MatrixResult.of(found, energies=found.value.energies, error_estimates=found.residual)
