"""Named one-mode operators against their closed forms, and sums of their products against Kronecker products."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terms_cases import dense, named, problem

from problems.quantum.hamiltonians.terms.matrices import matrix, parity
from problems.quantum.hamiltonians.terms.modes import Boson, Harmonic, Sinc, Spin
from problems.quantum.hamiltonians.terms.names import conjugate, degree, parse, write
from problems.quantum.hamiltonians.terms.operators import (
    mean_field,
    operator,
    ordered,
    parities,
    product_terms,
    reordered,
    table_of,
    turned,
)
from solvers.formats.trains.sum_of_products import sum_of_products

OSCILLATOR = Harmonic(basis="harmonic", functions=9)
HEAVY = Harmonic(basis="harmonic", functions=9, frequency=0.7, mass=1836.0)
BOSON = Boson(basis="boson", levels=9)
GRID = Sinc(basis="sinc", points=60, interval=(-8.0, 8.0), mass=1.3)
HALF, THREE_HALVES = Spin(basis="spin"), Spin(basis="spin", s=1.5)


@pytest.mark.parametrize("mode", [OSCILLATOR, HEAVY, BOSON], ids=["unit", "heavy", "boson"])
def test_oscillator_operators_are_exact_before_the_cut(mode):
    n = mode.size
    mass, w = (mode.mass, mode.frequency) if isinstance(mode, Harmonic) else (1.0, 1.0)
    unit = np.eye(n)
    np.testing.assert_allclose(named(mode, "q p") - named(mode, "p q"), 1j * unit, atol=1e-12)
    np.testing.assert_allclose(named(mode, "b bdag") - named(mode, "bdag b"), unit, atol=1e-12)
    np.testing.assert_allclose(named(mode, "bdag b"), named(mode, "n"), atol=1e-12)
    np.testing.assert_allclose(named(mode, "bdag"), named(mode, "b").conj().T, atol=0)
    h = named(mode, "p^2") / (2 * mass) + 0.5 * mass * w**2 * named(mode, "q^2")
    np.testing.assert_allclose(h, w * np.diag(np.arange(n) + 0.5), atol=1e-12 * w * n)
    if isinstance(mode, Harmonic):
        np.testing.assert_allclose(named(mode, "T"), named(mode, "p^2") / (2 * mass), atol=1e-14)
    # <0|q^4|0> = 3/4, <0|p^4|0> = 3/4 in natural units
    assert named(mode, "q^4")[0, 0] == pytest.approx(0.75 / (mass * w) ** 2)
    assert named(mode, "p^4")[0, 0] == pytest.approx(0.75 * (mass * w) ** 2)
    assert matrix(mode, parse("p^3", mode, 0))[0] == 1 and matrix(mode, parse("p q p", mode, 0))[0] == 0


def test_sinc_points_give_the_levels_of_an_oscillator():
    h = named(GRID, "T") + 0.5 * GRID.mass * named(GRID, "q^2")
    np.testing.assert_allclose(np.linalg.eigvalsh(h.real)[:8], np.arange(8) + 0.5, atol=1e-9)
    assert np.allclose(np.diff(np.diag(named(GRID, "q").real)), 16.0 / 59)
    for text in ("p", "p^3", "p^5", "p^2"):
        np.testing.assert_allclose(
            named(GRID, text), named(GRID, text).conj().T, atol=1e-12 * 60.0 ** (degree(parse(text, GRID, 0)) - 1)
        )
    np.testing.assert_allclose(named(GRID, "p^2"), 2.6 * named(GRID, "T"), rtol=1e-13)
    # -i d/dx of exp(-x^2/2) is i x exp(-x^2/2)
    x = np.diag(named(GRID, "q").real)
    np.testing.assert_allclose(named(GRID, "p") @ np.exp(-(x**2) / 2), 1j * x * np.exp(-(x**2) / 2), atol=1e-8)


@pytest.mark.parametrize("mode", [HALF, Spin(basis="spin", s=1.0), THREE_HALVES], ids=["1/2", "1", "3/2"])
def test_spin_algebra(mode):
    x, y, z = (named(mode, name) for name in ("Sx", "Sy", "Sz"))
    np.testing.assert_allclose(x @ y - y @ x, 1j * z, atol=1e-14)
    np.testing.assert_allclose(y @ z - z @ y, 1j * x, atol=1e-14)
    np.testing.assert_allclose(x @ x + y @ y + z @ z, mode.s * (mode.s + 1) * np.eye(mode.size), atol=1e-14)
    np.testing.assert_allclose(named(mode, "S+"), x + 1j * y, atol=1e-14)
    np.testing.assert_allclose(named(mode, "S-"), x - 1j * y, atol=1e-14)
    assert z[0, 0] == mode.s and named(mode, "Sz^2")[0, 0] == pytest.approx(mode.s**2)
    if mode.s == 0.5:
        for pauli, spin in zip("XYZ", (x, y, z)):
            np.testing.assert_allclose(named(mode, pauli), 2 * spin, atol=1e-15)


@pytest.mark.parametrize(("mode", "axis"), [(HALF, "z"), (HALF, "x"), (THREE_HALVES, "x"), (GRID, "z"), (BOSON, "z")])
def test_reflections(mode, axis):
    r = parity(mode, axis)
    np.testing.assert_allclose(r @ r, np.eye(mode.size), atol=0)
    even, odd = {"z": ("Sz", "Sx"), "x": ("Sx", "Sz")}[axis] if isinstance(mode, Spin) else ("q^2", "q")
    np.testing.assert_allclose(r @ named(mode, even) @ r, named(mode, even), atol=1e-12)
    np.testing.assert_allclose(r @ named(mode, odd) @ r, -named(mode, odd), atol=1e-12)
    assert parity(Sinc(basis="sinc", points=5, interval=(0.0, 1.0)), axis) is None


def test_names_are_read_and_written():
    assert parse("q q^2 p", OSCILLATOR, 0) == (("q", 3), ("p", 1))
    assert write(conjugate(parse("S+ Sz^2", HALF, 0))) == "Sz^2 S-" and write(parse("1", HALF, 0)) == "1"
    assert conjugate(parse("b bdag q", BOSON, 0)) == (("q", 1), ("b", 1), ("bdag", 1))
    assert degree(parse("n T q", OSCILLATOR, 0)) == 5


def test_a_sum_with_pairs_of_imaginary_factors_is_real():
    chain = [
        [1.0, {0: "Sx", 1: "Sx"}],
        [1.0, {0: "Sy", 1: "Sy"}],
        [0.5, {0: "Y", 1: "Y Z X"}],
        [0.7, {0: "Z"}],
        [0.5, {0: "Y", 1: "X Z Y"}],
    ]
    table = table_of(problem([{"basis": "spin"}] * 2, chain).products, [HALF, HALF])
    assert table.real and operator(table).dtype == float
    # Sx Sy - Sy Sx written out in S+ and S-: i/2 (S+ S- - S- S+) is imaginary
    swapped = [[[0.0, 0.5], {0: "S+", 1: "S-"}], [[0.0, -0.5], {0: "S-", 1: "S+"}]]
    assert not table_of(problem([{"basis": "spin"}] * 2, swapped).products, [HALF, HALF]).real
    # imaginary parts that cancel between different names
    vanishing = [*chain[:2], [0.3, {0: "Sx", 1: "Sy"}], [-0.15, {0: "X", 1: "Sy"}]]
    assert table_of(problem([{"basis": "spin"}] * 2, vanishing).products, [HALF, HALF]).real


MODES = st.sampled_from(
    [
        {"basis": "harmonic", "functions": 4, "frequency": 1.3, "mass": 0.8},
        {"basis": "sinc", "points": 4, "interval": [-1.5, 1.5]},
        {"basis": "sinc", "points": 3, "interval": [-1.0, 2.0]},
        {"basis": "spin"},
        {"basis": "spin", "s": 1.0},
        {"basis": "boson", "levels": 3},
    ]
)


@st.composite
def hermitian_sums(draw):
    """A random sum of one to four products and their conjugates over one to three modes."""
    modes = draw(st.lists(MODES, min_size=1, max_size=3))
    bases = problem(modes, [[1.0, {}]]).bases
    terms = []
    for _ in range(draw(st.integers(1, 4))):
        names = {}
        for k in draw(st.sets(st.integers(0, len(modes) - 1))):
            words = draw(st.lists(st.sampled_from([o for o in bases[k].operators if o != "1"]), min_size=1, max_size=2))
            names[k] = " ".join(words)
        re, im = draw(st.sampled_from([(0.5, 0.0), (-1.25, 0.0), (0.3, -0.7), (0.0, 1.0)]))
        terms.append([[re, im], names])
        terms.append([[re, -im], {k: write(conjugate(parse(name, bases[k], k))) for k, name in names.items()}])
    return modes, terms


@settings(max_examples=60, deadline=None, derandomize=True)
@given(hermitian_sums())
def test_random_sums_against_dense_matrices(case):
    p = problem(*case)
    h = dense(p)
    scale = max(1.0, np.abs(h).max())
    np.testing.assert_allclose(h, h.conj().T, atol=1e-12 * scale)
    table = table_of(p.products, p.bases)
    np.testing.assert_allclose(operator(table).full(), h, atol=1e-12 * scale)
    order, _ = ordered(table, "automatic")
    assert sorted(order) == list(range(len(p.modes)))
    moved = reordered(table, order)
    charges, reflections = parities(moved, [p.bases[k] for k in order])
    functions = mean_field(moved, charges, reflections)
    moved = turned(moved, functions, reflections)
    for f in functions:
        np.testing.assert_allclose(f.vectors.T @ f.vectors, np.eye(len(f.energies)), atol=1e-12)
        assert np.all(np.diff(f.charges) >= 0)
    tt = operator(moved).full()
    levels = np.linalg.eigvalsh(h)
    np.testing.assert_allclose(np.linalg.eigvalsh(tt), levels, atol=1e-11 * scale)
    total = np.zeros(1, dtype=np.int64)
    for f in functions:
        total = (total[:, None] ^ f.charges[None, :]).ravel()
    assert np.abs(tt[total[:, None] != total[None, :]]).max(initial=0.0) == 0.0
    terms = product_terms(moved, functions)  # where H is complex: its real form, every level twice
    real = sum_of_products(terms.matrices, terms.terms).full()
    np.testing.assert_allclose(
        np.linalg.eigvalsh(real), levels if table.real else np.repeat(levels, 2), atol=1e-11 * scale
    )


@pytest.mark.parametrize(
    ("modes", "terms", "count"),
    [
        (
            [{"basis": "spin"}] * 3,
            [[1.0, {0: "Z", 1: "Z"}], [1.0, {1: "Z", 2: "Z"}], [0.5, {0: "X"}], [0.5, {1: "X"}], [0.5, {2: "X"}]],
            1,
        ),
        ([{"basis": "spin"}] * 3, [[1.0, {0: "S+", 1: "S-"}], [1.0, {0: "S-", 1: "S+"}], [0.2, {2: "Z"}]], 2),
        ([{"basis": "harmonic", "functions": 4}] * 3, [[1.0, {0: "q", 1: "q"}], [1.0, {2: "q^3"}], [1.0, {2: "T"}]], 1),
        ([{"basis": "sinc", "points": 6, "interval": [-1.0, 1.0]}], [[1.0, {0: "T"}], [1.0, {0: "q^4"}]], 1),
        ([{"basis": "sinc", "points": 6, "interval": [-1.0, 2.0]}], [[1.0, {0: "T"}], [1.0, {0: "q^4"}]], 0),
    ],
)
def test_conserved_parities_are_found(modes, terms, count):
    p = problem(modes, terms)
    charges, _ = parities(table_of(p.products, p.bases), p.bases)
    assert int(np.bitwise_or.reduce(charges)).bit_count() == count
