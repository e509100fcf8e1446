"""Holes of force fields: in words, reached by a basis or not, and levels beside them."""

from __future__ import annotations

import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.beside_holes import field_space
from problems.quantum.hamiltonians.force_field.boundedness import lowest_barriers
from problems.quantum.hamiltonians.force_field.field import ForceField, coupled_oscillators
from problems.quantum.hamiltonians.force_field.holes import beyond, bottom_of, lowest_hole, mean_square_along, reaches
from problems.quantum.hamiltonians.force_field.keys import Basis
from problems.quantum.hamiltonians.force_field.motion import Motion, system_of
from problems.quantum.hamiltonians.force_field.product_basis import product_basis
from problems.quantum.hamiltonians.force_field.space import FieldSpace
from problems.quantum.hamiltonians.force_field.well import WellSpace
from problems.quantum.keys import GaussianInitial
from solvers.eigen.states import EigenStates
from solvers.formats.trains.construct import random_train
from solvers.sectors.train import product_state
from solvers.solution import Solution, Status


def with_corner(depth: float = 0.002) -> ForceField:
    """Two modes that only fall together: -q1^2 q2^2 against weak quartic walls."""
    terms = {(0, 0, 1, 1): -20.0 * depth, (0, 0, 0, 0): depth, (1, 1, 1, 1): depth}
    return ForceField("corner", "model units", np.array([1.0, 1.1]), terms)


def space(field: ForceField, n: int, accuracy: float = 1e-4, holes: str = "warn", **basis: object) -> FieldSpace:
    return field_space(field, Basis.model_validate(basis), "frequency", n, accuracy, holes)


def test_a_packet_is_told_of_a_corner_too() -> None:
    """Nine functions end at |q| = 4.1 in either mode, and the barrier stands near 3.8 in both."""
    field, hole = with_corner(), lowest_hole(with_corner(), 1)
    start = GaussianInitial(type="gaussian", centre=0.5)
    for functions, there in ((9, True), (6, False)):
        basis = Basis.model_validate({"type": "harmonic", "functions": functions})
        system = system_of(Motion(field, "frequency", basis, start, None, "units", 1.0, False))
        assert (system.barrier is not None) is there
        if system.barrier is not None and hole is not None:
            assert system.barrier.height == pytest.approx(hole.height, rel=1e-2)
    assert lowest_barriers(field, harmonic_functions(field, [9, 9], np.zeros(2, dtype=np.int64)))[0] is None


def found(of: FieldSpace, n: int) -> tuple[WellSpace, Solution]:
    own = of.found(n, None, None)
    assert own is not None and isinstance(own[0], WellSpace)
    return own[0], own[1]


def test_a_hole_is_told_in_words() -> None:
    hole = lowest_hole(with_corner(), 4)
    assert hole is not None and hole.asked == 4 and 0 < hole.below <= 4
    u = np.abs(hole.direction)
    assert u.min() > 0.6 and "q1" in hole.way and "q2" in hole.way
    q = hole.direction * hole.distance
    assert with_corner().potential(q) == pytest.approx(hole.height, rel=1e-6)
    assert hole.way in hole.refusal and "tanh" in hole.refusal and "unbounded below" in hole.refusal
    assert lowest_hole(coupled_oscillators(3, 0.1), 4) is None


def test_a_box_of_products_reaches_what_an_ellipsoid_leaves_out() -> None:
    field = with_corner()
    few, many = (product_basis(field, Basis(functions=n), "frequency", 3, 1e-4) for n in (4, 20))
    assert not reaches(few) and reaches(many)
    assert isinstance(space(field, 3, functions=20), WellSpace) and not isinstance(
        space(field, 3, functions=4), WellSpace
    )


def test_levels_beside_a_hole_are_those_of_a_plugged_one() -> None:
    """On points, with the potential kept at the height of the barrier beyond it."""
    field = with_corner()
    well, solution = found(space(field, 3), 3)
    judged = well.judge(solution.value, None)
    exact = plugged(field, 3)
    assert np.all(np.abs(solution.value.energies - exact) <= judged.errors + 1e-6)
    assert judged.checked[0].passed and not judged.edge.any()
    told, effort = well.own_plan
    assert "quanta" in told and effort.seconds > 0.0 and "quanta" in str(well.limits["way"])
    dense = well.shown(solution.value)[0]
    assert dense.norm() == pytest.approx(1.0) and [len(of) for of in well.labels] == list(dense.shape)


