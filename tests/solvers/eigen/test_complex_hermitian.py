"""Complex Hermitian operators through their real form, against dense diagonalisation."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.eigen.complex_hermitian import check_hermitian, complex_train, real_form, real_part, recover
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot

X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1.0 + 0j, -1.0])


def chain(d: int, field: float) -> TTOperator:
    """A Heisenberg chain with Dzyaloshinskii-Moriya term D (X Y - Y X): complex, degenerate at zero field."""
    matrices = [np.array([np.eye(2), X, Y, Z])] * d
    terms = [(field, {k: 3}) for k in range(d)]
    for k in range(d - 1):
        terms += [(1.0, {k: p, k + 1: p}) for p in (1, 2, 3)]
        terms += [(0.4, {k: 1, k + 1: 3}), (-0.4, {k: 3, k + 1: 1}), (0.3, {k: 2, k + 1: 3}), (-0.3, {k: 3, k + 1: 2})]
    return sum_of_products(matrices, terms)


def dense(operator: TTOperator) -> np.ndarray:
    size = int(np.prod(operator.row_shape))
    return np.asarray(operator.full()).reshape(size, size)


@pytest.mark.parametrize(("d", "field", "count"), [(5, 0.3, 6), (5, 0.0, 7)])
def test_levels_and_residuals(d: int, field: float, count: int) -> None:
    operator = chain(d, field)
    h = dense(operator)
    assert np.abs(h.imag).max() > 0.1
    solution = eigsolve(operator, count, accuracy=1e-8)
    np.testing.assert_allclose(solution.value.energies, np.linalg.eigvalsh(h)[:count], rtol=0, atol=1e-8)
    vectors = np.array([z.full().ravel() for z in solution.value.trains])
    np.testing.assert_allclose(vectors.conj() @ vectors.T, np.eye(count), atol=1e-5)
    for v, e in zip(vectors, solution.value.energies):
        assert np.linalg.norm(h @ v - e * v) < 1e-3


def test_a_complex_array_of_real_numbers() -> None:
    matrices = [np.array([np.eye(2), X, Z])] * 4
    terms = [(1.0, {k: 1, k + 1: 1}) for k in range(3)] + [(0.7, {k: 2}) for k in range(4)]
    operator = sum_of_products(matrices, terms)
    np.testing.assert_allclose(
        eigsolve(operator, 4, accuracy=1e-8).value.energies, np.linalg.eigvalsh(dense(operator))[:4], rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("entry", [1.0, 1.0j])
def test_an_operator_that_is_not_hermitian_is_refused(entry: complex) -> None:
    matrices = [np.array([np.eye(2), [[0, entry], [0, 0]]])] * 3
    with pytest.raises(ValueError, match="not Hermitian"):
        eigsolve(sum_of_products(matrices, [(1.0, {0: 1}), (1.0, {1: 1, 2: 1})]), 2)


def test_the_real_form_is_the_matrix_of_real_and_imaginary_parts() -> None:
    operator = chain(3, 0.3)
    h = dense(operator)
    found = dense(real_form(operator))
    expected = np.kron(h.real, np.eye(2)) + np.kron(h.imag, np.array([[0.0, -1.0], [1.0, 0.0]]))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert max(real_form(operator).ranks) <= 2 * max(operator.ranks)
    check_hermitian(operator)


def test_complex_states_come_back_from_the_real_ones() -> None:
    """The real form has every level twice, in any mixture of z and iz."""
    operator = chain(3, 0.3)
    h = dense(operator)
    values, vectors = np.linalg.eigh(dense(real_form(operator)))
    states = [tt_svd(v.reshape(2, 2, 2, 2), tol=1e-14) for v in vectors.T[:6]]
    first = complex_train(states[0]).full().ravel()
    np.testing.assert_allclose(first, vectors[0::2, 0] + 1j * vectors[1::2, 0], atol=1e-12)
    errors = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    energies, trains, bounds = recover(operator, states, errors, 3, 1e-12)
    np.testing.assert_allclose(energies, np.linalg.eigvalsh(h)[:3], atol=1e-10)
    found = np.array([z.full().ravel() for z in trains])
    np.testing.assert_allclose(found.conj() @ found.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(h @ found.T, found.T * energies, atol=1e-9)
    assert (
        np.all(bounds <= [2.0, 4.0, 6.0])
        and np.all(bounds >= [1.0, 3.0, 5.0])
        and values[0] == pytest.approx(values[1])
    )


def test_a_cap_on_the_ranks_is_kept_and_what_it_costs_is_in_the_error() -> None:
    """A complex state combines real ones: its ranks are their sum, which no cap of the real form holds down."""
    operator = chain(6, 0.9)
    exact = np.linalg.eigvalsh(dense(operator))[:3]
    vectors = np.linalg.eigh(dense(real_form(operator)))[1]
    states = [tt_svd(v.reshape((2,) * 7), tol=1e-14) for v in vectors.T[:6]]
    free = recover(operator, states, np.full(6, 1e-12), 3, 1e-12)[1]
    energies, trains, errors = recover(operator, states, np.full(6, 1e-12), 3, 1e-12, max_rank=3)
    assert max(max(z.ranks) for z in free) > 3 and max(max(z.ranks) for z in trains) <= 3
    np.testing.assert_allclose(energies, [dot(z, operator @ z).real for z in trains], atol=1e-10)
    assert np.all(energies - exact <= errors + 1e-11) and errors.max() > 1e-3


def test_a_real_matrix_in_complex_cores_is_found_to_be_real() -> None:
    y = np.array([[0.0, -1.0j], [1.0j, 0.0]])
    stack = [np.array([np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]]), y])] * 5
    h = sum_of_products(stack, [(0.5, {k: m, k + 1: m}) for k in range(4) for m in (1, 2)])
    real = real_part(h)
    assert real is not None and real.dtype == np.float64 and real.ranks == h.ranks
    np.testing.assert_allclose(real.full(), h.full(), atol=1e-15)
    g = np.random.default_rng(0).standard_normal((2, 4, 4))
    turn, _ = np.linalg.qr(g[0] + 1j * g[1])
    turn = turn[: h.ranks[1], : h.ranks[1]] if h.ranks[1] == 4 else np.linalg.qr(turn[: h.ranks[1], : h.ranks[1]])[0]
    turned = TTOperator((h.cores[0] @ turn, np.tensordot(turn.conj().T, h.cores[1], 1), *h.cores[2:]))
    again = real_part(turned)  # no phases do it
    assert again is not None
    np.testing.assert_allclose(again.full(), h.full(), atol=1e-13)
    assert real_part(h + sum_of_products(stack, [(1e-8, {0: 2})])) is None
