"""Spaces of a spectrum: what a chosen basis costs, what grows, and states in functions that a user knows."""

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.field import coupled_oscillators, henon_heiles
from problems.quantum.hamiltonians.force_field.keys import Basis
from problems.quantum.hamiltonians.force_field.on_grid import on_grid, routes
from problems.quantum.hamiltonians.force_field.product_basis import product_basis
from problems.quantum.hamiltonians.force_field.space import space_of
from problems.quantum.hamiltonians.space import Judged, ShownStates
from problems.quantum.hamiltonians.terms import exact
from problems.quantum.hamiltonians.terms.modes import Harmonic
from problems.quantum.hamiltonians.terms.space import idle
from problems.quantum.hamiltonians.terms.space import space_of as space_of_terms
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.construct import rank_one

FIELD = coupled_oscillators(2, 0.4)


def space(functions, n_states=3, accuracy=1e-4):
    return space_of(product_basis(FIELD, Basis(functions=functions), "frequency", n_states, accuracy))


@pytest.mark.parametrize("functions", [(4, 4), "automatic"])
def test_the_basis_part_of_an_error_is_what_a_wider_basis_moves_the_level_by(functions):
    given = space(functions).refined()
    states = eigsolve(given.operator, 3, start=given.terms, accuracy=1e-8, throw=False).value
    judged = given.judge(states, None)
    levels = on_grid(FIELD, 3, 1e-6)["energies"]
    assert np.all(states.energies - levels <= judged.errors + 1e-6)
    assert given.automatic == (functions == "automatic") == (judged.errors.max() < 1e-4)
    larger = given.grown({0, 1})
    if given.automatic:
        assert larger is not None and larger.sizes > given.sizes and larger.wide is None
    else:
        assert larger is None
        assert any("the chosen basis costs" in said for said in given.remarks(judged, lacking=True))
        assert not given.remarks(judged, lacking=False)


def test_states_at_the_edge_are_named():
    given = space((6, 6))
    judged = Judged(np.zeros(3), np.array([False, True, True]), frozenset(), ())
    assert given.remarks(judged, lacking=False)[0].endswith("barrier of the potential: 1, 2")


def test_states_in_functions_that_a_user_knows():
    rng = np.random.default_rng(1)
    turns = [np.linalg.qr(rng.standard_normal((n, n)))[0] for n in (2, 3)]
    factors = [rng.standard_normal(2), rng.standard_normal(3)]
    shown = ShownStates([rank_one(factors)], turns)
    np.testing.assert_allclose(shown[0].full(), np.outer(turns[0] @ factors[0], turns[1] @ factors[1]), atol=1e-14)
    assert len(shown) == 1 and len(shown[:]) == 1


def test_routes_to_the_levels_of_a_field():
    assert [route.name for route in routes(FIELD, [5, 6], 3, 1e-4)] == ["basis", "grid"]
    assert routes(FIELD, [5, 6], 3, 1e-4)[0].changes == {"problem.basis.functions": [9, 10]}
    assert [route.name for route in routes(henon_heiles(4, 0.1), [5] * 4, 3, 1e-4)] == ["basis"]


def test_the_matrix_of_terms_and_modes_that_nothing_acts_on():
    modes = [Harmonic(basis="harmonic", functions=n) for n in (5, 4, 3)]
    products = {((k, (("n", 1),)),): 1.0 + 0j for k in range(2)}
    products |= {((0, (("q", 1),)), (1, (("q", 1),))): 0.2 + 0j}
    given = space_of_terms(products, modes, "given", 1e-6)
    (route,) = exact.routes(products, modes, 4)
    np.testing.assert_allclose(
        route.direct(None, None)["energies"], np.linalg.eigvalsh(given.operator.full())[:4], atol=1e-10
    )
    assert idle(products, modes) == ["no term acts on modes 2: every level is 3-fold"] == list(given.warnings)
    assert given.first_mode == 0 and given.mode_numbers == list(given.order) and given.grown({0}) is None
