"""The abelian groups whose characters label sectors: products of parities, and of whole numbers, also modulo N.

A charge is one integer. Those at or above zero are products of parities, a bit each, and add by exclusive or. Those
below zero hold up to three whole numbers, each modulo N or not, packed into fields of 20 bits: a value of 14 bits and
its modulus in 6 (0: none). Zero is the neutral element of either, so every charge says by itself how it adds.

A train read from the right carries its bond charges with the opposite sign (``turned``): then behind a mode function of
charge m the bond has the charge before it plus m, whichever end one reads from.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np

Bond = tuple[tuple[int, int], ...]  # (charge, dimension), ascending in charge, dimensions positive
Of = TypeVar("Of")

FIELDS = 3
VALUE_BITS, MODULUS_BITS = 14, 6
FIELD_BITS = VALUE_BITS + MODULUS_BITS
LARGEST = 2 ** (VALUE_BITS - 1) - 1  # value of a field
LARGEST_MODULUS = 2**MODULUS_BITS - 1


def packed(values: Sequence[int], moduli: Sequence[int]) -> int:
    """The charge of up to three whole numbers, each modulo its modulus where that is not 0.

    Raises OverflowError for a number beyond ``LARGEST``.
    """
    code = 0
    for place, (value, modulus) in enumerate(zip(values, moduli)):
        value = value % modulus if modulus else value
        if abs(value) > LARGEST:
            raise OverflowError(f"a charge of {value} is too large: up to {LARGEST}")
        if value:
            code |= ((value + LARGEST) << MODULUS_BITS | modulus) << (FIELD_BITS * place)
    return -code


@lru_cache(maxsize=200_000)
def unpacked(charge: int) -> tuple[tuple[int, int], ...]:
    """(value, modulus) of every field of a charge at or below zero."""
    found = []
    for place in range(FIELDS):
        field = (-charge >> (FIELD_BITS * place)) & (2**FIELD_BITS - 1)
        found.append(((field >> MODULUS_BITS) - LARGEST if field else 0, field & LARGEST_MODULUS))
    return tuple(found)


def added(a: int, b: int) -> int:
    """The charge of two together."""
    return a ^ b if a >= 0 and b >= 0 else _combined(int(a), int(b), 1)


def taken(a: int, b: int) -> int:
    """What has to be added to ``b`` to have ``a``."""
    return a ^ b if a >= 0 and b >= 0 else _combined(int(a), int(b), -1)


def negated(a: int) -> int:
    """The charge that cancels ``a``: of parities, the same."""
    return a if a >= 0 else _combined(0, int(a), -1)


@lru_cache(maxsize=500_000)
def _combined(a: int, b: int, sign: int) -> int:
    pairs = list(zip(unpacked(a), unpacked(b)))
    return packed([x + sign * y for (x, _), (y, _) in pairs], [max(m, n) for (_, m), (_, n) in pairs])


@lru_cache(maxsize=100_000)
def turned(bond: Bond) -> Bond:
    """The bond seen from the other end."""
    return bond if bond[0][0] >= 0 and bond[-1][0] >= 0 else tuple(sorted((negated(c), r) for c, r in bond))


def turned_keys(by_charge: dict[int, Of]) -> dict[int, Of]:
    """What belongs to the charges of a bond, seen from the other end."""
    return {negated(c): value for c, value in by_charge.items()}


def turned_pairs(by_charges: dict[tuple[int, int], Of]) -> dict[tuple[int, int], Of]:
    """What belongs to pairs of charges, such as an environment, seen from the other end."""
    return {(negated(a), negated(b)): value for (a, b), value in by_charges.items()}


def all_added(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Every charge of ``a`` with every one of ``b``: (len(a), len(b))."""
    if a.min(initial=0) >= 0 and b.min(initial=0) >= 0:
        return np.bitwise_xor.outer(a, b)
    (of_a, at_a), (of_b, at_b) = np.unique(a, return_inverse=True), np.unique(b, return_inverse=True)
    table = np.array([[added(int(x), int(y)) for y in of_b] for x in of_a], dtype=np.int64)
    return table[at_a.ravel()][:, at_b.ravel()]
