"""What trains and operators share: cores in a row, their ranks and their parts.

Real and imaginary part. With G = R + i M the row vector (re, im) of a product of cores goes through

    [[R, M], [-M, R]],     the first core [R, M],     the last one [R; -M] for the real part, [M; R] for the imaginary:

real cores of twice the ranks, exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from solvers.cards import Card
from solvers.formats.trains.factorisations import freeze


class Chain(Card):
    """Cores in a row: the first axis of each is its left rank, the last its right rank, the outer ranks are one."""

    cores: tuple[np.ndarray, ...]

    __array_ufunc__ = None  # numpy scalars leave ``scalar * train`` to the train

    def __array__(self, *_: object, **__: object) -> NoReturn:
        """Nothing becomes a dense array by accident: numpy's own functions would make one of objects."""
        raise TypeError(
            f"a {type(self).__name__} is no array of numpy: full() gives one, elementwise applies a function"
        )

    @property
    def d(self) -> int:
        """Number of modes."""
        return len(self.cores)

    @property
    def ranks(self) -> tuple[int, ...]:
        """The d+1 TT-ranks, the outer ones 1."""
        return (1, *(core.shape[-1] for core in self.cores))

    @property
    def max_rank(self) -> int:
        """The largest TT-rank."""
        return max(self.ranks)

    @property
    def dtype(self) -> np.dtype:
        """float64 or complex128."""
        return self.cores[0].dtype

    @property
    def size(self) -> int:
        """Number of stored entries (of the cores, not of the tensor)."""
        return sum(core.size for core in self.cores)


def check_kind(what: str, kind: type, *given: object) -> None:
    """TypeError where one of ``given`` is no ``kind``."""
    for x in given:
        if not isinstance(x, kind):
            cure = "; as_train() makes one of it" if isinstance(x, Chain) and hasattr(x, "as_train") else ""
            named = "trains or operators" if kind is Chain else f"{kind.__name__}s"
            raise TypeError(f"{what} takes {named}, not {type(x).__name__}{cure}")


def part_cores(cores: Sequence[np.ndarray], imaginary: bool) -> tuple[np.ndarray, ...]:
    """Real cores of the real or the imaginary part of what complex ``cores`` (a, ..., b) are."""
    d = len(cores)
    parts = []
    for k, core in enumerate(cores):
        rows = [(core.real, core.imag), (-core.imag, core.real)]
        wanted = rows[: 1 if k == 0 else 2]
        if k == d - 1:
            wide = [row[int(imaginary)] for row in wanted]
        else:
            wide = [np.concatenate(row, axis=-1) for row in wanted]
        parts.append(freeze(np.concatenate(wide, axis=0)))
    return tuple(parts)
