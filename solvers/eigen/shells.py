"""The next products of a space of few quanta: those that matter for its states, and what the rest does to second order.

Where all products of the next quanta are too many for the space, each of them, n, is asked what it does to the states,

    e_nk = (D - sign(D) sqrt(D^2 + 4 V_nk^2)) / 2,    V_nk = <n|H|psi_k>,  D = H_nn - E_k

(-V^2/D where V is small: Epstein, Phys. Rev. 28, 695 (1926); Nesbet, Proc. R. Soc. A 230, 312 (1955)). Those with the
largest |e_nk| go into the space, and the sum of the others is added to the level, times what those taken have done by
what was expected of them. Choice by perturbation: Huron, Malrieu, Rancurel, J. Chem. Phys. 58, 5745 (1973); of
vibrations: Fetherolf, Berkelbach, J. Chem. Phys. 154, 074104 (2021). Cost: a row of the matrix for each product asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.eigen.pruned import PrunedMatrix


@dataclass(frozen=True)
class Shell:
    """``chosen`` (n, d) of the products asked, in their order; to second order what these are ``expected`` (m,) to add
    to the levels, and the ``rest`` (m,) that the others add."""

    chosen: np.ndarray
    expected: np.ndarray
    rest: np.ndarray


def next_shell(
    matrix: PrunedMatrix,
    products: np.ndarray,
    forced: np.ndarray,
    vectors: np.ndarray,
    levels: np.ndarray,
    *,
    most: int,
    left: float,
) -> Shell:
    """Of ``products`` (n, d) beyond the space, at most ``most`` that matter for states with ``vectors`` (N, m) and
    ``levels`` (m,), and those ``forced`` (n,); no more than leave ``left`` to second order."""
    elements, diagonal = matrix.outside(products, vectors)
    energies = second_order(elements, diagonal[:, None] - levels)
    largest = np.abs(energies).max(axis=1, initial=0.0)
    largest[forced] = np.inf
    order = np.argsort(-largest, kind="stable")
    left_out = np.abs(energies[order]).sum(axis=0) - np.cumsum(np.abs(energies[order]), axis=0)
    enough = int(np.sum(left_out.max(axis=1, initial=0.0) > left)) + 1
    count = max(min(most, enough, int(np.sum(largest > 0.0))), int(np.sum(forced)))
    chosen = np.zeros(len(products), dtype=bool)
    chosen[order[:count]] = True
    return Shell(products[chosen], energies[chosen].sum(axis=0), energies[~chosen].sum(axis=0))


def second_order(elements: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """What a product with these ``elements`` on states, at these ``distances`` above them, adds to their levels; no
    more than an element, however near it lies."""
    root = np.sqrt(distances**2 + 4.0 * elements**2)
    return 0.5 * (distances - np.where(distances < 0.0, -root, root))
