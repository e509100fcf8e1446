"""Levels known from elsewhere, as they stand beside the levels of a run: those of a window from its first level on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from problems.levels import Reference
from problems.quantum.tasks.spectrum.keys import HasLevels
from problems.quantum.tasks.spectrum.result import SpectrumResult


def known_beside(problem: HasLevels, result: SpectrumResult) -> Sequence[Reference]:
    """The problem's references; for a window each without the levels below it, counted from the run's own ground state.

    Where the window begins in the lists is where the one to judge by, or the first, fits the run's levels best.
    """
    references = list(problem.references)
    if result.completeness.get("ground_level") is None or not references:
        return references
    judge = next((reference for reference in references if reference.judge), references[0])
    first = _place(_above(judge), result.excitations)
    ground = result.ground_level[0]
    found = []
    for reference in references:
        levels = ground + _above(reference) if reference.relative else reference.levels
        found.append(replace(reference, levels=levels[first:], relative=False))
    return found


def _above(reference: Reference) -> np.ndarray:
    levels = reference.absolute()
    return levels - levels[0]


def _place(known: np.ndarray, own: np.ndarray) -> int:
    """Where in ``known`` the levels ``own`` begin, both above the ground state; behind its end where it ends before."""
    overlapping = [i for i in range(len(known)) if known[i] >= own[0] - abs(own[0]) * 0.05]
    if not overlapping:
        return len(known)

    def misfit(i: int) -> tuple[float, int]:
        beside = known[i : i + len(own)]
        off = np.abs(beside - own[: len(beside)])
        return (float(np.nanmedian(off)) if np.isfinite(off).any() else np.inf), i

    return min(overlapping, key=misfit)
