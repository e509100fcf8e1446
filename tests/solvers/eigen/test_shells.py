"""Products that matter: second order against small matrices, choice, and levels of chosen spaces against whole ones."""

from __future__ import annotations

from collections import Counter
from itertools import combinations_with_replacement
from math import factorial, prod

import numpy as np
import pytest
from test_pruned import oscillators, random_terms

from solvers.eigen import few_quanta
from solvers.eigen.chains import Chain
from solvers.eigen.plateaus import plateau_levels
from solvers.eigen.pruned import PrunedMatrix, products_of, shifts_of
from solvers.eigen.shells import next_shell, second_order

Terms = list[tuple[float, dict[int, int]]]


def test_second_order_is_exact_for_two_states_and_stays_finite() -> None:
    rng = np.random.default_rng(1)
    for v, distance in rng.uniform(-2.0, 2.0, (20, 2)):
        exact = np.linalg.eigvalsh([[0.0, v], [v, distance]])[0 if distance > 0.0 else 1]
        assert second_order(np.array(v), np.array(distance)) == pytest.approx(exact, abs=1e-12)
    assert second_order(np.array(1e-3), np.array(1.0)) == pytest.approx(-1e-6, rel=1e-4)
    assert abs(second_order(np.array(0.1), np.array(0.0))) <= 0.1


def test_elements_of_products_outside_are_those_of_the_matrix_that_holds_them() -> None:
    d, matrices, terms = 3, oscillators(3, 8), random_terms(3, np.random.default_rng(2))
    products = products_of(6, [8] * d)
    inner = int(np.sum(products.sum(axis=1) <= 4))
    shifts = shifts_of(matrices, terms)
    whole, part = PrunedMatrix(shifts, products), PrunedMatrix(shifts, products[:inner])
    whole.grow(len(products))
    part.grow(inner)
    x = np.random.default_rng(3).standard_normal((inner, 2))
    elements, diagonal = part.outside(products[inner:], x)
    np.testing.assert_allclose(elements, whole.dense()[inner:, :inner] @ x, atol=1e-12)
    np.testing.assert_allclose(diagonal, np.diag(whole.dense())[inner:], atol=1e-12)
    some = np.arange(inner, len(products), 2)  # appended, they are rows of the whole matrix
    part.append(products[some])
    part.grow(inner + len(some))
    place = np.concatenate([np.arange(inner), some])
    np.testing.assert_allclose(part.dense(), whole.dense()[np.ix_(place, place)], atol=1e-12)


def test_those_that_matter_are_chosen_and_the_others_told() -> None:
    terms: Terms = [(0.5, {0: 5}), (0.5, {1: 5}), (0.2, {0: 3}), (1e-3, {1: 3})]
    h = PrunedMatrix(shifts_of(oscillators(2, 8), terms), products_of(1, [8, 8]))
    h.grow(3)
    beyond = products_of(3, [8, 8])[3:]
    start, level = np.eye(3)[:, :1], np.array([1.0])
    none = np.zeros(len(beyond), dtype=bool)
    shell = next_shell(h, beyond, none, start, level, most=1, left=0.0)
    assert shell.chosen.tolist() == [[3, 0]] and shell.expected[0] < 100 * shell.rest[0] < 0.0
    forced = np.all(beyond == [0, 2], axis=1)
    assert [0, 2] in next_shell(h, beyond, forced, start, level, most=0, left=0.0).chosen.tolist()
    assert len(next_shell(h, beyond, none, start, level, most=9, left=1.0).chosen) == 1  # enough with one


def rotated(d: int, seed: int) -> tuple[Terms, np.ndarray]:
    """Modes of one frequency with cubic and quartic parts along other axes, and the levels: sums of one-mode levels.

    Along the first axis the potential falls behind a barrier of 5.1 quanta: its resonances by complex scaling.
    """
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    cubic = np.concatenate([[0.06], rng.uniform(0.02, 0.05, d - 1)])
    quartic = np.concatenate([[0.0], rng.uniform(0.004, 0.01, d - 1)])
    terms: Terms = [(0.5, {k: 5}) for k in range(d)]
    for n, along in ((3, cubic), (4, quartic)):
        for modes in combinations_with_replacement(range(d), n):
            powers = Counter(modes)
            ways = factorial(n) // prod(factorial(p) for p in powers.values())
            terms.append((ways * float(along @ np.prod(axes[:, list(modes)], axis=1)), dict(powers)))
    lowest = [resonances(g, h)[:3] for g, h in zip(cubic, quartic)]
    sums = np.array([sum(own[v] for own, v in zip(lowest, row)) for row in products_of(2, [3] * d)])
    return terms, np.sort(sums)


def resonances(g: float, h: float, angle: float = 0.25) -> np.ndarray:
    """Narrow ones of p^2/2 + q^2/2 + g q^3 + h q^4 (Aguilar, Combes, Commun. Math. Phys. 22, 269 (1971))."""
    stack = oscillators(1, 100)[0]
    turn = np.exp(1j * angle)
    p2 = stack[5] - stack[2]
    found = np.linalg.eigvals(0.5 * p2 / turn**2 + sum(c * turn**n * stack[n] for n, c in ((2, 0.5), (3, g), (4, h))))
    return np.sort(found.real[(np.abs(found.imag) < 1e-2) & (found.real > 0.0)])


@pytest.mark.parametrize("d, whole, seed", [(4, 700, 1), pytest.param(5, 1500, 2, marks=pytest.mark.slow)])
def test_chosen_products_find_the_levels_beside_a_hole(
    d: int, whole: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms, exact = rotated(d, seed)
    monkeypatch.setattr(few_quanta, "MOST_PRODUCTS", whole)
    found = {}
    for asked in (whole, 20_000):
        monkeypatch.setattr(few_quanta, "MOST_ASKED", asked)
        most = min(few_quanta.most_quanta([24] * d), 16)
        found[asked] = plateau_levels(
            oscillators(d, 24), terms, [0] * d, np.ones(d), 1 + d, accuracy=1e-5, bottom=0.0, most=most
        )
        off = np.abs(found[asked].energies - exact[: 1 + d])
        assert np.all(off <= found[asked].errors + 1e-9)
    assert np.all(found[20_000].errors < 0.5 * found[whole].errors) and found[20_000].functions <= whole
    assert np.any(found[20_000].rests != 0.0)


def test_what_is_left_out_is_in_the_level_and_its_error() -> None:
    chain = Chain(0)
    chain.add(4, 1.0, 0.0, np.ones(1))
    chain.add(6, 0.9, 0.0, np.ones(1))
    plain = chain.error
    chain.leave_out(-0.01, -0.02, -0.04)  # twice what was expected
    chain.add(8, 0.88, 0.0, np.ones(1))
    assert chain.level == pytest.approx(0.86) and chain.rests == [0.0, 0.0, pytest.approx(-0.02)]
    assert 0.01 < chain.error < plain
    late = Chain(0, float("nan"))
    late.add(8, 1.0, 0.0, np.ones(1))
    late.add(10, 1.0, 0.0, np.ones(1))
    assert late.level == 1.0 and np.isinf(late.error)
