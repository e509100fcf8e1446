"""CP by Levenberg-Marquardt and by alternating least squares: known ranks, verdicts, continued calls."""

import numpy as np
import pytest
from continued_calls import check_that_it_goes_on
from tensors_of_known_rank import matrix_multiplication, random_terms, w_state

from solvers import checkpoint as files
from solvers.formats.cp.als import AlternatingFit
from solvers.formats.cp.decomposition import cp_decomposition
from solvers.formats.cp.fit import Starts, Verdict
from solvers.formats.cp.levenberg_marquardt import DampedFit, normal_matrix, packed, unpacked
from solvers.formats.cp.methods import CPALS, CPLevenbergMarquardt
from solvers.formats.cp.tensor import CPTensor
from solvers.solution import NotConverged, Status


def fitted(array, rank, method=None, **more):
    return cp_decomposition(array, rank, method=method, throw=False, **more)


def verdicts(found):
    return [start.verdict for start in found.extra["starts"]]


def test_two_by_two_matrices_are_multiplied_by_seven_products():
    found = fitted(matrix_multiplication(2), 7, CPLevenbergMarquardt(starts=10))
    assert verdicts(found).count(Verdict.CONVERGED) >= 9 and found.converged
    assert found.residual[0] < 1e-12 and found.counts["converged_starts"] >= 9
    np.testing.assert_allclose(found.value.full(), matrix_multiplication(2), atol=1e-11)


def test_six_products_are_too_few():
    found = fitted(matrix_multiplication(2), 6, CPLevenbergMarquardt(starts=3))
    assert verdicts(found) == [Verdict.MINIMUM] * 3 and found.status is Status.RANK_LIMIT
    assert found.residual[0] * np.sqrt(8) == pytest.approx(1.0, rel=1e-6)  # one entry of the eight is left out


def test_three_by_three_matrices_are_multiplied_by_23_products():
    found = fitted(matrix_multiplication(3), 23, CPLevenbergMarquardt(starts=2, steps=150))
    assert found.converged and found.residual[0] < 1e-12


@pytest.mark.slow
def test_23_products_are_found_from_at_least_half_of_the_starts():
    found = fitted(matrix_multiplication(3), 23, CPLevenbergMarquardt(starts=16), rng=np.random.default_rng(1))
    assert verdicts(found).count(Verdict.CONVERGED) >= 8


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rank", "of_20"), [(2, 8, 9), (2, 7, 12)])
def test_alternating_least_squares_reach_as_many_as_measured(n, rank, of_20):
    """Beside 9 and 12 of 20 starts below 1e-6, of the same method with another start."""
    found = fitted(matrix_multiplication(n), rank, CPALS(starts=20), accuracy=1e-6 / np.sqrt(n**3))
    assert verdicts(found).count(Verdict.CONVERGED) >= of_20 - 6


@pytest.mark.parametrize("method", [CPLevenbergMarquardt(starts=2), CPALS(starts=1, sweeps=800)], ids=repr)
@pytest.mark.parametrize("accuracy", [1e-1, 1e-8])
def test_the_w_tensor_has_no_best_approximation_of_rank_two(method, accuracy):
    """Whatever is asked: its errors get ever smaller, and its terms ever larger."""
    found = fitted(w_state(), 2, method, accuracy=accuracy)
    assert set(verdicts(found)) == {Verdict.DEGENERATE} and found.status is Status.DEGENERATE
    assert found.residual[0] < 0.01 and found.value.least_congruence() < -0.9
    with pytest.raises(NotConverged, match="border rank"):
        cp_decomposition(w_state(), 2, method=method, accuracy=accuracy)


@pytest.mark.parametrize("method", [CPLevenbergMarquardt(starts=2), CPALS(starts=2, sweeps=800)], ids=repr)
def test_the_w_tensor_has_rank_three(method):
    assert fitted(w_state(), 3, method).residual[0] < 1e-8


def test_errors_of_alternating_least_squares_at_the_w_tensor_fall_as_measured():
    """3.5e-2, 1.1e-2 after 100 and 1000 sweeps without a weight, whatever the start: as sweeps^(-1/2)."""
    start = Starts((2, 2, 2), 2, np.random.default_rng(3)).draw(1)[0]
    fit = AlternatingFit(w_state() / np.sqrt(3), start, 1000, 0.0)
    while not fit.over:
        fit.advance()
    assert fit.errors[999] * np.sqrt(3) == pytest.approx(1.1e-2, rel=0.1)
    assert fit.judged(1e-8).verdict is Verdict.DEGENERATE


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
def test_planted_terms_are_found_whatever_the_scale(scale):
    terms = CPTensor(tuple(random_terms((8, 9, 10), 3, 0)))
    found = fitted(scale * terms.full(), 3)
    assert found.converged and found.residual[0] < 1e-12
    np.testing.assert_allclose(np.sort(found.value.term_norms()), scale * np.sort(terms.term_norms()), rtol=1e-9)


