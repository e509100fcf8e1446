"""Fields in turned or displaced coordinates come back to their normal modes: the field itself, rotation, refusals."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.field import ForceField, with_rotation
from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.normal_form import NormalForm, displaced, normal_form, tensors_of
from problems.quantum.hamiltonians.force_field.operators import product_terms
from problems.quantum.hamiltonians.force_field.rotation import Rotation, first_order

D = 3


def field_of(seed: int, d: int = D) -> ForceField:
    rng = np.random.default_rng(seed)
    w = np.sort(rng.uniform(800.0, 3500.0, d))[::-1] + 100.0 * np.arange(d)[::-1]
    terms: dict[tuple[int, ...], float] = {}
    for order, size in ((3, 60.0), (4, 12.0)):
        for index in np.ndindex(*(d,) * order):
            if list(index) == sorted(index):
                terms[index] = rng.uniform(-size, size)
    for k in range(d):
        terms[k, k, k, k] = rng.uniform(30.0, 60.0)
    return ForceField("random", "cm-1", w, terms)


def rotation_of(seed: int, d: int = D) -> Rotation:
    rng = np.random.default_rng(seed)
    zeta, slopes = rng.uniform(-1.0, 1.0, (3, d, d)), rng.uniform(-0.4, 0.4, (d, 3, 3))
    return Rotation(
        np.diag(rng.uniform(1.0, 4.0, 3)), zeta - zeta.transpose(0, 2, 1), slopes + slopes.transpose(0, 2, 1)
    )


def elsewhere(field: ForceField, turn: np.ndarray, place: np.ndarray) -> tuple[ForceField, NormalForm]:
    """The field about the point ``place`` in turned mass-weighted coordinates, each with a frequency of its own."""
    terms = {(k, k): 0.5 * w for k, w in enumerate(field.frequencies.tolist())} | dict(field.terms)
    there = displaced(tensors_of(terms, field.d), place)
    root = np.sqrt(field.frequencies)
    own = np.sqrt(np.diag(turn.T @ (np.outer(root, root) * there[2]) @ turn))
    form = NormalForm(place, turn, field.frequencies, own, 0.0)
    found = form.polynomial(terms)
    found.pop(())
    for k, w in enumerate(own):
        found[k, k] = found.get((k, k), 0.0) - 0.5 * w
    return replace(field, frequencies=own, terms={m: c for m, c in found.items() if c}), form


def turned(seed: int, d: int = D) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def phi(field: ForceField) -> dict[tuple[int, ...], float]:
    return {m: abs(c) * math.prod(math.factorial(n) for n in Counter(m).values()) for m, c in field.terms.items()}


def levels(field: ForceField, n: int) -> np.ndarray:
    bases = harmonic_functions(field, [n] * field.d, np.zeros(field.d, dtype=np.int64))
    table = product_terms(field, bases, range(field.d))
    h = np.zeros((n**field.d, n**field.d))
    for c, factors in table.terms:
        part = np.ones((1, 1))
        for k in range(field.d):
            part = np.kron(part, table.matrices[k][factors[k]] if k in factors else np.eye(n))
        h += c * part
    return np.linalg.eigvalsh(h)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.lists(st.floats(-0.25, 0.25), min_size=D, max_size=D))
def test_the_field_comes_back_from_any_coordinates(seed: int, place: list[float]) -> None:
    field = field_of(seed)
    other, _ = elsewhere(field, turned(seed), np.array(place))
    form = normal_form(other)
    assert form is not None and normal_form(field) is None
    back = form.field(other)
    # the order of modes and the signs of coordinates are all that may differ
    order = np.argsort(-back.frequencies)
    assert back.frequencies[order] == pytest.approx(np.sort(field.frequencies)[::-1], rel=1e-9)
    expected = phi(field)
    for modes, value in phi(back).items():
        own = tuple(sorted(int(np.flatnonzero(order == k)[0]) for k in modes))
        assert value == pytest.approx(expected[own], abs=1e-6)
    q = np.random.default_rng(seed).normal(size=(5, D))
    slope = np.sqrt(form.given[:, None] / form.frequencies) * form.turn
    surface = Surface(({(): 0.5, (0,): 0.1, (1, 2): -0.3}, {}), "D")
    moved, at = form.surface(surface).components, form.place + q @ slope.T
    value = sum(c * np.prod(q[:, list(m)], axis=1) for m, c in moved[0].items())
    assert value == pytest.approx(0.5 + 0.1 * at[:, 0] - 0.3 * at[:, 1] * at[:, 2])
    constant = back.rotation.get((), 0.0)
    assert back.potential(q) + constant == pytest.approx(other.potential(form.place + q @ slope.T), rel=1e-9, abs=1e-7)
    assert form.rise == pytest.approx(constant) and form.rise <= 1e-9


@pytest.mark.parametrize("place, seed", [((0.0, 0.0), 1), ((0.2, -0.15), 2)])
@pytest.mark.parametrize("order", [0, 2])
def test_rotation_terms_move_with_the_coordinates(place, seed, order) -> None:
    field, rotation = field_of(seed, 2), rotation_of(seed, 2)
    other, there = elsewhere(field, turned(seed, 2), np.array(place))
    form = normal_form(other)
    assert form is not None
    back = form.rotation(there.rotation(rotation))
    own = levels(with_rotation(field, rotation, order), 16)[:4]
    found = levels(with_rotation(form.field(other), back, order), 16)[:4]
    assert found - found[0] == pytest.approx(own - own[0], abs=1e-6)
    assert not np.any(np.abs(back.shift if back.shift is not None else 0.0) > 1e-9)  # there and back again
    # in the coordinates between, whose terms of second order are mixed
    between = levels(with_rotation(other, there.rotation(rotation), order), 26)[:4]
    assert between - between[0] == pytest.approx(own - own[0], abs=2e-3)


def test_first_order_knows_the_displacement() -> None:
    rotation = replace(rotation_of(3, 2), shift=np.array([0.3, -0.2]))
    bare = ForceField("harmonic", "cm-1", np.array([2000.0, 1300.0]), {})
    field = with_rotation(bare, rotation, 0)
    table = product_terms(field, harmonic_functions(field, [4, 4], np.zeros(2, dtype=np.int64)), range(2))
    for v in ((0, 0), (1, 0), (1, 2)):
        mean = sum(c * np.prod([table.matrices[k][f][v[k], v[k]] for k, f in fs.items()]) for c, fs in table.terms)
        moved = mean - bare.frequencies @ (np.array(v) + 0.5)
        assert first_order(rotation, bare.frequencies, np.array([v]))[0] == pytest.approx(moved, abs=1e-8)


@pytest.mark.parametrize(
    "terms",
    [
        {(0, 1): 200.0},  # a quadratic form is solved as it is
        {(0, 0, 0): 50.0, (1, 1, 1, 1): 20.0},  # nothing to be done
        {(0, 1): 1e-3, (0, 0, 0, 0): 20.0},  # round-off
        {(0, 1): 3000.0, (0, 0, 0, 0): 20.0},  # a saddle at the origin
        {(0,): 9000.0, (0, 0, 0): 500.0},  # no minimum
    ],
)
def test_a_field_stays_as_it_is_where_there_is_nothing_to_gain(terms) -> None:
    assert normal_form(ForceField("x", "cm-1", np.array([1000.0, 1500.0]), terms)) is None
