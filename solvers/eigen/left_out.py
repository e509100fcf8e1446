"""What the functions outside a basis would add to a state found in it, to second order with all of H.

Of the state x = sum_I c_I |I> the image H x leaves the basis in products a with one, two or more modes outside,
whatever the other modes do there. With v_a = <a|H|x> and D_a the energy of a above that of x, the state and these
products form an arrow matrix, whose eigenvalue nearest to that of x moves by the root of

    g = sum_a v_a^2 / (|D_a| + g)

(Brillouin, J. Phys. Radium 3, 373 (1932); Wigner, Math. Naturwiss. Anz. Ung. Akad. Wiss. 53, 477 (1935)): v^2 / D where
that is small, and never more than |v|, however near a level comes. D_a are sums over the modes: of what the leading
product gains where one mode alone takes another function.

1. The products I are those that matter for what leaves the basis, not the largest ones: for every mode the largest of x
   with its functions weighted by how strongly the terms couple them to those outside. Modes from which next to nothing
   leaves are not searched: the norm of what does, over the lowest energy there, stands for it.
2. A walk over the terms for each of these products gives the elements v_a.

Cost: of a state a search for every mode that matters, and the walks over the terms for some hundred products, bounded
by TAKEN: 0.05 to 0.1 s for twelve modes, measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from solvers.eigen.configuration_interaction import FlatTerms, ProductTerms, flat
from solvers.kernels.configurations import images_outside
from solvers.sectors.estimates import pad
from solvers.sectors.group import taken
from solvers.sectors.leading_products import leading_products
from solvers.sectors.train import (
    ModeCharges,
    SectorTrain,
    absorb_left,
    first_functions,
    inner,
    right_orthogonal,
    split_right,
    views,
)

PRODUCTS = 60  # of a state, for each mode
CAPACITY = 400_000  # products outside
TAKEN = 10_000_000  # elements of matrices in one walk over the terms: a fifth of a second
COARSER = 8.0  # times the cutoff, where these are too few
PASSED_OVER = 3e-4  # of the square root of gap times goal, elements of H x: each 1e-7 of the goal
UNSEARCHED = 1e-4  # of the goal, what a mode that is not searched may add
UNSEARCHED_SAFETY = 4.0  # excited modes couple the others more strongly than their lowest functions do
STEPS = 200  # of the root


@dataclass(frozen=True)
class LeftOut:
    """``by_mode``: (d,) what the functions outside add, products with several modes outside shared among them;
    ``weight``: that of the products outside in the state, to first order."""

    by_mode: np.ndarray
    weight: float


@dataclass(frozen=True)
class Outside:
    """A table in more functions than a basis has. ``inside``: (d, n) marks the basis; ``reach[k]``: (n_k,) how strongly
    the terms couple each function of mode k to those outside, the other modes in their lowest functions; ``table``: the
    terms as arrays."""

    terms: ProductTerms
    inside: np.ndarray
    reach: tuple[np.ndarray, ...]
    table: FlatTerms


def about(terms: ProductTerms, basis: ModeCharges) -> Outside:
    """The table ``terms`` about a basis of its first functions of each charge."""
    sizes = [len(e) for e in terms.energies]
    inside = np.zeros((len(sizes), max(sizes)), dtype=bool)
    lowest, leaving = [], []
    for k, (mode, small) in enumerate(zip(terms.modes, basis)):
        starts, fewer = first_functions(mode), dict(small)
        for charge, _ in mode:
            inside[k, starts[charge] : starts[charge] + fewer.get(charge, 0)] = True
        lowest.append(np.linalg.norm(terms.matrices[k][:, :, np.argmin(terms.energies[k])], axis=1))
        leaving.append(np.linalg.norm(terms.matrices[k][:, ~inside[k, : sizes[k]], :], axis=1))
    reach = [np.zeros(n) for n in sizes]
    for c, product in terms.terms:
        for k, p in product.items():
            reach[k] += (c * leaving[k][p] * prod(lowest[i][q] for i, q in product.items() if i != k)) ** 2
    return Outside(terms, inside, tuple(np.sqrt(r) for r in reach), flat(terms))


def left_out(space: Outside, x: SectorTrain, goal: float, floor: float) -> LeftOut:
    """What the functions of ``space`` outside the basis of ``x`` add to it.

    ``goal``: energies far below it do not matter; ``floor``: the smallest excitation energy of the problem.
    """
    x = pad(x, space.terms.modes)
    x = x.scaled(1.0 / np.sqrt(inner(x, x)))
    coefficients, products, unsearched = _sources(space, x, np.sqrt(UNSEARCHED * goal * floor))
    levels = _levels(space.terms, products[np.argmax(np.abs(coefficients))])
    own = np.average(_sums(levels, products), weights=coefficients**2)
    for k, level in enumerate(levels):
        away = level[~space.inside[k, : len(level)]]
        unsearched[k] /= max(away.min(initial=np.inf), floor)
    found, elements = _image(space, products, coefficients, PASSED_OVER * np.sqrt(goal * floor))
    d = x.d
    if not len(found):
        return LeftOut(unsearched, 0.0)
    gaps = np.abs(_sums(levels, found) - own)
    squares = elements**2
    distances = np.maximum(gaps + _root(squares, gaps), 1e-300)
    leaving = ~space.inside[np.arange(d)[None, :], found]
    shares = squares / distances / leaving.sum(axis=1)
    return LeftOut(np.maximum(shares @ leaving, unsearched), float(np.sum(squares / distances**2)))


def _sources(space: Outside, x: SectorTrain, negligible: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The products of x that what leaves the basis comes from, (N,) coefficients and (N, d) functions; modes whose
    part of the image outside is of a norm below ``negligible`` are not searched: (d,) what stands for its square."""
    unsearched = np.zeros(x.d)
    merged = {functions: value for value, functions in leading_products(x, PRODUCTS)}
    cores, bonds = list((y := right_orthogonal(x)).cores), list(y.bonds)
    for k, reach in enumerate(space.reach):
        weighted = _weighted(SectorTrain(x.modes, tuple(bonds), tuple(cores)), k, reach)
        norm = float(np.linalg.norm(weighted.cores[k]))
        if norm <= negligible:
            unsearched[k] = UNSEARCHED_SAFETY * norm**2
        else:
            for value, functions in leading_products(weighted, PRODUCTS):
                if reach[functions[k]] > 0.0:
                    merged.setdefault(functions, value / reach[functions[k]])
        if k < x.d - 1:
            core, bond, factors = split_right(cores[k], bonds[k], x.modes[k], bonds[k + 1])
            cores[k + 1] = absorb_left(factors, bond, cores[k + 1], bonds[k + 1], x.modes[k + 1], bonds[k + 2])
            cores[k], bonds[k + 1] = core, bond
    merged = {functions: value for functions, value in merged.items() if value}
    return np.array(list(merged.values())), np.array(list(merged), dtype=np.int64).reshape(-1, x.d), unsearched


