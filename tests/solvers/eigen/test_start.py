"""Approximate states to begin with, against dense levels."""

import numpy as np
import pytest
from test_eigsolve import dense_levels, operator, oscillators

from solvers.eigen.many_states import Sector
from solvers.eigen.start import Start, cold_start, excitation_scale, level_spacing, space_size, start_states
from solvers.sectors.environments import sandwich
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import inner

TERMS = oscillators(3, 5, 0.1, 0.05, True)


def test_units_of_a_table() -> None:
    assert space_size(TERMS) == 125.0
    assert excitation_scale(TERMS) == pytest.approx(1.0)  # that of the softest mode


def test_the_start_holds_the_wanted_states_and_a_buffer_up_to_the_next_gap() -> None:
    exact = dense_levels(TERMS, 30)
    start = start_states(TERMS, 10)
    found = np.sort(np.concatenate([sector.energies for sector in start.sectors]))
    assert len(found) > 10
    np.testing.assert_allclose(found, exact[: len(found)], atol=2e-3)  # all of the space, small couplings left out
    assert start.gap == pytest.approx(exact[len(found)] - exact[len(found) - 1], abs=2e-3)


def test_trains_of_the_start_carry_their_charges_and_energies() -> None:
    sector_operator = SectorOperator(operator(TERMS), TERMS.modes)
    start = start_states(TERMS, 8)
    assert sorted(sector.charge for sector in start.sectors) == sorted({s.charge for s in start.sectors})
    for sector in start.sectors:
        for state in sector.states:
            assert state.train.charge == sector.charge and inner(state.train, state.train) == pytest.approx(1.0)
            assert sandwich(sector_operator, state.train, state.train) == pytest.approx(state.energy, abs=2e-3)


def test_a_start_without_a_table_is_above_the_levels_and_close_to_them() -> None:
    a = operator(TERMS)
    modes = tuple(((0, 5),) for _ in range(3))
    start = cold_start(SectorOperator(a, modes), a, 4, 125.0, np.random.default_rng(0))
    (sector,) = start.sectors
    exact = dense_levels(TERMS, 6)
    assert start.gap is None and len(sector.states) == 6
    assert np.all(sector.energies >= exact - 1e-10)
    np.testing.assert_allclose(sector.energies[:4], exact[:4], atol=1e-2)


def test_the_spacing_of_levels_counts_distinct_ones() -> None:
    x = start_states(TERMS, 1).sectors[0].states[0].train
    sectors = [Sector.of(0, [x] * 3, [1.0, 1.0, 3.0]), Sector.of(1, [x] * 2, [2.0, 7.0])]
    assert level_spacing(Start(sectors, None)) == pytest.approx(2.0)
    assert level_spacing(Start([Sector.of(0, [x], [-4.0])], None)) == 4.0
