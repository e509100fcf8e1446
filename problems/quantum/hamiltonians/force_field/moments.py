"""Matrix elements of a property between states that are trains in one-mode functions.

A property with components P_c that are polynomials of the coordinates is a sum of products of powers of q, and so one
TT operator of exact ranks, its components a last mode of their own:

    <f|P_c|i> = sum conj(f) W_1 ... W_d i V_c,      W_k (a, n, m, b) the cores along the modes, V (b, c) the last one,

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
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain

CLOSE = 1e-5  # relative: a state is rounded to that where its squared moment is asked for


@dataclass(frozen=True, eq=False)
class Property:
    """The operator of a property: ``cores`` along the modes, ``last`` (rank, components)."""

    cores: tuple[np.ndarray, ...]
    last: np.ndarray

    def element(self, final: TensorTrain, initial: TensorTrain) -> np.ndarray:
        """<f|P_c|i> of real states, (components,). Cost O(d n R r^2 (r + n R)), r and R the ranks of both."""
        found = np.ones((1, 1, 1))  # ranks of f, of the operator, of i
        for p, w, q in zip(final.cores, self.cores, initial.cores, strict=True):
            half = np.tensordot(found, q, axes=(2, 0))
            half = np.tensordot(half, w, axes=((1, 2), (0, 2)))
            found = np.tensordot(p, half, axes=((0, 1), (0, 2))).transpose(0, 2, 1)
        return found[0, :, 0] @ self.last

    def elements(self, final: Sequence[TensorTrain], initial: TensorTrain) -> np.ndarray:
        """The same for every final state, (states, components)."""
        return np.array([self.element(state, initial) for state in final]).reshape(len(final), -1)

    def squared(self, state: TensorTrain) -> np.ndarray:
        """<i|P_c^2|i> of a real state, (components,): what |<f|P_c|i>|^2 over all states of the basis adds up to."""
        x = state.round(CLOSE)
        found = np.ones((1, 1, 1, 1))  # of the state, twice of the operator, of the state
        for q, w in zip(x.cores, self.cores, strict=True):
            half = np.tensordot(found, q, axes=(3, 0))  # x a b m y
            half = np.tensordot(half, w, axes=((2, 3), (0, 2)))  # x a y n b
            half = np.tensordot(half, w, axes=((1, 3), (0, 2)))  # x y b n a
            found = np.tensordot(q, half, axes=((0, 1), (0, 3))).transpose(0, 3, 2, 1)
        return np.einsum("ac,ab,bc->c", self.last, found[0, :, :, 0], self.last)


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
    return Property(whole.cores[:-1], np.einsum("bcc->bc", whole.cores[-1][..., 0]))
