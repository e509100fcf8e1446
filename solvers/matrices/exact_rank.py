"""The rank of an integer matrix over the rational numbers, proved by arithmetic modulo primes.

The rank modulo a prime is never larger than the rank. It is smaller by accident alone: all minors of r + 1 rows are
then multiples of the prime. A minor that is a multiple of several primes and smaller than their product is zero; no
minor exceeds the product of the r + 1 largest norms of rows (Hadamard), or of columns. So primes are taken until their
product is larger than that. Cost m n r a prime, r log2(norm) / 31 primes; one alone where the rank is full.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from solvers.kernels.elimination import rank_modulo
from solvers.threads import one_blas_thread

LARGEST_PRIME = 2**31 - 1
WHOLE = 2.0**53  # floating-point numbers below are whole numbers exactly
WITNESSES = (2, 3, 5, 7)  # of Miller and Rabin, for all numbers below 3.2e9


@one_blas_thread
def exact_rank(matrix: np.ndarray) -> int:
    """The rank of ``matrix`` (m, n) of whole numbers: integers of any size, or floating-point ones below 2^53.

    Raises ValueError for anything but a matrix, and for entries that are not whole; TypeError for no numbers.
    """
    whole = whole_numbers(matrix)
    if whole.ndim != 2:
        raise ValueError(f"exact_rank needs a matrix, not shape {whole.shape}")
    if whole.size == 0:
        return 0
    sizes = [_log_norms(whole), _log_norms(whole.T)]
    rank, known = 0, 0.0
    for prime in primes():
        rank = max(rank, rank_over(whole, prime))
        if rank == min(whole.shape):
            return rank
        known += math.log2(prime)
        if known > min(float(np.sum(norms[: rank + 1])) for norms in sizes) + 1.0:
            return rank
    raise AssertionError("there are more primes than any matrix needs")


def rank_over(whole: np.ndarray, prime: int = LARGEST_PRIME) -> int:
    """The rank of a matrix of whole numbers modulo ``prime``, below 2^31: at most that over the rational numbers."""
    residues = np.ascontiguousarray(np.asarray(whole % prime, dtype=np.int64))
    return int(
        rank_modulo(np.ascontiguousarray(residues.T) if residues.shape[0] > residues.shape[1] else residues, prime)
    )


def whole_numbers(array: np.ndarray) -> np.ndarray:
    """An array of whole numbers as integers. Raises ValueError, TypeError as ``exact_rank``."""
    array = np.asarray(array)
    if array.dtype.kind in "iub":
        return array.astype(object if array.dtype == np.uint64 else np.int64)
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and (array == np.round(array)).all() and (np.abs(array) < WHOLE).all()):
            raise ValueError("exact ranks need whole numbers below 2^53, and some entries are not")
        return array.astype(np.int64)
    if array.dtype.kind == "O" and all(isinstance(entry, int) for entry in array.flat):
        return array
    raise TypeError(f"exact ranks need whole numbers, not entries of type {array.dtype}")


def primes() -> Iterator[int]:
    """The primes below 2^31, the largest first."""
    number = LARGEST_PRIME
    while number > 2:
        if _is_prime(number):
            yield number
        number -= 2


def _is_prime(number: int) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for witness in WITNESSES:
        power = pow(witness, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def _log_norms(whole: np.ndarray) -> np.ndarray:
    """Binary logarithms of the norms of the rows that are not zero, the largest first, not below the true ones."""
    if whole.dtype.kind == "O":
        squares = [sum(int(entry) ** 2 for entry in row) for row in whole]
        found = [0.5 * (square.bit_length()) for square in squares if square]
    else:
        norms = np.linalg.norm(whole.astype(float), axis=1)
        found = list(np.log2(norms[norms > 0.0]) + 1e-9)
    return np.sort(np.array(found, dtype=float))[::-1]
