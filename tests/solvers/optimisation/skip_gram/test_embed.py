"""The verb: planted maxima to the digits, convergence that is none, checkpoints and refusals."""

import numpy as np
import pytest
from planted_counts import CASES, planted

from solvers.fit_methods import AlternatingNewton, ConjugateGradients, ShiftedPMI
from solvers.optimisation.skip_gram import embed as module
from solvers.optimisation.skip_gram.embed import embed
from solvers.optimisation.skip_gram.embedding import Embedding
from solvers.solution import NotConverged, Status

COUNTS = np.random.default_rng(0).poisson(2.0, (20, 14)).astype(float)


@pytest.mark.parametrize("case", CASES, ids=["60x50", "120x100"])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_newton_reaches_the_planted_maximum_from_every_start(case, seed):
    n, m, d, _, _, exact = case
    given, x = planted(*case[:-1])
    start = None
    if seed is not None:
        rng = np.random.default_rng(seed)
        start = Embedding(0.3 * rng.standard_normal((n, d)), 0.3 * rng.standard_normal((m, d)))
    found = embed(given, d, method=AlternatingNewton(ridge=0.0), accuracy=1e-13, start=start)
    value = given.value(found.value.words, found.value.contexts)
    assert abs(value - exact) < 1e-12 * abs(exact)
    np.testing.assert_allclose(found.value.words @ found.value.contexts.T, x, atol=1e-4)
    assert found.counts["sweeps"] <= 20
    assert found.extra["value_per_pair"] == pytest.approx(found.extra["bound_per_pair"], rel=1e-12)


def test_the_increase_still_expected_is_no_less_than_the_one_that_comes():
    given, _ = planted(*CASES[1][:-1])
    method = AlternatingNewton(ridge=3.0)
    end = embed(given, 4, method=method, accuracy=1e-14, throw=False).history[-1].energies[0]
    for accuracy in (1e-3, 1e-5, 1e-7):
        found = embed(given, 4, method=method, accuracy=accuracy)
        assert found.converged and (end - found.history[-1].energies[0]) / abs(end) < 3.0 * accuracy


def test_too_few_sweeps_are_said():
    with pytest.raises(NotConverged) as stopped:
        embed(COUNTS, 3, method=AlternatingNewton(sweeps=2), accuracy=1e-8)
    assert stopped.value.solution.status is Status.ITERATION_LIMIT
    paper = ConjugateGradients(conjugate=False, steps=3)
    assert embed(COUNTS, 3, method=paper, accuracy=1e-9, throw=False).status is Status.ITERATION_LIMIT


def test_the_ridge_bounds_the_singular_values_and_lowers_the_value():
    loose, tight = (embed(COUNTS, 3, method=AlternatingNewton(ridge=r), throw=False) for r in (0.1, 30.0))
    assert tight.value.singular_values.sum() < loose.value.singular_values.sum()
    assert tight.extra["value_per_pair"] < loose.extra["value_per_pair"] < loose.extra["bound_per_pair"] < 0.0


def test_newton_is_never_below_its_start_and_the_information_is_where_it_starts():
    information = embed(COUNTS, 3, method=ShiftedPMI()).extra["value_per_pair"]
    assert embed(COUNTS, 3, throw=False).extra["value_per_pair"] > information


def test_a_stopped_call_goes_on_to_the_same_vectors(tmp_path):
    whole = embed(COUNTS, 3, accuracy=1e-7, throw=False)

    def stop(state):
        if state.step == 3:
            raise KeyboardInterrupt

    for method in (AlternatingNewton(), ConjugateGradients(steps=12)):
        file = tmp_path / f"{type(method).__name__}.npz"
        whole = embed(COUNTS, 3, method=method, accuracy=1e-7, throw=False)
        with pytest.raises(KeyboardInterrupt):
            embed(COUNTS, 3, method=method, accuracy=1e-7, throw=False, checkpoint=file, callback=stop)
        again = embed(COUNTS, 3, method=method, accuracy=1e-7, throw=False, checkpoint=file)
        np.testing.assert_allclose(again.value.words, whole.value.words, atol=1e-8)
        assert [state.step for state in again.history] == [state.step for state in whole.history]


def test_another_value_than_that_of_the_definition_is_seen(monkeypatch):
    given, _ = planted(*CASES[0][:-1])
    monkeypatch.setattr(type(given), "of_rows", lambda self, w, c, part: np.full(part.stop - part.start, -1.0))
    assert embed(given, 2, throw=False, method=ShiftedPMI()).status is Status.CONTRADICTED
    assert module.LOOKED_AT > 1


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"rank": 0}, "from 1 to 14"),
        ({"rank": 15}, "from 1 to 14"),
        ({"rank": True}, "whole number"),
        ({"negatives": 0.0}, "positive"),
        ({"accuracy": 2.0}, "accuracy"),
        ({"start": Embedding(np.ones((3, 3)), np.ones((3, 3)))}, "asked for"),
    ],
)
def test_impossible_calls_are_refused_in_a_line(keywords, said):
    given = {"rank": 3, **keywords}
    with pytest.raises(ValueError, match=said) as refused:
        embed(COUNTS, given.pop("rank"), **given)
    assert "\n" not in str(refused.value)
