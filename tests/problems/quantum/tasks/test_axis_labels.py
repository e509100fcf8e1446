"""Representations of states about axes of every kind, against characters of dense vectors of fields that have the
symmetry exactly."""

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.basis import parity_generators
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.pairs import axis_of, threefold
from problems.quantum.kinds.vibrational import VibrationalProblem
from solvers.eigen.start import start_states
from solvers.eigen.states import EigenStates
from tests.symmetric_fields import (
    blocks,
    closed,
    csv_of,
    dense_levels,
    invariant_field,
    operation,
    products_of,
    representations,
    turn,
)

MIRROR = np.diag([1.0, -1.0])
ONE = np.eye(2)


def axis(n, step=1):
    return turn(2.0 * np.pi * step / n)


def wave(n, step):
    """The character of E_step about an n-fold axis."""
    return 2.0 * np.cos(2.0 * np.pi * step / n)


SINGLE = {"A1": (1, 1), "A2": (1, -1), "B1": (-1, 1), "B2": (-1, -1)}
THREE = {"A1": (1, 1), "A2": (1, -1), "E": (-1, 0)}
# frequencies, generators, names of the modes or none, characters of the generators
GROUPS = {
    "C3v": ([1000, 600, 600], [blocks(1, axis(3)), blocks(1, MIRROR)], None, THREE),
    "C3": ([1000, 600, 600], [blocks(1, axis(3))], None, {"A": (1,), "E": (-1,)}),
    "C4v": (
        [1000, 1300, 600, 600],
        [blocks(1, -1, axis(4)), blocks(1, 1, MIRROR)],
        None,
        SINGLE | {"E": (0, 0)},
    ),
    "D2d, B1 and B2 called otherwise": (
        [1000, 1300, 600, 600],
        [blocks(1, -1, axis(4)), blocks(1, 1, MIRROR)],
        ["A1", "B2", "E", "E"],
        {"A1": (1, 1), "A2": (1, -1), "B2": (-1, 1), "B1": (-1, -1), "E": (0, 0)},
    ),
    "S4": ([1000, 1300, 600, 600], [blocks(1, -1, axis(4))], None, {"A": (1,), "B": (-1,), "E": (0,)}),
    "C5v": (
        [1000, 800, 800, 600, 600],
        [blocks(1, axis(5), axis(5, 2)), blocks(1, MIRROR, MIRROR)],
        ["A1", "E1", "E1", "E2", "E2"],
        {"A1": (1, 1), "A2": (1, -1), "E1": (wave(5, 1), 0), "E2": (wave(5, 2), 0)},
    ),
    "C6v": (
        [1000, 800, 800, 600, 600],
        [blocks(-1, axis(6), axis(6, 2)), blocks(1, MIRROR, MIRROR)],
        None,
        SINGLE | {"E1": (1, 0), "E2": (-1, 0)},
    ),
    "D3h": (
        [1000, 800, 800, 600, 600],
        [blocks(1, axis(3), axis(3)), blocks(1, MIRROR, MIRROR), blocks(-1, ONE, -ONE)],
        ["A2''", "E'", "E'", "E''", "E''"],
        {f"{name}'": (*c, 2 if name == "E" else 1) for name, c in THREE.items()}
        | {"A1''": (1, -1, -1), "A2''": (1, 1, -1), "E''": (-1, 0, -2)},
    ),
    "D3d": (
        [1000, 800, 800, 600, 600],
        [blocks(1, axis(3), axis(3)), blocks(1, MIRROR, MIRROR), blocks(-1, -ONE, ONE)],
        ["A2u", "Eu", "Eu", "Eg", "Eg"],
        {f"{name}g": (*c, 2 if name == "E" else 1) for name, c in THREE.items()}
        | {"A1u": (1, -1, -1), "A2u": (1, 1, -1), "Eu": (-1, 0, -2)},
    ),
}
SLOW = ("C3v", "S4", "C5v", "D3h", "C6v", "D2d, B1 and B2 called otherwise")


def labels_of(field, irreps, count, path):
    """Names of the lowest states, from approximate ones."""
    (path / "field.csv").write_text(csv_of(field))
    keys = {"kind": "vibrational", "force_field": "field.csv"}
    if irreps:
        w = field.frequencies.tolist()
        keys["names"] = [f"nu{sorted(set(w)).index(one) + 1}({irrep})" for one, irrep in zip(w, irreps)]
    problem = VibrationalProblem.model_validate(keys, context={"directory": path})
    space = problem.space(count, 0.5)
    start = start_states(space.terms, count, configurations=600, seed=0)
    states = [(float(e), s.charge, x) for s in start.sectors for x, e in zip(s.trains, s.energies)]
    states = sorted(states, key=lambda state: state[0])[:count]
    energies, none = np.array([e for e, _, _ in states]), np.zeros(0)
    found = EigenStates(energies, [x for _, _, x in states], [c for _, c, _ in states], 0.0 * energies, none, {})
    return energies - energies[0], problem.labelled(space, found)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in GROUPS])
