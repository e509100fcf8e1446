"""The Hamiltonian of a force field in one-mode bases, as a table of products and as a TT operator.

H = sum_k h_k + sum_terms c prod_k q_k^p, h_k = w_k/2 (p_k^2+q_k^2) + every term of mode k alone. Modes stand in the
order asked for; the operator has its exact TT-ranks (solvers.formats.trains.sum_of_products).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from problems.quantum.hamiltonians.force_field.basis import ModeBasis
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.primitives import MAX_POWER
from problems.quantum.hamiltonians.force_field.rotation import PARTS
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.operator_check import checked_operator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.solution import Checked

ONE_MODE = MAX_POWER + 1  # index of h_k behind the powers of q


def product_terms(field: ForceField, bases: Sequence[ModeBasis], order: Sequence[int]) -> ProductTerms:
    """The table of products with the modes in ``order`` (0-based); ``bases`` are those of the field's own order."""
    position = {k: i for i, k in enumerate(order)}
    matrices, terms = [], []
    polynomials = np.zeros((len(order), MAX_POWER + 1))
    for modes, c in field.terms.items():
        power = Counter(modes)
        if len(power) == 1:
            polynomials[modes[0], len(modes)] += c
        else:
            terms.append((float(c), {position[k]: p for k, p in sorted(power.items(), key=lambda kp: position[kp[0]])}))
    for i, k in enumerate(order):
        basis = bases[k]
        h = field.frequencies[k] * basis.harmonic + np.tensordot(polynomials[k], basis.powers, 1)
        if k == 0:
            h = h + field.rotation.get((), 0.0) * basis.powers[0]
        matrices.append(_stack(field, basis, h))
        terms.append((1.0, {i: ONE_MODE}))
    terms += _rotation_terms(field, position)
    return ProductTerms(
        tuple(matrices),
        tuple(terms),
        tuple(bases[k].energies for k in order),
        tuple(bases[k].charges for k in order),
    )


def _stack(field: ForceField, basis: ModeBasis, h: np.ndarray) -> np.ndarray:
    """Powers of the coordinate of the potential, the matrix of one mode and, where there are rotation terms, the parts
    with momenta; behind them powers of q where the potential is in other coordinates."""
    rotation = [basis.momenta(), *([basis.positions()] if field.bend else [])] if any(field.rotation) else []
    return np.concatenate([basis.powers, h[None], *rotation])


def _rotation_terms(field: ForceField, position: Mapping[int, int]) -> list[tuple[float, dict[int, int]]]:
    """Rotation terms but the constant; ``position``: of each mode along the train."""
    found, powers = [], ONE_MODE + 1 + len(PARTS) if field.bend else 0
    for factors, c in field.rotation.items():
        if factors:
            places = sorted((position[k], factor) for k, factor in factors)
            of_factor = {i: powers + a if n == 0 else ONE_MODE + 1 + PARTS.index((a, n)) for i, (a, n) in places}
            found.append((float(c), of_factor))
    return found


def operator(terms: ProductTerms) -> TTOperator:
    """The TT operator of the table, of its exact TT-ranks."""
    return sum_of_products(terms.matrices, terms.terms)


def second_look(field: ForceField, bases: Sequence[ModeBasis], order: Sequence[int], tt: TTOperator) -> Checked:
    """The operator against the field itself, term by term: kinetic and harmonic energies, powers of q, nothing summed.

    ``bases`` are those of the field's own order.
    """
    matrices = [_stack(field, bases[k], bases[k].harmonic) for k in order]
    position = {k: i for i, k in enumerate(order)}
    terms: list[tuple[float, dict[int, int]]] = [
        (float(field.frequencies[k]), {i: ONE_MODE}) for i, k in enumerate(order)
    ]
    terms += [(float(c), {position[k]: p for k, p in Counter(modes).items()}) for modes, c in field.terms.items()]
    terms += [(field.rotation.get((), 0.0), {0: 0}), *_rotation_terms(field, position)]
    return checked_operator(tt, matrices, terms, "operator against the force field")


def mode_orders(field: ForceField, choice: str | tuple[int, ...]) -> list[list[int]]:
    """The orders (0-based) a configuration allows: the one it names, or candidates of which the best is taken.

    Candidates: as given, ascending in frequency, and along the second eigenvector of the coupling graph's Laplacian
    (which keeps coupled modes close).
    """
    if not isinstance(choice, str):
        return [[k - 1 for k in choice]]
    ascending = [int(k) for k in np.argsort(field.frequencies, kind="stable")]
    if choice == "frequency":
        return [ascending]
    d = field.d
    weight = np.zeros((d, d))
    coupled = [(sorted(set(modes)), c) for modes, c in field.terms.items()]
    coupled += [([k for k, _ in factors], c) for factors, c in field.rotation.items()]
    for modes, c in coupled:
        for i, j in combinations(modes, 2):
            weight[i, j] += abs(c)
            weight[j, i] += abs(c)
    vectors = np.linalg.eigh(np.diag(weight.sum(1)) - weight)[1]
    spectral = [int(k) for k in np.argsort(np.round(vectors[:, min(1, d - 1)], 9), kind="stable")]
    return [ascending, list(range(d)), spectral]


def in_best_order(
    field: ForceField, bases: Sequence[ModeBasis], mode_order: str | tuple[int, ...]
) -> tuple[list[int], ProductTerms, TTOperator]:
    """Of the orders that a configuration allows the one of lowest operator ranks, with the table and the operator."""
    best: tuple[list[int], ProductTerms, TTOperator] | None = None
    for candidate in mode_orders(field, mode_order):
        terms = product_terms(field, bases, candidate)
        tt = operator(terms)
        if best is None or sum(r * r for r in tt.ranks) < sum(r * r for r in best[2].ranks):
            best = candidate, terms, tt
    assert best is not None
    return best
