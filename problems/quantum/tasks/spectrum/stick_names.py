"""What the sticks of a spectrum are called, and how high they are: weight and name of the leading configuration."""

from __future__ import annotations

import re

from problems.quantum.tasks.spectrum.labels import written
from problems.quantum.tasks.spectrum.result import SpectrumResult
from solvers.measured import lowered

_LEADING = re.compile(r"\s*([-+]?[0-9.]+)\s*\[([^\]]*)\]")


def _typeset(configuration: str) -> str:
    """``1v4+2v12`` as ν₄ + 2ν₁₂; anything else, the words of a spin chain for one, as it is."""
    if re.fullmatch(r"\d+v\d+(\+\d+v\d+)*", configuration) is None:
        return configuration
    parts = (part.split("v") for part in configuration.split("+"))
    return " + ".join(f"{'' if count == '1' else count}ν{lowered(mode)}" for count, mode in parts)


def leading_of(result: SpectrumResult) -> list[tuple[float, str]]:
    """Weight and name of the leading configuration of every state; its label where it has one."""
    labels = result.labels
    if labels is None:
        return [(weight, _typeset(name)) for weight, name in map(_leading, result.assignments)]
    names = [written(name) if name != "0" else "0" for name in labels.names]
    weights = [abs(some[0].weight) if some else 1.0 for some in labels.configurations]
    return list(zip(weights, names, strict=True))


def _leading(assignment: str) -> tuple[float, str]:
    """Weight and name of the leading configuration of ``0.97[1v8a] ; ...``; a bare text has weight 1."""
    found = _LEADING.match(assignment)
    return (float(found[1]) ** 2, found[2]) if found else (1.0, assignment)
