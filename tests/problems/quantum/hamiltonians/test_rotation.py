"""Rotation terms of J = 0 against matrices built from Watson's formula as it stands, and their first order."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.quantum.hamiltonians.force_field import basis as modes_
from problems.quantum.hamiltonians.force_field.field import ForceField, with_rotation
from problems.quantum.hamiltonians.force_field.operators import operator, product_terms, second_look
from problems.quantum.hamiltonians.force_field.primitives import Primitive
from problems.quantum.hamiltonians.force_field.rotation import (
    INVERSE_INERTIA,
    MOST_POWER,
    PARTS,
    Rotation,
    first_order,
    watson_terms,
)
from problems.quantum.hamiltonians.force_field.symmetry import norm_bound, terms_that_matter

UNCUT = 5  # harmonic functions beyond those compared: products of four q and two p reach no further


def molecule(seed: int, d: int) -> tuple[Rotation, np.ndarray]:
    """Inertia, zeta and slopes of the size that triatomic hydrides have, and frequencies."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    inertia = axes @ np.diag(rng.uniform(0.8, 4.0, 3)) @ axes.T
    zeta = rng.uniform(-1.0, 1.0, (3, d, d))
    slopes = rng.uniform(-1.5, 1.5, (d, 3, 3))
    inertia, slopes = 0.5 * (inertia + inertia.T), slopes + slopes.transpose(0, 2, 1)
    return Rotation(inertia, zeta - zeta.transpose(0, 2, 1), slopes), rng.uniform(900.0, 3500.0, d)


def watson_matrix(rotation: Rotation, w: np.ndarray, order: int, n: int) -> np.ndarray:
    """1/2 sum pi mu pi - 1/8 sum mu_aa from matrices of q and p, exact in the first ``n`` functions of each mode."""
    d, big = len(w), n + UNCUT
    lower = np.diag(np.sqrt(np.arange(1, big) / 2.0), 1)

    def of_mode(k: int, one: np.ndarray) -> np.ndarray:
        return reduce(np.kron, [one if j == k else np.eye(big) for j in range(d)])

    q = [of_mode(k, lower + lower.T) for k in range(d)]
    p = [-1j * of_mode(k, lower - lower.T) for k in range(d)]
    size = big**d
    inverse = np.linalg.inv(rotation.inertia)
    slope = [inverse @ rotation.derivatives[k] for k in range(d)]
    scaled = [q[k] * np.sqrt(INVERSE_INERTIA / w[k]) for k in range(d)]
    mu = np.einsum("ab,ij->abij", inverse, np.eye(size))
    if order >= 1:
        for k in range(d):
            mu = mu - np.einsum("ab,ij->abij", slope[k] @ inverse, scaled[k])
    if order == 2:
        for k in range(d):
            for m in range(d):
                both = slope[k] @ slope[m] @ inverse
                mu = mu + 0.75 * np.einsum("ab,ij->abij", 0.5 * (both + both.T), scaled[k] @ scaled[m])
    mu = INVERSE_INERTIA * mu
    pi = [
        sum(rotation.zeta[a, k, m] * np.sqrt(w[m] / w[k]) * q[k] @ p[m] for k in range(d) for m in range(d) if k != m)
        for a in range(3)
    ]
    h = 0.5 * sum(pi[a] @ mu[a, b] @ pi[b] for a in range(3) for b in range(3)) - sum(mu[a, a] for a in range(3)) / 8.0
    kept = np.arange(size).reshape((big,) * d)[(slice(n),) * d].ravel()
    assert np.abs(h.imag).max() < 1e-9 * np.abs(h).max()
    return h.real[np.ix_(kept, kept)]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("seed, d, n", [(1, 2, 5), (2, 2, 4), (3, 3, 2)])
def test_operator_is_watsons(seed: int, d: int, n: int, order: int) -> None:
    rotation, w = molecule(seed, d)
    field = with_rotation(ForceField("free", "cm-1", w, {}), rotation, order)
    bases = modes_.harmonic_functions(field, [n] * d, np.zeros(d, dtype=np.int64))
    found = operator(product_terms(field, bases, range(d))).full()
    exact = watson_matrix(rotation, w, order, n)
    quanta = np.indices((n,) * d).reshape(d, -1).T
    exact = exact + np.diag(quanta @ w + 0.5 * w.sum())
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-11 * np.abs(exact).max())


