"""Operators that know what they are, solved as that: against dense solutions and closed forms on huge grids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import solvers.linear.forms as forms
from solvers.elliptic.elliptic import elliptic
from solvers.formats import quantics
from solvers.formats.quantics.forms import FormOperator, identity_factor
from solvers.formats.trains.construct import identity_operator, ones, random_train
from solvers.formats.trains.tensor_train import dot
from solvers.linear.solve import solve
from solvers.methods import AMEn
from solvers.solution import NotConverged

ENDS = ["dirichlet", "face", "neumann"]
PAIRS = [(a, b) for a in ENDS for b in ENDS if (a, b) != ("neumann", "neumann")]


def dense(form):
    """The matrix that a form says."""
    total = form.shift * np.eye(2 ** sum(form.levels))
    for k, (levels, ends, scale) in enumerate(zip(form.levels, form.ends, form.scales)):
        one = quantics.laplacian(levels, 1.0, *ends).full() * scale
        before, after = 2 ** sum(form.levels[:k]), 2 ** sum(form.levels[k + 1 :])
        total += np.kron(np.kron(np.eye(before), one), np.eye(after))
    return total


@given(
    ends=st.tuples(st.sampled_from(PAIRS), st.sampled_from(PAIRS)),
    factors=st.tuples(st.sampled_from([-2.5, 0.3, 1.0]), st.sampled_from([-1.0, 0.7, 4.0])),
)
@settings(max_examples=6, deadline=None)
def test_what_an_operator_knows_is_what_its_cores_hold(ends, factors):
    one, two = (quantics.laplacian(n, 0.5, *pair) * f for n, pair, f in zip((3, 2), ends, factors))
    operator = quantics.kronecker_sum([one, two]) * 2.0 - identity_operator((2,) * 5) * factors[1]
    assert isinstance(operator, FormOperator)
    np.testing.assert_allclose(operator.full(), dense(operator.forms[0]), atol=1e-12)
    again = -(identity_operator((2,) * 5) * 0.5 + operator).T.round(1e-13)
    np.testing.assert_allclose(again.full(), dense(again.forms[0]), atol=1e-11)
    square = operator @ operator
    np.testing.assert_allclose(square.full(), dense(square.forms[0]) @ dense(square.forms[1]), atol=1e-10)


def test_what_is_something_else_knows_nothing():
    a = quantics.laplacian(4)
    for other in (a + quantics.shift(4), a @ quantics.shift(4), a * 1j, a.round(1e-2)):
        assert not isinstance(other, FormOperator) or not other.forms
    assert quantics.laplacian(4, left="periodic", right="periodic").__class__ is not FormOperator
    assert identity_factor(identity_operator((2, 2)) * 3.0) == 3.0 and identity_factor(quantics.shift(4)) is None


@pytest.mark.parametrize("levels", [13, 30, 60])
@pytest.mark.parametrize("ends", PAIRS[1::3], ids="-".join)
def test_one_axis_on_any_number_of_levels(levels, ends):
    """b = 1: x = (i + s)(W - i - s)/2, W = N - 1 + s + t, but for the half steps of faces."""
    s, t = (1.0 if end == "dirichlet" else 0.5 for end in ends)
    found = solve(quantics.laplacian(levels, 1.0, *ends), ones((2,) * levels), accuracy=1e-10)
    i = (np.linspace(0.01, 0.99, 30) * 2.0**levels).astype(np.int64)
    x, width = i + s, 2.0**levels - 1.0 + s + t
    bend = [0.0 if end == "dirichlet" else 0.125 for end in ends]
    if ends[0] == "neumann":
        x, bend = width - x, bend[::-1]
    if "neumann" in ends:
        exact = x * width - x**2 / 2.0 + bend[0]
    else:
        exact = x * (width - x) / 2.0 + bend[0] * (1.0 - x / width) + bend[1] * x / width
    values = found.value.entries(quantics.to_bits(i[:, None], [levels]))
    np.testing.assert_allclose(values, exact, rtol=1e-11)
    assert found.residual[0] <= 1e-12 and found.extra["route"] == "Laplacian"


@pytest.mark.parametrize("order", ["sequential", "interleaved"])
def test_two_axes_on_2_to_the_20_points_each(order):
    """The torsion series, 20 digits; what is left is h^2."""
    h = 1.0 / (2.0**20 + 1.0)
    operator = quantics.kronecker_sum([quantics.laplacian(20, h)] * 2, order)
    found = solve(operator, ones((2,) * 40), accuracy=1e-6)
    assert h**2 * dot(found.value, ones((2,) * 40)) == pytest.approx(0.0351442537387884289, abs=1e-11)
    assert found.value.max_rank <= 45


def test_small_three_dimensional_systems_against_the_dense_one(monkeypatch):
    monkeypatch.setattr(forms, "LARGEST_FULL", 0)
    parts = [quantics.laplacian(3, 0.1, *ends) for ends in PAIRS[:3]]
    operator = quantics.kronecker_sum(parts) * -2.0 + identity_operator((2,) * 9) * 3.0
    b = random_train((2,) * 9, 3, np.random.default_rng(0))
    found = forms.solve_form(operator, b, 1e-9, np.random.default_rng(0), None)
    exact = np.linalg.solve(operator.full(), b.full().ravel())
    assert np.linalg.norm(found.value.full().ravel() - exact) <= 1e-8 * np.linalg.norm(exact)


def test_an_indefinite_and_a_biharmonic_system():
    levels, h = 13, 1.0 / (2.0**13 + 1.0)
    k = np.arange(1.0, 2.0**levels + 1.0) * h
    indefinite = quantics.laplacian(levels, h) - identity_operator((2,) * levels) * 2500.0
    b = quantics.sine(levels, 1.0, np.pi * 3.0 * h, 0.0, 3.0 * np.pi * h)
    eigenvalue = 4.0 / h**2 * np.sin(1.5 * np.pi * h) ** 2
    sine = np.sin(3.0 * np.pi * k)
    scale = b.full().ravel() @ sine / (sine @ sine)
    found = solve(indefinite, b, accuracy=1e-8)
    np.testing.assert_allclose(found.value.full().ravel(), scale * sine / (eigenvalue - 2500.0), atol=1e-9)
    one = quantics.laplacian(levels, h)
    twice = solve((one @ one).round(1e-14), b, accuracy=1e-8)
    exact = scale * sine / eigenvalue**2
    assert np.abs(twice.value.full().ravel() - exact).max() <= 1e-8 * np.abs(exact).max()


def test_rough_right_hand_sides_and_methods_asked_for_go_the_usual_way():
    rng = np.random.default_rng(0)
    operator = quantics.kronecker_sum([quantics.laplacian(7)] * 2)
    b = random_train((2,) * 14, 4, rng)
    assert forms.solve_form(operator, b, 1e-6, rng, None) is None
    found = solve(operator, ones((2,) * 14), method=AMEn(sweeps=1), throw=False)
    assert found.extra["route"] != "Laplacian"
    with pytest.raises(NotConverged):
        solve(operator, ones((2,) * 14), method=AMEn(sweeps=1))


def test_the_callback_is_told():
    told = []
    solve(quantics.laplacian(20), ones((2,) * 20), callback=lambda state: told.append(state.label))
    assert told == ["form"]


def varied(x):
    return 1.0 + 0.5 * np.sin(3.0 * x).mean(axis=1)


@pytest.mark.parametrize(
    ("levels", "ends"), [([40], [("neumann", "face")]), ([20, 20], ["face", ("dirichlet", "neumann")])]
)
def test_a_divergence_form_is_solved_as_what_it_is(levels, ends):
    """The error is that of ``elliptic``, whatever the levels; the right-hand side is a train that is not constant."""
    operator = quantics.divergence_form(levels, varied, ends=ends)
    b = ones((2,) * sum(levels)) + quantics.on_axis(
        quantics.exponential(levels[0], -1.0, 0.0, 2.0 ** -levels[0]), 0, levels
    )
    found = solve(operator, b, accuracy=1e-9)
    exact = elliptic(levels, diffusion=varied, load=b, ends=ends, accuracy=1e-11).value.u
    assert found.extra["route"] == "divergence form"
    assert (found.value - exact).norm() <= 1e-9 * exact.norm() and found.value.max_rank < 60


@pytest.mark.parametrize("levels", [10, 30])
def test_a_scaled_and_shifted_divergence_form(levels):
    operator = quantics.divergence_form([levels, levels], varied, reaction=lambda x: x[:, 1])
    b = ones((2,) * (2 * levels))
    found = solve(operator * -3.0 + identity_operator(b.shape) * 2.0, b, accuracy=1e-8)
    exact = elliptic(
        [levels, levels], diffusion=lambda x: 3.0 * varied(x), reaction=lambda x: 3.0 * x[:, 1] - 2.0, load=-1.0
    ).value.u
    assert (found.value - exact).norm() <= 1e-8 * exact.norm()


def test_a_coefficient_of_both_signs_is_not_claimed():
    operator = quantics.divergence_form([8, 8], varied) - quantics.divergence_form([8, 8], 1.1)
    assert forms.solve_form(operator, ones((2,) * 16), 1e-6, np.random.default_rng(0), None) is None
