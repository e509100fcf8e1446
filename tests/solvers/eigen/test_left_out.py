"""What the functions outside a basis add: the image against a dense one, the second-order sum against its terms."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from scipy.optimize import brentq
from sector_cases import dense, dense_sum, mode_charge, random_sector_train, random_terms

from solvers.eigen import left_out as module
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.left_out import about, left_out
from solvers.eigen.vector_trains import sector_train
from solvers.sectors.estimates import pad

MODES = (((0, 3), (1, 2)), ((0, 5),), ((0, 3), (1, 3)))
BASIS = (((0, 2), (1, 1)), ((0, 3),), ((0, 2), (1, 2)))
SHAPE = (5, 5, 6)
EXACT = 1e-20  # a goal beside which nothing is negligible


def case(seed, coupling=1.0):
    """Levels of each mode and random couplings of up to all of them, and their dense matrix."""
    rng = np.random.default_rng(seed)
    stacks, couplings = random_terms(rng, MODES, 8)
    charges = tuple(mode_charge(mode) for mode in MODES)
    energies = tuple(np.concatenate([0.3 * c + np.arange(n) for c, n in mode]) for mode in MODES)
    matrices = tuple(np.concatenate([stack, np.diag(e)[None]]) for stack, e in zip(stacks, energies))
    terms = [(1.0, {k: 3}) for k in range(3)] + [(coupling * c, product) for c, product in couplings]
    return rng, dense_sum(matrices, terms), ProductTerms(matrices, tuple(terms), energies, charges)


def outside_of(space):
    """Whether each product of the dense vector is outside, and how many of its modes are."""
    index = np.indices(SHAPE).reshape(3, -1)
    return index, (~space.inside[np.arange(3)[:, None], index]).T


def test_the_basis_is_the_first_functions_of_each_charge():
    inside = about(case(0)[2], BASIS).inside
    assert [np.flatnonzero(row).tolist() for row in inside] == [[0, 1, 3], [0, 1, 2], [0, 1, 3, 4]]


@pytest.mark.parametrize("seed", range(3))
def test_the_image_outside_is_the_dense_one(seed):
    rng, h, terms = case(seed)
    space = about(terms, BASIS)
    index, leaving = outside_of(space)
    own = rng.permutation(np.flatnonzero(~leaving.any(axis=1)))[:11]
    coefficients = rng.standard_normal(11)
    found, elements = module._image(space, index[:, own].T.copy(), coefficients, 0.0)
    exact = np.where(leaving.any(axis=1), h[:, own] @ coefficients, 0.0)
    at = np.ravel_multi_index(found.T.astype(int), SHAPE)
    assert len(np.unique(at)) == len(at)
    image = np.zeros(len(h))
    image[at] = elements
    np.testing.assert_allclose(image, exact, atol=1e-12 * np.abs(h).max())


@pytest.mark.parametrize("name", ["CAPACITY", "TAKEN"])
def test_a_walk_that_is_too_long_passes_over_more(monkeypatch, name):
    _, _, terms = case(3)
    space = about(terms, BASIS)
    products, one = np.zeros((1, 3), dtype=np.int64), np.ones(1)
    all_found, all_elements = module._image(space, products, one, 0.0)
    monkeypatch.setattr(module, name, {"CAPACITY": 12, "TAKEN": 40}[name])
    found, elements = module._image(space, products, one, 1e-3)
    assert 0 < len(found) < len(all_found)
    assert np.abs(elements).max() >= 0.3 * np.abs(all_elements).max()


def test_a_term_of_many_modes_and_a_constant():
    d, free = 20, 4
    matrices = tuple(np.array([np.eye(2), [[0.5 * (k < free), 1.0], [1.0, 0.0]]]) for k in range(d))
    terms = ProductTerms(
        matrices, ((2.0, {k: 1 for k in range(d)}), (7.0, {})), (np.arange(2.0),) * d, (np.zeros(2, dtype=int),) * d
    )
    space = about(terms, (((0, 2),),) * (d - 1) + (((0, 1),),))
    found, elements = module._image(space, np.zeros((1, d), dtype=np.int64), np.ones(1), 0.0)
    # the last mode leaves, some others move, and each of the first moves or stays, which halves the element
    stays = d - found.sum(axis=1)
    assert np.all(found[:, free:] == 1) and sorted(stays) == sorted(n for n in range(5) for _ in range(comb(4, n)))
    np.testing.assert_allclose(elements, 2.0 * 0.5**stays)


@pytest.mark.parametrize("seed", range(4))
def test_against_the_second_order_sum(seed):
    """All products of the basis are sources, so that nothing but the definition is left."""
    rng, h, terms = case(seed)
    x = random_sector_train(rng, BASIS, 0)
    space = about(terms, BASIS)
    index, leaving = outside_of(space)
    vector = dense(pad(x, MODES))
    vector /= np.linalg.norm(vector)
    away = leaving.any(axis=1)
    image = h @ vector
    leading = index[:, np.argmax(np.abs(vector))]
    energies, diagonal = np.zeros(len(h)), np.diag(h).reshape(SHAPE)
    for k in range(3):
        line = diagonal[tuple(slice(None) if i == k else leading[i] for i in range(3))]
        energies += line[index[k]] - line[leading[k]]
    gaps = np.abs(energies - energies @ vector**2)
    gain = brentq(lambda g: np.sum(image[away] ** 2 / (gaps[away] + g)) - g, 1e-9, 1e3)
    found = left_out(space, x, EXACT, 1.0)
    assert found.by_mode.sum() == pytest.approx(gain, rel=1e-5)
    assert found.weight == pytest.approx(np.sum((image[away] / (gaps[away] + gain)) ** 2), rel=1e-5)
    several = leaving.sum(axis=1)
    for k in range(3):
        own = leaving[:, k]
        share = np.sum(image[own] ** 2 / (gaps[own] + gain) / several[own])
        assert found.by_mode[k] == pytest.approx(share, rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_weak_couplings_add_what_a_larger_basis_gains(seed):
    _, h, terms = case(seed, 0.01)
    space = about(terms, BASIS)
    own = np.flatnonzero(~outside_of(space)[1].any(axis=1))
    values, vectors = np.linalg.eigh(h[np.ix_(own, own)])
    gained = values[0] - np.linalg.eigvalsh(h)[0]
    x = sector_train(vectors[:, 0], 0, BASIS, 1e-14, 1000)
    assert left_out(space, x, EXACT, 1.0).by_mode.sum() == pytest.approx(gained, rel=0.1)
    # what does not matter beside the goal may be passed over
    assert left_out(space, x, gained, 0.3).by_mode.sum() == pytest.approx(gained, rel=0.15)


def test_nothing_is_outside_the_whole_basis():
    rng, _, terms = case(5)
    found = left_out(about(terms, MODES), random_sector_train(rng, MODES, 0), EXACT, 1.0)
    assert not found.by_mode.any() and found.weight == 0.0


def test_no_couplings_leave_nothing_out():
    rng, _, terms = case(6)
    free = replace(terms, terms=terms.terms[:3])
    found = left_out(about(free, BASIS), random_sector_train(rng, BASIS, 1), EXACT, 1.0)
    assert not found.by_mode.any()


def test_a_level_as_high_as_the_state_moves_it_by_the_coupling():
    """Two modes that both leave at once, into a product of the same energy: (0, v; v, 0)."""
    v = 0.2
    flip, rise = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([0.0, 1.0])
    matrices = tuple(np.array([np.eye(2), flip, sign * rise]) for sign in (1.0, -1.0))
    terms = ProductTerms(
        matrices,
        ((1.0, {0: 2}), (1.0, {1: 2}), (v, {0: 1, 1: 1})),
        (np.arange(2.0),) * 2,
        (np.zeros(2, dtype=int),) * 2,
    )
    small = (((0, 1),), ((0, 1),))
    found = left_out(about(terms, small), random_sector_train(np.random.default_rng(0), small, 0), EXACT, 1.0)
    np.testing.assert_allclose(found.by_mode, [v / 2, v / 2], rtol=1e-5)
    assert found.weight == pytest.approx(1.0, rel=1e-4)
