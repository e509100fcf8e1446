"""Functions from values at scattered points: errors told beside true ones, and what is given badly."""

import numpy as np
import pytest

from solvers.fit_methods import Regression
from solvers.optimisation.regression.bases import Fourier, Functions, Polynomials
from solvers.optimisation.regression.regress import regress
from solvers.solution import NotConverged, Status

C = np.array([0.9, 0.3, 0.6, 0.45, 0.8, 0.25, 0.55, 0.7, 0.35, 0.5])


def waves(x):
    return np.cos(x @ C[: x.shape[1]])


def true_error(found, f, d, low=0.0, high=1.0):
    x = np.random.default_rng(99).uniform(low, high, (3000, d))
    inside = [np.clip(column, *ends) for column, ends in zip(x.T, found.domain)]
    x = np.stack(inside, axis=1)
    return np.linalg.norm(found(x) - f(x)) / np.linalg.norm(f(x))


@pytest.mark.parametrize(
    ("d", "count", "degree", "accuracy"), [(8, 1500, 4, 1e-4), pytest.param(10, 5000, 6, 1e-6, marks=pytest.mark.slow)]
)
def test_many_dimensions_beside_a_plain_fit(d, count, degree, accuracy):
    """cos(c . x) has rank two; all products up to degree two, a plain fit with nearly as many numbers, are far off."""
    x = np.random.default_rng(0).random((count, d))
    solution = regress(x, waves(x), Polynomials(degree, (0.0, 1.0)), accuracy=accuracy)
    error = true_error(solution.value, waves, d)
    assert solution.converged and solution.value.coefficients.max_rank == 2
    assert error < 2.0 * solution.residual[0] < accuracy
    assert solution.counts["sweeps"] <= 30
    pairs = [(i, j) for i in range(d) for j in range(i, d)]

    def plain(z):
        return np.column_stack([np.ones(len(z)), z, *(z[:, i] * z[:, j] for i, j in pairs)])

    z = np.random.default_rng(1).random((3000, d))
    fitted = plain(z) @ np.linalg.lstsq(plain(x), waves(x), rcond=None)[0]
    assert np.linalg.norm(fitted - waves(z)) / np.linalg.norm(waves(z)) > 100.0 * error
    # the mean over the cube: the real part of a product
    c = C[:d]
    wanted = np.prod((np.exp(1j * c) - 1.0) / (1j * c)).real
    assert solution.value.mean() == pytest.approx(wanted, abs=accuracy)
    slope = -c * np.sin(z[:5] @ c)[:, None]
    np.testing.assert_allclose(solution.value.gradient(z[:5]), slope, atol=30.0 * accuracy)


@pytest.mark.parametrize(
    ("f", "basis", "d", "count", "accuracy"),
    [
        (lambda x: np.exp(-x.sum(axis=1)), Polynomials(8, (0.0, 1.0)), 3, 300, 1e-6),
        (lambda x: np.sin(2.0 * np.pi * x.sum(axis=1)), Fourier(1, (0.0, 1.0)), 3, 200, 1e-9),
        (lambda x: (x**2).sum(axis=1) + x[:, 0] * x[:, 2], Polynomials(2, (0.0, 1.0)), 3, 200, 1e-9),
        (lambda x: np.exp(2j * x[:, 0]) * (1.0 + x[:, 1]), Polynomials(9, (0.0, 1.0)), 2, 200, 1e-6),
        (lambda x: np.exp(x[:, 0]), Polynomials(9, (0.0, 1.0)), 1, 60, 1e-8),
        (lambda x: np.exp(x[:, 0]) * np.sin(x[:, 1]) + 1.0, Functions(np.ones_like, np.exp, np.sin), 2, 90, 1e-9),
    ],
    ids=["rank one", "periodic", "sums", "complex", "one coordinate", "own functions"],
)
def test_errors_told_are_those_of_the_function(f, basis, d, count, accuracy):
    x = np.random.default_rng(3).random((count, d))
    solution = regress(x, f(x), basis, accuracy=accuracy)
    assert solution.converged and true_error(solution.value, f, d) < 3.0 * solution.residual[0] <= 3.0 * accuracy


def test_noise_is_averaged_out_and_told_as_an_error_of_the_values():
    rng = np.random.default_rng(4)
    x = rng.random((800, 3))
    noisy = waves(x) + 0.05 * np.sqrt(np.mean(waves(x) ** 2)) * rng.standard_normal(800)
    two = Regression(max_rank=2)
    solution = regress(x, noisy, Polynomials(2, (0.0, 1.0)), method=two, accuracy=0.07)
    assert solution.converged and 0.04 < solution.residual[0] < 0.07 and true_error(solution.value, waves, 3) < 0.02
    with pytest.raises(NotConverged) as caught:
        regress(x[:300], noisy[:300], Polynomials(1, (0.0, 1.0)), accuracy=1e-3)
    assert caught.value.solution.status is Status.STAGNATED and caught.value.solution.value.d == 3


def test_few_noisy_points_are_held_by_a_ridge_and_not_called_known():
    """On six points set aside a wild fit once predicted well: 0.45 was told, 4.6 was true."""
    rng = np.random.default_rng(5)
    x = rng.random((60, 4))
    noisy = waves(x) + 0.3 * rng.standard_normal(60)
    options = {"accuracy": 0.5, "throw": False}
    free = regress(x, noisy, Polynomials(3, (0.0, 1.0)), method=Regression(ridge=0.0, max_rank=2), **options)
    held = regress(x, noisy, Polynomials(3, (0.0, 1.0)), method=Regression(max_rank=2), **options)
    assert held.extra["ridge"] > 0.0 == free.extra["ridge"]
    assert not held.converged and not free.converged


