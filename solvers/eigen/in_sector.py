"""The lowest states in which conserved charges have given values, or those nearest to a number.

1. The operator in cores of definite charge; one that does not conserve the charges is refused
   (solvers.sectors.conserved).
2. A sector of up to ``SMALL`` product functions: a matrix over them alone (solvers.eigen.restricted). Dense, its list
   proved by a count of levels, or Lanczos from random starts; nearest to a number by factors and two counts.
3. A larger one: block DMRG on block-sparse trains, which hold nothing outside the sector, from random trains and
   products of the sector, and the search for missing states around it. A complex operator by its real form.
4. Trains over the functions as the operator has them, and the mean and variance of every charge in every state.
Singh, Pfeifer, Vidal, Phys. Rev. A 82, 050301 (2010). Cost of a sweep as that of block DMRG, with the ranks of single
charges.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from solvers.eigen import explicit, full_vectors
from solvers.eigen.checks import looked_at, rayleigh_quotient
from solvers.eigen.complex_hermitian import real_form, recover
from solvers.eigen.driven import Asking, driven, raised
from solvers.eigen.full_vectors import BUFFER, EPS, ROUNDING, ROUNDING_SHARE
from solvers.eigen.matrix_levels import sector_levels
from solvers.eigen.pencil import Pencil
from solvers.eigen.probe import Search
from solvers.eigen.restricted import Listed
from solvers.eigen.start import cold_start, level_spacing
from solvers.eigen.states import EigenStates
from solvers.formats.trains.construct import rank_one_operator
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.residual import residual_norm
from solvers.measured import amount, numeral
from solvers.methods import BlockDMRG
from solvers.sectors.charges import Charge, SectorSpace
from solvers.sectors.conserved import conserving
from solvers.sectors.operator import SectorOperator
from solvers.sectors.penalty import outside
from solvers.sectors.train import SectorTrain
from solvers.solution import Checked, IterationState, Solution, Status

SMALL = explicit.SMALL  # product functions of a sector for which vectors over all of them are kept
FACTORS = 4200  # of a sector that is looked into near a number: the factors of lattice operators fill up
VARIANCE = 1e-10  # of a charge, over the square of its range, in a state that has it


def in_sector(
    operator: TTOperator, n_states: int, charges: Charge | Sequence[Charge], target: float | None, asking: Asking
) -> Solution:
    """The states of ``eigsolve`` in a sector. Raises ValueError as it does, and for charges that are not conserved."""
    listed = list(charges) if isinstance(charges, list | tuple) else [charges]
    named = [charge for charge in listed if isinstance(charge, Charge)]
    if len(named) < len(listed):
        raise ValueError(f"sector is {charges}; give a Charge, or a list of them")
    space = SectorSpace.of(named, operator.row_shape)
    size = explicit.space_of(space.modes, space.total)
    if not 1 <= n_states <= size:
        raise ValueError(f"n_states is {n_states}, but the sector has {size} product functions")
    own = conserving(_reordered(operator, space.orders), space.modes)
    solution = None
    if size <= SMALL and (target is None or size <= FACTORS) and not asking.chosen:
        solution = _by_list(own, space, n_states, target, asking)
    if solution is None:
        if target is not None:
            raise ValueError(
                f"levels near a target are found in sectors of up to {FACTORS} product functions; this has "
                f"{numeral(size)}"
            )
        if not isinstance(asking.method, BlockDMRG):
            raise ValueError("in a sector the method is BlockDMRG")
        solution = _by_sweeps(own, space, n_states, size, asking)
    value: EigenStates = solution.value
    trains = [_restored(x, space.orders) for x in value.trains]
    solution = replace(solution, value=replace(value, trains=trains), asked=asking.accuracy)
    solution = _charges_checked(solution, named)
    return raised(solution) if asking.throw else solution


def _reordered(operator: TTOperator, orders: Sequence[np.ndarray]) -> TTOperator:
    cores = tuple(np.ascontiguousarray(c[:, o][:, :, o]) for c, o in zip(operator.cores, orders))
    factors = operator.factors and tuple(
        (c, np.ascontiguousarray(m[:, o][:, :, o])) for (c, m), o in zip(operator.factors, orders)
    )
    return TTOperator(cores, factors)


def _restored(x: SectorTrain | TensorTrain, orders: Sequence[np.ndarray]) -> TensorTrain:
    """A train over the functions as the operator has them."""
    dense = x if isinstance(x, TensorTrain) else x.to_train()
    return TensorTrain(tuple(np.ascontiguousarray(c[:, np.argsort(o)]) for c, o in zip(dense.cores, orders)))


def _pattern(operator: TTOperator, space: SectorSpace) -> SectorOperator:
    """The operator by its charges; of a complex one its real part alone, which has the same modes."""
    if operator.dtype.kind != "c":
        return SectorOperator(operator, space.modes)
    return SectorOperator(rank_one_operator([np.eye(n) for n in operator.row_shape]), space.modes)


def _by_list(
    operator: TTOperator, space: SectorSpace, n_states: int, target: float | None, asking: Asking
) -> Solution | None:
    """Step 2; None where the matrix is too much, or Lanczos came to no end."""
    begin = time.perf_counter()
    listed = Listed.of(_pattern(operator, space), space.total)
    h = listed.matrix(operator)
    if h is None:
        return None
    if not np.all(np.isfinite(h.data)):
        raise ValueError("the operator's elements are not finite: scale it down")
    count = min(n_states + BUFFER, listed.size)
    if target is None:
        found = sector_levels(h, count, asking.rng)
        if found is None:
            return None
        w, vectors, starts = found
        proved = starts == 0
    else:
        near = Pencil(h, None).nearest(n_states, target, asking.rng)
        if near is None:
            return None
        w, vectors, starts, proved = near.w, near.vectors, int(not near.proved), near.proved
    norm = float(abs(h).sum(axis=1).max())
    floor = EPS * math.sqrt(listed.size) * norm
    tol = float(np.clip(math.sqrt(ROUNDING_SHARE * asking.accuracy / (norm or 1.0)), *ROUNDING))
    trains, energies, errors = [], np.zeros(n_states), np.zeros(n_states)
    for i in range(n_states):
        x = listed.train(vectors[:, i], tol, listed.size)
        trains.append(x / x.norm())
        energies[i] = rayleigh_quotient(operator, trains[-1])
        off = float(np.linalg.norm(h @ vectors[:, i] - w[i] * vectors[:, i]))
        errors[i] = abs(energies[i] - w[i]) + off * (not proved) + floor
    residuals = np.array([residual_norm(operator, x, x * float(e)) for x, e in zip(trains, energies)])
    probe = {
        "method": f"vectors over the {listed.size} product functions of the sector",
        "completeness": "proved" if proved else f"searched {starts} times",
        "starts": starts,
        "missing_states": 0,
    }
    order = np.argsort(energies, kind="stable")
    buffer = w[n_states:] if target is None else np.zeros(0)
    value = EigenStates(energies[order], [trains[i] for i in order], [0] * n_states, errors[order], buffer, probe)
    met = int(np.sum(errors <= asking.accuracy))
    rank = max(x.max_rank for x in trains)
    seconds = time.perf_counter() - begin
    extra = {"error_estimates": errors[order]}
    state = IterationState(1, "vectors", rank, seconds, value.energies, residuals[order], 1.0, extra=extra)
    if asking.callback is not None:
        asking.callback(state)
    status = Status.CONVERGED if met == n_states else Status.PRECISION
    counts = {"functions": listed.size, "random_starts": starts}
    timing = {"compile_s": 0.0, "solve_s": seconds}
    solution = Solution(value, status, met, residuals[order], (state,), counts, timing)
    return looked_at(solution, operator, space.modes, n_states, asking.accuracy, None, asking.rng)


class _Unlisted(full_vectors.Reference):
    """No levels to hold a sector against; ``operator``: whose diagonal is lowest on products of the sector."""

    @cached_property
    def spectrum(self) -> full_vectors.Spectrum | None:
        """None."""
        return None


def _by_sweeps(operator: TTOperator, space: SectorSpace, n_states: int, size: int, asking: Asking) -> Solution:
    """Step 3."""
    if operator.dtype.kind == "c":
        return _complex(operator, space, n_states, size, asking)
    sector = SectorOperator(operator, space.modes)
    seed = int(asking.rng.integers(2**31))
    lifted = (operator + _penalty(operator, space)).round(1e-14)
    given = cold_start(sector, lifted, n_states, size, asking.rng, space.total)
    weights = [np.ones(n) for n in operator.row_shape]
    search = Search(weights, _Unlisted(lifted, space.modes, n_states, seed), cold=True)
    scale = level_spacing(given)

    floor = EPS * operator.d * operator.norm() / math.sqrt(math.prod(float(n) for n in operator.row_shape))

    def judged(solution: Solution) -> Solution:
        value: EigenStates = solution.value
        solution = replace(solution, value=replace(value, errors=value.errors + floor))
        return looked_at(solution, operator, space.modes, n_states, asking.accuracy, None, asking.rng)

    asked = replace(asking, throw=False)
    return driven(operator, sector, given, search, scale, asked, seed, False, judged)


def _penalty(operator: TTOperator, space: SectorSpace) -> TTOperator:
    """Diagonal, zero in the sector and above the spread of the operator elsewhere: where the diagonal of the sum is low
    lie the low products of the sector."""
    height = 2.0 * operator.norm() / math.sqrt(math.prod(float(n) for n in operator.row_shape))
    return outside(space, height * operator.d)


def _complex(operator: TTOperator, space: SectorSpace, n_states: int, size: int, asking: Asking) -> Solution:
    """Twice as many states of the real form, and a Rayleigh-Ritz in their complex span."""
    wide = SectorSpace((*space.modes, ((0, 2),)), (*space.orders, np.arange(2)), space.total)
    doubled = replace(asking, n_states=2 * n_states)
    solution = _by_sweeps(conserving(real_form(operator), wide.modes), wide, 2 * n_states, 2 * size, doubled)
    real: EigenStates = solution.value
    tol = float(np.clip(0.1 * np.sqrt(asking.accuracy / max(np.abs(real.energies).max(), 1e-300)), 1e-12, 1e-3))
    dense = [x if isinstance(x, TensorTrain) else x.to_train() for x in real.trains]
    energies, trains, errors = recover(operator, dense, real.errors, n_states, tol, asking.method.max_rank)
    residual = np.array([residual_norm(operator, x, x * complex(e)) for x, e in zip(trains, energies)])
    met = int(np.sum(errors <= asking.accuracy))
    status = solution.status
    if status is Status.CONVERGED and met < n_states:
        status = Status.RANK_LIMIT
    value = EigenStates(energies, trains, [0] * n_states, errors, real.buffer, real.probe)
    solution = replace(solution, value=value, status=status, n_converged=met, residual=residual, checked=())
    return looked_at(solution, operator, space.modes, n_states, asking.accuracy, None, asking.rng)


def _charges_checked(solution: Solution, charges: Sequence[Charge]) -> Solution:
    """Step 4."""
    value: EigenStates = solution.value
    checked, passed = list(solution.checked), True
    for charge in charges:
        numbers = charge.of_modes(_shape(value))
        worst = max(_spread(x, numbers, charge) for x in value.trains if isinstance(x, TensorTrain))
        width = sum(float(np.ptp(q)) for q in numbers) or 1.0
        good = worst <= VARIANCE * (1.0 if charge.modulus else width * width)
        how = f"mean square of the distance from {numeral(charge.value)} in {len(value.trains)} states"
        checked.append(Checked("charge", how, f"at most {amount(worst)}", good))
        passed &= good
    status = solution.status
    if not passed and status is Status.CONVERGED:
        status = Status.CONTRADICTED
    return replace(solution, status=status, checked=tuple(checked))


def _shape(value: EigenStates) -> tuple[int, ...]:
    first = value.trains[0]
    assert isinstance(first, TensorTrain)
    return first.shape


def _spread(x: TensorTrain, numbers: Sequence[np.ndarray], charge: Charge) -> float:
    """<(Q - value)^2> of a state of norm one; modulo N the mean of 1 - cos(2 pi (Q - value) / N)."""
    d = len(numbers)
    if charge.modulus is not None:
        turn = 2j * np.pi / charge.modulus
        e = np.ones((1, 1), dtype=complex)
        for core, q in zip(x.cores, numbers):
            e = _step(e, core, np.exp(turn * (q - charge.value / d)))
        return abs(1.0 - float(e[0, 0].real))
    shifted = [q - charge.value / d for q in numbers]
    zero, one, two = np.ones((1, 1)), np.zeros((1, 1)), np.zeros((1, 1))
    for core, q in zip(x.cores, shifted):
        unit = np.ones_like(q)
        two = _step(two, core, unit) + 2.0 * _step(one, core, q) + _step(zero, core, q * q)
        one = _step(one, core, unit) + _step(zero, core, q)
        zero = _step(zero, core, unit)
    return abs(float(np.real(two[0, 0])))


def _step(e: np.ndarray, core: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    return np.tensordot(core.conj(), np.tensordot(e, core * diagonal[None, :, None], 1), axes=((0, 1), (0, 1)))
