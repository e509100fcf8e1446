"""A run of embeddings: parts set aside, texts drawn again, what goes on after a stop, and counts of a file."""

import numpy as np
import pytest
import scipy.sparse as sparse

from problems.embeddings import solve as module
from problems.embeddings.certify import closed_form
from problems.embeddings.data import divide, drawn_again
from problems.embeddings.model import EmbeddingsProblem, EmbeddingsSolver
from problems.embeddings.result import EmbeddingsResult
from solvers.checkpoint import Stopped
from solvers.solution import Status

TOPICS = ("river water boat fish bank".split(), "money loan debt price bank".split())
SOLVER = EmbeddingsSolver(vector_size=3, bootstraps=2, riemannian_steps=5, neighbours=3)


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(TOPICS[rng.integers(2)], 8)) for _ in range(150)]
    (folder / "a.txt").write_text("\n".join(lines))
    return EmbeddingsProblem(kind="embeddings", text=str(folder / "a.txt"), block=50, queries=("river",))


def solved(problem, solver=SOLVER, **keywords):
    return module.solve(module.prepare(problem, solver), **keywords)


def test_parts_of_a_text_are_fitted_or_held_out_and_never_both(problem):
    found = divide(problem, np.random.default_rng(0))
    assert found.held_out is not None
    counts = np.bincount(found.held_out.rows, minlength=9)
    whole = found.fitted.counts.sum() + counts.sum()
    blocks, inside = found.source.n_blocks, sum(2 * (50 - s) for s in range(1, 6))
    assert whole == blocks * inside and counts.sum() == round(0.1 * blocks) * inside
    assert drawn_again(problem, found, np.random.default_rng(1)).pairs == found.fitted.pairs


def test_words_of_a_topic_are_neighbours(problem):
    result = solved(problem)
    first = [n for n in result.neighbours if n.method == "newton"]
    assert {n.word for n in first} == {"river"} and {n.neighbour for n in first} <= set(TOPICS[0])
    assert all(n.stays == 1.0 for n in first)
    newton, paper = result.fit("newton"), result.fit("riemannian")
    assert result.bound > newton.value > paper.value and newton.held_out_error > 0.0 and newton.text_error > 0.0
    assert paper.difference == pytest.approx(paper.held_out - newton.held_out)
    assert result.texts()["vectors-newton.txt"].splitlines()[0] == "9 3"
    assert any("not arrived" in line for line in result.warnings)


def test_subsampling_drops_frequent_words(problem):
    less = problem.model_copy(update={"sample": 0.02})
    assert (
        divide(less, np.random.default_rng(0)).fitted.pairs
        < 0.6 * divide(problem, np.random.default_rng(0)).fitted.pairs
    )


def test_a_run_that_is_stopped_goes_on_to_the_same(problem, tmp_path):
    whole = solved(problem)
    calls = []

    def stop(state):
        calls.append(state.label)
        if state.label == "text drawn again":
            raise Stopped

    with pytest.raises(Stopped):
        solved(problem, checkpoint=tmp_path, callback=stop)
    again = []
    result = solved(problem, checkpoint=tmp_path, callback=lambda state: again.append(state.label))
    assert again.count("text drawn again") == 1 and "newton sweep" in calls and "newton sweep" not in again
    assert [fit.value for fit in result.fits] == pytest.approx([fit.value for fit in whole.fits], rel=1e-12)
    assert result.fit("svd").stability == whole.fit("svd").stability


def test_counts_of_a_file_are_thinned_or_fitted_whole(tmp_path):
    table = np.random.default_rng(0).poisson(8.0, (14, 10)).astype(float)
    sparse.save_npz(tmp_path / "c.npz", sparse.csr_array(table))
    given = EmbeddingsProblem(kind="embeddings", counts=str(tmp_path / "c.npz"))
    found = divide(given, np.random.default_rng(0))
    assert found.fitted.pairs + found.held_out.counts.sum() == table.sum() and found.held_out.counts.sum() > 0
    result = solved(given)
    assert np.isfinite(result.fit("newton").held_out) and np.isfinite(result.fit("newton").text_error)
    sparse.save_npz(tmp_path / "half.npz", sparse.csr_array(table + 0.5))
    whole = solved(EmbeddingsProblem(kind="embeddings", counts=str(tmp_path / "half.npz")))
    assert np.isnan(whole.fit("newton").held_out) and any("whole numbers" in line for line in whole.warnings)


def test_a_far_better_maximum_from_another_start_contradicts(problem, monkeypatch):
    true = module.fitted

    def worse(given, name, *rest):
        found = true(given, name, *rest)
        if name == "newton":
            found.extra["value_per_pair"] *= 1.5
        return found

    monkeypatch.setattr(module, "fitted", worse)
    assert solved(problem, SOLVER.model_copy(update={"bootstraps": 0})).status is Status.CONTRADICTED


def test_a_descent_on_its_way_is_not_compared_and_the_closed_form_agrees():
    given = {"shape": (20, 15), "rank": 2, "amplitude": 1.0, "alpha": 0.3}
    problem = EmbeddingsProblem(kind="embeddings", counts=given)
    solver = EmbeddingsSolver(vector_size=2, ridge=0.0, accuracy=1e-12, riemannian_steps=5)
    result = solved(problem, solver)
    (quantity,) = EmbeddingsResult.quantities(result.results())
    assert list(quantity.keys) == ["newton", "svd", "pmi"]
    (closed,) = EmbeddingsResult.quantities(closed_form(problem, solver))
    assert quantity.values[0] == pytest.approx(closed.values[0], rel=1e-12)
