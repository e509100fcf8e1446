"""The Hamiltonians and starts of the models as trains, of their exact TT-ranks.

Oscillators stand in harmonic functions (or modals made of them): q, q^2, ... exact before the cut. A gaussian is the
coherent state c_v = exp(-|alpha|^2/2) alpha^v / sqrt(v!), alpha = (centre + i momentum)/sqrt 2, cut and not normalised
again. The absorber's matrix is W = Phi diag(w_j) Phi^T in Gauss points on the smooth side of its kink, so it is exact
to rounding errors and positive semidefinite.
Spins: |0> is up; Sx Sx + Sy Sy = (S+ S- + S- S+)/2 keeps the operator real.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field import basis as modes_
from problems.quantum.hamiltonians.force_field.boundedness import lowest_barriers
from problems.quantum.hamiltonians.force_field.operators import (
    ONE_MODE,
    mode_orders,
    operator,
    product_terms,
    second_look,
)
from problems.quantum.hamiltonians.force_field.primitives import Primitive
from problems.quantum.hamiltonians.system import System
from problems.quantum.keys import NONE, Absorber, GaussianInitial, ProductInitial
from problems.quantum.kinds.wave_packet import WavePacketProblem
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.solution import Checked
from solvers.trains.construct import rank_one
from solvers.trains.operator import TTOperator
from solvers.trains.operator_check import checked_operator
from solvers.trains.sum_of_products import sum_of_products

X = np.array([[0.0, 1.0], [1.0, 0.0]])
Z = np.diag([1.0, -1.0])
RAISE = np.array([[0.0, 1.0], [0.0, 0.0]])  # S+ takes down (index 1) to up (index 0)
EDGE = 2  # functions of a mode whose population tells of the cut
BEYOND, PANEL = 9.0, 1.0  # of q: beyond the turning point nothing is left; length of a panel of Gauss points
PRIMITIVE = 20  # harmonic functions of a contracted basis, beyond its own
TAIL = 1e-8  # of the squared norm of the start, left out by an automatic basis
HEADROOM = {"harmonic": 10, "contracted": 6}  # functions of an automatic basis beyond the start's


def system_of(problem: WavePacketProblem) -> System:
    """Operator, start and observables of a problem."""
    return spin_system(problem) if problem.is_spin else mode_system(problem)


def coherent_state(n: int, centre: float, momentum: float = 0.0) -> np.ndarray:
    """Coefficients (n,) of a coherent state in harmonic functions; real where the momentum is zero."""
    alpha = (centre + 1j * momentum) / math.sqrt(2.0)
    # by recursion: alpha^v and v! overflow apart
    ratios = alpha / np.sqrt(np.arange(1, n))
    c = np.exp(-0.5 * abs(alpha) ** 2) * np.concatenate([[1.0], np.cumprod(ratios)])
    return c.real.copy() if momentum == 0.0 else c


def absorbing_matrix(n: int, absorber: Absorber) -> np.ndarray:
    """(|q| - start)_+^order in n harmonic functions (n, n), real, symmetric, positive semidefinite.

    The integrand is smooth between the kink at ``start`` and where all functions have died out, so Gauss points there
    give it to rounding errors; points spread over the kink would be 1e-6 off at order 2. By parity twice one side.
    """
    end = max(math.sqrt(2.0 * n + 1.0) + BEYOND, absorber.start)
    panels = max(1, math.ceil((end - absorber.start) / PANEL))
    # a panel holds at most sqrt(2 n) PANEL / pi waves of a product's half
    nodes, weights = np.polynomial.legendre.leggauss(20 + math.ceil(PANEL * math.sqrt(2.0 * n)))
    edges = np.linspace(absorber.start, end, panels + 1)
    half = 0.5 * np.diff(edges)[:, None]
    points = (edges[:-1, None] + half * (1.0 + nodes)).ravel()
    amounts = 2.0 * (half * weights).ravel() * (points - absorber.start) ** absorber.order
    functions = harmonic_values(n, points) * np.sqrt(amounts)
    matrix = functions @ functions.T
    matrix[np.add.outer(np.arange(n), np.arange(n)) % 2 == 1] = 0.0
    return 0.5 * (matrix + matrix.T)


def harmonic_values(n: int, q: np.ndarray) -> np.ndarray:
    """The first n harmonic functions at ``q`` (m,) -> (n, m), by their recursion; nothing underflows on the way."""
    values = np.zeros((n, len(q)))
    logarithm = -0.5 * q**2
    before, here = np.zeros(len(q)), np.full(len(q), math.pi**-0.25)
    for v in range(n):
        values[v] = here * np.exp(logarithm)
        before, here = here, math.sqrt(2.0 / (v + 1)) * q * here - math.sqrt(v / (v + 1)) * before
        size = np.maximum(np.abs(here), 1.0)
        before, here, logarithm = before / size, here / size, logarithm + np.log(size)
    return values


def mode_system(problem: WavePacketProblem) -> System:
    """Henon-Heiles or any other force field."""
    field = problem.vibrational.field
    charges = modes_.mode_charges(modes_.parity_generators(field), field.d)
    assert isinstance(problem.initial, GaussianInitial)
    centres, momenta = problem.initial.lists(field.d)
    sizes = _sizes(problem, centres, momenta)
    if problem.basis.type == "harmonic":
        bases = modes_.harmonic_functions(field, sizes, charges)
    else:
        bases = modes_.modals(field, sizes, charges, [Primitive(n + PRIMITIVE) for n in sizes])
    order, terms, tt = _ordered(problem, bases)
    looks = [second_look(field, bases, order, tt)]
    absorber = problem.absorber
    if isinstance(absorber, Absorber):
        tt, look = _absorbing(terms, [bases[k] for k in order], absorber)
        looks.append(look)
    starts = [
        bases[k].coefficients.T @ coherent_state(len(bases[k].coefficients), centres[k], momenta[k]) for k in order
    ]
    facts = [
        ("functions of each mode", _counted([bases[k].n for k in order])),
        ("basis", "harmonic functions" if problem.basis.type == "harmonic" else "modals from harmonic functions"),
    ]
    if problem.model == "force_field":
        facts.append(("order of the modes along the train", ", ".join(str(k + 1) for k in order)))
    return System(
        operator=tt,
        start=rank_one(starts),
        site_operators={"q": [bases[k].powers[1] for k in order], "q2": [bases[k].powers[2] for k in order]},
        pair_operators={},
        unit=field.unit,
        dissipative=absorber != NONE,
        terms=terms if absorber == NONE else None,
        description=facts,
        time_unit="fs" if problem.time_unit == "fs" else "natural",
        time_scale=problem.time_scale,
        sites=[str(k + 1) for k in order],
        edge_functions=[[int(i) for i in np.argsort(bases[k].labels)[-EDGE:]] for k in order],
        looks=tuple(looks),
        barrier=lowest_barriers(field, bases)[0],
    )


def _sizes(problem: WavePacketProblem, centres: Sequence[float], momenta: Sequence[float]) -> list[int]:
    """Functions of each mode; automatic: what holds the start, and room to spread."""
    functions = problem.basis.functions
    if functions != AUTOMATIC:
        return [functions] * len(centres) if isinstance(functions, int) else list(functions)
    sizes = []
    for centre, momentum in zip(centres, momenta):
        populations = np.abs(coherent_state(400, centre, momentum)) ** 2
        held = int(np.searchsorted(np.cumsum(populations), 1.0 - TAIL)) + 1
        sizes.append(held + HEADROOM[problem.basis.type])
    return sizes


def _ordered(
    problem: WavePacketProblem, bases: Sequence[modes_.ModeBasis]
) -> tuple[list[int], ProductTerms, TTOperator]:
    """The mode order that keeps the operator's ranks low, the table of products and the operator in it."""
    best: tuple[list[int], ProductTerms, TTOperator] | None = None
    for candidate in mode_orders(problem.vibrational.field, problem.vibrational.mode_order):
        terms = product_terms(problem.vibrational.field, bases, candidate)
        tt = operator(terms)
        if best is None or sum(r * r for r in tt.ranks) < sum(r * r for r in best[2].ranks):
            best = candidate, terms, tt
    assert best is not None
    return best


