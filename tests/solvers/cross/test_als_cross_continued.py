"""ALS-cross that was stopped and goes on is that of a call left alone; others are refused, and no solve is repeated."""

from dataclasses import replace

import numpy as np
import pytest
from continued_calls import check_that_it_goes_on, stopped_and_continued
from parametric_cases import diffusion

from solvers import checkpoint as files
from solvers.checkpoint import CheckpointError
from solvers.cross import als_rounds
from solvers.cross.als_cross import als_cross
from solvers.cross.reduced_basis import ReducedBasis
from solvers.methods import ALSCross
from solvers.solution import Status


@pytest.fixture(autouse=True)
def every_state_is_written(monkeypatch):
    monkeypatch.setattr(files, "QUIET", np.inf)


def alone(system=None, accuracy=1e-6, **options):
    return als_cross(system or diffusion(cells=40), accuracy=accuracy, throw=False, **options)


def refined(**options):
    """From the basis of another call on fewer points."""
    finer = diffusion(cells=40, points=6)
    return alone(finer, start=alone(accuracy=1e-3).extra["basis"].on(finer), **options)


def few_candidates(**options):
    """Checks that find errors: more than one round."""
    return alone(method=ALSCross(candidates=10), **options)


@pytest.mark.parametrize(("call", "checks"), [(alone, 2), (few_candidates, 3), (refined, 1)])
def test_it_goes_on_to_the_same_train(call, checks, tmp_path):
    whole = check_that_it_goes_on(call, tmp_path, least=5, stops=9)
    assert [state.label for state in whole.history].count("check") >= checks


@pytest.mark.parametrize(
    ("method", "status"),
    [
        (ALSCross(max_solves=4), Status.BASIS_LIMIT),
        (ALSCross(max_rank=3), Status.RANK_LIMIT),
        (ALSCross(candidates=10), Status.ITERATION_LIMIT),
    ],
)
def test_a_limit_is_met_again(method, status, tmp_path, monkeypatch):
    monkeypatch.setattr(als_rounds, "ROUNDS", 2)
    call = lambda **options: alone(method=method, **options)  # noqa: E731
    assert check_that_it_goes_on(call, tmp_path).status is status


def test_a_call_that_began_with_the_solutions_of_another_remembers_them(tmp_path):
    """It may be continued where they are gone."""
    alone(accuracy=1e-3, checkpoint=tmp_path / "first.npz")
    whole = alone(earlier=tmp_path / "first.npz")

    def leave(state):
        if state.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        alone(earlier=tmp_path / "first.npz", checkpoint=tmp_path / "second.npz", callback=leave)
    again = alone(checkpoint=tmp_path / "second.npz")
    assert again.counts == whole.counts
    assert all(np.array_equal(a, b) for a, b in zip(again.value.cores, whole.value.cores, strict=True))
    third = alone(accuracy=1e-7, earlier=tmp_path / "second.npz")
    assert third.counts["basis"] >= whole.counts["basis"]


class Counted:
    """Solves from the separated form, and counts them."""

    def __init__(self, system):
        self.system, self.solves = system, 0

    def __call__(self, points):
        self.solves += len(points)
        return self.system.solve(points)


def counted():
    exact = Counted(diffusion())
    return exact, replace(exact.system, exact=exact)


def test_no_solve_is_made_twice(tmp_path):
    exact, system = counted()
    again, _ = stopped_and_continued(lambda **options: alone(system, **options), tmp_path / "x.npz", 4)
    assert exact.solves == again.counts["solves"]
    # as it was left by versions that kept the solutions alone
    for file in (tmp_path / "x.npz", files.previous(tmp_path / "x.npz")):
        file.unlink()
    exact, system = counted()
    assert alone(system, checkpoint=tmp_path / "x.npz").counts == again.counts and exact.solves == 0


def test_another_basis_to_begin_with_is_refused(tmp_path):
    one, other = (alone(accuracy=accuracy).extra["basis"] for accuracy in (1e-3, 1e-5))
    alone(start=one.on(one.system), checkpoint=tmp_path / "x.npz")
    with pytest.raises(CheckpointError, match="another computation"):
        alone(start=other.on(other.system), checkpoint=tmp_path / "x.npz")


def test_compliances_are_of_the_span():
    points = np.array([[0, 1, 2], [3, 3, 0], [1, 0, 0]])
    one, other = ReducedBasis(diffusion()), ReducedBasis(diffusion())
    assert not one.compliances(points).any()
    one.add(points)
    other.add(points[::-1])
    exact = [f @ u for f, u in zip(one.system.load_coefficients(points) @ one.system.loads, one.system.solve(points))]
    np.testing.assert_allclose(one.compliances(points), exact, rtol=1e-12)
    np.testing.assert_allclose(one.compliances(points % 3), other.compliances(points % 3), rtol=1e-12)


@pytest.mark.parametrize("changed", ["load", "factors", "accuracy", "method", "start"])
def test_another_question_is_refused(changed, tmp_path):
    system = diffusion()
    first = alone(system, checkpoint=tmp_path / "x.npz")
    other = {
        "load": {"system": replace(system, loads=system.loads * 2.0)},
        "factors": {"system": replace(system, factors=tuple(g * 1.01 for g in system.factors))},
        "accuracy": {"accuracy": 1e-5},
        "method": {"method": ALSCross(candidates=50)},
        "start": {"start": first.extra["basis"]},
    }[changed]
    with pytest.raises(CheckpointError, match="another computation"):
        alone(**{"system": system, "checkpoint": tmp_path / "x.npz", **other})
