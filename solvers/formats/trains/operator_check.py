"""An operator compared with the table of products it was built from: random elements, and random product vectors.

Nothing is shared with the construction but the table itself: an element (i, j) of the sum is evaluated term by term,
sum_t c_t prod_k A^k_p[i_k, j_k], and so is y^T H x for x = (x)_k x_k, y = (x)_k y_k. Elements are drawn where a term is
not zero (a term at random, of each of its matrices an element by its size), so that none of them is looked at in vain.
Product vectors see all elements at once, those too that ought to be zero; with y_k . x_k = 1 a mode that a term leaves
out does not make it small. Deviations are relative to the sum of the terms' absolute values, of elements to the largest
such sum. Cost O(T d) for each element or vector, plus O(d R^2) of the operator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from solvers.formats.trains.factorisations import power_of_two
from solvers.formats.trains.operator import TTOperator
from solvers.measured import amount
from solvers.solution import Checked

DEVIATION = 1e-12  # of the sum of absolute values; correct operators of 2 to 200,000 terms stayed below 2e-14
ELEMENTS = 48
VECTORS = 9
MOST_WORK = 20_000_000  # products of a term and a mode, over all samples
NOTHING = -(10**9)  # exponent of a zero
SMALLEST = 2000  # powers of two below one that are as good as zero


class ProductTable(NamedTuple):
    """sum_t values[t] prod_k stacks[k][keys[t, k]]: ``stacks[k]`` (P_k, n_k, n_k), ``keys`` (T, d), ``values`` (T,)."""

    stacks: tuple[np.ndarray, ...]
    keys: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, matrices: Sequence[np.ndarray], terms: Sequence[tuple[complex, Mapping[int, int]]]) -> ProductTable:
        """The table of terms as ``sum_of_products`` takes them."""
        keys = np.zeros((len(terms), len(matrices)), dtype=np.int64)
        for t, (_, product) in enumerate(terms):
            for k, p in product.items():
                keys[t, k] = p
        return cls(tuple(np.asarray(m) for m in matrices), keys, np.array([c for c, _ in terms]))


def deviation(operator: TTOperator, table: ProductTable, elements: int = 12, vectors: int = 5, seed: int = 0) -> float:
    """The larger of the relative deviations: the largest of the elements, and the median of the product vectors.

    The median, as in one vector in a thousand the largest term almost vanishes by chance, while a wrong operator shows
    in nearly all.
    """
    if not len(table.values):
        return 0.0 if not any(core.any() for core in operator.cores[:1]) else float("inf")
    rng = np.random.default_rng(seed)
    rows, columns = _touched(table, elements, rng)
    units = [np.eye(n) for n in operator.row_shape]
    wrong, size = _compared(
        operator, table, [e[i] for e, i in zip(units, rows.T)], [e[j] for e, j in zip(units, columns.T)]
    )
    tiny = np.finfo(float).tiny
    of_elements = float(wrong.max() / max(size.max(), tiny))
    pairs = [_product_vectors(n, vectors, rng) for n in operator.row_shape]
    wrong, size = _compared(operator, table, [y for y, _ in pairs], [x for _, x in pairs])
    return max(of_elements, float(np.median(wrong / np.maximum(size, tiny))))


def checked_operator(
    operator: TTOperator,
    matrices: Sequence[np.ndarray],
    terms: Sequence[tuple[complex, Mapping[int, int]]],
    what: str = "operator",
    seed: int = 0,
) -> Checked:
    """The second look at an operator for a report: elements that the terms touch, and product vectors."""
    table = ProductTable.of(matrices, terms)
    share = min(1.0, MOST_WORK / max(table.keys.size * (ELEMENTS + VECTORS), 1))
    elements, vectors = max(4, int(share * ELEMENTS)), max(3, int(share * VECTORS))
    worst = deviation(operator, table, elements, vectors, seed)
    how = f"{elements} random elements that the terms touch and {vectors} random product vectors, term by term"
    return Checked(what, how, f"largest relative deviation {amount(worst)}", bool(worst <= DEVIATION))


def _product_vectors(n: int, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """y, x (count, n) with y . x = 1 and |x| = 1, y not along x."""
    x = rng.standard_normal((count, n))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    z = rng.standard_normal((count, n))
    z -= np.sum(z * x, axis=1, keepdims=True) * x
    return x + z / np.sqrt(max(n - 1, 1)), x


def _touched(table: ProductTable, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns (count, d) of elements of random terms, in each matrix the likelier the larger they are.

    Drawn alike, elements that only round-off keeps from zero would be most of those of a matrix that was transformed.
    """
    d = len(table.stacks)
    rows, columns = np.zeros((count, d), dtype=np.int64), np.zeros((count, d), dtype=np.int64)
    for m, t in enumerate(rng.integers(len(table.keys), size=count)):
        for k, stack in enumerate(table.stacks):
            sizes = np.abs(stack[table.keys[t, k]]).ravel()
            if top := sizes.max(initial=0.0):
                heap = np.cumsum(sizes / top)
                place = int(np.searchsorted(heap, rng.random() * heap[-1], side="right"))
                rows[m, k], columns[m, k] = divmod(min(place, len(heap) - 1), stack.shape[2])
    return rows, columns


