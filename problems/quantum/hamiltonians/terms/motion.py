"""A user's Hamiltonian in time: operator, start and observables in the functions that the file names.

A gaussian is exp(-m w (q-c)^2/2 + i p (q - c/2)), normalised: in oscillator and boson functions the coherent state
(exact, then cut), on sinc points its values (w = 1); spins start up. A product state is function v of every mode. The
absorber -i strength (|q| - start)_+^order is diagonal on sinc points, a quadrature over many more functions elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from problems.quantum.hamiltonians.oscillator import EDGE, absorbing_matrix, coherent_state
from problems.quantum.hamiltonians.system import System
from problems.quantum.hamiltonians.terms import operators
from problems.quantum.hamiltonians.terms.matrices import matrix
from problems.quantum.hamiltonians.terms.modes import Boson, Harmonic, Mode, Sinc, Spin
from problems.quantum.hamiltonians.terms.potential import falling, warning_of
from problems.quantum.hamiltonians.terms.second_look import second_look
from problems.quantum.hamiltonians.terms.terms import Key
from problems.quantum.keys import Absorber, GaussianInitial, ProductInitial
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.operator_check import checked_operator

Initial = GaussianInitial | ProductInitial
SITE = {"z": (("Sz", 1),), "q": (("q", 1),), "q2": (("q", 2),), "n": (("n", 1),)}


def system_of(
    products: Mapping[Key, complex],
    bases: Sequence[Mode],
    mode_order: str | tuple[int, ...],
    initial: Initial,
    absorber: Absorber | None,
) -> System:
    """Operator, start and observables, the modes in the order of lowest operator ranks."""
    given = operators.table_of(products, bases)
    order, tt = operators.ordered(given, mode_order)
    table = operators.reordered(given, order)
    modes = [bases[k] for k in order]
    terms = _terms(table, modes)
    looks = [second_look(products, bases, order, tt)]
    if absorber is not None:
        table = _absorbing(table, modes, absorber)
        tt, terms = operators.operator(table), None
        looks.append(checked_operator(tt, table.stacks, table.terms, "operator with absorber against its table"))
    sites = {name: [_site(mode, name) for mode in modes] for name in SITE if any(has(mode, name) for mode in modes)}
    sizes = ", ".join(str(mode.size) for mode in modes)
    facts = [("functions of each mode", sizes)]
    if order != list(range(len(order))):
        facts.append(("order of the modes along the train", ", ".join(map(str, order))))
    fall = falling(products, bases)
    barrier = None if fall is None else fall.barrier
    edges = [_edge(mode) for mode in modes]
    return System(
        operator=tt,
        start=rank_one([_start(bases, initial, k) for k in order]),
        site_operators=sites,
        pair_operators={"szsz": sites["z"]} if "z" in sites else {},
        unit="model units",
        dissipative=absorber is not None,
        terms=terms,
        description=facts,
        sites=[str(k) for k in order],
        edge_functions=edges if any(edges) else (),
        looks=tuple(looks),
        warnings=() if barrier is None else (warning_of(barrier),),
        lost=("the bases of the modes hold", "problem.initial"),
    )


def _terms(table: operators.Table, modes: Sequence[Mode]) -> ProductTerms | None:
    """The table for the eigenvalues beneath the spectrum, where the functions given are a fair start."""
    if not table.real or not all(isinstance(mode, (Harmonic, Boson)) for mode in modes):
        return None
    energies = [np.zeros(mode.size) for mode in modes]
    for c, product in table.terms:
        if len(product) == 1:
            ((k, p),) = product.items()
            energies[k] = energies[k] + c.real * np.diag(table.stacks[k][p])
    if any(len(e) > 1 and np.ptp(e) == 0.0 for e in energies):
        return None
    charges = tuple(np.zeros(mode.size, dtype=np.int64) for mode in modes)
    return ProductTerms(table.stacks, tuple((c.real, product) for c, product in table.terms), tuple(energies), charges)


def _start(bases: Sequence[Mode], initial: Initial, k: int) -> np.ndarray:
    """Coefficients of the start in the functions of mode k, (n,)."""
    mode = bases[k]
    if isinstance(initial, ProductInitial):
        return np.eye(mode.size)[initial.indices(len(bases), tuple(basis.size for basis in bases))[k]]
    centres, momenta = initial.lists(len(bases))
    centre, momentum = centres[k], momenta[k]
    if isinstance(mode, Spin):
        return np.eye(mode.size)[0]
    if isinstance(mode, Sinc):
        q = np.diag(matrix(mode, SITE["q"])[1])
        h = (mode.interval[1] - mode.interval[0]) / (mode.points - 1)
        values = (mode.mass / math.pi) ** 0.25 * math.sqrt(h) * np.exp(-0.5 * mode.mass * (q - centre) ** 2)
        # the phase that a coherent state has
        return values if momentum == 0.0 else values * np.exp(1j * momentum * (q - 0.5 * centre))
    scale = math.sqrt(mode.mass * mode.frequency) if isinstance(mode, Harmonic) else 1.0
    return coherent_state(mode.size, centre * scale, momentum / scale)


def has(mode: Mode, name: str) -> bool:
    return SITE[name][0][0] in mode.operators


def _site(mode: Mode, name: str) -> np.ndarray:
    """The observable on one mode; not a number where the mode does not have it, so that its values are missing."""
    if not has(mode, name):
        return np.full((mode.size, mode.size), np.nan)
    one = matrix(mode, SITE[name])[1]
    return one / mode.s if isinstance(mode, Spin) else np.array(one)


def _edge(mode: Mode) -> list[int]:
    """Functions whose population tells what the cut of the basis costs."""
    if isinstance(mode, Spin):
        return []
    if isinstance(mode, Sinc):
        return [0, mode.size - 1]
    return list(range(max(mode.size - EDGE, 0), mode.size))


def _absorbing(table: operators.Table, modes: Sequence[Mode], absorber: Absorber) -> operators.Table:
    """The table with -i strength W_k of every mode that has q."""
    stacks, terms = list(table.stacks), list(table.terms)
    for k, mode in enumerate(modes):
        if isinstance(mode, Spin):
            continue
        if isinstance(mode, Sinc):
            q = np.diag(matrix(mode, SITE["q"])[1])
            w = np.diag(np.maximum(np.abs(q) - absorber.start, 0.0) ** absorber.order)
        else:
            scale = math.sqrt(mode.mass * mode.frequency) if isinstance(mode, Harmonic) else 1.0
            stretched = Absorber(strength=1.0, start=absorber.start * scale, order=absorber.order)
            w = absorbing_matrix(mode.size, stretched) / scale**absorber.order
        terms.append((-1j * absorber.strength, {k: len(stacks[k])}))
        stacks[k] = np.concatenate([stacks[k], w[None]])
    return operators.Table(tuple(stacks), tuple(terms))
