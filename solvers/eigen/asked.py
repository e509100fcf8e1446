"""What ``eigsolve`` can be asked for beside the lowest states of A x = w x, each by the shortest way there is.

1. A mass that is a product over the modes makes a standard problem (solvers.eigen.product_mass).
2. A sum over groups of modes (solvers.eigen.separable): levels are sums, whatever the dimension.
3. A small space: vectors over all of it (solvers.eigen.pencil), the list proved by a count.
4. Else a subspace of trains (solvers.eigen.subspace), of the pencil as it is.
Residuals are those of the trains returned, in the norm of B^-1 where it is known, else in the plain one over the least
eigenvalue of B seen; an energy is off by its residual at most, by its square over the gap to the others where that is
less (Parlett, The Symmetric Eigenvalue Problem, theorems 4.5.1 and 11.7.1).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from solvers.eigen import explicit, product_mass
from solvers.eigen.complex_hermitian import check_hermitian
from solvers.eigen.general.order import Order
from solvers.eigen.pencil import EPS, Pencil
from solvers.eigen.separable import Sums
from solvers.eigen.spans import between
from solvers.eigen.states import EigenStates
from solvers.eigen.subspace import Subspace
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.residual import residual_norm
from solvers.measured import amount
from solvers.sectors.train import SectorTrain
from solvers.solution import Callback, Checked, IterationState, Solution, Status

End = Literal["smallest", "largest"]
ROUNDING = (1e-14, 1e-7)  # of a vector in its train
ROUNDINGS = 10.0  # times eps, the mean size of A and the modes: of a quotient of trains; one case of 4e-13 set it
FINEST_GOAL = 1e-11  # of the residuals, over the mean size of A
Lowest = Callable[[TTOperator, int], Solution]


@dataclass(frozen=True)
class Asked:
    """``which`` end, or ``target``: nearest to it; ``mass``: B of A x = w B x."""

    which: End = "smallest"
    target: float | None = None
    mass: TTOperator | None = None

    def __post_init__(self) -> None:
        if self.which not in ("smallest", "largest"):
            raise ValueError(f'which is {self.which!r}; give "smallest" or "largest", or a target')
        if self.target is not None and not (np.isreal(self.target) and np.isfinite(self.target)):
            raise ValueError(f"target is {self.target}; give a real number: a Hermitian operator has real levels")
        if self.target is not None and self.which != "smallest":
            raise ValueError("target and which exclude each other: give one")

    @property
    def plain(self) -> bool:
        """Whether it is the lowest states of A alone."""
        return self.which == "smallest" and self.target is None and self.mass is None

    def check(self, operator: TTOperator) -> None:
        """Raise ValueError for a mass that does not fit."""
        if self.mass is None:
            return
        if self.mass.shape != operator.shape:
            raise ValueError(f"mass has the shape {self.mass.shape}, the operator {operator.shape}")
        try:
            check_hermitian(self.mass)
        except ValueError as error:
            raise ValueError(str(error).replace("the operator", "mass")) from None


def answered(
    operator: TTOperator,
    n: int,
    asked: Asked,
    lowest: Lowest,
    *,
    accuracy: float,
    max_rank: int,
    rng: np.random.Generator,
    callback: Callback | None,
) -> Solution:
    """The states asked for; ``lowest``: how the lowest ones of a standard problem are found."""
    asked.check(operator)
    if asked.which == "largest":
        found = answered(
            -operator,
            n,
            replace(asked, which="smallest"),
            lowest,
            accuracy=accuracy,
            max_rank=max_rank,
            rng=rng,
            callback=callback,
        )
        return _mirrored(found)
    if asked.plain:
        return lowest(operator, n)
    factors = None if asked.mass is None else product_mass.factors_of(asked.mass)
    if factors is not None:
        own = product_mass.standard(operator, factors)
        found = answered(
            own,
            n,
            replace(asked, mass=None),
            lowest,
            accuracy=accuracy,
            max_rank=max_rank,
            rng=rng,
            callback=callback,
        )
        value: EigenStates = found.value
        trains = [product_mass.back(_dense(x), factors) for x in value.trains]
        assert asked.mass is not None
        return replace(found, value=replace(value, trains=trains))
    begin = time.perf_counter()
    sums = None if asked.mass is not None else by_sums(operator, n, asked.target, accuracy)
    solution = sums if sums is not None else _by_vectors(operator, n, asked, accuracy, max_rank, rng)
    if solution is not None:
        if callback is not None:
            callback(solution.history[0])
    else:
        solution = _by_trains(operator, n, asked, accuracy, max_rank, rng, callback)
    return replace(solution, asked=accuracy, timing={"compile_s": 0.0, "solve_s": time.perf_counter() - begin})


def _dense(x: TensorTrain | SectorTrain) -> TensorTrain:
    return x if isinstance(x, TensorTrain) else x.to_train()


def _mirrored(solution: Solution) -> Solution:
    """The states of -A as those of A, the largest first."""
    value: EigenStates = solution.value
    probe = dict(value.probe)
    if probe.get("lowest_energy_outside") is not None:
        probe["lowest_energy_outside"] = -probe["lowest_energy_outside"]
    history = tuple(
        replace(state, energies=None if state.energies is None else -state.energies) for state in solution.history
    )
    value = replace(value, energies=-value.energies, buffer=-value.buffer, probe=probe)
    return replace(solution, value=value, history=history)


def by_sums(operator: TTOperator, n: int, target: float | None, accuracy: float) -> Solution | None:
    """Step 2; None where the operator is no sum over small groups, or the nearest sums are too many to look through."""
    sums = Sums.of(operator)
    if sums is None:
        return None
    found = sums.lowest(n) if target is None else sums.nearest(target, n)
    if found is None:
        return None
    energies, places = found
    trains = [sums.train(place) for place in places]
    residuals = np.array([residual_norm(operator, x, x * float(e)) for x, e in zip(trains, energies)])
    errors = np.full(len(energies), sums.errors)
    how = "a sum over groups of modes: their levels added up"
    probe = {"method": how, "completeness": "proved", "starts": 0, "missing_states": 0}
    value = EigenStates(energies, trains, [0] * len(energies), errors, np.zeros(0), probe)
    counts = {"groups": len(sums.levels), "functions": max(len(w) for w in sums.levels)}
    return _judged(value, residuals, how, accuracy, counts, None)


def _by_vectors(
    operator: TTOperator, n: int, asked: Asked, accuracy: float, max_rank: int, rng: np.random.Generator
) -> Solution | None:
    """Step 3."""
    a = explicit.matrix(operator)
    b = None if asked.mass is None else explicit.matrix(asked.mass)
    if a is None or (b is None and asked.mass is not None):
        return None
    pencil = Pencil(a, b)
    if not np.all(np.isfinite(pencil.a.data)):
        raise ValueError("the operator's elements are not finite: scale it down")
    found = pencil.nearest(n, asked.target, rng)
    if found is None:
        return None
    own = found.vectors / np.linalg.norm(found.vectors, axis=0)
    mass = own if pencil.b is None else pencil.b @ own
    least = 1.0 if pencil.b is None else float(np.min(np.einsum("ij,ij->j", own.conj(), mass).real))
    floor = EPS * math.sqrt(pencil.size) * pencil.norm / least
    off = np.linalg.norm(pencil.a @ own - mass * found.w, axis=0) / least
    errors = off * (not found.proved) + floor
    trains, residuals = [], []
    for i in range(len(found.w)):
        tol = float(np.clip(0.01 * math.sqrt(accuracy / (pencil.norm or 1.0)), *ROUNDING))
        x = tt_svd(found.vectors[:, i].reshape(operator.row_shape), tol)
        x = x if x.max_rank <= max_rank else x.round(0.0, max_rank)
        dense = x.full().ravel()
        image = dense if pencil.b is None else pencil.b @ dense
        size = math.sqrt(float(np.real(np.vdot(dense, image))))
        trains.append(x * (1.0 / size))
        residuals.append(float(np.linalg.norm(pencil.a @ dense - found.w[i] * image)) / size)
    complete = "proved" if found.proved else "searched 1 times"
    probe = {
        "method": "vectors over the whole space",
        "completeness": complete,
        "starts": int(not found.proved),
        "missing_states": 0,
    }
    value = EigenStates(found.w, trains, [0] * len(found.w), errors, np.zeros(0), probe)
    how = "counts by Sylvester's law of inertia, or all levels" if found.proved else "shift-invert Lanczos"
    counts = {"functions": pencil.size, "parts": len(pencil.parts)}
    return _judged(value, np.array(residuals), how, accuracy, counts, asked.mass)


def _by_trains(
    operator: TTOperator,
    n: int,
    asked: Asked,
    accuracy: float,
    max_rank: int,
    rng: np.random.Generator,
    callback: Callback | None,
) -> Solution:
    """Step 4."""
    order = Order("SR", asked.target)
    scale = operator.norm() / math.sqrt(math.prod(float(m) for m in operator.row_shape))
    outside = -scale if asked.target is None else asked.target
    space = Subspace(
        operator,
        asked.mass,
        order,
        n,
        outside=outside,
        goal=0.3 * math.sqrt(accuracy * scale) * 0.1,
        max_rank=max_rank,
        hermitian=True,
        rng=rng,
    )
    history: list[IterationState] = []
    while True:
        for state in space.steps():
            history.append(replace(state, step=len(history) + 1))
            if callback is not None:
                callback(history[-1])
        errors, masses = _errors(space, n, asked.mass, ROUNDINGS * EPS * scale * operator.d)
        if space.status is not Status.CONVERGED or errors.max() <= accuracy or space.goal < FINEST_GOAL * scale:
            break
        space.goal *= 0.1  # the gaps were narrower than the goal took them to be
    w = np.real(space.pairs.w)
    first = np.argsort(w[:n], kind="stable")
    residuals = space.pairs.residuals[:n] / np.sqrt(masses)
    trains = [space.pairs.trains[i] / math.sqrt(masses[i]) for i in first]
    probe = {
        "method": "one subspace of trains from random starts",
        "completeness": "searched 1 times",
        "starts": 1,
        "missing_states": 0,
    }
    value = EigenStates(w[first], trains, [0] * n, errors[first], w[n:], probe)
    counts = {"passes": len(history), "linear_systems": space.solves}
    how = "random starts of one subspace"
    found = _judged(value, residuals[first], how, accuracy, counts, asked.mass)
    status = found.status
    if status is not Status.CONVERGED and space.status is not Status.CONVERGED:
        status = space.status
    return replace(found, status=status, history=tuple(history))


def _errors(space: Subspace, n: int, mass: TTOperator | None, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Of the first ``n`` levels, and x^H B x of their trains of norm one."""
    w, trains = np.real(space.pairs.w), space.pairs.trains[:n]
    masses = np.ones(n)
    if mass is not None:
        masses = np.array([np.real(between([x], mass, [x], True)[0, 0]) for x in trains])
    errors = np.zeros(n)
    for i in range(n):
        r = float(space.pairs.residuals[i] / masses[i])
        far = np.abs(w - w[i])
        others = far[far > 10.0 * r]
        errors[i] = min(r, r * r / float(others.min())) if len(others) else r
    return errors + floor / masses, masses


def _judged(
    value: EigenStates,
    residuals: np.ndarray,
    how: str,
    accuracy: float,
    counts: dict[str, int],
    mass: TTOperator | None,
) -> Solution:
    """With its second looks: overlaps, in the inner product of B."""
    n = len(value.energies)
    trains = [_dense(x) for x in value.trains[:12]]
    gram = between(trains, mass, trains, True)
    off = float(np.abs(gram - np.eye(len(trains))).max())
    checked = (
        Checked("completeness of the list", how, str(value.probe["completeness"]), True),
        Checked(
            "orthonormality", f"inner products of {len(trains)} states", f"largest deviation {amount(off)}", off <= 5e-3
        ),
    )
    met = int(np.sum(value.errors <= accuracy))
    status = Status.CONVERGED if met == n else Status.PRECISION
    if status is Status.CONVERGED and not all(look.passed for look in checked):
        status = Status.CONTRADICTED
    rank = max(x.max_rank for x in value.trains)
    state = IterationState(
        1, "vectors", rank, 0.0, value.energies, residuals, 1.0, extra={"error_estimates": value.errors}
    )
    return Solution(value, status, met, residuals, (state,), counts, {}, {}, checked)
