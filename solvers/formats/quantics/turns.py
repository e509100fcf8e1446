"""Angles of fast waves without their whole turns: product and remainder in exact arithmetic, one rounding at the end.

In double precision the product frequency 2^k step alone is off by 1e-16 of all its turns: every digit is lost after
1e16 of them. Doubles are fractions with a power of two below, and pi is had to as many bits as there are turns.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

SPARE = 128  # bits of the angle beyond its whole turns
BLOCK = 512  # bits by which a longer pi is computed


def reduced(angle: Fraction) -> float:
    """``angle`` modulo 2 pi, in [-pi, pi]."""
    bits = max(angle.numerator.bit_length() - angle.denominator.bit_length(), 0) + SPARE
    turn = Fraction(2 * _pi(bits + -bits % BLOCK), 1 << (bits + -bits % BLOCK))
    return float(angle - round(angle / turn) * turn)


def angles(frequency: float, step: float, levels: int) -> list[float]:
    """frequency step 2^k for k = levels - 1 ... 0, modulo 2 pi, of the very numbers given."""
    one = Fraction(frequency) * Fraction(step)
    return [reduced(one * 2**k) for k in range(levels - 1, -1, -1)]


@lru_cache(maxsize=8)
def _pi(bits: int) -> int:
    """floor-like pi 2^bits by Machin's formula, 16 arctan(1/5) - 4 arctan(1/239)."""
    scale = 1 << (bits + 32)
    return (16 * _arctan(5, scale) - 4 * _arctan(239, scale)) >> 32


def _arctan(inverse: int, scale: int) -> int:
    """scale arctan(1 / inverse), each term off by one at most."""
    term = scale // inverse
    total, k, square = term, 1, inverse * inverse
    while term:
        term //= -square
        k += 2
        total += term // k
        if term == -1:
            break
    return total
