"""What is known of the tensors of models: ranks by theorems, sums of integer terms that are verified exactly."""

from __future__ import annotations

import numpy as np

from problems.agreement import Agreement, Deviation
from problems.decomposition.known import (
    LEAST_TERMS,
    SOURCES,
    integer_deviation,
    known_terms,
    matrix_multiplication,
)
from problems.decomposition.model import (
    DecompositionProblem,
    DecompositionSolver,
    Example,
    MatrixMultiplication,
    WState,
)
from problems.decomposition.result import DecompositionResult
from problems.report_parts import Table
from problems.result import Columns

THEOREM = "Khrulkov, Novikov and Oseledets, ICLR 2018, theorem 1"


def agreements(problem: DecompositionProblem, result: DecompositionResult) -> list[Agreement]:
    """The odd-even rank beside that of the theorem's example; known sums beside the tensor, in integers."""
    given, found = problem.tensor, []
    if isinstance(given, Example):
        off = Deviation.of(np.array([result.unfoldings[0].odd_even - result.unfoldings[0].theorem], dtype=float))
        assert off is not None
        found.append(Agreement("odd_even_rank", "the odd-even rank of the example, q^(d/2)", THEOREM, off, 0.0))
    if isinstance(given, MatrixMultiplication) and (terms := known_terms(given.size)) is not None:
        n = given.size
        off = Deviation.of(np.array([integer_deviation(terms, matrix_multiplication(n))], dtype=float))
        assert off is not None
        label = f"{terms[0].shape[1]} integer terms, {SOURCES[n]}, verified in integers"
        found.append(Agreement("integer_terms", label, SOURCES[n], off, 0.0))
    return found


def comparison_table(
    problem: DecompositionProblem, solver: DecompositionSolver, result: DecompositionResult
) -> Table | None:
    """What is known, and what this run found."""
    given, known = problem.tensor, result.unfoldings[0]
    sums = [one for one in result.approximations if one.format == "cp"]
    fewest = [one.ranks[0] for one in sums if one.verdict == "converged"]
    said = f"{min(fewest)} terms" if fewest else "none converged" if sums else "not asked"
    rows: list[list[str]] = []
    if known.theorem:
        rows.append(["odd-even rank", f"at least {known.theorem}", str(known.odd_even), THEOREM])
    if isinstance(given, MatrixMultiplication) and given.size in LEAST_TERMS:
        terms = known_terms(given.size)
        assert terms is not None
        reached = f"{LEAST_TERMS[given.size]} to {terms[0].shape[1]} terms"
        rows.append(["rank", reached, said, SOURCES[given.size]])
    if isinstance(given, WState):
        degenerate = any(one.verdict == "degenerate" for one in sums if one.ranks[0] == 2)
        rows.append(["rank", f"{given.modes} terms", said, "de Silva and Lim (2008)"])
        border = "degenerate, as it must be" if degenerate else "not seen"
        rows.append(
            ["border rank", "2: to any accuracy, never exactly", f"2 terms: {border}", "de Silva and Lim (2008)"]
        )
    if not rows:
        return None
    return Table(["what", "known", "this run", "source"], rows, (0, 1, 2, 3), "Known from elsewhere.")


def columns(problem: DecompositionProblem, result: DecompositionResult) -> Columns:
    """None: what is known is of the array, not of each approximation."""
    return []
