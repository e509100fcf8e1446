"""What lies outside the basis of a force field: what it costs, which modes want more, and the second looks at it.

Three looks that share no fault. Second order: what the next functions of every mode, and of several at once, would add
to each state found (solvers.eigen.left_out). From above: levels of a configuration interaction in a wider basis,
without trains (sizes); of a basis that was given, in the functions that would be chosen, since its own may be poor. One
mode: the levels of every mode on equidistant points instead of harmonic functions. A state whose weight in a mode's
last function is large, or of which second order puts much outside, is never converged, whatever these say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from problems.quantum.hamiltonians.force_field.boundedness import lowest_barriers
from problems.quantum.hamiltonians.force_field.operators import product_terms
from problems.quantum.hamiltonians.force_field.primitives import sinc_levels, sinc_levels_bent
from problems.quantum.hamiltonians.force_field.product_basis import ProductBasis
from problems.quantum.hamiltonians.force_field.sizes import (
    CONFIGURATIONS,
    WIDER,
    Wide,
    from_levels,
    needed_functions,
    of_given_sizes,
    wide_states,
)
from problems.quantum.hamiltonians.space import Judged
from solvers.eigen import tasks
from solvers.eigen.left_out import about
from solvers.eigen.start import Start, excitation_scale
from solvers.eigen.states import EigenStates
from solvers.measured import amount
from solvers.sectors.estimates import pad
from solvers.sectors.train import SectorTrain, truncate
from solvers.solution import Checked

BASIS_SAFETY = 1.5  # on the second-order effect of the functions left out
ENLARGED_BY = 6  # functions of a mode that second order looks at: what q^6 reaches
SEEN = 3  # of them, which growing leaves in any case
JUDGING = 1000  # products that judge a basis that was given: a third of a second
GROWN_BY = 4  # functions of a mode that states lack
REFINEMENTS = 8
EDGE_POPULATION = 0.02  # in the last function of a mode: the state is cut, not approximated
MOST_OUTSIDE = 0.1  # weight of the products outside: beyond it second order is no estimate
EDGE_RANK = 24  # the leading part of a state says enough about its weights


@dataclass(frozen=True)
class LeftOut:
    """``gains`` (states, modes in train order): what the functions outside the basis add to each state; ``weights``
    (states,): that of the products outside in it, to first order."""

    gains: np.ndarray
    weights: np.ndarray


def left_out(basis: ProductBasis, trains: Sequence[SectorTrain], executor: Executor | None) -> LeftOut:
    """Second-order effect of the next functions of every mode, of several modes at once too."""
    sizes = [min(n + ENLARGED_BY, basis.room(k)) for k, n in enumerate(basis.sizes)]
    wide = about(product_terms(basis.field, basis.bases(sizes), basis.order), basis.terms.modes)
    scale = excitation_scale(basis.terms)
    jobs = [(wide, chunk, basis.accuracy, scale) for chunk in tasks.chunks(trains, tasks.CHUNK)]
    found = tasks.run_tasks(executor, tasks.left_out, jobs)
    states = [state for part in found for state in part]
    gains = np.array([state.by_mode for state in states]).reshape(len(states), len(basis.sizes))
    return LeftOut(BASIS_SAFETY * gains, np.array([state.weight for state in states]))


def enlarged(basis: ProductBasis, start: Start, share: float, executor: Executor | None) -> ProductBasis:
    """Add functions to the modes the states of the start want more of; the trains are padded with zeros."""
    for _ in range(5):
        trains = [x for sector in start.sectors for x in sector.trains]
        gains = left_out(basis, trains, executor).gains.max(axis=0)
        short = {k for i, k in enumerate(basis.order) if gains[i] > share / len(basis.order)}
        room = {k for k in short if basis.sizes[k] + SEEN + 2 <= basis.room(k)}
        sizes = [n + 2 * (k in room) for k, n in enumerate(basis.sizes)]
        if not room or not hole_free(basis, sizes):
            break
        basis = basis.resized(sizes)
        for sector in start.sectors:
            for state in sector.states:
                state.train = pad(state.train, basis.terms.modes)
    return basis


def hole_free(basis: ProductBasis, sizes: Sequence[int]) -> bool:
    """Whether no barrier to minus infinity lies within the range of so many functions a mode."""
    return lowest_barriers(basis.field, basis.bases(sizes))[0] is None


def fitted_to(basis: ProductBasis, sizes: Sequence[int]) -> ProductBasis:
    """With harmonic functions that hold so many modals of each mode; sizes end below the barriers."""
    if basis.sized is None or all(n <= basis.room(k) for k, n in enumerate(sizes)):
        return basis
    sized = of_given_sizes(basis.field, basis.charges, sizes, basis.accuracy)
    return replace(basis, sized=sized)


def widened(basis: ProductBasis, most: int = CONFIGURATIONS, doubted: bool = False) -> Wide | None:
    """States in a basis wider than the one at hand; None where a hole of the potential lies within its range.
    ``most``, ``doubted``: as of ``wide_states``."""
    wide = fitted_to(basis, [n + WIDER for n in basis.sizes])
    sizes = [min(n + WIDER, wide.room(k)) for k, n in enumerate(basis.sizes)]
    bases = wide.bases(sizes)
    if lowest_barriers(basis.field, bases)[0] is not None:
        return None
    return wide_states(product_terms(basis.field, bases, basis.order), basis.n_states, most, doubted)


def well_sized(basis: ProductBasis) -> ProductBasis:
    """A basis that was given as it would be chosen for the states and the accuracy, and no smaller: what judges it."""
    sized = from_levels(basis.field, basis.charges, basis.n_states, basis.accuracy)
    sizes = [max(n, m) for n, m in zip(basis.sizes, sized.sizes)]
    if sizes != list(sized.sizes):
        sized = of_given_sizes(basis.field, basis.charges, sizes, basis.accuracy)
    return replace(basis, sized=sized, sizes=tuple(sizes))


def from_above(basis: ProductBasis) -> Wide | None:
    """States that judge a basis that was given, whose own functions may be poor: in those that would be chosen."""
    found = widened(well_sized(basis), JUDGING, doubted=True)
    return widened(basis, JUDGING, doubted=True) if found is None else found


def refined(basis: ProductBasis, share: float) -> tuple[ProductBasis, Wide | None]:
    """The basis with the functions that the states of a wider space ask for, and that space's states.

    Repeated with ever wider spaces while states ask for the last functions.
    """
    goal = share / len(basis.order)
    wide = None
    for _ in range(REFINEMENTS):
        wide = widened(basis)
        if wide is None:
            break
        needed = dict(zip(basis.order, needed_functions(wide, goal)))
        top = float(wide.levels[-1] - wide.levels[0])
        levels = dict(zip(basis.order, basis.terms.energies))
        sizes = list(basis.sizes)
        for k, n in enumerate(basis.sizes):
            below = int(np.sum(levels[k] - levels[k].min() <= top))  # every one of them may be a state of its own
            sizes[k] = max(n, needed[k] + 1, n + GROWN_BY if below + 1 > n else below + 1)
        larger = fitted_to(basis, sizes)
        sizes = [min(n, larger.room(k)) for k, n in enumerate(sizes)]
        if sizes == list(basis.sizes) or not hole_free(larger, sizes):
            break
        basis = larger.resized(sizes)
    return basis, wide


def grown(basis: ProductBasis, short: Collection[int]) -> ProductBasis | None:
    """More functions of the modes that are short of them; None where a barrier leaves no room."""
    sizes = [n + GROWN_BY * (k in short) for k, n in enumerate(basis.sizes)]
    larger = fitted_to(basis, sizes)
    sizes = [min(n, larger.room(k)) for k, n in enumerate(sizes)]
    if sizes == list(basis.sizes) or not hole_free(larger, sizes):
        return None
    return larger.resized(sizes)


def judge(basis: ProductBasis, states: EigenStates, wide: Wide | None, missing: LeftOut) -> Judged:
    """The basis part of every error, and the looks from outside."""
    accuracy, energies, gains = basis.accuracy, states.energies, missing.gains
    errors = gains.sum(axis=1)
    checked = []
    short = {
        k
        for i, k in enumerate(basis.order)
        if np.any((errors > accuracy - states.errors) & (gains[:, i] > 0.0) & (gains[:, i] >= 0.2 * errors))
    }
    if wide is not None and states.first is not None:
        above = wide.levels[states.first :]
        count = min(len(above), len(energies))
        excess = np.maximum(energies[:count] - above[:count], 0.0)
        # the upper bounds have errors of their own, which matter where they are the sharper levels
        doubts = np.minimum(wide.doubts[states.first :][:count], excess)
        errors[:count] = np.maximum(errors[:count], excess + doubts)
        worst = float(np.max(excess, initial=0.0))
        if worst > accuracy:
            short = set(range(len(basis.order)))
        how = "configuration interaction in a wider basis, without trains: upper bounds"
        result = f"at most {amount(max(worst, 0.0))} {basis.field.unit} above them"
        # of a basis that was chosen it is an error, which the states carry, and no contradiction
        checked.append(Checked("levels from above", how, result, worst <= accuracy or not basis.automatic))
    if basis.sized is not None:
        moved, differ = one_mode_errors(basis, float(energies[-1]) - (states.ground or energies)[0])
        errors = errors + moved
        result = f"levels of one mode differ by at most {amount(differ)} {basis.field.unit}"
        how = "values on equidistant points instead of harmonic functions"
        checked.append(Checked("one-mode functions", how, result, differ <= max(accuracy, 2.0 * moved)))
    edge = np.array([edge_populations(x, basis.terms.energies) for x in states.trains if isinstance(x, SectorTrain)])
    edge = edge.reshape(len(states.trains), -1)
    at_edge, far = edge.max(axis=1, initial=0.0) > EDGE_POPULATION, missing.weights > MOST_OUTSIDE
    cut = at_edge | far
    short |= {k for i, k in enumerate(basis.order) if np.any(edge[:, i] > EDGE_POPULATION)}
    short |= {k for i, k in enumerate(basis.order) if np.any(far & (gains[:, i] >= 0.2 * gains.sum(axis=1)))}
    result = f"at most {amount(float(edge.max(initial=0.0)))}"
    checked.append(Checked("last function of every mode", "its weight in the states", result, not at_edge.any()))
    result = f"at most {amount(float(missing.weights.max(initial=0.0)))}"
    checked.append(Checked("functions left out", "their weight in the states, to first order", result, not far.any()))
    return Judged(errors, cut, frozenset(short), tuple(checked))


def one_mode_errors(basis: ProductBasis, top: float) -> tuple[float, float]:
    """Of the one-mode levels up to ``top`` above the lowest: the sum over the modes of what they moved by when the
    harmonic functions were grown, and the largest difference from levels on equidistant points."""
    sized = basis.sized
    assert sized is not None
    moved, differ = 0.0, 0.0
    for k, w in enumerate(basis.field.frequencies):
        energies = np.sort(sized.mean.solved[k][0])[: basis.sizes[k]]
        used = int(np.sum(energies - energies[0] <= top))
        known = sized.changes[k][:used]
        moved += float(np.max(known, initial=0.0)) if len(known) else np.inf
        upper, own = float(energies[used - 1] + 1e-6 * w), sized.mean.polynomials[k]
        bend = basis.field.bend
        other = sinc_levels_bent(float(w), own, bend, upper) if bend else sinc_levels(float(w), own, upper)
        if len(other) < used:
            differ = np.inf
        else:
            differ = max(differ, float(np.max(np.abs(other[:used] - energies[:used]))))
    return moved, differ


def edge_populations(x: SectorTrain, energies: Sequence[np.ndarray]) -> np.ndarray:
    """The weight of a state in the highest function of every mode, (d,); zero for modes of one function."""
    cores = truncate(x, EDGE_RANK)[0].to_train().cores
    rights = [np.ones((1, 1))]
    for core in cores[:0:-1]:
        rights.append(np.einsum("anb,bc,dnc->ad", core, rights[-1], core, optimize=True))
    left = np.ones((1, 1))
    found = np.zeros(len(cores))
    for k, core in enumerate(cores):
        half = np.einsum("ab,anc->bnc", left, core)
        weights = np.einsum("bnc,cd,bnd->n", half, rights[len(cores) - 1 - k], core, optimize=True)
        if len(weights) > 1:
            found[k] = weights[int(np.argmax(energies[k]))] / weights.sum()
        left = np.einsum("bnc,bnd->cd", half, core)
    return found
