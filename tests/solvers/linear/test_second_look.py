"""The second look at a solution: rows of A against the dense product, and false residuals found."""

import numpy as np
import pytest
from linear_cases import helmholtz, laplacian, quantics_poisson

import solvers.linear.system as systems
from solvers.formats import quantics
from solvers.formats.trains.construct import identity_operator, ones, random_train, rank_one_operator, unit
from solvers.formats.trains.operator import TTOperator
from solvers.linear.full_vectors import apply_full, between_identities, solve_full, sparse_matrix
from solvers.linear.second_look import draw, look, row_products
from solvers.linear.solve import solve
from solvers.solution import Status


@pytest.mark.parametrize("a", [laplacian(3, 5), helmholtz(3, 4, 5.0, 6.0), quantics_poisson(3, 2)])
def test_products_against_dense(a):
    rng = np.random.default_rng(0)
    x = random_train(a.column_shape, 3, rng)
    dense = a.full() @ x.full().reshape(-1)
    np.testing.assert_allclose(apply_full(a.cores, x.full().reshape(-1)), dense, rtol=1e-11, atol=1e-10)
    indices = rng.integers(0, a.row_shape, (20, a.d))
    seen = dense.reshape(a.row_shape)[tuple(indices.T)]
    np.testing.assert_allclose(row_products(a, x, indices), seen, rtol=1e-11, atol=1e-10)


def test_indices_are_drawn_by_their_squares():
    rng = np.random.default_rng(1)
    b = random_train((3, 4), 2, rng)
    rows = draw(b, 20000, rng)
    seen = np.zeros((3, 4))
    np.add.at(seen, tuple(rows.T), 1.0 / len(rows))
    np.testing.assert_allclose(seen, b.full() ** 2 / b.norm() ** 2, atol=0.015)
    assert (draw(unit((2,) * 40, [1] * 40), 5, rng) == 1).all()


@pytest.mark.parametrize(
    "a", [laplacian(3, 5), laplacian(12, 10), quantics.laplacian(30)], ids=["all", "rows", "large"]
)
def test_a_residual_that_is_not_true_is_found(a):
    rng = np.random.default_rng(2)
    b = unit(a.row_shape, [0] * a.d)
    assert not look(a, b * 1e-3, b, 1e-8, 1e-14, rng).passed
    assert look(a, b * 0.0, b, 1.0, 1e-14, rng).passed


def test_a_contradicted_residual_is_not_converged(monkeypatch):
    """A residual that believes everything: the second look says no."""
    a, b = laplacian(6, 12), ones([12] * 6)
    monkeypatch.setattr(systems.System, "residual", lambda *arguments: 1e-9)
    solution = solve(a, b, start=b * 1e-3, accuracy=1e-8, throw=False)
    assert solution.status is Status.CONTRADICTED and solution.n_converged == 0
    assert not solution.checked[0].passed


def test_the_sparse_matrix_is_the_matrix():
    a = quantics.laplacian(6) + quantics.shift(6, 3) * 0.3
    assert abs(sparse_matrix(a).toarray() - a.full()).max() <= 1e-13
    assert sparse_matrix(rank_one_operator([np.ones((9, 9))] * 2)) is None


def test_full_vectors_against_least_squares():
    rng = np.random.default_rng(4)
    m = rng.standard_normal((12, 12))
    m[:, 3] = m[:, 5]
    a = rank_one_operator([m])
    b = rng.standard_normal(12)
    found = solve_full(a, b, 1e-10)
    best = np.linalg.norm(b - m @ np.linalg.lstsq(m, b, rcond=1e-12)[0])
    assert found.singular is not None and found.residual == pytest.approx(best, rel=1e-10)
    found = solve_full(a, m @ b, 1e-10)
    assert found.singular is None and found.residual <= 1e-13 * np.linalg.norm(m @ b) * 100


@pytest.mark.parametrize("shape", [(5,), (2,) * 7, (1, 3, 1), (3, 4, 5)])
def test_between_identities_is_exact(shape):
    tensor = np.random.default_rng(5).standard_normal(shape)
    assert np.array_equal(between_identities(tensor).full(), tensor)


def blurred(seed):
    """A A^H + c whose solution is so large that rounding errors of A x alone pass 1e-10 of b."""
    rng = np.random.default_rng(seed)
    cores = [rng.standard_normal((p, n, n, q)) for n, p, q in ((4, 1, 3), (6, 3, 3), (5, 3, 1))]
    a = TTOperator(tuple(cores))
    a = a * (1.0 / a.norm())
    return a @ a.adjoint() + identity_operator((4, 6, 5)) * 1e-9, unit((4, 6, 5), [1, 2, 3])


def extended(train):
    """All entries in extended precision; cores (a, .., b)."""
    full = np.ones((1, 1), dtype=np.longdouble)
    for core in train.cores:
        full = (full @ core.reshape(len(core), -1)).reshape(-1, core.shape[-1])
    return full.reshape([n for core in train.cores for n in core.shape[1:-1]])


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(float).eps, reason="no extended precision here")
def test_residuals_behind_the_rounding_errors(monkeypatch):
    """x is refined, and judged, by residuals in extended precision: what double precision sees is its own noise."""
    cases = [blurred(seed) for seed in range(1, 4)]
    for a, b in cases:
        solution = solve(a, b, accuracy=1e-10)
        left = extended(b) - np.einsum("aibjck,ijk->abc", extended(a), extended(solution.value))
        error = float(np.sqrt(np.sum(left**2)))
        assert error <= 1.02 * solution.residual[0] <= 1.02e-10

    def double(operator, x, b):
        return b - apply_full(operator.cores, x if isinstance(x, np.ndarray) else x.full().reshape(-1))

    for module in ("full_vectors", "task"):
        monkeypatch.setattr(f"solvers.linear.{module}.residual_full", double)
    assert not all(solve(a, b, accuracy=1e-10, throw=False).converged for a, b in cases)


@pytest.mark.parametrize("hermitian", [True, False])
def test_well_conditioned_systems_need_no_factors(hermitian):
    """Krylov steps reach the accuracy; the residual is that of a matrix formed apart."""
    a = laplacian(3, 10) + identity_operator([10] * 3)
    if not hermitian:
        a = a + rank_one_operator([np.eye(10, k=1), *[np.eye(10)] * 2]) * 0.4
    b = np.random.default_rng(5).standard_normal(1000)
    found = solve_full(a, b, 1e-10, hermitian)
    assert found.factorisation.startswith("none")
    assert np.linalg.norm(b - a.full() @ found.x) <= 1e-10 * np.linalg.norm(b)


def test_where_krylov_steps_end_nowhere_factors_do():
    """Indefinite, and conditions of 1e10: conjugate gradients break down or crawl, LU does not."""
    rng = np.random.default_rng(6)
    for diagonal in (np.linspace(-1.0, 1.1, 600), np.geomspace(1e-10, 1.0, 600)):
        q = np.linalg.qr(rng.standard_normal((600, 600)))[0]
        m = (q * diagonal) @ q.T
        found = solve_full(rank_one_operator([m]), m @ rng.standard_normal(600), 1e-8, True)
        assert found.factorisation == "LU" and found.residual <= 1e-8 * np.linalg.norm(m)
