"""The Hamiltonian as a table of products and as a TT operator: order of the modes, parities, one-mode functions.

H is written in mean-field functions of every mode: eigenfunctions of h_k = (terms of mode k alone) + sum_t c_t O_{t,k}
prod_{j != k} <O_{t,j}>, the others in their lowest functions (of the terms with real coefficients, where some have
imaginary ones). That is an exact, orthogonal change of basis (all functions are kept); it makes the products of low
functions a good start. Where reflections R_k of the modes (q -> -q, or half a turn of a spin) conserve H, the functions
are even or odd and carry charges. A complex H = A + iB becomes the real A (x) 1 + B (x) [[0, -1], [1, 0]] on one more
mode, as in solvers.eigen.complex_hermitian, but as a table of products. Cost O(d n^3 + terms) a mean-field sweep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from problems.quantum.hamiltonians.force_field.basis import conserved_parities, mode_charges
from problems.quantum.hamiltonians.terms import matrices
from problems.quantum.hamiltonians.terms.modes import Mode
from problems.quantum.hamiltonians.terms.terms import Key
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products, sum_of_products_with_error

NEGLIGIBLE = 1e-13  # of the largest coefficient: an imaginary part below it is round-off
MEAN_FIELD_SWEEPS = 30
SETTLED = 1e-10
PAIR = np.array([np.eye(2), [[0.0, -1.0], [1.0, 0.0]]])  # 1 and i on real and imaginary part

Terms = list[tuple[complex, Mapping[int, int]]]


@dataclass(frozen=True)
class Table:
    """H = sum_t c_t prod_k stacks[k][p]: ``stacks[k]`` real (P, n, n), matrix 0 the unit; c real where H is real.

    The terms of one mode alone are one matrix of it, where their coefficients are real.
    """

    stacks: tuple[np.ndarray, ...]
    terms: tuple[tuple[complex, Mapping[int, int]], ...]

    @property
    def real(self) -> bool:
        """Whether all coefficients are."""
        return all(c.imag == 0.0 for c, _ in self.terms)


def table_of(products: Mapping[Key, complex], modes: Sequence[Mode]) -> Table:
    """The products with their real matrices and phases; products of equal matrices (Sx, 0.5 X) stay apart."""
    stacks: list[list[np.ndarray]] = [[np.eye(mode.size)] for mode in modes]
    place: dict[tuple, int] = {}
    summed: dict[tuple[tuple[int, int], ...], complex] = {}
    alone = [np.zeros((mode.size, mode.size)) for mode in modes]
    for key, c in products.items():
        phase, indices = 0, []
        for k, product in key:
            a, one = matrices.matrix(modes[k], product)
            phase += a
            if (k, product) not in place:
                place[k, product] = len(stacks[k])
                stacks[k].append(one)
            indices.append((k, place[k, product]))
        c = complex(c * 1j**phase) if phase % 4 else complex(c)
        if len(indices) == 1 and c.imag == 0.0:
            k, p = indices[0]
            alone[k] += c.real * stacks[k][p]
        else:
            summed[tuple(indices)] = summed.get(tuple(indices), 0.0) + c
    largest = max(map(abs, summed.values()), default=0.0)
    terms: Terms = []
    for indices_, c in summed.items():
        c = complex(c.real) if abs(c.imag) <= NEGLIGIBLE * largest else c
        terms.append((c, dict(indices_)))
    for k, one in enumerate(alone):
        if one.any():
            terms.append((1.0 + 0.0j, {k: len(stacks[k])}))
            stacks[k].append(one)
    return Table(tuple(np.array(stack) for stack in stacks), tuple(_without_vanishing(terms, stacks)))


def _without_vanishing(terms: Terms, stacks: Sequence[Sequence[np.ndarray]]) -> Terms:
    """Imaginary parts that only seem to be there, as in Sx Sy written out in S+ and S-, are dropped."""
    imaginary = [(c.imag, product) for c, product in terms if c.imag != 0.0]
    if imaginary:
        part = sum_of_products([np.array(stack) for stack in stacks], imaginary)
        size = sum(
            abs(c)
            * np.prod([np.linalg.norm(stacks[k][p]) for k, p in product.items()])
            * np.prod([len(s[0]) ** 0.5 for k, s in enumerate(stacks) if k not in product])
            for c, product in imaginary
        )
        if part.norm() <= 1e-12 * size:
            terms = [(complex(c.real), product) for c, product in terms]
    return [(c, product) for c, product in terms if c != 0.0] or [(0.0j, {})]


def reordered(table: Table, order: Sequence[int]) -> Table:
    """The modes in another order along the train."""
    position = {k: i for i, k in enumerate(order)}
    terms = tuple(
        (c, {position[k]: p for k, p in sorted(product.items(), key=lambda kp: position[kp[0]])})
        for c, product in table.terms
    )
    return Table(tuple(table.stacks[k] for k in order), terms)


def operator(table: Table) -> TTOperator:
    """The TT operator of the table, of its exact TT-ranks; real where the table is."""
    return operator_with_error(table)[0]


def operator_with_error(table: Table) -> tuple[TTOperator, float]:
    """The operator and a bound of its error in the operator norm; large beside H only where the products cancel."""
    if table.real:
        return sum_of_products_with_error(table.stacks, [(c.real, product) for c, product in table.terms])
    return sum_of_products_with_error(table.stacks, table.terms)  # type: ignore[arg-type]


def mode_orders(table: Table, choice: str | tuple[int, ...]) -> list[list[int]]:
    """The orders a configuration allows: the one it names, or as given and one that keeps coupled modes close.

    The latter follows the second eigenvector of the coupling graph's Laplacian.
    """
    d = len(table.stacks)
    if not isinstance(choice, str):
        return [list(choice)]
    if choice == "given" or d < 3:
        return [list(range(d))]
    weight = np.zeros((d, d))
    for c, product in table.terms:
        for i, j in combinations(product, 2):
            weight[i, j] += abs(c)
            weight[j, i] += abs(c)
    vectors = np.linalg.eigh(np.diag(weight.sum(1)) - weight)[1]
    return [list(range(d)), [int(k) for k in np.argsort(np.round(vectors[:, 1], 9), kind="stable")]]


def ordered(table: Table, choice: str | tuple[int, ...]) -> tuple[list[int], TTOperator]:
    """The order of lowest operator ranks among those allowed (the first of equals), and the operator in it."""
    best: tuple[list[int], TTOperator] | None = None
    for candidate in mode_orders(table, choice):
        tt = operator(reordered(table, candidate))
        if best is None or sum(r * r for r in tt.ranks) < sum(r * r for r in best[1].ranks):
            best = candidate, tt
    assert best is not None
    return best


def parities(table: Table, modes: Sequence[Mode]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The charge of an odd function of each mode, (d,), and its reflection R_k, for the spin axis that gives most."""
    best: tuple[np.ndarray, list[np.ndarray]] | None = None
    axes = ("z", "x") if any(mode.basis == "spin" for mode in modes) else ("z",)
    most = -1
    for axis in axes:
        reflections = [matrices.parity(mode, axis) for mode in modes]
        generators = conserved_parities(odd_modes(table, reflections), len(modes))
        if len(generators) > most:
            most = len(generators)
            units = [np.eye(mode.size) for mode in modes]
            best = mode_charges(generators, len(modes)), [u if r is None else r for u, r in zip(units, reflections)]
    assert best is not None
    return best