def test_noise_is_a_minimum_of_its_own_size():
    rng = np.random.default_rng(1)
    clean = CPTensor(tuple(random_terms((8, 9, 10), 3, 0))).full()
    noise = 0.05 * np.linalg.norm(clean) / np.sqrt(720) * rng.standard_normal(clean.shape)
    found = fitted(clean + noise, 3, CPLevenbergMarquardt(starts=3))
    assert verdicts(found) == [Verdict.MINIMUM] * 3 and found.residual[0] < 0.05
    assert fitted(clean + noise, 3, CPLevenbergMarquardt(starts=3), accuracy=0.06).converged
    als = fitted(clean + noise, 3, CPALS(starts=1))
    assert als.residual[0] == pytest.approx(found.residual[0], rel=1e-6) and verdicts(als) == [Verdict.MINIMUM]


@pytest.mark.parametrize("array", [np.full((3, 4, 2), 7.0), np.eye(4)[:, :, None] * np.ones(2)])
def test_constant_and_diagonal_arrays(array):
    assert fitted(array, 4, CPLevenbergMarquardt(starts=2)).residual[0] < 1e-12


def test_the_normal_matrix_is_that_of_differences():
    factors = random_terms((2, 3, 2, 2), 2, 4)
    x, step = packed(factors), 1e-6

    def entries(x):
        return CPTensor(tuple(unpacked(x, (2, 3, 2, 2)))).full().ravel()

    columns = [(entries(x + step * e) - entries(x - step * e)) / (2 * step) for e in np.eye(x.size)]
    np.testing.assert_allclose(normal_matrix(factors), np.array(columns) @ np.array(columns).T, atol=1e-7)


def test_few_steps_are_a_swamp():
    assert verdicts(fitted(matrix_multiplication(2), 7, CPLevenbergMarquardt(starts=1, steps=5))) == [Verdict.SWAMP]


@pytest.mark.parametrize("method", [CPLevenbergMarquardt(starts=3), CPALS(starts=2, sweeps=60)], ids=repr)
def test_stopped_calls_go_on(method, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "QUIET", np.inf)

    def call(**more):
        return fitted(w_state(), 3, method, rng=np.random.default_rng(5), **more)

    check_that_it_goes_on(call, tmp_path)


def test_a_call_stopped_within_a_start_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "QUIET", np.inf)

    def leave(state):
        if not state.finished:
            raise KeyboardInterrupt

    method, file = CPLevenbergMarquardt(starts=1), tmp_path / "kept.npz"
    whole = fitted(w_state(), 3, method)
    with pytest.raises(KeyboardInterrupt):
        fitted(w_state(), 3, method, callback=leave, checkpoint=file)
    again = fitted(w_state(), 3, method, checkpoint=file)
    np.testing.assert_array_equal(again.value.factors[0], whole.value.factors[0])


@pytest.mark.parametrize(
    ("array", "rank", "more", "said"),
    [
        (np.ones(3), 1, {}, "at least two axes"),
        (np.ones((2, 0)), 1, {}, "with entries"),
        (np.ones((2, 2)) + 1j, 1, {}, "real array"),
        (np.zeros((2, 2)), 1, {}, "zero everywhere"),
        (np.array([[np.nan, 1.0]]), 1, {}, "NaN or infinity"),
        (np.ones((2, 2)), 0, {}, "rank must be"),
        (np.ones((2, 2)), 1, {"accuracy": 0.0}, "accuracy must lie"),
        (np.random.default_rng(0).random((40, 40)), 90, {"method": CPLevenbergMarquardt()}, "give method=CPALS"),
    ],
)
def test_what_cannot_be_decomposed_is_refused(array, rank, more, said):
    with pytest.raises(ValueError, match=said):
        cp_decomposition(array, rank, **more)


def test_options_and_entries_that_are_impossible_are_refused():
    with pytest.raises(TypeError, match="the array"):
        cp_decomposition(np.array([["a", "b"]]), 1)
    for wrong in (lambda: CPALS(weight=-1.0), lambda: CPALS(starts=0), lambda: CPLevenbergMarquardt(ridge=0.0)):
        with pytest.raises(ValueError, match="give"):
            wrong()
    assert DampedFit(np.ones((2, 2)), [np.ones((2, 1))] * 2, 1, 1.0).plain()["ridge"] == 1.0
