"""``divergence_form`` and functions on grids: cores against dense second differences, and what the operator knows."""

import numpy as np
import pytest

from solvers.formats import quantics
from solvers.formats.quantics.forms import FormOperator
from solvers.formats.quantics.grids import on_grid
from solvers.formats.trains.construct import identity_operator

KINDS = ["dirichlet", "neumann", "face"]
OFFSET = {"dirichlet": 1.0, "neumann": 0.5, "face": 0.5}
CONDUCTANCE = {"dirichlet": 1.0, "neumann": 0.0, "face": 2.0}


def a(x):
    return 1.0 + 0.5 * np.sin(3.0 * x.sum(axis=1)) + 0.2 * x[:, 0]


def dense(levels, ends, coefficient, reaction):
    """Edge by edge."""
    sizes = [2**n for n in levels]
    steps = [1.0 / (n - 1.0 + OFFSET[left] + OFFSET[right]) for n, (left, right) in zip(sizes, ends)]
    x = [(np.arange(n) + OFFSET[left]) * h for n, (left, _), h in zip(sizes, ends, steps)]
    total = np.zeros((np.prod(sizes),) * 2)
    for index in np.ndindex(*sizes):
        point = np.array([x[k][i] for k, i in enumerate(index)])
        here = np.ravel_multi_index(index, sizes)
        total[here, here] += reaction(point[None])[0]
        for k in range(len(index)):
            for side in (-1, 1):
                neighbour = np.array(index)
                neighbour[k] += side
                inside = 0 <= neighbour[k] < sizes[k]
                end = ends[k][(side + 1) // 2]
                weight, middle = (1.0, 0.5) if inside else (CONDUCTANCE[end], 0.5 * OFFSET[end])
                at = point + side * middle * steps[k] * np.eye(len(sizes))[k]
                if weight:
                    w = weight * coefficient(at[None])[0] / steps[k] ** 2
                    total[here, here] += w
                    if inside:
                        total[here, np.ravel_multi_index(tuple(neighbour), sizes)] -= w
    return total


@pytest.mark.parametrize("left", KINDS)
@pytest.mark.parametrize("right", KINDS)
def test_the_matrix_is_that_of_second_differences(left, right):
    ends = [("face", "neumann"), (left, right)]
    operator = quantics.divergence_form([2, 3], a, reaction=lambda x: x[:, 1] - 2.0, ends=ends)
    exact = dense([2, 3], ends, a, lambda x: x[:, 1] - 2.0)
    np.testing.assert_allclose(operator.full(), exact, atol=1e-11 * np.abs(exact).max())
    one = quantics.divergence_form(4, a, ends=[(left, right)])
    exact = dense([4], [(left, right)], a, lambda x: 0.0 * x[:, 0])
    np.testing.assert_allclose(one.full(), exact, atol=1e-11 * np.abs(exact).max())


def test_a_constant_coefficient_is_a_laplacian():
    one = quantics.divergence_form(5, 3.0)
    np.testing.assert_allclose(one.full(), 3.0 * quantics.laplacian(5, 1.0 / 33.0).full(), rtol=1e-11, atol=1e-9)
    form = one.forms[0]
    assert form.constant and form.scales == pytest.approx((3.0 * 33.0**2,))


def test_what_the_operator_knows_is_kept_by_sums_and_multiples():
    one = quantics.divergence_form([3, 3], a, ends="face", order="interleaved")
    assert isinstance(one, FormOperator)
    both = one * 2.0 + quantics.divergence_form([3, 3], 1.5, ends="face", order="interleaved")
    both = both - identity_operator((2,) * 6) * 4.0 - one * 0.5
    form = both.forms[0]
    exact = dense([3, 3], [("face", "face")] * 2, lambda x: 1.5 * a(x) + 1.5, lambda x: 0.0 * x[:, 0] - 4.0)
    order = np.argsort(np.ravel_multi_index(np.array(list(np.ndindex(*(2,) * 6))).T[[0, 2, 4, 1, 3, 5]], (2,) * 6))
    np.testing.assert_allclose(both.full()[np.ix_(order, order)], exact, atol=1e-10 * np.abs(exact).max())
    points = np.random.default_rng(0).random((5, 2))
    assert form.diffusion(0)(points) == pytest.approx((1.5 * a(points) + 1.5) * 64.0)
    assert form.absorption() == -4.0 and len(form.terms(0)) == 1
    parts = [quantics.divergence_form(3, a, ends="face"), quantics.divergence_form(3, 2.0, ends="face")]
    joint = quantics.kronecker_sum(parts).forms[0]
    assert joint.diffusion(0)(points) == pytest.approx(a(points[:, :1]) * 64.0) and joint.diffusion(1) == 128.0


def test_functions_on_fine_grids():
    f = on_grid(
        lambda x: np.exp(-x[:, 0]) * np.cos(3.0 * x[:, 0] * x[:, 1]), [30, 5], [0.0, 0.1], [2.0**-30, 0.02], 1e-11
    )
    index = np.random.default_rng(0).integers(0, [2**30, 2**5], (50, 2))
    x = np.array([0.0, 0.1]) + index * np.array([2.0**-30, 0.02])
    exact = np.exp(-x[:, 0]) * np.cos(3.0 * x[:, 0] * x[:, 1])
    np.testing.assert_allclose(f.entries(quantics.to_bits(index, [30, 5])), exact, atol=1e-10)
    assert f.max_rank < 15
    with pytest.raises(ValueError, match="not resolved"):
        on_grid(lambda x: np.sin(1e6 * x[:, 0]), [30, 30], [0.0, 0.0], [2.0**-30] * 2, 1e-10)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: quantics.divergence_form([2] * 4), "one to three axes"),
        (lambda: quantics.divergence_form([2, 2], (1.0,)), "one a direction"),
        (lambda: quantics.divergence_form([2, 2], 0.0), "must be positive"),
        (lambda: quantics.divergence_form([2, 2], lambda x: x[:, 0] - 0.5), "positive and finite: at"),
        (lambda: quantics.divergence_form([2, 2], ends="open"), "ends must be"),
        (lambda: quantics.divergence_form([2, 3], order="interleaved"), "equal levels"),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
