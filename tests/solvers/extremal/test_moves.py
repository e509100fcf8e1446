"""The moves of the search by themselves."""

import numpy as np

from solvers.extremal.moves import along_mode, model, pairs, recombined, sweep


def test_along_a_mode_of_any_length():
    asked = []

    def value(points):
        asked.append(len(points))
        return np.abs(points[:, 1] - 123_456_789.0) + 1e9 * (points[:, 0] != 2)

    for n in (2**30, 2**28):
        asked.clear()
        point, best = along_mode(value, np.array([2, 5]), 1, n)
        assert point.tolist() == [2, 123_456_789] and best == 0.0 and sum(asked) < 500
    point, best = along_mode(lambda p: np.where(p[:, 0] == 3, np.nan, -p[:, 0]), np.array([0]), 0, 4)
    assert point.tolist() == [2] and best == -2.0


def test_a_sweep_goes_on_along_its_way():
    """Along the diagonal valley of max(x, y) - 2 min(x, y) no single mode leads to the end, their sum does."""

    def value(points):
        x = points.astype(float)
        return 10 * np.abs(x[:, 0] - x[:, 1]) - x.sum(axis=1)

    _, best = sweep(value, np.array([0, 4]), value(np.array([[0, 4]]))[0], (30, 30), np.arange(2))
    assert best <= value(np.array([[4, 4]]))[0]


def test_pairs_leave_a_minimum_of_single_changes():
    def value(points):
        return np.where(points[:, [1, 3]].all(axis=1), -1.0, points.sum(axis=1))

    point, best = pairs(value, np.zeros(5, dtype=int), (2,) * 5, 100, np.random.default_rng(0))
    assert best == -1.0 and point.tolist() == [0, 1, 0, 1, 0]


def test_a_model_is_exact_for_quadratic_functions():
    rng = np.random.default_rng(1)
    a = rng.standard_normal((4, 4))
    centre = np.array([510, 500, 520, 515])

    def value(points):
        return np.sum(((points - centre) @ a) ** 2, axis=1)

    start = np.full(4, 505)
    point, best = model(value, start, value(start[None])[0], (1000,) * 4, 0.05, rng)
    assert point.tolist() == centre.tolist() and best == 0.0


def test_recombinations_are_of_beginnings_and_ends():
    pool = np.array([[0, 0, 0, 0], [1, 1, 1, 1]])
    for row in recombined(pool, 20, np.random.default_rng(2)):
        assert np.count_nonzero(np.diff(row)) <= 1
