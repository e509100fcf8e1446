"""Figures of a user's Hamiltonian: those of kind vibrational for states, of kind wave_packet for motion."""

from __future__ import annotations

from typing import Any

from problems.report_parts import Picture
from problems.vibrational import figures as states
from problems.vibrational.result import VibrationalResult
from problems.wave_packet import figures as motion
from problems.wave_packet.result import WavePacketResult


def figures(problem: Any, solver: Any, result: VibrationalResult | WavePacketResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    if isinstance(result, VibrationalResult):
        return states.figures(problem, solver, result)
    return motion.figures(problem, solver, result)
