"""The search for missing states, against a list whose gaps are known."""

import numpy as np
import pytest
from eigen_cases import many, system
from sector_cases import PARITY_MODES, dense

from solvers.eigen.full_vectors import Reference
from solvers.eigen.many_states import Sector
from solvers.eigen.probe import (
    PROBE_RANK,
    SHARES,
    Probe,
    Search,
    _shifts,
    _starts,
    held_against,
    look,
    outside_known,
    probe,
    searched,
    take_in,
)
from solvers.eigen.tasks import normalised
from solvers.methods import InverseIteration

WEIGHTS = [np.ones(sum(n for _, n in mode)) for mode in PARITY_MODES]
METHOD = InverseIteration(local_tolerance=1e-8)


def known(case, charge, places):
    values, vectors = case.levels(charge)
    return Sector.of(charge, [case.state(vectors[:, i], charge) for i in places], values[places])


@pytest.mark.parametrize("corner", [False, True])
def test_a_probe_finds_the_one_level_that_is_missing(corner: bool) -> None:
    case = system(41)
    values, vectors = case.levels(0)
    sector = known(case, 0, [0, 2, 3])
    weights = None if corner else WEIGHTS
    task = Probe(0, sector.trains, sector.energies, float(values[1]) - 0.05, 20, weights, seed=3)
    seen = probe(case.operator, task, METHOD, 1.0)
    assert seen.energy == pytest.approx(values[1], abs=1e-4)
    assert abs(dense(seen.train) @ vectors[:, 1]) == pytest.approx(1.0, abs=1e-3)
    assert abs(seen.drop) < 1e-6  # the known ones are exact: none of them falls


def test_a_probe_sees_how_far_an_inexact_state_may_still_fall() -> None:
    case = system(42)
    values, vectors = case.levels(1)
    rough = 0.98 * vectors[:, 0] + np.sqrt(1.0 - 0.98**2) * vectors[:, 1]
    energy = float(rough @ case.h @ rough)
    task = Probe(1, [case.state(rough, 1)], np.array([energy]), float(values[0]) - 0.05, 20, WEIGHTS, seed=1)
    seen = probe(case.operator, task, METHOD, 1.0)
    assert 0.0 < seen.drop <= energy - values[0] + 1e-9


def test_a_start_within_the_known_states_sees_nothing() -> None:
    case = system(43, (((0, 2),), ((0, 1), (1, 1))))
    values = case.levels(0)[0]
    sector = known(case, 0, list(range(len(values))))
    task = Probe(0, sector.trains, sector.energies, float(values[-1]) + 1.0, 8, None, 0, start=sector.trains[0])
    seen = probe(case.operator, task, METHOD, 1.0)
    assert np.isinf(seen.energy) and seen.drop == 0.0


def test_a_search_finds_what_lies_below_the_last_level_and_nothing_else() -> None:
    case = system(60)
    lacking = many(case, [known(case, 0, [0, 2, 3]), known(case, 1, [0, 1, 2, 3])], 6)
    search = Search(WEIGHTS)
    summary, found = look(lacking, search)
    values, vectors = case.levels(0)
    assert values[1] < lacking.threshold() - 0.1 and summary["missing_states"] > 0
    assert summary["lowest_energy_outside"] == pytest.approx(values[1], abs=1e-3)
    assert any(abs(dense(x) @ vectors[:, 1]) > 0.99 for x in found[0])
    both = np.sort(np.concatenate([case.levels(charge)[0] for charge in (0, 1)]))
    count = [int(np.sum(case.levels(charge)[0] <= both[6])) for charge in (0, 1)]
    complete = many(case, [known(case, charge, list(range(count[charge]))) for charge in (0, 1)], 6)
    summary, found = searched(complete, search, 0)
    assert not found and summary["missing_states"] == 0
    assert summary["completeness"] == f"searched {search.starts} times"


def test_products_show_what_is_missing() -> None:
    """A product that no known state contains, of a mean energy below the last level: by the variational principle."""
    case = system(45)
    values, _ = case.levels(0)
    states = many(case, [known(case, 0, [3, 4])], 2)
    search = Search(WEIGHTS, Reference(case.train, case.modes, 2, 0), cold=True)
    low = outside_known(states, search, states.sectors[0], float(values[-1]))
    assert low.missing and all(x.charge == 0 for x in low.missing)
    basis = np.array([dense(x) for x in states.sectors[0].trains])
    for x in low.missing:
        outside = dense(x) - basis.T @ (basis @ dense(x))
        assert outside @ case.h @ outside < values[-1] * (outside @ outside)


def test_a_list_held_against_full_vectors() -> None:
    case = system(46)
    reference = Reference(case.train, case.modes, 4, 0)
    both = [(e, charge, i) for charge in (0, 1) for i, e in enumerate(case.levels(charge)[0])]
    lowest = sorted(both)[:5]
    left_out = lowest[2]
    kept = [entry for entry in lowest if entry is not left_out]
    sectors = [known(case, charge, [i for _, c, i in kept if c == charge]) for charge in (0, 1)]
    states = many(case, [sector for sector in sectors if sector.states], 4)
    summary, found = held_against(states, reference)
    assert summary["missing_states"] == 1 and summary["completeness"] == "proved"
    (x,) = [x for part in found for x in part]
    assert x.charge == left_out[1]
    assert abs(dense(x) @ case.levels(left_out[1])[1][:, left_out[2]]) == pytest.approx(1.0, abs=1e-9)


def test_where_a_search_looks() -> None:
    case = system(47)
    states = many(case, [Sector.of(0, [case.random_state(0) for _ in range(4)], [0.0, 1.0, 10.0, 14.0])], 3)
    (above, rank), *below = _shifts(states, 10.0)
    assert above == 12.0 and rank == states.method.first_rank  # between the last level and the buffer
    assert [shift for shift, _ in below] == [-10.0 * SHARES[0], -10.0 * SHARES[1], 5.0]
    assert {rank for _, rank in below} == {PROBE_RANK}
    assert _starts(0, states.sectors[0]) == 0 and _starts(1, states.sectors[0]) == 2


def test_what_was_found_takes_its_place_among_the_states() -> None:
    case = system(48)
    values, vectors = case.levels(0)
    states = many(case, [known(case, 0, [0, 2, 3])], 3)
    sector = states.sectors[0]
    for state in sector.states:
        state.error, state.next_rank = 1e-9, 40
    names = {state.name for state in sector.states}
    wanted = take_in(states, sector, [normalised(case.state(vectors[:, 1], 0))])
    assert wanted == [1] and sector.states[1].next_rank == 40 and sector.states[1].name not in names
    np.testing.assert_allclose(sector.energies, values[:4], atol=1e-10)
    assert sector.ritz.sources == [[0], [1], [2], [3]] and sector.ritz.basis == sector.trains
    assert take_in(states, sector, []) == []