def test_representations_are_those_of_the_characters(name, tmp_path):
    w, generators, irreps, table = GROUPS[name]
    field = invariant_field([float(x) for x in w], closed(generators), np.random.default_rng(1))
    products = products_of(field.d, {3: 10, 4: 7, 5: 6}[field.d])
    energies, vectors = dense_levels(field, products)
    known = representations(energies[:30], vectors, [operation(g, products) for g in generators], table)
    levels, labels = labels_of(field, irreps, 17, tmp_path)
    for level, symmetry in zip(levels, labels.symmetry):
        near = {other for e, other in known if abs(e - level) < 2.0}
        assert symmetry in near, (level, symmetry, near)
    # as many of each: a list that ends within a level is left out
    apart = max(i for i in range(2, 17) if levels[i] - levels[i - 1] > 10.0)
    assert sorted(labels.symmetry[:apart]) == sorted(other for _, other in known[:apart])
    assert "parities of the field" in labels.symmetry_group and "nearly" not in labels.symmetry_group
    # VPT2 has the two levels of one l in the order of the states, wherever it splits them
    for i in range(apart):
        for j in range(i):
            if labels.names[i] == labels.names[j] and abs(labels.vpt2[i] - labels.vpt2[j]) > 1.0:
                assert (labels.vpt2[i] - labels.vpt2[j]) * (levels[i] - levels[j]) > 0.0


@pytest.mark.parametrize("name", list(GROUPS))
def test_axes_are_found_and_leave_the_field_as_it_is(name):
    w, generators, irreps, _ = GROUPS[name]
    field = invariant_field([float(x) for x in w], closed(generators), np.random.default_rng(2))
    found = axis_of(field, parity_generators(field), irreps or ())
    assert found is not None and found.broken < 1e-12
    assert found.fold == (4 if name.startswith("D2d") else int(name[1]))
    q = np.random.default_rng(0).standard_normal((5, field.d))
    turned = q.copy()
    for step, (a, b) in zip(found.turns, found.pairs):
        z = (q[:, a] + 1j * q[:, b]) * np.exp(2j * np.pi * step / found.fold)
        turned[:, a], turned[:, b] = z.real, z.imag
    turned[:, list(found.odd)] *= -1.0
    np.testing.assert_allclose(field.potential(turned), field.potential(q), rtol=1e-9)


def test_what_the_field_does_not_tell_is_said():
    """A fivefold axis: which pair is E1; an inversion beside a fourfold axis: what is A and what B."""
    for name, more in (("C5v", []), ("C4v", [blocks(-1, 1, -ONE)])):
        w, generators, _, _ = GROUPS[name]
        field = invariant_field([float(x) for x in w], closed([*generators, *more]), np.random.default_rng(3))
        assert axis_of(field, parity_generators(field)).choices == 2, name


def test_pairs_of_few_digits_and_fields_without_quartic_constants_of_four_modes():
    """As programs print them: partners 0.02 % apart, and no derivative of four different modes."""
    w, generators, _, _ = GROUPS["C6v"]
    field = invariant_field([float(x) for x in w], closed(generators), np.random.default_rng(2))
    terms = {modes: c for modes, c in field.terms.items() if len(set(modes)) < 4}
    split = np.array([x + 0.15 * (k % 2) for k, x in enumerate(w)])
    found = axis_of(ForceField("printed", "cm-1", split, terms), parity_generators(field))
    assert found is not None and found.fold == 6 and 0.0 < found.broken < 0.2
    assert not threefold(field) and threefold(ForceField("x", "cm-1", np.array([1.0, 1.0, 1.0, 2.0]), terms={}))


def test_without_names_the_rotation_of_most_parts_is_taken():
    """A threefold axis and a plane across it are S3: E' and E'' differ, as E2 and E1 of C6v do."""
    w, generators, irreps, _ = GROUPS["D3h"]
    field = invariant_field([float(x) for x in w], closed(generators), np.random.default_rng(2))
    bare, named = (axis_of(field, parity_generators(field), given) for given in ((), irreps))
    assert (bare.fold, bare.steps, bare.odd) == (6, (2, 1), {0}) and (named.fold, named.steps) == (3, (1, 1))
    assert bare.choices == 1
    assert bare.charge([1, 0]) == -bare.charge([-1, 0]) and bare.charge([0, 0], [1, 0, 0, 0, 0]) == 3
    assert bare.degenerate(2) and not bare.degenerate(3) and not bare.degenerate(0)