def test_weights_say_which_values_to_trust():
    rng = np.random.default_rng(6)
    x = rng.random((300, 3))
    deviation = 10.0 ** rng.uniform(-3.0, 0.0, 300)
    noisy = waves(x) + deviation * rng.standard_normal(300)
    options = {"method": Regression(max_rank=2), "accuracy": 1e-2, "throw": False}
    found = [
        regress(x, noisy, Polynomials(3, (0.0, 1.0)), weights=w, **options).value
        for w in (None, deviation**-2, 1e8 * deviation**-2)
    ]
    errors = [true_error(one, waves, 3) for one in found]
    assert errors[1] < 0.1 * errors[0] and errors[2] == pytest.approx(errors[1], rel=1e-3)


def test_repeated_points_tell_the_noise():
    rng = np.random.default_rng(7)
    x = np.repeat(rng.random((300, 3)), 3, axis=0)
    noisy = waves(x) + 0.02 * rng.standard_normal(900)
    solution = regress(x, noisy, Polynomials(4, (0.0, 1.0)), accuracy=0.05)
    assert solution.extra["sigma"] == pytest.approx(0.02, rel=0.1)
    assert solution.extra["fitted"] + solution.extra["validation"] == 300
    assert any(look.what == "repeated samples" for look in solution.checked)


def test_a_function_seen_on_a_line_alone_is_not_called_known():
    """Coordinates that go together: two fits agree at the points and part elsewhere."""
    rng = np.random.default_rng(8)
    x = np.clip(rng.random((300, 1)) + 0.01 * rng.standard_normal((300, 4)), 0.0, 1.0)
    few = Regression(max_rank=2)
    solution = regress(x, waves(3.0 * x), Polynomials(4, (0.0, 1.0)), method=few, accuracy=1e-3, throw=False)
    assert not solution.converged
    assert true_error(solution.value, lambda z: waves(3.0 * z), 4) > 1e-2


def test_the_domain_ends_where_the_points_do():
    x = np.random.default_rng(9).random((500, 2))
    found = regress(x * [0.5, 1.0], waves(x * [0.5, 1.0]), Polynomials(5, (0.0, 1.0))).value
    assert found.domain[0][1] < 0.51 and found.domain[1] == (0.0, 1.0)
    with pytest.raises(ValueError, match="where no value was seen"):
        found(np.array([[0.8, 0.5]]))
    own = regress(x, waves(x), Polynomials(5)).value.domain[0]
    assert -0.03 < own[0] <= x[:, 0].min() and x[:, 0].max() <= own[1] < 1.03


def test_it_goes_on_to_the_same_function(tmp_path):
    rng = np.random.default_rng(10)
    x = rng.random((150, 2))
    values = 1.0 / (1.0 + x.sum(axis=1))
    options = {"accuracy": 1e-7, "throw": False, "method": Regression(max_rank=3)}
    whole = regress(x, values, Polynomials(4, (0.0, 1.0)), **options)

    class Stop(Exception):
        pass

    told = []

    def stop(state):
        told.append(state.label)
        raise Stop

    path = tmp_path / "fit.npz"
    for _ in range(30):
        try:
            found = regress(x, values, Polynomials(4, (0.0, 1.0)), checkpoint=path, callback=stop, **options)
            break
        except Stop:
            continue
    assert len(told) >= 3
    for a, b in zip(whole.value.coefficients.cores, found.value.coefficients.cores):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="another computation"):
        regress(x, values, Polynomials(4, (0.0, 1.0)), checkpoint=path, accuracy=1e-3)


def test_units_of_values_and_coordinates_change_nothing():
    x = np.random.default_rng(11).random((300, 3))
    plain = regress(x, waves(x), Polynomials(5, (0.0, 1.0)))
    scaled = regress(1e9 * x, 1e-200 * waves(x), Polynomials(5, (0.0, 1e9)))
    assert scaled.converged and scaled.residual[0] == pytest.approx(plain.residual[0], rel=1e-2)
    np.testing.assert_allclose(1e200 * scaled.value(1e9 * x[:9]), plain.value(x[:9]), rtol=1e-6)


def test_refusals():
    x = np.random.default_rng(12).random((200, 2))
    y, basis = waves(x), Polynomials(3, (0.0, 1.0))

    def refused(match, points=x, values=y, bases=basis, **options):
        with pytest.raises(ValueError, match=match):
            regress(points, values, bases, **options)

    refused("not finite", points=np.where(np.arange(400).reshape(200, 2) == 7, np.nan, x))
    refused("not finite", values=np.where(np.arange(200) == 7, np.inf, y))
    refused("one a point", values=y[1:])
    refused("all values are zero", values=0.0 * y)
    refused("must be numbers", values=y.astype(str))
    refused("outside its interval", points=x + 0.5)
    refused("one a coordinate", bases=[basis] * 3)
    refused("one a coordinate", bases=[np.exp, np.sin])
    refused("number 3 is 0.0", weights=(np.arange(200) != 3).astype(float))
    refused("accuracy", accuracy=1.0)
    refused("at all points", points=x * [1.0, 0.0], bases=Polynomials(3))
    refused("not told apart by 3 different coordinates: give at most 3", points=np.round(2.0 * x) / 2.0)
    refused("zero at all points", bases=Functions(np.ones_like, np.zeros_like))
    refused("rank 1 has 7 numbers, but only 6 points", points=x[:11], values=y[:11], method=Regression(validation=0.4))
    refused("too few samples", points=x[:3], values=y[:3], bases=Polynomials(0, (0.0, 1.0)))
    with pytest.raises(ValueError, match="loss"):
        Regression(loss="logistic")
    with pytest.raises(ValueError, match="ridge"):
        Regression(ridge=-1.0)
    with pytest.raises(ValueError, match="validation"):
        Regression(validation=0.0)
