"""``Charge``: a conserved quantity that a user names, and the sector in which one or more have given values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.measured import numeral
from solvers.sectors.group import FIELDS, LARGEST, LARGEST_MODULUS, packed
from solvers.sectors.train import ModeCharges

UNIT = 1e-9  # of the largest difference of two charges: a remainder below it is rounding


@dataclass(frozen=True)
class Charge:
    """A quantity that is a sum over the modes, and its ``value``: the sector.

    ``charges``: what each function of a mode carries, (n,) for all modes alike or one such list a mode: ``[0.5, -0.5]``
    for the spin along z, ``range(n)`` for particles, ``[0, 1, 1, 2]`` for electrons. Any numbers in whole multiples of
    one unit. ``modulus``: N where only the sum modulo N is conserved (2: a parity); whole numbers then.

    Raises ValueError for numbers that are not finite and a modulus that is no whole number from 2 to 63.
    """

    charges: Sequence[float] | Sequence[Sequence[float]] | np.ndarray
    value: float
    modulus: int | None = None

    def __post_init__(self) -> None:
        n = self.modulus
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or not 2 <= n <= LARGEST_MODULUS):
            raise ValueError(f"Charge: modulus is {n}; give a whole number from 2 to {LARGEST_MODULUS}, or None")
        if not math.isfinite(self.value):
            raise ValueError(f"Charge: value is {self.value}; give a number")

    def of_modes(self, shape: Sequence[int]) -> list[np.ndarray]:
        """What each function of each mode carries, (n_k,) a mode. Raises ValueError where that does not fit."""
        given = list(self.charges)
        each = given if given and np.ndim(given[0]) else [given] * len(shape)
        if len(each) != len(shape):
            raise ValueError(f"Charge: charges of {len(each)} modes are given; the operator has {len(shape)}")
        found = []
        for k, (own, n) in enumerate(zip(each, shape)):
            numbers = np.asarray(own, dtype=float)
            if numbers.shape != (n,) or not np.all(np.isfinite(numbers)):
                raise ValueError(f"Charge: mode {k} has {n} functions; give {n} finite numbers, not {own}")
            found.append(numbers)
        return found

    def whole(self, shape: Sequence[int]) -> tuple[list[np.ndarray], int, int]:
        """Whole numbers of every mode from its smallest charge up, what they add up to in the sector, and the modulus
        or 0. Raises ValueError where there are none."""
        numbers = self.of_modes(shape)
        if self.modulus is not None:
            if any(np.any(x != np.rint(x)) for x in numbers) or self.value != round(self.value):
                raise ValueError(f"Charge: modulo {self.modulus} the charges and the value are whole numbers")
            return [x.astype(np.int64) for x in numbers], int(self.value) % self.modulus, self.modulus
        least = [float(x.min()) for x in numbers]
        above = [x - low for x, low in zip(numbers, least)]
        unit = _unit(np.concatenate(above))
        total = (self.value - math.fsum(least)) / unit
        most = sum(round(float(x.max()) / unit) for x in above)
        if abs(total - round(total)) > UNIT * max(1.0, abs(total)) * 10.0 or not 0 <= round(total) <= most:
            low = math.fsum(least)
            raise ValueError(
                f"no product function has the charge {numeral(self.value)}: those there are go from {numeral(low)} to "
                f"{numeral(low + most * unit)} in steps of {numeral(unit)}"
            )
        if most > LARGEST:
            raise ValueError(f"Charge: {most} steps of the total charge are too many: up to {LARGEST}")
        return [np.rint(x / unit).astype(np.int64) for x in above], round(total), 0


def _unit(numbers: np.ndarray) -> float:
    """The largest number of which all are whole multiples, by Euclid's algorithm."""
    top = float(numbers.max(initial=0.0))
    unit = 0.0
    for x in np.unique(numbers):
        a, b = float(x), unit
        while a > UNIT * top and top > 0.0:
            a, b = b % a, a
            if a > b - UNIT * top:  # a whole multiple, from below
                a = 0.0
        unit = b
    if unit < top / LARGEST:
        raise ValueError("Charge: the charges are no whole multiples of one unit: give whole or half numbers")
    return unit or 1.0


@dataclass(frozen=True)
class SectorSpace:
    """The functions of every mode by their charges, ``modes``, and the ``total`` charge of the sector.

    ``orders``: of each mode the function (of the operator as given) that stands at each place of ``modes``.
    """

    modes: ModeCharges
    orders: tuple[np.ndarray, ...]
    total: int

    @classmethod
    def of(cls, charges: Sequence[Charge], shape: Sequence[int]) -> SectorSpace:
        """Raises ValueError for charges that do not fit the modes, and for more than three."""
        if not 1 <= len(charges) <= FIELDS:
            raise ValueError(f"sector: {len(charges)} charges are given; up to {FIELDS} at once")
        whole = [charge.whole(shape) for charge in charges]
        moduli = [modulus for _, _, modulus in whole]
        modes, orders = [], []
        for k, n in enumerate(shape):
            codes = np.array([packed([int(x[k][i]) for x, _, _ in whole], moduli) for i in range(n)])
            order = np.argsort(codes, kind="stable")
            found, counts = np.unique(codes, return_counts=True)
            modes.append(tuple((int(c), int(m)) for c, m in zip(found, counts)))
            orders.append(order)
        return cls(tuple(modes), tuple(orders), packed([total for _, total, _ in whole], moduli))
