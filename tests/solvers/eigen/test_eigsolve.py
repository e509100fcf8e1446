"""Inverse iteration with Rayleigh-Ritz against dense diagonalisation, its errors, its completeness, its counts."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_all_start_methods, get_context

import numpy as np
import pytest

from solvers.checkpoint import CheckpointError
from solvers.eigen import driven
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.eigsolve import eigsolve
from solvers.eigen.many_states import Sector
from solvers.eigen.start import Start, start_states
from solvers.formats.trains.construct import operator_tt_svd
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import BlockDMRG, InverseIteration
from solvers.sectors.environments import sandwich
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import inner, product_state
from solvers.solution import NotConverged, Status


def oscillators(d: int, n: int, coupling: float, cubic: float, parities: bool) -> ProductTerms:
    """H = sum w_k (p^2+q^2)/2 + coupling sum q_i q_j + cubic sum q_k^2 q_{k+1}^2, functions even first."""
    q = np.diag(np.sqrt(np.arange(1, n) / 2.0), 1)
    q = q + q.T
    charge = np.arange(n) % 2 if parities else np.zeros(n, dtype=np.int64)
    order = np.lexsort((np.arange(n), charge))
    q, charge = q[np.ix_(order, order)], charge[order]
    energies = (np.arange(n) + 0.5)[order]
    w = 1.0 + 0.13 * np.arange(d)
    matrices = tuple(np.array([np.eye(n), q, q @ q, w[k] * np.diag(energies)]) for k in range(d))
    terms = [(1.0, {k: 3}) for k in range(d)]
    terms += [(coupling, {i: 1, j: 1}) for i in range(d) for j in range(i)]
    terms += [(cubic, {k: 2, k + 1: 2}) for k in range(d - 1)]
    return ProductTerms(matrices, tuple(terms), tuple(w[k] * energies for k in range(d)), (charge,) * d)


def dense_levels(terms: ProductTerms, count: int) -> np.ndarray:
    full = sum_of_products(terms.matrices, terms.terms).full()
    size = int(np.sqrt(full.size))
    return np.linalg.eigvalsh(np.asarray(full).reshape(size, size))[:count]


@pytest.fixture(scope="module")
def four() -> tuple[ProductTerms, np.ndarray]:
    terms = oscillators(4, 6, 0.1, 0.05, True)
    return terms, dense_levels(terms, 40)


def operator(terms: ProductTerms):
    return sum_of_products(terms.matrices, terms.terms)


@pytest.mark.parametrize("parities", [True, False])
def test_levels_are_those_of_the_dense_matrix(parities: bool) -> None:
    terms = oscillators(4, 5, 0.1, 0.05, parities)
    solution = eigsolve(operator(terms), 15, start=terms, accuracy=1e-8)
    np.testing.assert_allclose(solution.value.energies, dense_levels(terms, 15), rtol=0, atol=1e-8)
    assert solution.converged and solution.n_converged == 15


def test_degenerate_levels_are_complete_and_none_is_there_twice() -> None:
    base = oscillators(4, 5, 0.0, 0.05, True)
    terms = replace(
        base,
        terms=(*((1.0, {k: 3}) for k in range(4)), (0.05, {0: 2, 1: 2})),
        matrices=(base.matrices[0],) * 4,
        energies=(base.energies[0],) * 4,
    )
    solution = eigsolve(operator(terms), 15, start=terms, accuracy=1e-7)
    np.testing.assert_allclose(solution.value.energies, dense_levels(terms, 15), rtol=0, atol=1e-7)
    states = solution.value.trains
    gram = np.array([[inner(x, y) for y in states] for x in states])
    np.testing.assert_allclose(gram, np.eye(15), atol=1e-4)


def test_a_low_rank_limit_is_reported_and_covered_by_the_estimate() -> None:
    terms = oscillators(5, 4, 0.25, 0.1, True)
    exact = dense_levels(terms, 8)
    method = InverseIteration(max_rank=4, first_rank=4, max_passes=4)
    with pytest.raises(NotConverged) as caught:
        eigsolve(operator(terms), 8, start=terms, method=method, accuracy=1e-9)
    solution = caught.value.solution
    assert solution.status in (Status.RANK_LIMIT, Status.STAGNATED)
    errors = solution.value.energies - exact
    assert np.all(errors > -1e-10) and errors.max() > 1e-6  # variational, and really limited by the rank
    assert np.mean(errors <= solution.value.errors) >= 0.85
    assert np.median(solution.value.errors / errors) < 20


def test_residuals_are_those_of_the_dense_operator(four) -> None:
    terms, _ = four
    solution = eigsolve(operator(terms), 6, start=terms, accuracy=1e-4, throw=False)
    size = int(np.prod([len(e) for e in terms.energies]))
    h = np.asarray(operator(terms).full()).reshape(size, size)
    for x, norm in zip(solution.value.trains, solution.residual):
        v = x.to_train().full().ravel()
        true = np.linalg.norm(h @ v - (v @ h @ v) * v)
        assert norm == pytest.approx(true, rel=1e-5, abs=1e-11)


def test_the_probe_finds_a_state_that_the_start_lacks(four) -> None:
    terms, exact = four
    start = start_states(terms, 12)
    del start.sectors[0].states[1]
    solution = eigsolve(operator(terms), 12, start=(terms, start), accuracy=1e-7)
    np.testing.assert_allclose(solution.value.energies, exact[:12], rtol=0, atol=1e-7)


def test_the_probe_finds_nothing_where_nothing_is_missing(four) -> None:
    terms, exact = four
    solution = eigsolve(operator(terms), 10, start=terms, accuracy=1e-6)
    probe = solution.value.probe
    assert probe["missing_states"] == 0
    assert probe["lowest_energy_outside"] > exact[9]
    assert abs(probe["largest_drop"]) < 1e-6


def test_work_is_counted_and_stays_small(four) -> None:
    terms, _ = four
    solution = eigsolve(operator(terms), 10, start=terms, method=InverseIteration(), accuracy=1e-6)
    assert solution.counts["passes"] == 2
    assert solution.counts["state_solves"] == 2 * (10 + len(solution.value.buffer))
    assert 0 < solution.counts["local_products"] <= 60 * solution.counts["state_solves"]
    assert solution.counts["pair_elements"] > 0


def test_same_seed_same_energies_with_one_worker_or_two(four) -> None:
    terms, _ = four
    method = InverseIteration(max_rank=6, first_rank=5, max_passes=3)

    def energies(executor) -> np.ndarray:
        rng = np.random.default_rng(5)
        return eigsolve(
            operator(terms), 8, start=terms, method=method, accuracy=1e-4, executor=executor, rng=rng, throw=False
        ).value.energies

    first = energies(None)
    np.testing.assert_allclose(energies(None), first, rtol=0, atol=1e-12)
    # a spawned process imports numba again; a forked one is safe with one BLAS thread
    context = get_context("fork" if "fork" in get_all_start_methods() else "spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        np.testing.assert_allclose(energies(pool), first, rtol=0, atol=1e-9)


@pytest.mark.parametrize("count", [0, 6**4 + 1])
def test_an_impossible_number_of_states_is_refused(four, count: int) -> None:
    terms, _ = four
    with pytest.raises(ValueError, match="n_states"):
        eigsolve(operator(terms), count, start=terms)


def test_block_dmrg_gives_the_same_levels_with_errors_that_cover(four) -> None:
    terms, exact = four
    solution = eigsolve(operator(terms), 10, start=terms, method=BlockDMRG(), accuracy=1e-7)
    errors = np.abs(solution.value.energies - exact[:10])
    assert errors.max() < 1e-7 and np.all(errors <= solution.value.errors + 1e-12)


def test_without_a_table_of_products(four) -> None:
    terms, exact = four
    solution = eigsolve(operator(terms), 5, accuracy=1e-8)
    np.testing.assert_allclose(solution.value.energies, exact[:5], rtol=0, atol=1e-8)
    solution = eigsolve(operator(terms), 5, method=InverseIteration(), accuracy=1e-6)
    np.testing.assert_allclose(solution.value.energies, exact[:5], rtol=0, atol=1e-6)


def test_the_whole_of_a_small_space() -> None:
    terms = oscillators(2, 3, 0.2, 0.0, True)
    solution = eigsolve(operator(terms), 9, start=terms, accuracy=1e-9)
    np.testing.assert_allclose(solution.value.energies, dense_levels(terms, 9), rtol=0, atol=1e-9)


def test_sandwich_is_the_dense_matrix_element(four) -> None:
    terms, _ = four
    states = start_states(terms, 8).sectors[0].trains
    sector = SectorOperator(operator(terms), terms.modes)
    size = int(np.prod([len(e) for e in terms.energies]))
    h = np.asarray(operator(terms).full()).reshape(size, size)
    x, y = (s.to_train().full().ravel() for s in states[:2])
    assert sandwich(sector, states[0], states[1]) == pytest.approx(x @ h @ y, abs=1e-12)


def test_a_start_without_any_correlation_reaches_the_ground_state(four) -> None:
    # a product state: its bonds carry one charge only, all others must appear by expansion
    terms, exact = four
    sector = SectorOperator(operator(terms), terms.modes)
    x = product_state(terms.modes, [0, 0, 0, 0])
    start = Start([Sector.of(0, [x], [sandwich(sector, x, x)])], None)
    solution = eigsolve(operator(terms), 1, start=(terms, start), accuracy=1e-8)
    np.testing.assert_allclose(solution.value.energies, exact[:1], rtol=0, atol=1e-8)


@pytest.mark.parametrize("method", [InverseIteration(), BlockDMRG()])
def test_a_method_asked_for_in_a_small_space_starts_from_its_proved_list(method):
    """Random matrices, whose states are of full rank: from a rough start each pass takes minutes at that size."""
    a = np.random.default_rng(3).standard_normal((128, 128))
    h = a + a.T
    operator = operator_tt_svd(h.reshape((2,) * 14), 1e-14)
    solution = eigsolve(operator, 5, method=method, accuracy=1e-6)
    np.testing.assert_allclose(solution.value.energies, np.linalg.eigvalsh(h)[:5], atol=1e-6)
    assert solution.counts.get("state_solves", 0) == 0 and solution.counts.get("sweeps", 0) <= 12


class Killed(Exception):
    pass


@pytest.mark.parametrize(
    ("method", "label"),
    [(InverseIteration(max_rank=12, first_rank=4, max_passes=3), "pass"), (BlockDMRG(), "block DMRG")],
)
def test_a_killed_calculation_goes_on_to_the_same_digits(four, tmp_path, method, label: str) -> None:
    terms, _ = four
    file = tmp_path / "c.npz"

    def kill(state) -> None:
        if state.finished and state.label.startswith(label):
            raise Killed

    def solve(**options):
        return eigsolve(operator(terms), 5, start=terms, method=method, accuracy=1e-7, throw=False, **options)

    with pytest.raises(Killed):
        solve(callback=kill, checkpoint=file)
    told = []
    resumed, plain = solve(callback=told.append, checkpoint=file), solve()
    np.testing.assert_array_equal(resumed.value.energies, plain.value.energies)
    np.testing.assert_array_equal(resumed.value.errors, plain.value.errors)
    assert resumed.counts == plain.counts and resumed.status is plain.status
    assert "pass 1:" not in " ".join(state.label for state in told)


def test_the_checkpoint_of_another_version_is_refused(four, tmp_path, monkeypatch) -> None:
    terms, _ = four
    file = tmp_path / "c.npz"
    method = InverseIteration(max_rank=4, first_rank=4, max_passes=2)
    settings = {"start": terms, "method": method, "accuracy": 1e-4, "throw": False}
    monkeypatch.setattr(driven, "VERSION", "of long ago")
    eigsolve(operator(terms), 2, checkpoint=file, **settings)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="another computation"):
        eigsolve(operator(terms), 2, checkpoint=file, **settings)
