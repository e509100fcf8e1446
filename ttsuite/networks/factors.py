"""The sizes that an axis is divided into: 1024 into 8, 8, 16."""

from __future__ import annotations

import math
from collections.abc import Sequence

SMALLEST = 64  # an axis below has no use of three factors: two numbers a core would be left
MOST = 3  # factors of an axis by default: measured on a layer of 64 x 1024, four cost accuracy and save little


def prime_factors(n: int) -> list[int]:
    """In ascending order; empty for 1."""
    found: list[int] = []
    divisor = 2
    while n > 1:
        if divisor * divisor > n:
            return [*found, n]
        if n % divisor:
            divisor += 1
        else:
            found.append(divisor)
            n //= divisor
    return found


def divided(n: int, count: int) -> tuple[int, ...]:
    """``n`` as a product of ``count`` sizes, as equal as its primes allow, in ascending order.

    The largest primes are placed first, each to the smallest product so far.
    """
    sizes = [1] * count
    for prime in reversed(prime_factors(n)):
        sizes[sizes.index(min(sizes))] *= prime
    return tuple(sorted(sizes))


def default_sizes(inputs: int, outputs: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The sizes of both axes: as many, three, or two where an axis is short; largest outputs beside smallest inputs."""
    count = MOST if min(inputs, outputs) >= SMALLEST else 2
    return divided(inputs, count), divided(outputs, count)[::-1]


def require_product(sizes: Sequence[int], n: int, what: str) -> tuple[int, ...]:
    """The sizes as a tuple; ValueError where they are no whole numbers from 1 whose product is ``n``."""
    sizes = tuple(sizes)
    if not sizes or any(type(size) is not int or size < 1 for size in sizes):
        raise ValueError(f"{what} must be whole numbers from 1, not {list(sizes)}")
    if math.prod(sizes) != n:
        raise ValueError(f"{what} {list(sizes)} have the product {math.prod(sizes)}, not {n}")
    return sizes
