"""What is known beside a user's own Hamiltonian: nothing, in the columns of a wave packet."""

from __future__ import annotations

from problems.agreement import Agreement
from problems.quantum.kinds.sum_of_products import SumOfProductsProblem
from problems.quantum.tasks.either.presentation import Result, Solver
from problems.quantum.tasks.evolution.references import known_columns
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.report_parts import Table
from problems.result import Columns


def agreements(problem: SumOfProductsProblem, result: Result) -> list[Agreement]:
    """None: the problem is the user's own."""
    return []


def comparison_table(problem: SumOfProductsProblem, solver: Solver, result: Result) -> Table | None:
    """None: there is nothing to compare with."""
    return None


def columns(problem: SumOfProductsProblem, result: Result) -> Columns:
    """The columns of independent values that autocorrelation.csv always has, empty."""
    return known_columns([], result) if isinstance(result, EvolutionResult) else []
