"""Second looks at a list of lowest states, by routes that share little with what made it.

1. How the list is known to be complete.
2. A method's levels against those of vectors over all product functions, where the space is small; a list that such
   vectors gave, against a count by Sylvester's law of inertia: as many levels below the last one as were listed.
3. Overlaps of the states, those closest in energy first.
4. Energies against Rayleigh quotients by another contraction of the operator (dense cores, no symmetry, no plans).

What contradicts the result makes it CONTRADICTED; an error that turns out larger than stated is stated as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from solvers.eigen import explicit
from solvers.eigen.counted import levels_below
from solvers.eigen.full_vectors import EPS, Spectrum
from solvers.eigen.states import EigenStates
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.measured import amount
from solvers.sectors.train import ModeCharges, SectorTrain, inner
from solvers.solution import Checked, Solution, Status

COUNTED = 2500  # functions up to which levels are counted: 0.3 s of one core, measured
MOST_PAIRS = 300  # overlaps
ORTHONORMAL = 5e-3  # the largest overlap of two states that passes
QUOTIENTS = 3  # states whose energies are computed anew
MOST_WORK = 2e10  # of each, in multiplications
FAR_OFF = 3.0  # times the error stated

Train = SectorTrain | TensorTrain


def looked_at(
    solution: Solution,
    operator: TTOperator,
    modes: ModeCharges,
    n_states: int,
    accuracy: float,
    exact: Spectrum | None,
    rng: np.random.Generator,
) -> Solution:
    """The solution with its checks, its errors as these show them, and the status that follows from both."""
    value: EigenStates = solution.value
    checked = [_completeness(value)]
    errors = np.where(np.isfinite(value.errors), value.errors, np.inf)
    if exact is not None:
        off = np.abs(value.energies - exact.energies[: len(value.energies)])
        allowed = np.maximum(accuracy, FAR_OFF * errors) + exact.floor
        checked.append(
            Checked(
                "levels",
                f"vectors over all {exact.size} product functions ({exact.completeness})",
                f"largest difference {amount(off.max(initial=0.0))}",
                bool(np.all(off <= allowed)),
            )
        )
        errors = np.maximum(errors, off)
    elif "whole space" in str(value.probe.get("method")):
        checked += _counted(operator, modes, value, accuracy)
    checked.append(_overlaps(value.trains, value.energies, rng))
    checked += _quotients(operator, value, accuracy, rng)
    failed = [c for c in checked if not c.passed]
    n_converged = int(np.sum(errors <= accuracy))
    whole = len(value.energies) == n_states and n_converged == n_states
    status = Status.CONVERGED if whole else solution.status
    if value.probe.get("missing_states"):  # and nobody knows how many more
        status = Status.ITERATION_LIMIT if solution.converged else solution.status
    elif failed and (whole or solution.converged):
        status = Status.CONTRADICTED
    elif not whole and status is Status.CONVERGED:
        status = Status.STAGNATED
    value = replace(value, errors=errors)
    return replace(solution, value=value, status=status, n_converged=n_converged, checked=tuple(checked))


def _completeness(value: EigenStates) -> Checked:
    probe = value.probe
    found, known = int(probe.get("missing_states") or 0), str(probe.get("completeness", "unknown"))
    how = str(probe.get("method", "random starts in the complement, below, between and above the levels"))
    result = f"{known}; {found} found in the last search" if known.startswith("searched") or found else known
    return Checked("completeness of the list", how, result, found == 0)


def _counted(operator: TTOperator, modes: ModeCharges, value: EigenStates, accuracy: float) -> list[Checked]:
    """The count of levels below the last one listed, or below a level before it where that is repeated too often."""
    size = explicit.size_of(modes)
    if size > COUNTED or explicit.diagonal(operator) is not None:
        return []
    h = explicit.matrix(operator)
    assert h is not None
    h = h.toarray() if sp.issparse(h) else h
    h = 0.5 * (h + h.conj().T)
    floor = 1e3 * EPS * float(np.linalg.norm(h, 2) if len(h) < 50 else np.abs(h).sum(axis=1).max())
    energies = np.asarray(value.energies)
    sigma = float(energies[-1]) - max(0.5 * accuracy, floor)
    near = energies[np.abs(energies - sigma) <= 0.3 * max(0.5 * accuracy, floor)]
    if len(near):  # not on a level that was listed
        sigma = float(near.min()) - max(0.5 * accuracy, floor)
    listed, counted = int(np.sum(energies < sigma)), levels_below(h, sigma)
    if counted is None:
        return []
    how = "negative pivots of L D L^H (Sylvester's law of inertia)"
    return [Checked("number of levels", how, f"{counted} below the last, {listed} listed", counted == listed)]


def _pair(x: Train, y: Train) -> complex:
    if isinstance(x, SectorTrain) and isinstance(y, SectorTrain):
        return inner(x, y)
    assert isinstance(x, TensorTrain) and isinstance(y, TensorTrain)
    return dot(x, y)


def _overlaps(trains: Sequence[Train], energies: np.ndarray, rng: np.random.Generator) -> Checked:
    """Norms, and overlaps of pairs: neighbours in energy, then others at random."""
    n = len(trains)
    pairs = [(i, i + step) for step in range(1, n) for i in range(n - step)]
    pairs = [(i, j) for i, j in pairs if _charge(trains[i]) == _charge(trains[j])]
    near, rest = pairs[: MOST_PAIRS // 2], pairs[MOST_PAIRS // 2 :]
    if len(rest) > MOST_PAIRS - len(near):
        rest = [rest[i] for i in rng.choice(len(rest), MOST_PAIRS - len(near), replace=False)]
    off = max((abs(_pair(trains[i], trains[j])) for i, j in [*near, *rest]), default=0.0)
    off = max(off, max(abs(_pair(x, x) - 1.0) for x in trains))
    how = f"inner products of {len(near) + len(rest)} pairs, and of each with itself"
    return Checked("orthonormality", how, f"largest deviation {amount(off)}", bool(off <= ORTHONORMAL))


def _charge(x: Train) -> int:
    return x.charge if isinstance(x, SectorTrain) else 0


def rayleigh_quotient(operator: TTOperator, x: TensorTrain) -> float:
    """<x|A|x> / <x|x> from the left, with dense cores. Cost O(d R r^2 n (r + R n))."""
    left, norm = np.ones((1, 1, 1)), np.ones((1, 1))
    for w, core in zip(operator.cores, x.cores):
        t = np.tensordot(left, core, 1)  # a' alpha n b
        t = np.tensordot(t, w, axes=((1, 2), (0, 2)))  # a' b n' beta
        left = np.tensordot(core.conj(), t, axes=((0, 1), (0, 2))).transpose(0, 2, 1)
        norm = np.tensordot(core.conj(), np.tensordot(norm, core, 1), axes=((0, 1), (0, 1)))
    return float(np.real(left[0, 0, 0]) / np.real(norm[0, 0]))


def _quotients(operator: TTOperator, value: EigenStates, accuracy: float, rng: np.random.Generator) -> list[Checked]:
    """The energies of the first state and of some others, computed anew."""
    n = len(value.trains)
    others = rng.permutation(np.arange(1, n))[: QUOTIENTS - 1]
    off, bound, done = 0.0, 0.0, 0
    for i in [0, *(int(j) for j in others)]:
        x = value.trains[i]
        rank, wide = x.max_rank, max(operator.ranks)
        functions = max(operator.row_shape)
        if float(operator.d) * rank**2 * wide * functions * (2.0 * rank + wide * functions) > MOST_WORK:
            continue
        dense = x.to_train() if isinstance(x, SectorTrain) else x
        off = max(off, abs(rayleigh_quotient(operator, dense) - float(value.energies[i])))
        bound = max(bound, accuracy, float(value.errors[i]))
        done += 1
    if not done:
        return []
    scale = max(
        float(np.abs(value.energies).max()), operator.norm() / np.sqrt(np.prod(np.array(operator.row_shape, float)))
    )
    passed = off <= bound + 1e-11 * scale * operator.d
    how = f"<x|H|x> of {done} states by dense cores"
    return [Checked("energies", how, f"largest difference {amount(off)}", bool(passed))]
