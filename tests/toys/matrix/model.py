"""Kind ``matrix``: the lowest eigenvalues of one symmetric matrix."""

from typing import Literal

from pydantic import Field

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import WORKERS, ProblemKeys, SolverKeys, WorkerCount


class MatrixProblem(ProblemKeys):
    """A symmetric matrix."""

    kind: Literal["matrix"] = Field(description="The kind of problem.")
    rows: list[list[float]] = Field(description="The matrix, row by row.")


class MatrixSolver(SolverKeys):
    """How many eigenvalues, and how exact."""

    n_states: int = Field(default=1, ge=1, description="Number of lowest eigenvalues.")
    accuracy: float = Field(default=1e-8, gt=0, description="Error asked of each eigenvalue.")
    workers: WorkerCount = WORKERS


def complete(problem: MatrixProblem, solver: MatrixSolver) -> MatrixSolver:
    """The settings as they are; ProblemError where they ask for more than there is."""
    if solver.n_states > len(problem.rows):
        raise ProblemError(f"the matrix has only {len(problem.rows)} eigenvalues", "solver.n_states")
    return solver


FAMILY = Family(
    kind="matrix",
    summary="the lowest eigenvalues of a symmetric matrix",
    formula="H x = E x",
    references=("Parlett, The Symmetric Eigenvalue Problem (1998)",),
    typical="milliseconds",
    problem=MatrixProblem,
    solver=MatrixSolver,
    package="matrix",
    complete=complete,
)
