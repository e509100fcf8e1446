"""What is left out of a sum of products below the accuracy, and the operator compared with the terms given.

The comparison starts from the file's own products: their named matrices, multiplied out one by one, in the functions
that the operator stands in. What the table merges, reorders, turns and cleans on the way is judged with it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from problems.quantum.hamiltonians.terms.matrices import matrix
from problems.quantum.hamiltonians.terms.modes import Mode
from problems.quantum.hamiltonians.terms.operators import odd_modes, parities, table_of
from problems.quantum.hamiltonians.terms.terms import Key
from solvers.formats.trains.independent import schur_norms
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.operator_check import checked_operator
from solvers.solution import Checked

NEGLIGIBLE = 1e-2  # of the accuracy: the norms of all terms left out together

Products = Mapping[Key, complex]


def terms_that_matter(products: Products, modes: Sequence[Mode], accuracy: float) -> tuple[Products, Products]:
    """The products without negligible ones that break a parity of all others, and those.

    All products where no parity is gained. No level moves by more than the sum of their norms (Weyl).
    """
    sizes = {key: norm_bound({key: c}, modes) for key, c in products.items()}
    ascending = sorted(sizes.values())
    count = int(np.searchsorted(np.cumsum(ascending), NEGLIGIBLE * accuracy))
    # those of equal size go together, as a product and its conjugate do
    limit = (1.0 - 1e-9) * ascending[min(count, len(ascending) - 1)]
    small = {key for key, size in sizes.items() if size < limit}
    if not small:
        return products, {}
    charges, reflections = parities(table_of(_without(products, small), modes), modes)
    if _count(charges) <= _count(parities(table_of(products, modes), modes)[0]):
        return products, {}
    breaking = set()
    for key in small:
        rows = odd_modes(table_of({key: products[key]}, modes), reflections)
        if any(np.bitwise_xor.reduce(charges[np.flatnonzero(row)]) for row in rows if any(row)):
            breaking.add(key)
    return _without(products, breaking), {key: products[key] for key in products if key in breaking}


def norm_bound(products: Products, modes: Sequence[Mode]) -> float:
    """The sum of the operator norms of ``products``, at most."""
    return sum(
        abs(c) * math.prod(float(schur_norms(matrix(modes[k], name)[1][None])[0]) for k, name in key)
        for key, c in products.items()
    )


def _without(products: Products, left_out: Collection[Key]) -> Products:
    return {key: c for key, c in products.items() if key not in left_out}


def _count(charges: np.ndarray) -> int:
    return int(np.bitwise_or.reduce(charges)).bit_length()


def second_look(
    products: Products,
    modes: Sequence[Mode],
    order: Sequence[int],
    operator: TTOperator,
    vectors: Sequence[np.ndarray] | None = None,
) -> Checked:
    """The operator against ``products``. ``order[i]``: the mode at place i of the train.

    ``vectors[i]`` (n, n): the functions at that place, columns in the mode's own basis.
    """
    place = {k: i for i, k in enumerate(order)}
    stacks: list[list[np.ndarray]] = [[np.eye(modes[k].size)] for k in order]
    known: dict[tuple, int] = {}
    terms: list[tuple[complex, dict[int, int]]] = []
    for key, c in products.items():
        product: dict[int, int] = {}
        for k, name in key:
            i = place[k]
            if (i, name) not in known:
                known[i, name] = len(stacks[i])
                phase, one = matrix(modes[k], name)
                stacks[i].append(one * 1j**phase if phase else one)
            product[i] = known[i, name]
        terms.append((c, product))
    turned = [
        np.array(stack) if vectors is None else vectors[i].T @ np.array(stack) @ vectors[i]
        for i, stack in enumerate(stacks)
    ]
    return checked_operator(operator, turned, terms or [(0.0, {})], "operator against the terms given")
