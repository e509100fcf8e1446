"""What a force field does not know: constants that are missing, too large or given twice with different values.

Sentences for the report, for a field of any source. Sizes: in q_k = sqrt(w_k) Q_k a vibration that is nearly harmonic
has constants well below its frequencies. In 25 fields of stiff molecules the largest are phi_ijk = 0.7 and
phi_ijkl = 0.4 of the geometric mean of the frequencies of their modes; torsions, inversions and the modes between
molecules have up to 280.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from solvers.measured import numeral

Modes = tuple[int, ...]
SIZE = 1.0  # of the geometric mean of the frequencies: a constant above it is no correction to a harmonic mode
APART = 1.0  # cm-1: two routes to one constant that differ by more are told
LOOKED_AT = 40_000  # quartic constants of four modes, one by one
LISTED = 3  # of the constants of one kind that are named; the others are counted


def written(modes: Modes) -> str:
    """Modes as files and reports count them, from 1: 1-1-3."""
    return "-".join(str(mode + 1) for mode in modes)


def notes_on(field: ForceField) -> tuple[str, ...]:
    """What the constants of a field in cm-1 tell about it; cost O(terms)."""
    return (*missing(field), *too_large(field))


def missing(field: ForceField) -> tuple[str, ...]:
    """Whether a field has no quartic constants, or none of four different modes where its parities allow some."""
    orders = Counter(len(modes) for modes in field.terms)
    if not orders[4]:
        return ("the field has no quartic constants: a cubic one is not bounded below",)
    different = Counter(len(set(modes)) for modes in field.terms if len(modes) == 4)
    unknown = 0 if different[4] else _possible(field)
    if unknown:
        return (
            f"the quartic field is semi-diagonal: none of its {unknown} constants of four different modes is known",
        )
    return ()


def _possible(field: ForceField) -> int:
    """How many quartic constants of four different modes no parity of the other constants forbids: those whose modes
    are a sum modulo 2 of what other terms are odd in. All of them where they are too many to look at."""
    every = math.comb(field.d, 4)
    if every > LOOKED_AT:
        return every
    pivots: dict[int, int] = {}  # highest mode -> what is odd, as bits

    def rest(odd: int) -> int:
        while odd and (top := odd.bit_length()) in pivots:
            odd ^= pivots[top]
        return odd

    for modes in field.terms:
        odd = rest(_bits(modes))
        if odd:
            pivots[odd.bit_length()] = odd
    return sum(not rest(_bits(four)) for four in combinations(range(field.d), 4))


def _bits(modes: Iterable[int]) -> int:
    """Which modes a product is odd in."""
    odd = 0
    for k in modes:
        odd ^= 1 << k
    return odd


def too_large(field: ForceField) -> tuple[str, ...]:
    """Constants that are larger than the frequencies of their modes."""
    found = []
    for modes, c in field.terms.items():
        if len(modes) > 2:
            phi = c * math.prod(math.factorial(m) for m in Counter(modes).values())
            mean = math.exp(sum(math.log(field.frequencies[k]) for k in modes) / len(modes))
            found.append((abs(phi) / mean, modes, phi))
    large = sorted((one for one in found if one[0] > SIZE), reverse=True)
    if not large:
        return ()
    shown = ", ".join(
        f"phi {written(modes)} = {phi:.1f} cm-1, {ratio:.1f} times" for ratio, modes, phi in large[:LISTED]
    )
    # of every constant that is too large its slowest mode
    slow = sorted({min(modes, key=lambda k: field.frequencies[k]) for _, modes, _ in large})
    at = ", ".join(f"{k + 1} ({field.frequencies[k]:.0f} cm-1)" for k in slow)
    return (
        f"{_so_many(len(large), 'constant is', 'constants are')} larger than the mean frequency of the modes"
        f" ({shown}{_more(len(large))}): an expansion in normal coordinates does not describe"
        f" {'modes' if len(slow) > 1 else 'mode'} {at}",
    )


def contradictions(routes: Mapping[Modes, Sequence[float]], what: str) -> tuple[str, ...]:
    """Constants in cm-1 that several routes gave and that differ by more than ``APART``; ``what``: cubic or quartic."""
    spread = {modes: max(values) - min(values) for modes, values in routes.items() if len(values) > 1}
    apart = sorted(((wide, modes) for modes, wide in spread.items() if wide > APART), reverse=True)
    if not apart:
        return ()
    shown = ", ".join(
        f"phi {written(modes)} = {' and '.join(f'{value:.1f}' for value in sorted(set(routes[modes])))}"
        for _, modes in apart[:LISTED]
    )
    return (
        f"{_so_many(len(apart), 'constant differs', 'constants differ')} by more than {numeral(APART, unit='cm-1')}"
        f" between the modes that were displaced, of {len(spread)} {what} ones ({shown}{_more(len(apart))}); averages"
        " are taken",
    )


def imaginary(frequencies: np.ndarray) -> str:
    """Why modes with these frequencies (negative: imaginary) have no levels; empty where all are positive."""
    bad = [f"{value:.1f}i" if value > 0 else "0" for value in (-w for w in frequencies if not w > 0.0)]
    if not bad:
        return ""
    return (
        f"imaginary frequencies ({', '.join(bad)} cm-1): a saddle point has no vibrational levels, give the field of a"
        " minimum"
    )


def _so_many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _more(count: int) -> str:
    return f" and {count - LISTED} more" if count > LISTED else ""
