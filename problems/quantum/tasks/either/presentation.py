"""What a report says about states, or about motion, as the result is."""

from __future__ import annotations

from typing import TypeAlias

from problems.contract import Facts
from problems.quantum.kinds.sum_of_products import SumOfProductsProblem
from problems.quantum.tasks.either.keys import GivenSpectrum
from problems.quantum.tasks.evolution import presentation as evolution
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.quantum.tasks.spectrum import presentation as spectrum
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Section, Table

Solver: TypeAlias = GivenSpectrum | WavePacketSolver
Result: TypeAlias = SpectrumResult | EvolutionResult


def headline(problem: SumOfProductsProblem, solver: Solver, result: Result) -> Facts:
    """The few numbers a reader wants first, as (what, value)."""
    if isinstance(solver, WavePacketSolver):
        return evolution.headline(problem, solver, of_motion(result))
    return spectrum.headline(problem, solver, of_states(result))


def tables(problem: SumOfProductsProblem, solver: Solver, result: Result) -> list[Table]:
    """Levels, or lines of the spectrum."""
    if isinstance(solver, WavePacketSolver):
        return evolution.tables(problem, solver, of_motion(result))
    return spectrum.tables(problem, solver, of_states(result))


def sections(problem: SumOfProductsProblem, result: Result) -> list[Section]:
    """Completeness or errors, discretisation and work, as short lists of facts."""
    if isinstance(result, EvolutionResult):
        return evolution.sections(problem, result)
    return spectrum.sections(problem, result)


def of_motion(result: Result) -> EvolutionResult:
    """The result, which is one of an evolution."""
    assert isinstance(result, EvolutionResult)
    return result


def of_states(result: Result) -> SpectrumResult:
    """The result, which is one of a spectrum."""
    assert isinstance(result, SpectrumResult)
    return result