def _absorbing(
    terms: ProductTerms, bases: Sequence[modes_.ModeBasis], absorber: Absorber
) -> tuple[TTOperator, Checked]:
    """The operator with -i strength W in the one-mode part of every mode, and its comparison with the table."""
    matrices = []
    for stack, basis in zip(terms.matrices, bases):
        primitive = absorbing_matrix(len(basis.coefficients), absorber)
        w = basis.coefficients.T @ primitive @ basis.coefficients
        widened = stack.astype(np.complex128)
        widened[ONE_MODE] -= 1j * absorber.strength * w
        matrices.append(widened)
    tt = sum_of_products(matrices, terms.terms)
    return tt, checked_operator(tt, matrices, terms.terms, "operator with absorber against its table")


def spin_system(problem: WavePacketProblem) -> System:
    """A chain of spins 1/2 with open ends."""
    d = problem.d
    assert isinstance(problem.initial, ProductInitial)
    state = problem.initial.indices(d)
    terms: list[tuple[float, dict[int, int]]] = []
    if problem.model == "ising":
        stack = np.array([np.eye(2), X, Z])
        terms += [(-problem.J, {k: 2, k + 1: 2}) for k in range(d - 1)]
        terms += [(-problem.h, {k: 1}) for k in range(d)]
    else:
        stack = np.array([np.eye(2), RAISE, RAISE.T, 0.5 * Z])
        for k in range(d - 1):
            terms += [(0.5 * problem.Jxy, {k: 1, k + 1: 2}), (0.5 * problem.Jxy, {k: 2, k + 1: 1})]
            terms.append((problem.Jz, {k: 3, k + 1: 3}))
    zs = [Z] * d
    tt = sum_of_products([stack] * d, terms)
    return System(
        operator=tt,
        start=rank_one([np.eye(2)[s] for s in state]),
        site_operators={"z": zs},
        pair_operators={"szsz": zs},
        unit="model units",
        dissipative=False,
        terms=None,
        description=[],
        sites=[str(k + 1) for k in range(d)],
        looks=(checked_operator(tt, [stack] * d, terms, "operator against its terms"),),
    )


def _counted(sizes: Sequence[int]) -> str:
    if len(set(sizes)) == 1:
        return str(sizes[0])
    return ", ".join(map(str, sizes))
