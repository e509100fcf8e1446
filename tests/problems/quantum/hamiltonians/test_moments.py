"""Matrix elements of polynomials of the coordinates, against dense arrays and against values on points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.quantum.hamiltonians.force_field.basis import lowest_modals, mean_field, mode_charges, parity_generators
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.moments import CLOSE, operator
from problems.quantum.hamiltonians.force_field.one_mode import OneModeFunctions
from problems.quantum.hamiltonians.force_field.primitives import Primitive
from solvers.formats.trains.construct import random_train

FIELD = ForceField("pair", "cm-1", np.array([1000.0, 700.0]), {(0, 0, 0): -80.0, (0, 0, 0, 0): 20.0, (0, 1, 1): 30.0})


@pytest.fixture(scope="module")
def functions() -> list[OneModeFunctions]:
    """Modals of a field whose second mode has a parity, and is displaced by nothing; those of the first are."""
    charges = mode_charges(parity_generators(FIELD), FIELD.d)
    mean = mean_field(FIELD, charges, [Primitive(30, 0.2, 0.9), Primitive(24)])
    return [OneModeFunctions.of_basis(basis) for basis in lowest_modals(mean, (6, 5), charges)]


def test_functions_on_points_give_the_matrices_of_powers(functions):
    q = np.linspace(-12.0, 12.0, 2001)
    for one in functions:
        f = one.values(q)
        powers = one.powers(4)
        assert f.shape == (len(q), one.count)
        for p in range(5):
            assert np.allclose((q[1] - q[0]) * f.T @ (q[:, None] ** p * f), powers[p], atol=1e-11 * 6.0**p)


@st.composite
def surfaces(draw) -> Surface:
    products = st.lists(st.sampled_from([0, 1]), max_size=3).map(lambda modes: tuple(sorted(modes)))
    component = st.dictionaries(products, st.floats(-2.0, 2.0), max_size=4)
    return Surface(tuple(draw(component) for _ in range(3)), "D")


@settings(max_examples=25, deadline=None)
@given(surface=surfaces(), seed=st.integers(0, 10**6), swapped=st.booleans())
def test_elements_are_those_of_the_dense_operator(functions, surface, seed, swapped):
    order = [1, 0] if swapped else [0, 1]
    along = [functions[k] for k in order]
    rng = np.random.default_rng(seed)
    f, i = (random_train([one.count for one in along], 2, rng) for _ in range(2))
    bra, ket = (x.full() if not swapped else x.full().T for x in (f, i))  # as of modes 0, 1
    powers = [one.powers(3) for one in functions]
    dense = np.zeros((3, *powers[0][0].shape, *powers[1][0].shape))
    for c, component in enumerate(surface.components):
        for product, value in component.items():
            dense[c] += value * np.multiply.outer(powers[0][product.count(0)], powers[1][product.count(1)])
    expected = np.einsum("ab,cadbe,de->c", bra, dense, ket)
    moving = operator(surface, along, order)
    assert np.allclose(moving.element(f, i), expected, atol=1e-10)
    moved = np.einsum("cadbe,de->cab", dense, ket)
    assert np.allclose(moving.squared(i), np.sum(moved**2, axis=(1, 2)), rtol=4.0 * CLOSE, atol=1e-9)


def test_a_property_of_another_mode_is_refused(functions):
    with pytest.raises(ValueError, match="mode 4 has no value in states of 2 modes"):
        operator(Surface(({(3,): 1.0},), "D"), functions, [0, 1])
