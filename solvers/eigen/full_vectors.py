"""The lowest states of a small space by vectors over all of its product functions: exact, whatever the ranks.

1. A diagonal operator's levels are its entries, its states products of basis functions: nothing is iterated.
2. Other matrices, as long as they are affordable, part by part (solvers.eigen.matrix_levels): dense parts, whose list
   is proved complete, and larger ones by Lanczos from random starts, whose list is searched.

The states are then trains, rounded to a hundredth of the accuracy; energies are Rayleigh quotients of what is returned,
and the errors add their distance from the diagonalisation's levels, the residual's bound where those are Lanczos', and
the rounding errors of the operator's norm. Cost O(N^3) below ``DENSE``; above, some hundred products a start.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from solvers.eigen import explicit
from solvers.eigen.many_states import Sector
from solvers.eigen.matrix_levels import sector_levels
from solvers.eigen.start import Start
from solvers.eigen.states import EigenStates
from solvers.eigen.vector_trains import sector_train
from solvers.formats.trains.construct import tt_svd, unit
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.train import ModeCharges, SectorTrain, inner, product_state
from solvers.solution import Callback, IterationState, Solution, Status

LARGEST = explicit.LARGEST_DIAGONAL  # functions: none, to leave every space to the trains' own methods
BUFFER = 4  # levels above the last one asked for
ROUNDING = (1e-13, 1e-6)  # of a state in its train, least and most
ROUNDING_SHARE = 0.01  # of the accuracy: an energy errs by the squared rounding times the operator's norm at most
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Levels:
    """The lowest levels of one charge: ``values`` ascending, ``vectors`` (N, m) in the whole space, ``residuals``.

    ``starts``: random starts that searched, 0 where the list is proved; ``rest``: whether the sector has more levels.
    """

    charge: int
    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    starts: int
    rest: bool


@dataclass(frozen=True)
class Spectrum:
    """The lowest levels of a small space, all charges, and the ``matrix`` they are of (a diagonal: its entries).

    ``vectors``: (size, n), or None beside the ``places`` of a diagonal operator's states; ``starts``: random starts
    that searched, 0 where the list is proved; ``norm``: bound of the operator's spectral norm.
    """

    energies: np.ndarray
    charges: np.ndarray
    vectors: np.ndarray | None
    places: np.ndarray | None
    residuals: np.ndarray
    starts: int
    norm: float
    matrix: explicit.Matrix

    @property
    def size(self) -> int:
        """Product functions."""
        return int(self.matrix.shape[0])

    @property
    def completeness(self) -> str:
        return "proved" if self.starts == 0 else f"searched {self.starts} times"

    @property
    def floor(self) -> float:
        """What rounding may move a level."""
        return float(EPS * np.sqrt(self.size) * self.norm)

    def vector(self, i: int) -> np.ndarray:
        """State ``i`` over all product functions."""
        if self.vectors is not None:
            return self.vectors[:, i]
        assert self.places is not None
        found = np.zeros(self.size)
        found[self.places[i]] = 1.0
        return found

    def judged(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rayleigh quotients and residual norms of normalised columns."""
        h = self.matrix
        images = h[:, None] * vectors if h.ndim == 1 else h @ vectors
        quotients = np.real(np.einsum("ij,ij->j", vectors.conj(), images))
        return quotients, np.linalg.norm(images - vectors * quotients, axis=0)


