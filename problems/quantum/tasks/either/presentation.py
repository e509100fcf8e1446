"""What a report says about a user's Hamiltonian: that of kind vibrational for states, of wave_packet for motion."""

from __future__ import annotations

from problems.contract import Facts
from problems.quantum.kinds.sum_of_products import SumOfProductsProblem
from problems.quantum.tasks.either.keys import SpectrumSolver
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.presentation import facts_of_motion, lines_and_levels, sections_of_motion
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.quantum.tasks.spectrum.presentation import facts_of_states, levels_table, sections_of_states
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Section, Table

Solver = SpectrumSolver | WavePacketSolver
Result = SpectrumResult | EvolutionResult
_NOTE = (
    "Assignments name the leading products: 2v3 is function 2 (from 0, by energy) of mode 3, gs all modes in function"
    " 0. The functions of a mode are those of its mean field; the stored states are in the functions of the file."
)


def headline(problem: SumOfProductsProblem, solver: Solver, result: Result) -> Facts:
    """The few numbers a reader wants first, as (what, value)."""
    if isinstance(solver, WavePacketSolver) and isinstance(result, EvolutionResult):
        return [*problem.description, *facts_of_motion([], solver, result)]
    assert isinstance(solver, SpectrumSolver) and isinstance(result, SpectrumResult)
    return [*problem.description, *facts_of_states([], solver.accuracy, result)]


def tables(problem: SumOfProductsProblem, solver: Solver, result: Result) -> list[Table]:
    """Levels, or lines of the spectrum."""
    if isinstance(result, EvolutionResult):
        return lines_and_levels(result)
    assert isinstance(solver, SpectrumSolver)
    return [levels_table([], solver.accuracy, result, note=_NOTE)]


def sections(problem: SumOfProductsProblem, result: Result) -> list[Section]:
    """Completeness or errors, discretisation and work, as short lists of facts."""
    return sections_of_motion(result) if isinstance(result, EvolutionResult) else sections_of_states(result)
