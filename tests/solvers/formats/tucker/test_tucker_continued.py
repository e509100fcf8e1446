"""A Tucker cross approximation that was stopped and goes on is that of a call left alone; others are refused."""

import numpy as np
import pytest
from continued_calls import check_that_it_goes_on

from solvers import checkpoint as files
from solvers.checkpoint import CheckpointError
from solvers.formats.tucker.cross import tucker_cross
from solvers.formats.tucker.passes import Passes
from solvers.formats.tucker.tensor import rank_one
from solvers.formats.tucker.values import Values
from solvers.methods import TuckerCross

GRIDS = [np.linspace(0.0, 1.0, 24)] * 3
CROSS = TuckerCross(whole=0)  # not taken whole
TENSORS = [rank_one([np.exp(k * g) for k, g in enumerate(GRIDS)])]


@pytest.fixture(autouse=True)
def every_pass_is_written(monkeypatch):
    monkeypatch.setattr(files, "QUIET", np.inf)


def ridge(x, y, z):
    return np.sqrt(0.003 + (x - y + 0.3 * z) ** 2)


def of_coordinates(method=CROSS, f=ridge, accuracy=1e-7, **options):
    return tucker_cross(f, [], coordinates=GRIDS, method=method, accuracy=accuracy, throw=False, **options)


def of_both(**options):
    return tucker_cross(
        lambda u, *x: u * ridge(*x),
        TENSORS,
        coordinates=GRIDS,
        method=CROSS,
        accuracy=1e-7,
        scale=10.0,
        throw=False,
        **options,
    )


@pytest.mark.parametrize("call", [of_coordinates, of_both])
def test_it_goes_on_to_the_same_tensor(call, tmp_path):
    check_that_it_goes_on(call, tmp_path)


@pytest.mark.parametrize("method", [TuckerCross(whole=0, max_rank=3), TuckerCross(whole=0, passes=1)])
def test_a_limit_is_said_again(method, tmp_path):
    check_that_it_goes_on(lambda **options: of_coordinates(method, **options), tmp_path, least=1)


def test_nothing_is_evaluated_twice(tmp_path):
    asked = []

    def counted(x, y, z):
        asked.append(np.broadcast(x, y, z).size)
        return ridge(x, y, z)

    whole = of_coordinates(f=counted)
    assert sum(asked) == whole.counts["evaluations"]
    asked.clear()

    def leave(state):
        if state.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        of_coordinates(f=counted, callback=leave, checkpoint=tmp_path / "x.npz")
    of_coordinates(f=counted, checkpoint=tmp_path / "x.npz")
    assert sum(asked) == whole.counts["evaluations"] + 2 * 16  # those that tell functions apart


def test_what_is_known_comes_back_as_it_was():
    one, other = (Values(ridge, [], GRIDS) for _ in range(2))
    passes = Passes(one, None, 0.03, CROSS, 1e-7, None, np.random.default_rng(0))
    next(passes.steps())
    other.restore(*one.content())
    x = rank_one(GRIDS)
    assert other.missed(x)[0] == one.missed(x)[0] > 0.0
    assert (other.evaluations, other.least, other.most) == (one.evaluations, one.least, one.most)


@pytest.mark.parametrize(
    "changed",
    [
        {"f": lambda x, y, z: ridge(x, y, z) + 1e-5},
        {"accuracy": 1e-6},
        {"method": TuckerCross(whole=0, passes=3)},
        {"start": [np.arange(5)] * 3},
        {"inside": 1e-3},
        {"scale": 1.0},
    ],
)
def test_another_function_is_refused(changed, tmp_path):
    of_coordinates(checkpoint=tmp_path / "x.npz")
    with pytest.raises(CheckpointError, match="another computation"):
        of_coordinates(checkpoint=tmp_path / "x.npz", **changed)
