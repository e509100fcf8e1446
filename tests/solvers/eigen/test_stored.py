"""What a many-state calculation continues from, written and read back."""

import numpy as np
import pytest
from eigen_cases import many, system
from sector_cases import dense

from solvers.checkpoint import read, write
from solvers.eigen.many_states import Sector
from solvers.eigen.stored import (
    Stage,
    begin_with,
    content,
    restored,
    sectors_content,
    stored_sectors,
    stored_train,
    train_content,
)
from solvers.sectors.estimates import pad
from solvers.solution import Status


def calculation(case):
    sectors = [Sector.of(c, [case.random_state(c) for _ in range(2)], [0.5 + c, 2.0 + c]) for c in (0, 1)]
    states = many(case, sectors, 3, local_tolerance=1e-5)
    state = sectors[1].states[1]
    state.error, state.residual, state.mixed, state.quotient, state.before = 1e-3, 2e-2, True, 1.25, (0.5, 1.5)
    sectors[0].ritz.sources, sectors[0].ritz.weights = [[0, 1], [1]], [[0.9, 0.1], [1.0]]
    sectors[0].ritz.elements[0, 0] = (1.5, 1.0)
    states.counts, states.ratios = {"passes": 2}, [0.5, 0.25]
    return states


def fresh(case, **options):
    sectors = [Sector.of(c, [case.random_state(c) for _ in range(2)], [0.0, 1.0]) for c in (0, 1)]
    return many(case, sectors, 3, **options)


def test_a_train_comes_back_to_the_last_digit() -> None:
    case = system(51)
    x = case.random_state(1)
    y = stored_train(*train_content(x), case.modes)
    assert y.bonds == x.bonds and y.modes == x.modes
    assert all(np.array_equal(a, b) for a, b in zip(x.cores, y.cores))


def test_a_train_of_another_size_is_refused() -> None:
    case = system(51)
    values, entry = train_content(case.random_state(1))
    with pytest.raises(ValueError, match="does not fit"):
        stored_train(np.append(values, 0.0), entry, case.modes)


def test_sectors_come_back_from_a_file(tmp_path) -> None:
    case = system(52)
    states = calculation(case)
    write(tmp_path / "c.npz", *sectors_content(states.sectors, case.modes))
    arrays, data = read(tmp_path / "c.npz")
    assert len(data["bonds"]) == 4  # a train that is a state and in the basis is there once
    for old, new in zip(states.sectors, stored_sectors(arrays, data)):
        assert new.charge == old.charge and new.ritz.sources == old.ritz.sources
        assert new.ritz.weights == old.ritz.weights and new.ritz.elements == old.ritz.elements
        for a, b in zip(old.states, new.states):
            np.testing.assert_array_equal(dense(a.train), dense(b.train))
            np.testing.assert_equal(vars(b) | {"train": None}, vars(a) | {"train": None})


def test_a_calculation_goes_on_where_it_was(tmp_path) -> None:
    case = system(53)
    states = calculation(case)
    states.truncation = 1e-3
    states.rng.standard_normal(5)
    at = Stage([[0], [1]], 1, 0.4, 2, 7, np.array([0.5, 2.0, 1.5]), Status.STAGNATED)
    write(tmp_path / "c.npz", *content(states, at))
    other = fresh(case)
    found = restored(other, *read(tmp_path / "c.npz"))
    assert vars(found) | {"previous": None} == vars(at) | {"previous": None}
    np.testing.assert_array_equal(found.previous, at.previous)
    assert other.counts == states.counts and other.ratios == states.ratios
    assert other.method.local_tolerance == 1e-5 and other.truncation == 1e-3
    assert next(other.names) == next(states.names) == 4
    assert other.rng.standard_normal() == states.rng.standard_normal()
    np.testing.assert_array_equal(other.numbers("energy"), states.numbers("energy"))


def test_states_of_an_earlier_calculation_in_fewer_functions() -> None:
    case = system(54)
    larger = system(54, tuple(tuple((c, n + 1) for c, n in mode) for mode in case.modes))
    earlier, states = calculation(case), fresh(larger, max_rank=2, first_rank=1)
    begin_with(states, content(earlier, Stage([[], []])))
    assert states.warm and states.ratios == earlier.ratios
    for old, new in zip(earlier.sectors, states.sectors):
        np.testing.assert_array_equal(new.energies, old.energies)
        for a, b in zip(old.states, new.states):
            np.testing.assert_array_equal(dense(b.train), dense(pad(a.train, larger.modes)))
            assert b.rank == a.train.max_rank and b.next_rank == min(b.rank, 2)
        assert new.ritz.basis == new.trains


@pytest.mark.parametrize("change", ["version", "modes", "nothing"])
def test_states_that_do_not_fit_are_left_aside(change: str) -> None:
    case = system(55)
    arrays, data = content(calculation(case), Stage([[], []]))
    states = fresh(case)
    before = states.numbers("energy")
    if change == "version":
        data = {key: value for key, value in data.items() if key != "version"}
    if change == "modes":
        data = data | {"modes": [[[0, 9], [1, 9]]] * 4}
    begin_with(states, None if change == "nothing" else (arrays, data))
    assert not states.warm
    np.testing.assert_array_equal(states.numbers("energy"), before)
