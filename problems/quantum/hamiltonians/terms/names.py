"""Names of one-mode operators: how ``q^2`` or ``bdag b`` is read, checked and conjugated.

A product is a tuple of (name, power), adjacent equal names merged; the unit operator is the empty product.
"""

from __future__ import annotations

import difflib
import re

from problems.keys import shown
from problems.quantum.hamiltonians.terms.modes import LARGEST_DEGREE, LARGEST_POWER, Mode

Product = tuple[tuple[str, int], ...]
_FACTOR = re.compile(r"(1|[A-Za-z]+[+-]?)(?:\^([0-9]{1,3}))?")
_CONJUGATE = {"b": "bdag", "bdag": "b", "S+": "S-", "S-": "S+"}
_DEGREE = {"T": 2, "n": 2}


def parse(text: str, mode: Mode, k: int) -> Product:
    """The product that ``text`` names on mode ``k``; ValueError, with the known names, for anything else."""
    factors: list[tuple[str, int]] = []
    if not text.split():
        raise ValueError("an operator must have a name; leave the mode out, or write 1, for the unit operator")
    for word in text.split():
        found = _FACTOR.fullmatch(word)
        if found is None or found[1] not in mode.operators:
            raise ValueError(_unknown(word, found[1] if found else word, mode, k))
        name, power = found[1], int(found[2]) if found[2] is not None else 1
        if not 1 <= power <= LARGEST_POWER:
            raise ValueError(f"a power must be from 1 to {LARGEST_POWER}, found {shown(word)}")
        if name == "1":
            continue
        if factors and factors[-1][0] == name:
            power += factors.pop()[1]
        factors.append((name, power))
    product = tuple(factors)
    if degree(product) > LARGEST_DEGREE:
        raise ValueError(f"powers of one mode may add up to {LARGEST_DEGREE} at most, found {shown(text)}")
    return product


def degree(product: Product) -> int:
    """Highest power of b and bdag in it: how far it reaches in the number of quanta."""
    return sum(_DEGREE.get(name, 1) * power for name, power in product)


def conjugate(product: Product) -> Product:
    """The Hermitian conjugate."""
    return tuple((_CONJUGATE.get(name, name), power) for name, power in reversed(product))


def write(product: Product) -> str:
    """The product as a file would spell it."""
    return " ".join(name if power == 1 else f"{name}^{power}" for name, power in product) or "1"


def _unknown(word: str, name: str, mode: Mode, k: int) -> str:
    known = mode.operators
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    folded = [other for other in known if other.lower() == name.lower()]
    guess = (folded or close or [""])[0]
    hint = f", did you mean {guess}{word[len(name) :]}?" if guess else ""
    which = f"spin {mode.s:g}" if mode.basis == "spin" else mode.basis
    powers = "" if mode.basis == "spin" else "; powers as in q^2" if "q" in known else ""
    return f"mode {k} ({which}) has no operator {shown(word)}{hint} (known: {', '.join(known)}{powers})"
