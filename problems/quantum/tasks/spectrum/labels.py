"""What a spectroscopist calls the states, and the levels of simpler treatments and of measured lines beside them.

Names are in ASCII: ``nu9 + 2nu12``, with angular momenta ``2nu8^0``; ``written`` puts them as they are printed. The
ground state is called ``0``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from problems.published import published
from problems.result import Columns
from solvers.measured import lowered

GROUND = "zero-point level"
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True)
class Configuration:
    """A product of functions in a state: its name, and its weight with the sign of its coefficient."""

    name: str = published()
    weight: float = published()


@dataclass(frozen=True)
class Resonance:
    """Two zeroth-order states that perturb each other: ``kind`` Fermi or Darling-Dennison, the ``states`` in words,
    their ``distance`` and the ``constant`` that couples them (phi_ijk, or the matrix element)."""

    kind: str = published()
    states: str = published()
    distance: float = published()
    constant: float = published()


@dataclass(frozen=True)
class Polyad:
    """States that share configurations: the numbers of the ``states``, the ``configurations``, and their effective
    Hamiltonian, ``levels`` above the zero-point level on its diagonal and ``couplings`` (n, n) off it; ``share``: of
    these states that lies in these configurations, the least."""

    states: list[int] = published()
    configurations: list[str] = published()
    levels: list[float] = published()
    couplings: list[list[float]] = published()
    share: float = published()


@dataclass(frozen=True)
class MeasuredLine:
    """A measured level: its ``line`` in the file, ``assignment`` there, value above the zero-point level, uncertainty
    (None: not said); the ``state`` it belongs to (None: to none of those computed), ``difference`` measured minus
    computed, and ``by`` what it was matched: assignment or order."""

    line: int = published()
    assignment: str = published()
    measured: float = published()
    uncertainty: float | None = published()
    state: int | None = published()
    difference: float | None = published()
    by: str = published()


@dataclass(frozen=True)
class MeasuredLevels:
    """Lines of ``file`` beside the levels, with what they differ by over those matched (None without one)."""

    file: str = published()
    lines: list[MeasuredLine] = published()
    count: int = published()
    rms: float | None = published()
    mean: float | None = published()
    max_abs: float | None = published()
    unmatched: list[str] = published()


@dataclass(frozen=True, eq=False, kw_only=True)
class Labels:
    """Of n states of d modes.

    ``names``, ``symmetry`` (irreducible representation, empty where it is not known); ``configurations`` in the
    ``functions`` named, and ``harmonic_configurations``, where those are others; ``quanta`` of every mode of the field
    (of a degenerate pair with its first mode) and ``angular`` momenta, label -> l; ``mode_names`` and ``mode_irreps``
    of the field's modes. ``harmonic``, ``vscf``, ``vpt2``: above the zero-point level, NaN where there is none, and
    ``zero_points`` of each; ``vpt2_missing``: why there is none. ``perturbed``: resonances, by their places in
    ``resonances``, that touch each state.
    """

    names: list[str] = published()
    symmetry: list[str] = published()
    functions: str = published()
    configurations: list[list[Configuration]] = published()
    harmonic_configurations: list[list[Configuration]] = published()
    quanta: list[list[int]] = published()
    angular: list[dict[str, int]] = published()
    mode_names: list[str] = published()
    mode_irreps: list[str] = published()
    symmetry_group: str = published()
    harmonic: np.ndarray = published()
    vscf: np.ndarray = published()
    vpt2: np.ndarray = published()
    zero_points: dict[str, float] = published()
    vpt2_missing: str = published()
    coriolis: bool = published()
    resonances: list[Resonance] = published()
    perturbed: list[list[int]] = published()
    polyads: list[Polyad] = published()
    measured: MeasuredLevels | None = published(default=None)

    def columns(self) -> Columns:
        """What they add to the CSV file of the levels."""
        n = len(self.names)
        found: Columns = [("name", self.names), ("irrep", self.symmetry)]
        if any(self.angular):
            found.append(("l", [" ".join(f"{label}:{l}" for label, l in one.items()) for one in self.angular]))
        found.append(("weight", [f"{one[0].weight:.4f}" if one else "" for one in self.configurations]))
        for name, values in (("harmonic", self.harmonic), ("vscf", self.vscf), ("vpt2", self.vpt2)):
            found.append((name, ["" if np.isnan(value) else f"{value:.6f}" for value in values]))
        if self.measured is not None:
            of = self.matched
            found.append(("measured", [repr(of[i].measured) if i in of else "" for i in range(n)]))
            found.append(("measured_minus_computed", [f"{of[i].difference:.6f}" if i in of else "" for i in range(n)]))
        return found

    @property
    def matched(self) -> dict[int, MeasuredLine]:
        """State -> the measured line that belongs to it."""
        lines = [] if self.measured is None else self.measured.lines
        return {one.state: one for one in lines if one.state is not None}


def written(name: str) -> str:
    """A name as it is printed: ``2nu8^0`` as 2ν₈⁰; the ground state in words."""
    if name == "0":
        return GROUND
    text = re.sub(r"nu(\d+)", lambda found: "ν" + lowered(found[1]), name)
    return re.sub(r"\^(-?\d+)", lambda found: found[1].translate(_RAISED), text)


def shares(configurations: list[Configuration], least: float, most: int) -> str:
    """Leading configurations in percent, with signs: ``97 % ν₆; −1 % (ν₂ + ν₆)``."""
    kept = [one for n, one in enumerate(configurations[:most]) if n == 0 or abs(one.weight) >= least]
    parts = []
    for one in kept:
        name = "gs" if one.name == "0" else written(one.name)
        sign = "−" if one.weight < 0.0 else ""
        parts.append(f"{sign}{100.0 * abs(one.weight):.0f} % {f'({name})' if ' + ' in name else name}")
    return "; ".join(parts)


def by_label(quanta: list[int], names: list[str]) -> Mapping[str, int]:
    """Quanta of every label."""
    found: dict[str, int] = {}
    for label, n in zip(names, quanta, strict=True):
        found[label] = found.get(label, 0) + n
    return found
