"""Irreducible representations of states: products in Abelian groups, and A, B, E1, E2 or Σ, Π, Δ about an axis.

About an n-fold axis, of S4 as of C4, the charge c of the rotation tells A (0), B (n/2) and E_c (E where there is one
alone), and the parity of the field that is a reflection through the axis A1 from A2 and B1 from B2; of a linear
molecule the charge is Λ, and that parity the sign of Σ. Primes, g and u are products of those of the modes. With them
the subscript is that of the twofold axis across, reflection times σh or inversion. Which of two kinds of planes B1 is
even in is a convention: that of the representations given, else of the plane that turns round the fewest modes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.mode_names import (
    LAMBDA,
    AbelianGroup,
    Irrep,
    ModeName,
    herzberg,
    numbered,
)
from problems.quantum.hamiltonians.force_field.pairs import BROKEN, Axis

NEGLIGIBLE = 1e-4  # of the smallest frequency: what digits of a printed field leave of a term that is zero


@dataclass(frozen=True)
class Symmetry:
    """What the labels of a field's states are made from. ``names``: of its modes; ``group``: of products, None where
    the representations are not those of an Abelian group; ``mirror``: bits of a state's charge whose parity is that of
    the reflection, None where there is none; ``swapped``: whether B1 is odd in it; ``said``: by what, in words."""

    names: tuple[ModeName, ...]
    axis: Axis | None
    group: AbelianGroup | None
    mirror: int | None
    swapped: bool
    said: str

    def breaks(self, field: ForceField) -> int:
        """How many terms of the field are not totally symmetric in the representations of the modes: 0 but for names
        that are wrong."""
        if self.group is None:
            return 0
        whole = self.group.product([0] * field.d)
        smallest = NEGLIGIBLE * float(field.frequencies.min())
        large = [modes for modes, c in field.terms.items() if abs(c) > smallest]
        return sum(self.group.product([modes.count(k) for k in range(field.d)]) != whole for modes in large)

    def of(self, quanta: Sequence[int], charge: int | None, sector: int) -> str:
        """Of a state whose leading product has these ``quanta``, with its rotational ``charge`` and its parities."""
        if self.group is not None:
            return self.group.product(quanta)
        if self.axis is None or charge is None:
            return ""
        irreps = [Irrep.of(name.irrep) for name in self.names]
        odd = [irrep for irrep, n in zip(irreps, quanta, strict=True) if n % 2]
        parity = "gu"[sum(one.parity == "u" for one in odd) % 2] if any(one.parity for one in irreps) else ""
        primes = 1 + sum(one.primes == 2 for one in odd) % 2 if any(one.primes for one in irreps) else 0
        even = None if self.mirror is None else (sector & self.mirror).bit_count() % 2 == 0
        if self.axis.fold == 0:
            sign = "" if charge or even is None else "-+"[even]
            letter = LAMBDA[abs(charge)] if abs(charge) < len(LAMBDA) else f"Λ={abs(charge)} "
            return Irrep(letter, 0, parity, 0, sign).text
        if self.axis.degenerate(charge):
            return Irrep("E", abs(charge) if self.axis.fold > 4 else 0, parity, primes).text
        first = None if even is None else (even ^ _turned_over(parity, primes) ^ (bool(charge) and self.swapped))
        number = 0 if first is None else 1 if first else 2
        return Irrep("B" if charge else "A", number, parity, primes).text


def _turned_over(parity: str, primes: int) -> bool:
    """Whether reflection and twofold axis, which the subscript is of where there are primes, g and u, differ."""
    return parity == "u" or primes == 2


def symmetry_of(
    frequencies: np.ndarray,
    axis: Axis | None,
    charges: np.ndarray,
    given: Sequence[ModeName],
    irreps: Sequence[str],
    point_group: str,
) -> Symmetry:
    """Names and symmetries of modes, as a person gives them, as a file does, or as the field itself tells.

    ``charges`` (d,): the parities of every mode, as bits; ``given`` names and ``irreps`` of the file may be empty.
    """
    mirror = _mirror(axis, charges)
    if given:
        names = list(given)
        if irreps:
            names = [ModeName(one.label, one.irrep or Irrep.of(text).lower) for one, text in zip(names, irreps)]
    elif irreps:
        names = herzberg(irreps, frequencies.tolist())
    else:
        names = _derived(frequencies, axis, charges, mirror)
    if axis is not None:  # partners have one name
        for a, b in axis.pairs:
            names[b] = ModeName(names[a].label, names[a].irrep or names[b].irrep)
    told = [name.irrep for name in names]
    group = AbelianGroup.of(told, point_group) if all(told) and axis is None else None
    odd = [mirror is not None and (int(c) & mirror).bit_count() % 2 == 1 for c in charges]
    single = [(Irrep.of(text), odd[k]) for k, text in enumerate(told) if axis is not None and k in axis.odd]
    swapped = any(
        one.letter == "B" and one.number == (1 if turned ^ _turned_over(one.parity, one.primes) else 2)
        for one, turned in single
    )
    return Symmetry(tuple(names), axis, group, mirror, swapped, _said(axis, group, point_group, bool(any(told))))


def names_derived(frequencies: np.ndarray, axis: Axis | None, charges: np.ndarray) -> list[ModeName]:
    """Names of the modes as the field alone tells them; ``charges`` (d,) as of ``symmetry_of``."""
    return _derived(frequencies, axis, charges, _mirror(axis, charges))


def _mirror(axis: Axis | None, charges: np.ndarray) -> int | None:
    return None if axis is None or axis.mirror is None else _mask(charges, axis.mirror)


def _mask(charges: np.ndarray, turned: frozenset[int]) -> int | None:
    """The bits of a charge whose common parity is odd in exactly the modes ``turned``."""
    bits = int(np.bitwise_or.reduce(charges)).bit_length()
    for choice in product((0, 1), repeat=bits):
        mask = sum(one << bit for bit, one in enumerate(choice))
        if all(((int(c) & mask).bit_count() % 2 == 1) == (k in turned) for k, c in enumerate(charges)):
            return mask
    return None


def _derived(frequencies: np.ndarray, axis: Axis | None, charges: np.ndarray, mirror: int | None) -> list[ModeName]:
    """a1, a2, b1, b2 and e of an axis, σ and π of a linear molecule, where the field has no further parity that would
    say more; else as the field numbers them."""
    d = len(frequencies)
    bits = int(np.bitwise_or.reduce(charges)).bit_length() if d else 0
    if axis is None or mirror is None or bits != 1 + (axis.fold % 2 == 0):  # the half turn is a parity too
        return numbered(d)
    paired = {k for pair in axis.pairs for k in pair}
    odd = [(int(c) & mirror).bit_count() % 2 == 1 for c in charges]
    if axis.fold == 0:
        texts = ["Pi" if k in paired else "Sigma-" if odd[k] else "Sigma+" for k in range(d)]
    else:
        steps = {k: step if axis.fold > 4 else 0 for pair, step in zip(axis.pairs, axis.steps) for k in pair}
        singles = ["AB"[k in axis.odd] + "12"[odd[k]] for k in range(d)]
        texts = [f"E{steps[k] or ''}" if k in paired else singles[k] for k in range(d)]
    return herzberg(texts, frequencies.tolist())


def _said(axis: Axis | None, group: AbelianGroup | None, point_group: str, told: bool) -> str:
    if group is not None:
        return f"{point_group or 'the group of the modes'}: products of the representations of the modes"
    if axis is None:
        return "parities of the field"
    angle = f"{360.0 / axis.fold:g}°" if axis.fold else ""
    which = f"a rotation by {angle} about the axis" if axis.fold else "any rotation about the axis of the molecule"
    if axis.fold > 3 and axis.fold % 2 == 0:
        which += ", alone or with a reflection in the plane across it"
        if not told and axis.fold % 4 == 2:  # the same products of representations, whatever they are called
            which += " (where E1, E2 and B are called E'', E' and A'', or Eu, Eg and Au, in D3h and D3d)"
    if not told and axis.choices > 1:
        which += f" (one of {axis.choices} that differ in what is E1 or E2, A or B: give names with representations)"
    if axis.broken > BROKEN:
        share = f"{100.0 * axis.broken:.0f} % of the anharmonic constants"
        return f"{which}, nearly: quartic constants that are missing or imprecise break it by {share}; and the parities"
    return f"{which}, under which the field is invariant, and the parities of the field"