def spectrum(operator: TTOperator, modes: ModeCharges, count: int, rng: np.random.Generator) -> Spectrum | None:
    """The ``count`` lowest levels, or all; None where the space is not small, or Lanczos came to no end.

    Raises ValueError for NaN or infinity among the elements.
    """
    size = explicit.size_of(modes)
    if size > LARGEST:
        return None
    diagonal = explicit.diagonal(operator)
    if diagonal is not None and size > 1:
        return _of_diagonal(np.real(diagonal), modes, min(count, int(size)))
    if size > explicit.SMALL:
        return None
    h = explicit.matrix(operator)
    if h is None:
        return None
    if not np.all(np.isfinite(h.data if sp.issparse(h) else h)):
        raise ValueError("the operator's elements are not finite: scale it down")
    charges = explicit.total_charges(modes)
    levels = []
    for charge in np.unique(charges):
        found = _sector(h, int(charge), np.flatnonzero(charges == charge), count, rng)
        if found is None:
            return None
        levels.append(found)
    values = np.concatenate([b.values for b in levels])
    order = np.argsort(values, kind="stable")[:count]
    norm = float(abs(h).sum(axis=1).max())
    return Spectrum(
        values[order],
        np.concatenate([np.full(len(b.values), b.charge) for b in levels])[order],
        np.concatenate([b.vectors for b in levels], axis=1)[:, order],
        None,
        np.concatenate([b.residuals for b in levels])[order],
        max(b.starts for b in levels),
        min(norm, float(sp.linalg.norm(h) if sp.issparse(h) else np.linalg.norm(h))),
        h,
    )


def _of_diagonal(diagonal: np.ndarray, modes: ModeCharges, count: int) -> Spectrum:
    if not np.all(np.isfinite(diagonal)):
        raise ValueError("the operator's elements are not finite: scale it down")
    if count < len(diagonal):
        places = np.argpartition(diagonal, count - 1)[:count]
    else:
        places = np.arange(len(diagonal))
    places = places[np.lexsort((places, diagonal[places]))]
    charges = _charges_at(modes, places)
    norm = float(np.abs(diagonal).max())
    return Spectrum(diagonal[places], charges, None, places, np.zeros(count), 0, norm, diagonal)


def _functions_at(modes: ModeCharges, place: int) -> list[int]:
    shape = [sum(n for _, n in mode) for mode in modes]
    return [int(i) for i in np.unravel_index(place, shape)]


def _charges_at(modes: ModeCharges, places: np.ndarray) -> np.ndarray:
    found = np.zeros(len(places), dtype=np.int64)
    shape = [sum(n for _, n in mode) for mode in modes]
    for mode, index in zip(modes, np.unravel_index(places, shape)):
        found ^= np.concatenate([np.full(n, c) for c, n in mode])[index]
    return found


def _sector(
    h: explicit.Matrix, charge: int, members: np.ndarray, count: int, rng: np.random.Generator
) -> Levels | None:
    """The lowest levels of one charge."""
    own = h if len(members) == h.shape[0] else h[np.ix_(members, members)]
    found = sector_levels(own, min(count, len(members)), rng)
    if found is None:
        return None
    values, vectors, starts = found
    residuals = np.linalg.norm(own @ vectors - vectors * values, axis=0)
    whole = np.zeros((h.shape[0], len(values)), dtype=vectors.dtype)
    whole[members] = vectors
    return Levels(charge, values, whole, residuals, starts, len(values) < len(members))


class Reference:
    """The levels that another method's result is held against: found out when they are first asked for, or None."""

    def __init__(self, operator: TTOperator, modes: ModeCharges, n_states: int, seed: int) -> None:
        self.operator, self._modes, self._count, self._seed = operator, modes, n_states + BUFFER, seed

    @cached_property
    def spectrum(self) -> Spectrum | None:
        return spectrum(self.operator, self._modes, self._count, np.random.default_rng(self._seed))

    def proved_start(self, count: int, max_rank: int) -> Start | None:
        """The lowest states as trains of at most ``max_rank``, where their list is proved; None elsewhere.

        A method from a rough start gains nothing in such a space, and takes minutes where every rank is full.
        """
        exact = self.spectrum
        if exact is None or exact.starts:
            return None
        sectors = []
        for charge in np.unique(exact.charges[:count]):
            own = np.flatnonzero(exact.charges[:count] == charge)
            trains: list[Any] = [state_train(exact, int(i), self.operator, self._modes, max_rank) for i in own]
            sectors.append(Sector.of(int(charge), trains, exact.energies[own]))
        return Start(sectors, None)