def odd_modes(table: Table, reflections: Sequence[np.ndarray | None]) -> set[tuple[int, ...]]:
    """For every term the modes it is odd in; a matrix that is neither even nor odd forbids the parity of its mode."""
    d = len(reflections)
    kinds: list[list[int]] = []
    rows: set[tuple[int, ...]] = set()
    used = {(k, p) for _, product in table.terms for k, p in product.items()}
    for k, r in enumerate(reflections):
        kinds.append([0] * len(table.stacks[k]))
        for p, one in enumerate(table.stacks[k]):
            turned = one if r is None else r @ one @ r
            size = np.abs(one).max()
            odd = np.abs(turned + one).max() <= 1e-12 * size
            kinds[k][p] = int(odd and size > 0)
            if r is None or ((k, p) in used and not odd and np.abs(turned - one).max() > 1e-12 * size):
                rows.add(tuple(int(j == k) for j in range(d)))
    for _, product in table.terms:
        row = [0] * d
        for k, p in product.items():
            row[k] = kinds[k][p]
        rows.add(tuple(row))
    return rows


@dataclass(frozen=True)
class ModeFunctions:
    """Functions of one mode sorted by charge and then energy: ``vectors`` (n, n), columns in the mode's own basis.

    ``energies``: of the mean field; ``labels``: place of each in the order of energy; ``charges``: (n,).
    """

    vectors: np.ndarray
    energies: np.ndarray
    labels: np.ndarray
    charges: np.ndarray


