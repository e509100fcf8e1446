"""What is known beside states, or motion, as the result is: the problem says it."""

from __future__ import annotations

from problems.agreement import Agreement
from problems.quantum.kinds.sum_of_products import SumOfProductsProblem
from problems.quantum.tasks.either.presentation import Result, Solver, of_motion, of_states
from problems.quantum.tasks.evolution import references as evolution
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.quantum.tasks.spectrum import references as spectrum
from problems.report_parts import Table
from problems.result import Columns


def agreements(problem: SumOfProductsProblem, result: Result) -> list[Agreement]:
    """This run's deviation from each."""
    if isinstance(result, EvolutionResult):
        return evolution.agreements(problem, result)
    return spectrum.agreements(problem, result)


def comparison_table(problem: SumOfProductsProblem, solver: Solver, result: Result) -> Table | None:
    """The run beside them; None where there is nothing to compare with."""
    if isinstance(solver, WavePacketSolver):
        return evolution.comparison_table(problem, solver, of_motion(result))
    return spectrum.comparison_table(problem, solver, of_states(result))


def columns(problem: SumOfProductsProblem, result: Result) -> Columns:
    """Further columns of the CSV file."""
    if isinstance(result, EvolutionResult):
        return evolution.columns(problem, result)
    return spectrum.columns(problem, result)