def solve(
    operator: TTOperator,
    modes: ModeCharges,
    n_states: int,
    accuracy: float,
    rng: np.random.Generator,
    callback: Callback | None = None,
    max_rank: int | None = None,
) -> Solution | None:
    """The ``n_states`` lowest states; None where ``spectrum`` has none, or where trains of ``max_rank`` (None: of any
    rank) cut from its vectors miss the accuracy: a method that works at this rank does better."""
    begin = time.perf_counter()
    exact = spectrum(operator, modes, n_states + BUFFER, rng)
    if exact is None:
        return None
    most = exact.size if max_rank is None else max_rank
    tol = float(np.clip(np.sqrt(ROUNDING_SHARE * accuracy / (exact.norm or 1.0)), *ROUNDING))
    trains: list[Any] = [state_train(exact, i, operator, modes, most, tol) for i in range(n_states)]
    if exact.places is not None:
        quotients, residuals = exact.energies[:n_states].copy(), np.zeros(n_states)
    else:
        quotients, residuals = exact.judged(np.array([dense_vector(x) for x in trains]).T)
    errors = np.abs(quotients - exact.energies[:n_states]) + exact.residuals[:n_states] * (exact.starts > 0)
    errors = errors + exact.floor
    order = np.argsort(quotients, kind="stable")
    outside = exact.energies[n_states:]
    probe = {
        "method": "none needed: vectors over the whole space",
        "completeness": exact.completeness,
        "starts": exact.starts,
        "lowest_energy_outside": float(outside[0]) if len(outside) else None,
        "largest_drop": 0.0,
        "missing_states": 0,
    }
    charges = [int(exact.charges[i]) for i in order]
    trains = [trains[i] for i in order]
    value = EigenStates(quotients[order], trains, charges, errors[order], outside.copy(), probe)
    n_converged = int(np.sum(errors <= accuracy))
    rank = max(x.max_rank for x in trains)
    if n_converged < n_states and rank == max_rank:
        return None
    status = Status.CONVERGED if n_converged == n_states else Status.STAGNATED  # rounding errors alone
    seconds = time.perf_counter() - begin
    extra = {"error_estimates": errors[order]}
    state = IterationState(1, "full vectors", rank, seconds, value.energies, residuals[order], 1.0, extra=extra)
    if callback:
        callback(state)
    counts = {"functions": exact.size, "random_starts": exact.starts}
    return Solution(value, status, n_converged, residuals[order], (state,), counts, {"solve_s": seconds})


def state_train(
    exact: Spectrum, i: int, operator: TTOperator, modes: ModeCharges, max_rank: int, tol: float = ROUNDING[0]
) -> SectorTrain | TensorTrain:
    """State ``i`` as a train of norm one: a SectorTrain, or a TensorTrain of a complex operator."""
    if np.issubdtype(operator.dtype, np.complexfloating):
        if exact.places is not None:
            return unit(operator.row_shape, _functions_at(modes, int(exact.places[i]))) * (1.0 + 0.0j)
        x = tt_svd(exact.vector(i).astype(complex).reshape(operator.row_shape), tol=tol)
        x = x if x.max_rank <= max_rank else x.round(0.0, max_rank)
        return x * (1.0 / x.norm())
    if exact.places is not None:
        return product_state(modes, _functions_at(modes, int(exact.places[i])))
    y = sector_train(exact.vector(i), int(exact.charges[i]), modes, tol, max_rank)
    return y.scaled(1.0 / float(np.sqrt(inner(y, y))))


def dense_vector(x: SectorTrain | TensorTrain) -> np.ndarray:
    """A train over all product functions (N,)."""
    return (x.to_train() if isinstance(x, SectorTrain) else x).full().ravel()