def _weighted(x: SectorTrain, k: int, weights: np.ndarray) -> SectorTrain:
    """x with the functions of mode k times ``weights``."""
    core, at = np.array(x.cores[k]), first_functions(x.modes[k])
    for (l, c), block in views(core, x.bonds[k], x.modes[k], x.bonds[k + 1]).items():
        first = at[taken(c, l)]
        block *= weights[first : first + block.shape[1]][None, :, None]
    return SectorTrain(x.modes, x.bonds, (*x.cores[:k], core, *x.cores[k + 1 :]))


def _image(
    space: Outside, products: np.ndarray, coefficients: np.ndarray, cutoff: float
) -> tuple[np.ndarray, np.ndarray]:
    """The products outside in the image of a sum of products, and their elements; small ones are passed over."""
    table = space.table
    while True:
        found, elements, complete = images_outside(
            products,
            coefficients,
            table.zobrist,
            space.inside,
            *table.arrays,
            cutoff,
            CAPACITY,
            TAKEN,
        )
        if complete:
            return found, elements
        cutoff *= COARSER


def _levels(terms: ProductTerms, product: np.ndarray) -> list[np.ndarray]:
    """Of every mode the energy of each function above that of ``product``, the other modes as they are."""
    values = [np.diagonal(stack, axis1=1, axis2=2) for stack in terms.matrices]
    levels = [np.zeros(len(e)) for e in terms.energies]
    for c, factors in terms.terms:
        own = {k: values[k][p, product[k]] for k, p in factors.items()}
        for k, p in factors.items():
            levels[k] += c * prod(own[i] for i in own if i != k) * values[k][p]
    return [level - level[n] for level, n in zip(levels, product)]


def _sums(levels: Sequence[np.ndarray], products: np.ndarray) -> np.ndarray:
    return np.sum([level[products[:, k]] for k, level in enumerate(levels)], axis=0)


def _root(squares: np.ndarray, gaps: np.ndarray) -> float:
    """The g > 0 with g = sum squares / (gaps + g)."""
    low, high = 0.0, float(np.sqrt(squares.sum()))
    for _ in range(STEPS):
        g = 0.5 * (low + high)
        if np.sum(squares / (gaps + g)) > g:
            low = g
        else:
            high = g
        if high - low <= 1e-6 * high:
            break
    return high