def test_contracted_functions_in_another_order_hold_the_same_operator() -> None:
    rotation, w = molecule(5, 2)
    terms = {(0, 0, 0): -60.0, (0, 1, 1): 40.0, (0, 0, 0, 0): 30.0, (1, 1, 1, 1): 20.0}
    field = with_rotation(ForceField("small", "cm-1", w, terms), rotation, 2)
    primitive = [Primitive(14, 0.1, 0.9), Primitive(15)]
    bases = modes_.modals(field, [5, 6], np.zeros(2, dtype=np.int64), primitive)
    tt = operator(product_terms(field, bases, [1, 0]))
    assert second_look(field, bases, [1, 0], tt).passed
    modes = tt.full().reshape(6, 5, 6, 5).transpose(1, 0, 3, 2).reshape(30, 30)
    free = modes_.modals(ForceField("bare", "cm-1", w, terms), [5, 6], np.zeros(2, dtype=np.int64), primitive)
    assert np.abs(bases[0].coefficients - free[0].coefficients).max() > 1e-6  # the function of q belongs to the field
    products = product_terms(field, modes_.harmonic_functions(field, [14, 15], np.zeros(2, dtype=np.int64)), [0, 1])
    assert np.linalg.eigvalsh(modes)[0] == pytest.approx(np.linalg.eigvalsh(operator(products).full())[0], rel=1e-3)


@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(0, 2))
@settings(max_examples=15, deadline=None)
def test_every_product_is_even_in_momenta_and_of_low_degree(seed: int, d: int, order: int) -> None:
    rotation, w = molecule(seed, d)
    products, potential = watson_terms(rotation, w, order)
    for factors in products:
        assert sum(momenta for _, (_, momenta) in factors) == 2
        assert all(a <= MOST_POWER and (n == 0 or (a, n) in PARTS) for _, (a, n) in factors)
        assert 2 <= sum(a for _, (a, _) in factors) <= 2 + order
    assert all(len(modes) <= order for modes in potential)


def test_a_rotation_of_the_axes_changes_nothing() -> None:
    rotation, w = molecule(7, 3)
    turn = np.linalg.qr(np.random.default_rng(8).standard_normal((3, 3)))[0]
    inertia = turn @ rotation.inertia @ turn.T
    turned = Rotation(
        0.5 * (inertia + inertia.T),
        np.einsum("ab,bkl->akl", turn, rotation.zeta),
        np.einsum("ab,kbc,dc->kad", turn, rotation.derivatives, turn),
    )
    for one, other in zip(watson_terms(rotation, w, 2), watson_terms(turned, w, 2)):
        size = max(abs(value) for value in one.values())
        assert all(abs(one.get(key, 0.0) - other.get(key, 0.0)) < 1e-12 * size for key in {*one, *other})


def test_first_order_is_the_expectation_in_harmonic_states() -> None:
    rotation, w = molecule(9, 3)
    n = 2
    field = with_rotation(ForceField("free", "cm-1", w, {}), rotation, 0)
    bases = modes_.harmonic_functions(field, [n] * 3, np.zeros(3, dtype=np.int64))
    diagonal = np.diag(operator(product_terms(field, bases, range(3))).full())
    quanta = np.indices((n,) * 3).reshape(3, -1).T
    np.testing.assert_allclose(diagonal - quanta @ w - 0.5 * w.sum(), first_order(rotation, w, quanta), rtol=1e-10)


def test_round_off_of_zeta_breaks_no_parity() -> None:
    zeta = np.zeros((3, 3, 3))
    zeta[0, 0, 2], zeta[0, 1, 2] = 0.9, 1e-12
    rotation = Rotation(np.diag([3.4, 1.1, 2.3]), zeta - zeta.transpose(0, 2, 1))
    field = with_rotation(ForceField("three", "cm-1", np.array([2900.0, 2700.0, 1200.0]), {}), rotation, 0)
    kept, left_out = terms_that_matter(field, 1e-4)
    assert left_out and len(modes_.parity_generators(kept)) > len(modes_.parity_generators(field))
    bases = modes_.harmonic_functions(field, [4] * 3, np.zeros(3, dtype=np.int64))
    assert 0.0 < norm_bound(left_out, bases) < 1e-6


def test_what_is_no_molecule_is_refused() -> None:
    zeta = np.zeros((3, 2, 2))
    with pytest.raises(ValueError, match="antisymmetric"):
        Rotation(np.eye(3), zeta + 1.0)
    with pytest.raises(ValueError, match="finite"):
        Rotation(np.diag([1.0, np.nan, 1.0]), zeta)
    with pytest.raises(ValueError, match="positive"):
        Rotation(np.diag([1.0, -2.0, 1.0]), zeta)
    with pytest.raises(ValueError, match="shape"):
        Rotation(np.eye(3), zeta, np.zeros((3, 3, 3)))
    linear = Rotation(np.diag([2.0, 2.0, 0.0]), zeta)
    assert linear.linear and np.isinf(linear.constants[0])
    assert watson_terms(linear, np.ones(2), 0) == ({}, {})  # no pseudo-potential
    with pytest.raises(ValueError, match="derivatives"):
        watson_terms(Rotation(np.eye(3), zeta), np.ones(2), 1)
