"""What a report says about a user's Hamiltonian: that of kind vibrational for states, of wave_packet for motion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from problems.report_parts import Quantity, Section, Table
from problems.vibrational import presentation as states
from problems.vibrational.result import VibrationalResult
from problems.wave_packet import presentation as motion
from problems.wave_packet.result import WavePacketResult

Result = VibrationalResult | WavePacketResult
_NOTE = (
    "Assignments name the leading products: 2v3 is function 2 (from 0, by energy) of mode 3, gs all modes in function"
    " 0. The functions of a mode are those of its mean field; the stored states are in the functions of the file."
)


def _of(result: Result) -> Any:
    return states if isinstance(result, VibrationalResult) else motion


def results(result: Result) -> dict[str, Any]:
    """The ``results`` of report.json: as of kind vibrational or wave_packet, modes numbered from 0."""
    return _of(result).results(result)


def quantities(results: Mapping[str, Any]) -> list[Quantity]:
    """What two runs are compared by, from the ``results`` of report.json: as of kind vibrational or wave_packet."""
    return (states if "energies" in results else motion).quantities(results)


def references(problem: Any, result: Result) -> list[dict[str, Any]]:
    """The ``references`` of report.json: none, the problem is the user's own."""
    return []


def comparison_table(problem: Any, solver: Any, result: Result) -> Table | None:
    """None: there is nothing to compare with."""
    return None


def headline(problem: Any, solver: Any, result: Result) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    if isinstance(result, WavePacketResult):
        return motion.headline(problem, solver, result)
    facts = states.headline_of_states([], solver.accuracy, result)
    return [*problem.description, *facts]


def tables(problem: Any, solver: Any, result: Result) -> list[Table]:
    """Levels, or lines of the spectrum."""
    found = _of(result).tables(problem, solver, result)
    return [replace(found[0], note=_NOTE), *found[1:]] if isinstance(result, VibrationalResult) else found


def csv_table(problem: Any, result: Result) -> tuple[str, list[str], list[list[Any]]]:
    """Name, header and rows of levels.csv or autocorrelation.csv."""
    return _of(result).csv_table(problem, result)


def sections(problem: Any, result: Result) -> list[Section]:
    """Completeness or errors, discretisation and work, as short lists of facts."""
    return _of(result).sections(problem, result)


def trains(result: Result) -> Mapping[str, Any]:
    """Name -> tensor train, in the functions that the file names, the modes in the order of the train."""
    return _of(result).trains(result)


def loading(folder: str) -> tuple[str, str]:
    """How to load the states of a run: a heading and three lines of Python."""
    code = f'import ttsuite\nreport, states = ttsuite.load("{folder}")\n'
    return "Loading the states", code + 'print(report["results"].keys(), states[0].ranks)'
