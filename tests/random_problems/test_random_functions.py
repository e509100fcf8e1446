"""Cross approximation of random functions: never silently wrong, rarely unconverged, no value asked for twice."""

from collections import Counter

import numpy as np
import pytest
from functions import judged, large, small, solved, wide

from solvers.methods import Cross

CROSS = Cross(whole=0)  # small tensors too


def counted(draw, seeds, method=None):
    classes, failed = Counter(), []
    for seed in seeds:
        drawn = draw(seed)
        solution = solved(drawn, method, seed)
        asked = np.concatenate(drawn.asked)
        assert len(asked) == len(np.unique(asked, axis=0)) <= drawn.size
        kind = judged(drawn, solution)
        classes[kind] += 1
        if kind != "right":
            failed.append((seed, kind, drawn.name, solution.status.name))
    return classes, failed


def test_small_functions_taken_whole():
    classes, failed = counted(small, range(100))
    assert classes == {"right": 100}, failed


def test_small_functions_by_the_cross_alone():
    classes, failed = counted(small, range(200, 300), CROSS)
    assert classes["silent"] == 0 and classes["honest"] <= 7, failed  # 25 of 1,000 of seeds 1000 to 2000


def test_large_functions():
    classes, failed = counted(large, range(4))
    assert classes["silent"] == 0 and classes["honest"] <= 1, failed


def test_functions_of_long_modes():
    classes, failed = counted(wide, range(5), Cross(whole=0, max_rank=60, max_evaluations=60_000))
    assert classes["silent"] == 0 and classes["honest"] <= 2, failed


@pytest.mark.slow
@pytest.mark.parametrize("method", [None, CROSS], ids=["whole", "cross"])
def test_many_small_functions(method):
    classes, failed = counted(small, range(1000, 2000), method)
    assert classes["silent"] == 0 and classes["honest"] <= (0 if method is None else 50), failed


@pytest.mark.slow
def test_many_large_functions():
    classes, failed = counted(large, range(1000, 1200))
    assert classes["silent"] == 0 and classes["honest"] <= 10, failed


@pytest.mark.slow
def test_many_functions_of_long_modes():
    classes, failed = counted(wide, range(1000, 1100), Cross(whole=0, max_rank=60, max_evaluations=300_000))
    assert classes["silent"] == 0 and classes["honest"] <= 40, failed
