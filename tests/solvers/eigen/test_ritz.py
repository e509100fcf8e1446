"""Rayleigh-Ritz in the span of trains, against the dense eigenproblem in the same span."""

import numpy as np
import pytest
from eigen_cases import many, system
from scipy.linalg import eigh
from sector_cases import dense

from solvers.eigen.errors import estimate
from solvers.eigen.many_states import Sector
from solvers.eigen.ritz import MIXED, PART, connected, finish, parts, rayleigh_ritz, stable_eigh

WIDE = 1e6  # a scale whose window takes all pairs


def span(case, charge, count):
    """Nearly the lowest states, mixed with each other and with noise, of norm one."""
    _, vectors = case.levels(charge)
    mixed = vectors[:, :count] + 0.1 * vectors[:, : count + 3] @ case.rng.standard_normal((count + 3, count))
    return [case.state(v / np.linalg.norm(v), charge) for v in mixed.T]


def quotients(case, trains):
    return [dense(x) @ case.h @ dense(x) for x in trains]


def test_stable_eigh_is_the_generalised_eigenproblem() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5, 5))
    h, s = a + a.T, b @ b.T + np.eye(5)
    values, vectors = stable_eigh(h, s)
    np.testing.assert_allclose(values, eigh(h, s, eigvals_only=True), rtol=1e-10)
    np.testing.assert_allclose(vectors.T @ s @ vectors, np.eye(5), atol=1e-10)
    np.testing.assert_allclose(h @ vectors, s @ vectors * values, atol=1e-9)


def test_stable_eigh_leaves_out_what_is_there_twice() -> None:
    rng = np.random.default_rng(1)
    h, basis = np.diag([1.0, 2.0, 4.0, 7.0]), rng.standard_normal((4, 2))
    twice = np.column_stack([basis, basis[:, 0]])
    values, _ = stable_eigh(twice.T @ h @ twice, twice.T @ twice)
    np.testing.assert_allclose(values, eigh(basis.T @ h @ basis, basis.T @ basis, eigvals_only=True), rtol=1e-9)


def test_the_ritz_values_of_every_sector_are_those_of_the_dense_span() -> None:
    case = system(31)
    trains = {charge: span(case, charge, 4) for charge in (0, 1)}
    sectors = [Sector.of(charge, own, quotients(case, own)) for charge, own in trains.items()]
    states = many(case, sectors, 5, scale=WIDE)
    states.counts["pair_elements"] = 0
    rayleigh_ritz(states)
    assert states.counts["pair_elements"] == 2 * 10
    for sector in states.sectors:
        basis = np.array([dense(x) for x in trains[sector.charge]]).T
        exact, vectors = eigh(basis.T @ case.h @ basis, basis.T @ basis)
        np.testing.assert_allclose(sector.energies, exact, rtol=1e-9)
        for i, state in enumerate(sector.states):
            sources, weights = sector.ritz.sources[i], sector.ritz.weights[i]
            ritz_vector = sum(w * dense(sector.ritz.basis[j]) for j, w in zip(sources, weights))
            assert abs(ritz_vector @ basis @ vectors[:, i]) == pytest.approx(1.0, abs=1e-4)
            # the train is rounded from the largest part and, in a mixture, those above a share of it
            kept = [k for k, w in enumerate(weights) if k == 0 or (abs(weights[1]) > MIXED and abs(w) > PART * MIXED)]
            assert state.mixed == (len(kept) > 1)
            train = sum(weights[k] * dense(sector.ritz.basis[sources[k]]) for k in kept)
            assert abs(dense(state.train) @ train) == pytest.approx(np.linalg.norm(train), abs=1e-9)


def test_elements_of_trains_that_did_not_change_are_kept() -> None:
    case = system(32)
    _, vectors = case.levels(0)
    sector = Sector.of(0, [case.state(v, 0) for v in vectors.T[:3]], [0.0, 0.1, 0.2])
    states = many(case, [sector], 3, scale=WIDE)
    states.counts["pair_elements"] = 0
    rayleigh_ritz(states)
    rayleigh_ritz(states)
    assert states.counts["pair_elements"] == 6
    assert not any(state.mixed for state in sector.states)


def test_pairs_outside_the_window_are_not_computed() -> None:
    case = system(33)
    _, vectors = case.levels(0)
    sector = Sector.of(0, [case.state(v, 0) for v in vectors.T[:3]], [0.0, 0.5, 10.0])
    states = many(case, [sector], 3, scale=1.0)
    states.counts["pair_elements"] = 0
    rayleigh_ritz(states)
    assert states.counts["pair_elements"] == 4  # three diagonal ones and a pair


