"""What a report says of a list of levels as a whole: what the field leaves open, and whether a level is missing."""

from __future__ import annotations

from problems.contract import Facts
from problems.quantum.tasks.spectrum.evidence import counted
from problems.quantum.tasks.spectrum.result import SpectrumResult
from solvers.measured import Measured

BUFFER = 8  # digits of a level that only helps, and of a gap

_LIMITS = {
    "barrier": "lowest barrier, behind which the potential falls without end",
    "distance": "its distance |q|",
    "direction": "its direction",
    "states_below": "states below it, with the zero-point energy along it",
    "way": "what is done about it",
    "other_bends": "g of the coordinates that the errors are taken from",
}


def limits(result: SpectrumResult) -> Facts:
    """What the expansion of the field leaves open, in words."""
    facts = []
    for key, value in result.field_limits.items():
        if isinstance(value, float):
            shown = str(Measured(value, unit=result.unit if key == "barrier" else "", digits=4))
        else:
            shown = ", ".join(f"{v:g}" for v in value) if isinstance(value, (list, tuple)) else str(value)
        facts.append((_LIMITS.get(key, key), shown))
    return facts


def completeness_facts(result: SpectrumResult) -> Facts:
    """Levels beyond those asked for, and what was searched for between them."""
    found = result.completeness
    lowest = result.ground_level[0]
    above = [Measured(float(energy) - lowest, digits=BUFFER) for energy in found.get("buffer_states") or []]
    buffer = ", ".join(map(str, above)) or "none"
    facts = [(f"buffer states past the last one asked ({result.unit} above the lowest)", buffer)]
    facts += counted(result)
    gap = found.get("gap_above")
    if gap is not None:
        facts.append(("gap above the states asked", str(Measured(float(gap), unit=result.unit))))
    for key, value in (found.get("probe") or {}).items():
        if not value and key != "missing_states":  # a direct method starts nowhere
            continue
        shown = str(Measured(value, unit=result.unit, digits=BUFFER)) if isinstance(value, float) else str(value)
        facts.append((f"probe of the orthogonal complement: {str(key).replace('_', ' ')}", shown))
    for block in sorted(set(result.symmetry)):
        facts.append((f"states in symmetry block {block}", str(result.symmetry.count(block))))
    return facts
