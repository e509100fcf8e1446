"""A force field in time: operator, start and observables in one-mode bases.

Oscillators stand in harmonic functions (or modals made of them): q, q^2, ... exact before the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field import basis as modes_
from problems.quantum.hamiltonians.force_field.boundedness import barriers, basis_range, reached
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.keys import Basis
from problems.quantum.hamiltonians.force_field.operators import (
    ONE_MODE,
    in_best_order,
    second_look,
)
from problems.quantum.hamiltonians.force_field.primitives import Primitive
from problems.quantum.hamiltonians.oscillator import EDGE, absorbing_matrix, coherent_state
from problems.quantum.hamiltonians.system import System
from problems.quantum.keys import Absorber, GaussianInitial
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.operator_check import checked_operator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.solution import Checked

PRIMITIVE = 20  # harmonic functions of a contracted basis, beyond its own
TAIL = 1e-8  # of the squared norm of the start, left out by an automatic basis
HEADROOM = {"harmonic": 10, "contracted": 6}  # functions of an automatic basis beyond the start's


@dataclass(frozen=True)
class Motion:
    """Keys of a force field in time.

    ``mode_order``: as of the key of that name; ``absorber``: None where nothing absorbs; ``time_scale``: units of time
    in a natural one; ``order_told``: whether the report says how the modes lie along the train.
    """

    field: ForceField
    mode_order: str | tuple[int, ...]
    basis: Basis
    initial: GaussianInitial
    absorber: Absorber | None
    time_unit: str
    time_scale: float
    order_told: bool


def system_of(given: Motion) -> System:
    """Operator, start and observables, the modes in the order of lowest operator ranks."""
    field, basis = given.field, given.basis
    charges = modes_.mode_charges(modes_.parity_generators(field), field.d)
    centres, momenta = given.initial.lists(field.d)
    sizes = _sizes(basis, centres, momenta)
    if basis.type == "harmonic":
        bases = modes_.harmonic_functions(field, sizes, charges)
    else:
        bases = modes_.modals(field, sizes, charges, [Primitive(n + PRIMITIVE) for n in sizes])
    order, terms, tt = in_best_order(field, bases, given.mode_order)
    looks = [second_look(field, bases, order, tt)]
    if given.absorber is not None:
        tt, look = _absorbing(terms, [bases[k] for k in order], given.absorber)
        looks.append(look)
    starts = [
        bases[k].coefficients.T @ coherent_state(len(bases[k].coefficients), centres[k], momenta[k]) for k in order
    ]
    facts = [
        ("functions of each mode", _counted([bases[k].n for k in order])),
        ("basis", "harmonic functions" if basis.type == "harmonic" else "modals from harmonic functions"),
    ]
    if given.order_told:
        facts.append(("order of the modes along the train", ", ".join(str(k + 1) for k in order)))
    return System(
        operator=tt,
        start=rank_one(starts),
        site_operators={"q": [bases[k].powers[1] for k in order], "q2": [bases[k].powers[2] for k in order]},
        pair_operators={},
        unit=field.unit,
        dissipative=given.absorber is not None,
        terms=terms if given.absorber is None else None,
        description=facts,
        time_unit=given.time_unit,
        time_scale=given.time_scale,
        sites=[str(k + 1) for k in order],
        edge_functions=[[int(i) for i in np.argsort(bases[k].labels)[-EDGE:]] for k in order],
        looks=tuple(looks),
        barrier=reached([basis_range(b) for b in bases], barriers(field)),
        lost=("holds", "problem.basis.functions"),
    )


def _sizes(basis: Basis, centres: Sequence[float], momenta: Sequence[float]) -> list[int]:
    """Functions of each mode; automatic: what holds the start, and room to spread."""
    functions = basis.functions
    if functions != AUTOMATIC:
        return [functions] * len(centres) if isinstance(functions, int) else list(functions)
    sizes = []
    for centre, momentum in zip(centres, momenta):
        populations = np.abs(coherent_state(400, centre, momentum)) ** 2
        held = int(np.searchsorted(np.cumsum(populations), 1.0 - TAIL)) + 1
        sizes.append(held + HEADROOM[basis.type])
    return sizes


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


def _counted(sizes: Sequence[int]) -> str:
    if len(set(sizes)) == 1:
        return str(sizes[0])
    return ", ".join(map(str, sizes))