def plugged(field: ForceField, count: int) -> np.ndarray:
    """Levels on points (Colbert, Miller) of the field of two modes without what lies behind its barriers."""
    hole = lowest_hole(field, 1)
    assert hole is not None
    q = np.linspace(-9.0, 9.0, 45)
    distance = np.subtract.outer(np.arange(45), np.arange(45))
    with np.errstate(divide="ignore"):
        t = np.where(distance == 0, np.pi**2 / 3, 2.0 * (-1.0) ** distance / np.square(distance, dtype=float))
    t = 0.5 * t / (q[1] - q[0]) ** 2
    points = np.stack(np.meshgrid(q, q, indexing="ij"), axis=-1)
    values = field.potential(points)
    values = np.where(np.linalg.norm(points, axis=-1) > 0.95 * hole.distance, np.maximum(values, hole.height), values)
    w, one = field.frequencies, np.eye(45)
    return np.linalg.eigvalsh(w[0] * np.kron(t, one) + w[1] * np.kron(one, t) + np.diag(values.ravel()))[:count]


def test_what_is_asked_to_be_refused_is_refused() -> None:
    with pytest.raises(ProblemError, match="unbounded below"):
        space(with_corner(), 3, holes="refuse", functions=20)
    assert not isinstance(space(with_corner(1e-5), 2, holes="refuse"), WellSpace)  # far out
    deep = ForceField("deep", "cm-1", np.array([1000.0]), {(0, 0, 0, 0): -1000.0})
    with pytest.raises(ProblemError, match="no state lies below it"):
        space(deep, 1)


def test_states_of_a_hole_are_seen_by_where_they_are() -> None:
    field = with_corner(0.02)
    basis = product_basis(field, Basis(functions=16, type="harmonic"), "frequency", 3, 1e-4)
    low, high = (product_state(basis.terms.modes, [v, v]) for v in (0, 15))
    states = EigenStates(np.array([1.0, 1.0]), [low, high], [0, 0], np.zeros(2), np.zeros(0), {})
    assert beyond(basis, states.energies, [low, high]).tolist() == [False, True]
    assert beyond(basis, np.array([-1.0, 1.0]), [low, low]).tolist() == [True, False]  # below the bottom of the well


def test_the_bottom_of_a_well_is_where_the_expansion_is_not() -> None:
    shifted = ForceField("shifted", "cm-1", np.array([1000.0]), {(0,): -200.0, (0, 0, 0, 0): 1.0})
    assert bottom_of(shifted) == pytest.approx(-20.0, rel=1e-2)
    assert bottom_of(with_corner()) == 0.0


def test_no_plateau_is_no_convergence() -> None:
    well, solution = found(space(ForceField("low", "cm-1", np.array([1000.0]), {(0, 0, 0): -100.0}), 4, 0.01), 4)
    judged = well.judge(solution.value, None)
    assert judged.edge.any() and well.lacking is Status.FIELD_LIMIT
    assert any("stand nowhere still" in text for text in well.remarks(judged, True))


def test_the_mean_square_along_a_way_is_that_of_the_vector() -> None:
    rng = np.random.default_rng(3)
    x = random_train((3, 4, 3), 3, rng=rng)
    x = x + random_train((3, 4, 3), 2, rng=rng) * 1j
    positions = [(lambda a: a + a.T)(rng.standard_normal((n, n))) for n in (3, 4, 3)]
    way = rng.standard_normal(3)
    whole = sum(
        u * np.kron(np.kron(np.eye((1, 3, 12)[k]), q), np.eye((12, 3, 1)[k]))
        for k, (u, q) in enumerate(zip(way, positions))
    )
    v = x.full().ravel()
    exact = float(np.real(v.conj() @ whole @ whole @ v / (v.conj() @ v)))
    assert mean_square_along(x.cores, positions, way) == pytest.approx(exact)
