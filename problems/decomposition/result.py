"""What a decomposition returns; the report is made from this alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.published import derived, published
from problems.report_parts import Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain

ROUNDING = 1e-13  # of a relative error that is measured at all entries


@dataclass(frozen=True)
class Unfoldings:
    """The ranks of the unfoldings of an array: ``tt`` (d - 1), ``tucker`` (d), ``ht`` by depth of the balanced tree,
    and of modes 1, 3, 5, ... beside 2, 4, 6, ... ``how``: exact (whole numbers, proved), generic (random parameters
    modulo a prime), or numerical (singular values above the accuracy). ``theorem``: the least odd-even rank of almost
    every train of this width, q^(d/2); 0 where none is asserted."""

    tt: tuple[int, ...] = published()
    tucker: tuple[int, ...] = published()
    ht: tuple[int, ...] = published()
    odd_even: int = published()
    cp_at_least: int = published()
    how: str = published()
    theorem: int = published()


@dataclass(frozen=True)
class Start:
    """One random start of a sum of terms."""

    verdict: str = published()
    error: float = published()
    largest_term: float = published()
    congruence: float = published()
    steps: int = published()


@dataclass(frozen=True)
class Approximation:
    """An array in one format. ``ranks``: TT-ranks, ranks of the nodes of the tree (sons before parents), Tucker ranks,
    or the number of terms; ``error``: relative, measured at all entries; ``bound``: of it, from what was cut (of a sum
    of terms nothing is known but the error itself); ``verdict`` and ``starts`` of a sum of terms alone."""

    tensor: str = published()
    format: str = published()
    ranks: tuple[int, ...] = published()
    numbers: int = published()
    error: float = published()
    bound: float | None = published()
    seconds: float = published()
    verdict: str = published()
    starts: tuple[Start, ...] = published()


@dataclass(frozen=True)
class Converted:
    """One result in another format: the width that theory allows, and that reached within the accuracy; ``error``:
    relative to the result it comes from. ``why``: it was not made for this reason."""

    tensor: str = published()
    source: str = published()
    to: str = published()
    allowed: int = published()
    width: int = published()
    numbers: int = published()
    error: float | None = published()
    why: str = published()


@dataclass(frozen=True)
class Curve:
    """Errors and numbers kept of one array in one format, from coarse to fine."""

    tensor: str = published()
    format: str = published()
    numbers: tuple[int, ...] = published()
    errors: tuple[float, ...] = published()


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The singular values of one unfolding, over the norm: ``modes``: its rows, from 1."""

    tensor: str
    modes: str
    values: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class DecompositionResult(Result):
    """Arrays in the formats asked, each beside its bound.

    ``states``: the arrays as trains; ``names``, ``shapes``, ``norms``; ``trees``: the dimension tree of each as a text;
    ``unfoldings``: of each; ``approximations``: those within the accuracy, or of a sum of terms all that were tried.
    """

    states: Sequence[TensorTrain]
    names: list[str] = published()
    shapes: list[tuple[int, ...]] = published()
    norms: np.ndarray = published()
    trees: list[str] = published()
    unfoldings: list[Unfoldings] = published()
    approximations: list[Approximation] = published()
    conversions: list[Converted] = published()
    curves: list[Curve] = published()
    spectra: list[Spectrum]

    csv_file = "approximations.csv"

    @derived()
    def parts(self) -> list[str]:
        """What tells the approximations apart."""
        return [part_name(one) for one in self.approximations]

    @derived(errors="error_estimates")
    def errors(self) -> np.ndarray:
        """The relative error of each approximation."""
        return np.array([one.error for one in self.approximations])

    @derived()
    def error_estimates(self) -> np.ndarray:
        """Rounding errors of these: they are measured at all entries."""
        return np.full(len(self.approximations), ROUNDING)

    @derived()
    def max_rank(self) -> int:
        """The largest TT-rank."""
        return max(train.max_rank for train in self.states)

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """Errors, and the numbers kept."""
        keys, errors = list(results["parts"]), np.array(results["errors"], dtype=float)
        kept = np.array([one["numbers"] for one in results["approximations"]], dtype=float)
        estimates = np.array(results["error_estimates"], dtype=float)
        return [
            Quantity("relative error", "", "part", keys, errors, estimates, ("rounding",)),
            Quantity("numbers kept", "", "part", keys, kept),
        ]

    def columns(self) -> Columns:
        """A row an approximation."""
        rows = self.approximations
        names = ("tensor", "format", "numbers", "error", "bound", "seconds", "verdict")
        found: Columns = [(name, [_cell(getattr(one, name)) for one in rows]) for name in names]
        return [*found, ("ranks", [" ".join(map(str, one.ranks)) for one in rows])]


def _cell(value: object) -> object:
    return repr(value) if isinstance(value, float) else value


def part_name(one: Approximation) -> str:
    """array, format, and the number of terms of a sum."""
    return f"{one.tensor} {one.format}" + (f" {one.ranks[0]}" if one.format == "cp" else "")


RESULTS = (DecompositionResult,)
