"""Each value is asked for once, within the limit."""

import numpy as np

from solvers.cross.calling import Calling
from solvers.extremal.values import Values


def test_once_and_within_the_limit():
    asked = []

    def f(i):
        asked.extend(map(tuple, i.tolist()))
        return np.where(i[:, 0] == 0, np.inf, i.sum(axis=1))

    values = Values(Calling(f, (4, 4)), 3)
    found = values.at(np.array([[1, 1], [0, 2], [1, 1], [2, 3], [3, 3]]))
    np.testing.assert_array_equal(found, [2.0, np.nan, 2.0, 5.0, np.nan])
    assert asked == [(1, 1), (0, 2), (2, 3)] and values.spent and values.undefined == 1
    assert (values.seen.low, values.seen.high) == (2.0, 5.0) and values.seen.argmax.tolist() == [2, 3]
    points, known = values.table()
    assert points.tolist() == [[1, 1], [0, 2], [2, 3]]
    np.testing.assert_array_equal(known, [2.0, np.nan, 5.0])


def test_values_of_an_earlier_call_are_not_asked_for():
    values = Values(Calling(lambda i: i[:, 0] + 0.5, (9,)), 5)
    values.recalled = {np.array([3]).tobytes(): 3.5, np.array([4]).tobytes(): 4.5}
    assert values.at(np.array([[3], [5], [4]])).tolist() == [3.5, 5.5, 4.5]