def test_a_coefficient_counts_as_a_part_in_a_mixture_and_between_degenerate_states() -> None:
    case = system(34)
    sector = Sector.of(0, [case.random_state(0) for _ in range(3)], [0.0, 0.0, 0.0])
    states = many(case, [sector], 3, scale=1.0)
    for state, quotient in zip(sector.states, (1.0, 1.0 + 1e-6, 2.0)):
        state.quotient = quotient
    sector.ritz.sources = [[0, 1, 2], [0, 2, 1], [2, 0, 1]]
    sector.ritz.weights = [[0.99, 1e-3, 1e-3], [0.9, 0.2, 1e-6], [0.99, 0.05, 0.04]]
    assert [j for j, _ in parts(states, sector, 0)] == [0, 1]  # degenerate
    assert [j for j, _ in parts(states, sector, 1)] == [0, 2]  # mixed
    assert [j for j, _ in parts(states, sector, 2)] == [2]  # neither


def test_finish_makes_overlapping_trains_orthonormal() -> None:
    case = system(35)
    trains = span(case, 0, 4)
    before = np.array([dense(x) for x in trains])
    assert np.abs(before @ before.T - np.eye(4)).max() > 0.03
    sector = Sector.of(0, trains, quotients(case, trains))
    states = many(case, [sector], 4, scale=WIDE, goal=1e-8)
    states.counts["pair_elements"] = 0
    estimate(states, "", 0.0, 0.0)
    finish(states)
    after = np.array([dense(state.train) for state in sector.states])
    np.testing.assert_allclose(after @ after.T, np.eye(4), atol=1e-6)
    exact = eigh(before @ case.h @ before.T, before @ before.T, eigvals_only=True)
    np.testing.assert_allclose(sector.energies, exact, atol=1e-6)
    assert all(state.energy == state.quotient and np.isfinite(state.error) for state in sector.states)


def test_a_state_that_is_there_twice_leaves_its_place_and_no_other_is_touched() -> None:
    """Two groups overlap, and the first loses a dimension before the second is put right."""
    case = system(36)
    _, vectors = case.levels(0)
    turned = (vectors[:, 2] + 0.2 * vectors[:, 3]) / np.sqrt(1.04)
    chosen = [vectors[:, 0], vectors[:, 0], vectors[:, 2], turned, vectors[:, 5]]
    trains = [case.state(v, 0) for v in chosen]
    sector = Sector.of(0, trains, quotients(case, trains))
    states = many(case, [sector], 4, scale=WIDE, goal=1e-8)
    states.counts["pair_elements"] = 0
    estimate(states, "", 0.0, 0.0)
    finish(states)
    assert len(sector.states) == 4
    found = np.array([dense(state.train) for state in sector.states])
    np.testing.assert_allclose(np.abs(found @ vectors[:, [0, 2, 3, 5]]), np.eye(4), atol=1e-5)


@pytest.mark.parametrize("goal", [1e-8, 1.0])
def test_a_part_of_a_state_far_below_is_put_right_or_told(goal: float) -> None:
    """Pairs outside the window are uncoupled to Rayleigh-Ritz, and so small an overlap is no matter to others."""
    case = system(37)
    levels, vectors = case.levels(0)
    pulled = vectors[:, 5] + 2e-3 * vectors[:, 0]
    chosen = [vectors[:, 0], vectors[:, 1], pulled / np.linalg.norm(pulled)]
    trains = [case.state(v, 0) for v in chosen]
    sector = Sector.of(0, trains, quotients(case, trains))
    states = many(case, [sector], 3, scale=1e-6, goal=goal)
    states.counts["pair_elements"] = 0
    estimate(states, "", 0.0, 0.0)
    before = sector.states[2].error
    finish(states)
    pull = 4e-6 * (levels[5] - levels[0])
    if goal < pull:
        np.testing.assert_allclose(sector.energies, levels[[0, 1, 5]], atol=1e-3 * pull)
    else:
        assert levels[5] - sector.states[2].energy == pytest.approx(pull, rel=1e-2)
        assert states.safety * (sector.states[2].error - before) == pytest.approx(pull, rel=1e-2)


def test_groups_are_those_that_a_relation_joins() -> None:
    related = np.zeros((5, 5), dtype=bool)
    for i, j in ((0, 3), (3, 4)):
        related[i, j] = related[j, i] = True
    assert sorted(connected(related)) == [[0, 3, 4], [1], [2]]