def mean_field(table: Table, charges: np.ndarray, reflections: Sequence[np.ndarray]) -> list[ModeFunctions]:
    """Mean-field functions of the terms with real coefficients, the modes taken in turn until the averages settle."""
    d = len(table.stacks)
    of_mode: list[list[tuple[float, int, list[tuple[int, int]]]]] = [[] for _ in range(d)]
    for c, product in table.terms:
        for k, p in product.items() if c.real else ():
            of_mode[k].append((c.real, p, [(j, q) for j, q in product.items() if j != k]))
    means = [np.zeros(len(stack)) for stack in table.stacks]
    found: dict[int, ModeFunctions] = {}
    for sweep in range(MEAN_FIELD_SWEEPS):
        change = 0.0
        for k, stack in enumerate(table.stacks):
            weights = np.zeros(len(stack))
            for c, p, others in of_mode[k]:
                if sweep or not others:  # the first sweep starts from every mode alone
                    weights[p] += c * float(np.prod([means[j][q] for j, q in others]))
            h = np.tensordot(weights, stack, 1)
            found[k] = _functions(0.5 * (h + h.T), int(charges[k]), reflections[k])
            lowest = found[k].vectors[:, int(np.argmin(found[k].energies))]
            new = lowest @ (stack @ lowest).T
            change = max(change, float(np.max(np.abs(new - means[k]) / np.maximum(1.0, np.abs(new)))))
            means[k] = new
        if sweep and change < SETTLED:
            break
    return [found[k] for k in range(d)]


def _functions(h: np.ndarray, charge: int, reflection: np.ndarray) -> ModeFunctions:
    """Eigenfunctions of h; with a charge, even and odd ones are solved apart."""
    n = len(h)
    if not charge:
        energies, vectors = _eigh(h)
        return ModeFunctions(vectors, energies, np.arange(n), np.zeros(n, dtype=np.int64))
    parts, values, sign = [], [], []
    for s in (1.0, -1.0):
        space = _eigenspace(reflection, s)
        e, v = _eigh(space.T @ h @ space)
        parts.append(space @ v)
        values.append(e)
        sign += [0 if s > 0 else charge] * len(e)
    energies = np.concatenate(values)
    labels = np.argsort(np.argsort(energies, kind="stable"), kind="stable")
    return ModeFunctions(np.concatenate(parts, axis=1), energies, labels, np.array(sign, dtype=np.int64))


def _eigenspace(reflection: np.ndarray, sign: float) -> np.ndarray:
    """Orthonormal functions with R x = sign x, (n, m): unit vectors, or halves of mirror pairs."""
    n = len(reflection)
    columns = []
    for i in range(n):
        vector = np.eye(n)[i] + sign * reflection[i]
        mirror = int(np.flatnonzero(reflection[i])[0])
        if mirror >= i and vector.any():
            columns.append(vector / np.linalg.norm(vector))
    return np.array(columns).reshape(-1, n).T


def _eigh(h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues ascending, vectors with their largest element positive; a diagonal h keeps its functions."""
    if not np.any(h - np.diag(np.diag(h))):
        order = np.argsort(np.diag(h), kind="stable")
        return np.diag(h)[order], np.eye(len(h))[:, order]
    energies, vectors = np.linalg.eigh(h)
    largest = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(len(h))]
    return energies, vectors * np.where(largest < 0, -1.0, 1.0)


def turned(table: Table, functions: Sequence[ModeFunctions], reflections: Sequence[np.ndarray]) -> Table:
    """The table in the functions of its modes, elements that parity forbids (round-off) removed."""
    stacks = []
    for stack, f, r in zip(table.stacks, functions, reflections):
        new = np.array([_clean(f.vectors.T @ one @ f.vectors) for one in stack])
        new[0] = np.eye(len(f.energies))
        if f.charges.any():
            same = f.charges[:, None] == f.charges[None, :]
            for p, one in enumerate(stack):
                even = np.abs(r @ one @ r - one).max() <= np.abs(r @ one @ r + one).max()
                new[p] = np.where(same == even, new[p], 0.0)
        stacks.append(new)
    return Table(tuple(stacks), table.terms)


def product_terms(table: Table, functions: Sequence[ModeFunctions]) -> ProductTerms:
    """The table, in the functions given, as ``eigsolve`` takes it; a complex one in its real form, one mode longer."""
    energies, charges = [f.energies for f in functions], [f.charges for f in functions]
    if table.real:
        terms = tuple((c.real, product) for c, product in table.terms)
        return ProductTerms(table.stacks, terms, tuple(energies), tuple(charges))
    d = len(table.stacks)
    terms = tuple((c.real, product) for c, product in table.terms if c.real)
    terms += tuple((c.imag, {**product, d: 1}) for c, product in table.terms if c.imag)
    return ProductTerms((*table.stacks, PAIR), terms, (*energies, np.zeros(2)), (*charges, np.zeros(2, dtype=np.int64)))


def _clean(one: np.ndarray) -> np.ndarray:
    """Round-off zeros removed."""
    return np.where(np.abs(one) < 1e-14 * max(np.abs(one).max(), 1e-300), 0.0, one)
