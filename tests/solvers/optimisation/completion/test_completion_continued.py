"""A completion that was stopped and goes on is that of a call left alone; files of others are refused."""

import numpy as np
import pytest
from continued_calls import check_that_it_goes_on, stopped_and_continued

from solvers import checkpoint as files
from solvers.checkpoint import CheckpointError
from solvers.fit_methods import Completion
from solvers.optimisation.completion.completion import complete

SHAPE = (7, 7, 7)
POINTS = np.stack(np.unravel_index(np.random.default_rng(0).permutation(343)[:200], SHAPE), axis=1)
VALUES = 1.0 / (1.0 + POINTS.sum(axis=1))
NOISE = np.random.default_rng(1).standard_normal(200)


@pytest.fixture(autouse=True)
def every_rank_is_written(monkeypatch):
    monkeypatch.setattr(files, "QUIET", np.inf)


def smooth(**options):
    test = (POINTS[:20], VALUES[:20])
    options = {"method": Completion(max_rank=3), "accuracy": 1e-3, "test": test, "throw": False} | options
    return complete(POINTS, VALUES, SHAPE, **options)


def noise(**options):
    """Three attempts, of which none learns anything."""
    return complete(POINTS, NOISE, SHAPE, method=Completion(max_rank=2, starts=2), throw=False, **options)


@pytest.mark.parametrize("call, ranks", [(smooth, 3), (noise, 6)])
def test_it_goes_on_to_the_same_tensor(call, ranks, tmp_path):
    check_that_it_goes_on(call, tmp_path, ranks, stops=6)


def test_one_that_goes_on_from_another_call_is_itself_gone_on_with(tmp_path):
    first = smooth(method=Completion(max_rank=2), checkpoint=tmp_path / "first.npz")
    call = lambda **options: smooth(earlier=tmp_path / "first.npz", **options)  # noqa: E731
    whole = call()
    assert len(first.history) == 2 and len(whole.history) == len(whole.extra["by_rank"]) == 3
    again, told = stopped_and_continued(call, tmp_path / "second.npz", 3)
    assert again.counts == whole.counts and [state.step for state in again.history] == [1, 2, 3]
    assert told == []
    assert all(np.array_equal(a, b) for a, b in zip(again.value.cores, whole.value.cores, strict=True))


@pytest.mark.parametrize(
    "changed", [{"accuracy": 1e-5}, {"method": Completion(max_rank=2)}, {"test": (POINTS[1:21], VALUES[1:21])}]
)
def test_another_completion_is_refused(changed, tmp_path):
    smooth(checkpoint=tmp_path / "x.npz")
    with pytest.raises(CheckpointError, match="another computation"):
        smooth(checkpoint=tmp_path / "x.npz", **changed)
    with pytest.raises(CheckpointError, match="another computation"):
        complete(POINTS, VALUES + 1e-3, SHAPE, method=Completion(max_rank=3), checkpoint=tmp_path / "x.npz")


def test_a_file_of_an_earlier_version_is_refused_in_one_line_but_is_still_an_earlier_call(tmp_path):
    """It held no seconds."""
    file = tmp_path / "x.npz"
    smooth(method=Completion(max_rank=2), checkpoint=file)
    arrays, data = files.read(file)
    del data["seconds"]
    files.write(file, arrays, data)
    with pytest.raises(CheckpointError, match="another version: remove it, or name another file"):
        smooth(method=Completion(max_rank=2), checkpoint=file)
    assert len(smooth(earlier=file).history) == 3
