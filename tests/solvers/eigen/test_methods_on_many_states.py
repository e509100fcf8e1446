"""Both methods on the state of a many-state calculation, where the list they begin with is given."""

import numpy as np
import pytest
from eigen_cases import many, system
from sector_cases import PARITY_MODES, dense

from solvers.eigen.errors import NARROWEST_GAP
from solvers.eigen.inverse_iteration import BUFFER_GOAL, COUNTS, InverseIterations, _grow, _short
from solvers.eigen.many_states import Sector
from solvers.eigen.probe import Search
from solvers.eigen.shared_basis import SharedBasis
from solvers.methods import BlockDMRG
from solvers.solution import Status

WEIGHTS = [np.ones(sum(n for _, n in mode)) for mode in PARITY_MODES]


def rough(case, count=3, amount=0.05):
    """Nearly the lowest states of every sector."""
    sectors = []
    for charge in (0, 1):
        values, vectors = case.levels(charge)
        mixed = vectors + amount * vectors @ case.rng.standard_normal((len(values),) * 2) / np.sqrt(len(values))
        trains = [case.state(v / np.linalg.norm(v), charge) for v in mixed.T[:count]]
        sectors.append(Sector.of(charge, trains, [dense(x) @ case.h @ dense(x) for x in trains]))
    return sectors


def ended(way):
    """How it ends, when nobody looks on."""
    assert [*way.steps()]
    return way.outcome


def lowest(case, count):
    return np.linalg.eigvalsh(case.h)[:count]


def test_inverse_iteration_refines_what_it_is_given() -> None:
    case = system(91)
    states = many(case, rough(case), 3, goal=1e-7, probes=0)
    outcome = ended(InverseIterations(states, Search(WEIGHTS)))
    assert outcome.status is Status.CONVERGED and outcome.safety == states.safety
    np.testing.assert_allclose(states.lowest(), lowest(case, 3), atol=1e-7)
    assert set(states.counts) == set(COUNTS) and states.counts["passes"] >= 2
    for sector in states.sectors:
        for state in sector.states:
            v = dense(state.train)
            assert state.residual == pytest.approx(np.linalg.norm(case.h @ v - state.quotient * v), abs=1e-9)


def test_block_dmrg_refines_what_it_is_given_with_the_bound_of_kato_and_temple() -> None:
    case = system(92)
    states = many(case, rough(case), 3, goal=1e-7, probes=0)
    outcome = ended(SharedBasis(states, Search(WEIGHTS), BlockDMRG(), None, 0))
    assert outcome.status is Status.CONVERGED and set(states.counts) == {"sweeps", "matvecs", "local_solves"}
    found = np.sort(states.numbers("energy"))
    errors = states.numbers("error")[np.argsort(states.numbers("energy"))]
    exact = np.sort(np.concatenate([case.levels(charge)[0][:3] for charge in (0, 1)]))
    np.testing.assert_allclose(found[:3], lowest(case, 3), atol=1e-7)
    assert np.all(np.abs(found - exact)[:3] <= errors[:3] + 1e-11)
    assert np.all(np.isfinite(errors)) and NARROWEST_GAP > 0.0


def test_who_is_wanted_next_and_at_which_rank() -> None:
    """Wanted states must meet the goal, buffer states ten times it; the rank follows the fourth root of the error."""
    case = system(93)
    states = many(case, rough(case, 2), 2, goal=1e-6, first_rank=10, max_rank=60, growth=1.5)
    energies, errors = (0.0, 5.0, 1.0, 6.0), (1e-9, 9e-6 / 1.5, 4e-6, 1e-2)
    flat = [state for sector in states.sectors for state in sector.states]
    for state, energy, error in zip(flat, energies, errors):
        state.energy, state.error = energy, error
    assert BUFFER_GOAL * 1e-6 == pytest.approx(1e-5)
    assert _short(states, False) == [[], [0, 1]]
    # 1.15 (1.5 * 4)^(1/4) = 1.80, more than the growth allowed
    assert [state.next_rank for state in flat] == [10, 10, 15, 15]
    assert _short(states, True) == [[0, 1], [0, 1]]


def test_a_mixed_state_needs_another_solve_more_than_a_higher_rank() -> None:
    case = system(93)
    states = many(case, rough(case, 2), 2, first_rank=40, max_rank=60, growth=1.5)
    sector = states.sectors[0]
    sector.states[0].mixed = True
    _grow(states, sector, [100.0, 100.0], False)
    assert [state.next_rank for state in sector.states] == [46, 60]
