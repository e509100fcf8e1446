"""Parities from the terms that matter."""

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions, parity_generators
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.operators import operator, product_terms, second_look
from problems.quantum.hamiltonians.force_field.rotation import of_powers
from problems.quantum.hamiltonians.force_field.symmetry import NEGLIGIBLE, norm_bound, terms_that_matter
from problems.quantum.readers.shipped import load_force_field


def with_noise(field, size, count=20, seed=1):
    rng = np.random.default_rng(seed)
    terms = dict(field.terms)
    while len(terms) < len(field.terms) + count:
        modes = tuple(sorted(int(k) for k in rng.integers(field.d, size=int(rng.integers(3, 5)))))
        terms.setdefault(modes, size * float(rng.standard_normal()))
    return ForceField("noisy", field.unit, field.frequencies, terms)


@pytest.mark.parametrize("size", [1e-18, 1e-12, 1e-9])
def test_noise_costs_no_parity(size):
    field = load_force_field("acetonitrile")
    noisy = with_noise(field, size)
    assert len(parity_generators(noisy)) < len(parity_generators(field))
    found, left_out = terms_that_matter(noisy, 0.01)
    np.testing.assert_array_equal(parity_generators(found), parity_generators(field))
    assert left_out
    assert {of_powers(m) for m in found.terms} | set(left_out) == {of_powers(m) for m in noisy.terms}
    bases = harmonic_functions(found, [8] * 12, np.zeros(12, dtype=np.int64))
    assert 0 < norm_bound(left_out, bases) <= NEGLIGIBLE * 0.01


def test_what_matters_is_kept():
    """A term of half the accuracy breaks the parity, and so do many that add up to it."""
    field = load_force_field("acetonitrile")
    assert terms_that_matter(field, 0.01) == (field, {})
    large = with_noise(field, 0.005)
    assert terms_that_matter(large, 0.01) == (large, {})
    strict = with_noise(field, 1e-9)
    assert terms_that_matter(strict, 1e-6) == (strict, {})


def test_noise_that_breaks_nothing_stays():
    """Small terms are not left out where no parity is won by it."""
    field = ForceField("one", "cm-1", np.array([1.0, 1.3]), {(0, 0, 0): 0.1, (1, 1, 1): 0.1, (0, 0, 1): 1e-15})
    assert terms_that_matter(field, 1e-3) == (field, {})


def test_bound_of_levels():
    """Levels with and without the terms left out differ by less than the bound says."""
    terms = {(0, 0, 0, 0): 0.02, (1, 1, 1, 1): 0.03, (0, 0, 1, 1): 0.05}
    clean = ForceField("pair", "cm-1", np.array([1.0, 1.4]), terms)
    noisy = ForceField("pair", "cm-1", clean.frequencies, {**terms, (0, 1, 1): 2e-9, (0, 0, 1): -1e-9})
    found, left_out = terms_that_matter(noisy, 1e-3)
    assert set(left_out) == {of_powers((0, 1, 1)), of_powers((0, 0, 1))}
    bases = harmonic_functions(noisy, [7, 7], np.zeros(2, dtype=np.int64))
    full = [np.linalg.eigvalsh(operator(product_terms(f, bases, [0, 1])).full()) for f in (found, noisy)]
    assert np.abs(full[0] - full[1]).max() <= norm_bound(left_out, bases) + 1e-13


def test_operator_is_compared_with_the_field():
    field = ForceField("three", "cm-1", np.array([1.0, 1.4, 2.0]), {(0, 0, 1): 0.1, (1, 2): 0.2, (2, 2, 2, 2): 0.05})
    bases = harmonic_functions(field, [6] * 3, np.zeros(3, dtype=np.int64))
    tt = operator(product_terms(field, bases, [2, 0, 1]))
    assert second_look(field, bases, [2, 0, 1], tt).passed
    assert not second_look(field, bases, [0, 1, 2], tt).passed
    changed = dict(field.terms)
    changed[(0, 0, 1)] = changed.get((0, 0, 1), 0.0) + 1e-6
    assert not second_look(ForceField("three", "cm-1", field.frequencies, changed), bases, [2, 0, 1], tt).passed
