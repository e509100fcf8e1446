"""Matrix elements of a property between states that are trains in one-mode functions.

A property with components P_c that are polynomials of the coordinates is a sum of products of powers of q, and so one
TT operator of exact ranks, its components a last mode of their own:

    <f|P_c|i> = sum conj(f) W_1 ... W_d i V_c,      W_k = sum_p C_k[p] x M_k[p] along the modes, V (b, c) the last core,

contracted from the first mode on: a pair of states gives all components at once. Index letters: f final, i initial
state, c component.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.one_mode import OneModeFunctions
from solvers.formats.trains.operator_factors import Factors
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain

CLOSE = 3e-3  # relative: a state is rounded to that where its squared moment is asked for


@dataclass(frozen=True, eq=False)
class Property:
    """The operator of a property: ``factors`` (C, M) along the modes, ``last`` (rank, components).

    The core of a mode is the sum over powers p of C[p] (a, b), times M[p] (n, m).
    """

    factors: tuple[Factors, ...]
    last: np.ndarray

    def element(self, final: TensorTrain, initial: TensorTrain) -> np.ndarray:
        """<f|P_c|i> of real states, (components,). Cost O(d p n R r^3), r and R the ranks of both, p powers of q."""
        found = np.ones((1, 1, 1))  # ranks of f, of the operator, of i
        for bra, (c, m), ket in zip(final.cores, self.factors, initial.cores, strict=True):
            half = self._half(found, c, m, ket)  # f b n i
            found = np.tensordot(bra, half, axes=((0, 1), (0, 2)))
        return found[0, :, 0] @ self.last

    def elements(self, final: Sequence[TensorTrain], initial: TensorTrain) -> np.ndarray:
        """The same for every final state, (states, components)."""
        return np.array([self.element(state, initial) for state in final]).reshape(len(final), -1)

    def squared(self, state: TensorTrain) -> np.ndarray:
        """<i|P_c^2|i> of a real state, (components,): what |<f|P_c|i>|^2 over all states of the basis adds up to.

        Within 2 ``CLOSE`` of itself. Cost O(d p n R^2 r^3), r the ranks of the state rounded to ``CLOSE``.
        """
        x = state.round(CLOSE)
        found = np.ones((1, 1, 1, 1))  # of the state, twice of the operator, of the state
        for core, (c, m) in zip(x.cores, self.factors, strict=True):
            near, first, second, far = found.shape
            half = self._half(found.reshape(near * first, second, far), c, m, core)  # (i a) b n j
            half = half.reshape(near, first, *half.shape[1:])
            half = np.tensordot(half, c, axes=(1, 1))  # i b n j p a
            moved = np.tensordot(m, core, axes=(2, 1))  # p n i j
            found = np.tensordot(moved, half, axes=((0, 1, 2), (4, 2, 0)))  # i b j a
            found = found.transpose(0, 3, 1, 2)
        return np.einsum("ac,ab,bc->c", self.last, found[0, :, :, 0], self.last)

    @staticmethod
    def _half(found: np.ndarray, c: np.ndarray, m: np.ndarray, ket: np.ndarray) -> np.ndarray:
        """The core applied to that of a state, behind ``found`` (f, a, i): (f, b, n, j)."""
        moved = np.tensordot(m, ket, axes=(2, 1))  # p n i j
        carried = np.tensordot(found, c, axes=(1, 1))  # f i p b
        return np.tensordot(carried, moved, axes=((1, 2), (2, 0)))


def operator(surface: Surface, functions: Sequence[OneModeFunctions], order: Sequence[int]) -> Property:
    """The operator of a property.

    ``functions``: of the modes along the train; ``order``: the numbers of these modes in the surface, from 0. Raises
    ValueError for a surface of other modes. Cost: that of the powers of q and O(terms log terms).
    """
    place = {k: i for i, k in enumerate(order)}
    products = [product for component in surface.components for product in component]
    if not {k for product in products for k in product} <= place.keys():
        last = max(k for product in products for k in product) + 1
        raise ValueError(f"a property of mode {last} has no value in states of {len(place)} modes")
    highest = max((max(Counter(product).values(), default=0) for product in products), default=0)
    count = len(surface.components)
    units = np.zeros((count + 1, count, count))
    units[0] = np.eye(count)
    for c in range(count):
        units[c + 1, c, c] = 1.0
    terms = [
        (value, {**{place[k]: n for k, n in Counter(product).items()}, len(place): c + 1})
        for c, component in enumerate(surface.components)
        for product, value in component.items()
    ]
    nothing = (0.0, {len(place): 0})  # where no component has a term
    whole = sum_of_products([*(f.powers(highest) for f in functions), units], terms or [nothing])
    along = tuple(whole.factors_at(k) for k in range(len(place)))
    return Property(along, np.einsum("bcc->bc", whole.cores[-1][..., 0]))
