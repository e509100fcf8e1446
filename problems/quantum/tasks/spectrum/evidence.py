"""What a report says beside the levels: why a state counts as converged, and its assignment as it is printed."""

from __future__ import annotations

import re

import numpy as np

from problems.contract import Facts
from problems.quantum.tasks.spectrum.result import SpectrumResult
from solvers.measured import Measured, bound, lowered

_PRODUCT = re.compile(r"(\d*\.\d+)\[([^]]*)\]")
_QUANTA = re.compile(r"(\d+)v(\d+)([a-z]?)")


def evidence(result: SpectrumResult) -> Facts:
    """The criterion, which states a series contains, and why a residual can be far larger than the error."""
    unit, errors = result.unit, np.asarray(result.error_estimates)
    facts = [
        (
            "the criterion",
            f"the error estimate of each state, at most {bound(errors.max())} {unit} here, against the accuracy asked;"
            " the last change of an energy and the residual norm decide nothing",
        )
    ]
    passes = [state for state in result.history if state.energies is not None]
    if len(passes) > 1:
        last, before = passes[-1].energies, passes[-2].energies
        assert last is not None and before is not None
        which = "asked" if len(last) == len(errors) else "asked, and the buffer states above them"
        text = f"the {len(last)} states {which}: the lowest of each pass, in ascending order"
        if len(last) == len(before):
            moved = bound(float(np.abs(last - before).max()))
            text += f"; the last pass moved them by up to {moved} {unit}: what the pass before had lacked"
        facts.append(("the series of energies and residual norms are over", text))
    residuals = np.where(np.isfinite(result.residual_norms), result.residual_norms, 0.0)
    worst = int(np.argmax(residuals))
    rank = float(np.asarray(result.rank_errors)[worst])
    if residuals[worst] > errors[worst] > 0.0 and rank > 0.0:
        facts.append(
            (
                "largest residual norm ‖Hψ − Eψ‖",
                f"{bound(residuals[worst])} {unit}, of state {worst}. It is of first order in what the state lacks, "
                "its energy of second: each component r of the residual lowers the energy by |r|²/Δ, Δ the distance in "
                f"energy of what it leads to. With the rank part of its error, {bound(rank)} {unit}, that is a mean "
                f"distance of ‖r‖²/error = {Measured(residuals[worst] ** 2 / rank, digits=2)} {unit}",
            )
        )
    return facts


def asked_for(result: SpectrumResult) -> Facts:
    """Which levels were asked for by energy; nothing where their number was."""
    found, unit = result.completeness, result.unit
    if "asked_up_to" not in found:
        return []
    lower, upper = (Measured(float(found[key])) for key in ("asked_from", "asked_up_to"))
    if not found["asked_from"]:
        return [("levels asked for", f"all up to {upper} {unit} above the lowest")]
    return [("levels asked for", f"from {lower} to {upper} {unit} above the lowest, without those below")]


def counted(result: SpectrumResult) -> Facts:
    """How many levels the range holds by other counts, each said as what it is."""
    found, facts = result.completeness, []
    if found.get("levels_below") is not None:
        facts.append(("levels below the window", str(found["levels_below"])))
    sums = found.get("sums_of_one_mode_levels")
    if sums is not None:
        text = f"{sums}: sums of one-mode levels in the range, uncoupled; {len(result.energies)} levels were found"
        facts.append(("an estimate of the number of levels", text))
    return facts


def assigned(text: str, letter: str = "ν") -> str:
    """An assignment as it is printed: ``0.97[1v3] ; 0.20[1v1+2v3]`` as 0.97 ν₃; 0.20 (ν₁ + 2ν₃)."""

    def mode(found: re.Match[str]) -> str:
        quanta, number, part = found.groups()
        return f"{'' if quanta == '1' else quanta}{letter}{lowered(number)}{part}"

    def product(found: re.Match[str]) -> str:
        parts = [_QUANTA.sub(mode, part) for part in found.group(2).split("+")]
        return f"{found.group(1)} {parts[0]}" if len(parts) == 1 else f"{found.group(1)} ({' + '.join(parts)})"

    return _PRODUCT.sub(product, text).replace(" ;", ";")


def leading(text: str, letter: str = "ν") -> str:
    """The leading product of an assignment as it is printed: ``0.97[1v3] ; 0.20[1v1+2v3]`` as ν₃."""
    return assigned(text.partition(" ; ")[0], letter).partition(" ")[2].strip("()")