def _compared(
    operator: TTOperator, table: ProductTable, rows: Sequence[np.ndarray], columns: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """|y^T H x - sum of the terms|, and the sum of absolute values, in units of the largest, for each sample.

    ``rows[k]``, ``columns[k]``: (samples, n_k). Mantissas and exponents are kept apart, as products of many norms leave
    the range of double precision.
    """
    samples = len(rows[0])
    products = _Product(table.values, samples)
    state, shift = np.ones((samples, 1)), np.zeros(samples, dtype=np.int64)
    for k, (stack, core) in enumerate(zip(table.stacks, operator.cores)):
        y, x = rows[k], columns[k]
        used, place = np.unique(table.keys[:, k], return_inverse=True)
        products.times(((stack[used] @ x.T) * y.T).sum(axis=1), place.ravel())
        step = np.matmul(x[:, None, None, :], np.tensordot(y, core, axes=(1, 1)))[:, :, 0]  # samples, R, R'
        state = np.matmul(state[:, None, :], step)[:, 0]
        _, top = np.frexp(np.abs(state).max(axis=1))
        state, shift = power_of_two(state, -top[:, None]), shift + top
    unit = np.where(products.mantissa != 0, products.exponent, NOTHING).max(axis=0)
    unit = np.where(unit > NOTHING, unit, shift)
    found = power_of_two(state[:, 0], np.clip(shift - unit, -SMALLEST, 1000))
    values = products.in_units(unit)
    wrong, size = np.abs(found - values.sum(axis=0)), np.abs(values).sum(axis=0)
    down = np.maximum(unit - unit.max(), -SMALLEST)
    return np.ldexp(wrong, down), np.ldexp(size, down)


class _Product:
    """Products of a coefficient and one factor a mode, (terms, samples), as mantissas and exponents of two."""

    def __init__(self, values: np.ndarray, samples: int) -> None:
        self.mantissa, self.exponent = _split(np.repeat(values[:, None], samples, axis=1))

    def times(self, factors: np.ndarray, place: np.ndarray) -> None:
        """Multiply by ``factors`` (P, samples), of term t by the row ``place[t]``."""
        mantissa, exponent = _split(factors)
        self.mantissa, more = _split(self.mantissa * mantissa[place])
        self.exponent = self.exponent + exponent[place] + more

    def in_units(self, unit: np.ndarray) -> np.ndarray:
        """The products in units of 2^unit (samples,)."""
        return power_of_two(self.mantissa, np.maximum(self.exponent - unit, -SMALLEST))


def _split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mantissas with magnitude in [0.5, 1) and exponents of two."""
    _, exponent = np.frexp(np.abs(values))
    return power_of_two(values, -exponent), exponent.astype(np.int64)
