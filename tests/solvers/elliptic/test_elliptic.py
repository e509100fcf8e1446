"""``elliptic``: against dense solves, closed forms and published values, on small and on huge grids."""

import numpy as np
import pytest
from scipy.sparse import diags_array, eye_array, kron, kronsum
from scipy.sparse.linalg import spsolve

from solvers.elliptic.elliptic import elliptic
from solvers.elliptic.leaves import GROUND, OFFSET, step_of
from solvers.formats.quantics.axes import kron as train_kron
from solvers.formats.quantics.functions import sampled
from solvers.solution import NotConverged, Status

ENDS = [("dirichlet", "dirichlet"), ("dirichlet", "neumann"), ("face", "dirichlet"), ("neumann", "face")]


def axis_matrix(a, levels, ends):
    """-(a u')' by second differences; a at midpoints."""
    n, h = 2**levels, step_of(levels, ends)
    x = (np.arange(n) + OFFSET[ends[0]]) * h
    edges = np.concatenate([[0.0], a(x[:-1] + h / 2), [0.0]])
    edges[0] = GROUND[ends[0]] * a(np.array([0.5 * OFFSET[ends[0]] * h]))[0]
    edges[-1] = GROUND[ends[1]] * a(np.array([1.0 - 0.5 * OFFSET[ends[1]] * h]))[0]
    return diags_array([-edges[1:-1], edges[:-1] + edges[1:], -edges[1:-1]], offsets=[-1, 0, 1]) / h**2, x


def plane_matrix(a, levels, ends):
    """The five-point scheme, the coefficient at the midpoints of the edges."""
    sizes = [2**n for n in levels]
    steps = [step_of(n, e) for n, e in zip(levels, ends)]
    x = [(np.arange(n) + OFFSET[e[0]]) * h for n, e, h in zip(sizes, ends, steps)]
    total = np.zeros((np.prod(sizes),) * 2)
    for i in range(sizes[0]):
        row = axis_matrix(lambda y, i=i: a(np.full(len(y), x[0][i]), y), levels[1], ends[1])[0].toarray()
        total[i * sizes[1] : (i + 1) * sizes[1], i * sizes[1] : (i + 1) * sizes[1]] += row
    for j in range(sizes[1]):
        column = axis_matrix(lambda y, j=j: a(y, np.full(len(y), x[1][j])), levels[0], ends[0])[0].toarray()
        total[j :: sizes[1], j :: sizes[1]] += column
    return total, np.stack(np.meshgrid(*x, indexing="ij"), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize("ends", ENDS, ids="-".join)
def test_one_dimension_is_the_dense_solution(ends):
    def a(x):
        return 1.0 + x**2

    matrix, x = axis_matrix(a, 6, ends)
    exact = spsolve(matrix.tocsc(), np.cos(x))
    found = elliptic([6], diffusion=lambda p: a(p[:, 0]), load=lambda p: np.cos(p[:, 0]), ends=[ends], accuracy=1e-12)
    np.testing.assert_allclose(found.value.u.full().ravel(), exact, atol=1e-12 * np.abs(exact).max())
    slopes = np.diff(exact) / step_of(6, ends)
    np.testing.assert_allclose(found.value.slope(0).full().ravel()[1:], slopes, atol=1e-12)
    assert found.extra["route"] == "flux"


@pytest.mark.parametrize("ends", [ENDS[:2], ENDS[2:]], ids=["zeros", "faces"])
@pytest.mark.parametrize("reaction", [0.0, 3.0, -40.0])
def test_two_dimensions_are_the_dense_solution(ends, reaction):
    def a(x, y):
        return 1.0 + x * y + 0.3 * np.sin(x)

    matrix, points = plane_matrix(a, (4, 3), ends)
    load = np.exp(points[:, 0] - points[:, 1] ** 2)
    exact = np.linalg.solve(matrix + reaction * np.eye(len(matrix)), load)
    found = elliptic(
        [4, 3],
        diffusion=lambda p: a(p[:, 0], p[:, 1]),
        load=lambda p: np.exp(p[:, 0] - p[:, 1] ** 2),
        reaction=reaction,
        ends=ends,
        accuracy=1e-10,
    )
    u = found.value.u.full().ravel()
    assert np.linalg.norm(u - exact) <= 1e-9 * np.linalg.norm(exact)
    h = found.value.steps
    assert found.value.energy == pytest.approx(h[0] * h[1] * load @ exact, rel=1e-9)
    slope = np.diff(exact.reshape(16, 8), axis=1) / h[1]
    assert np.abs(found.value.slope(1).full().reshape(16, 8)[:, 1:] - slope).max() <= 1e-7 * np.abs(slope).max()
    middle = points[45]
    assert found.value.at(middle[None])[0] == pytest.approx(exact[45], rel=1e-8)


def test_three_dimensions_are_the_dense_solution():
    matrices = [axis_matrix(np.ones_like, n, e)[0] for n, e in zip((3, 2, 3), ENDS)]
    total = kronsum(matrices[2], kronsum(matrices[1], matrices[0])).tocsc()
    total = sum(
        kron(kron(matrices[0] if k == 0 else eye_array(8), matrices[1] if k == 1 else eye_array(4)), m)
        for k, m in enumerate([eye_array(8), eye_array(8), matrices[2]])
    ).tocsc()
    exact = spsolve(total, np.ones(256))
    found = elliptic([3, 2, 3], ends=list(ENDS[:3]), accuracy=1e-10)
    assert np.linalg.norm(found.value.u.full().ravel() - exact) <= 1e-9 * np.linalg.norm(exact)
    assert found.counts["steps"] == 0


# heat-kernel integrals and torsion series, 20 digits; hp elements of degree 8 for 1 + x y, 2e-12; a sine series for c
POISSON = {1: 0.0833333333333333333, 2: 0.0351442537387884289, 3: 0.0201685003187853242}


@pytest.mark.parametrize(("d", "levels", "accuracy", "allowed"), [(1, 30, 1e-8, 1e-11), (2, 20, 1e-8, 1e-11)])
def test_poisson_on_huge_grids(d, levels, accuracy, allowed):
    found = elliptic([levels] * d, accuracy=accuracy)
    field = found.value
    assert abs(field.energy - POISSON[d]) <= allowed and abs(field.integral - POISSON[d]) <= allowed
    assert abs(field.energy - POISSON[d]) <= field.energy_error + 2.0 * field.grid_error + 1e-15
    assert found.counts["steps"] == 0 and field.u.max_rank <= 30


def test_ranks_and_work_do_not_depend_on_the_levels():
    found = [elliptic([levels] * 2, accuracy=1e-6) for levels in (12, 40)]
    assert found[0].counts == found[1].counts
    assert abs(found[0].value.u.max_rank - found[1].value.u.max_rank) <= 3


def test_poisson_in_three_dimensions():
    found = elliptic([10] * 3, accuracy=1e-5)
    assert abs(found.value.energy - POISSON[3]) <= 2e-7
    assert abs(found.value.energy - POISSON[3]) == pytest.approx(found.value.grid_error, rel=0.1)


@pytest.mark.parametrize(
    ("keywords", "energy", "centre"),
    [
        ({"diffusion": lambda p: 1.0 + p[:, 0] * p[:, 1]}, 0.028663080223, 0.0594899409908),
        ({"reaction": -60.0}, -0.01206542466228, -0.06462153001697),
    ],
    ids=["1 + x y", "helmholtz"],
)
def test_values_known_from_other_methods(keywords, energy, centre):
    found = elliptic([20, 20], **keywords)
    assert found.value.energy == pytest.approx(energy, abs=3e-11)
    assert found.value.at(np.array([[0.5, 0.5]]))[0] == pytest.approx(centre, rel=1e-8)


def ripples(eps):
    return lambda p: 1.0 / (2.0 + np.cos(2.0 * np.pi * p[:, 0] / eps))


@pytest.mark.parametrize("k", [6, 9])
def test_a_rough_coefficient_in_one_dimension(k):
    """u = x - x^2 + ... with energy 1/6 + 2/w^2, w = 2 pi/eps."""
    found = elliptic([30], diffusion=ripples(2.0**-k), accuracy=1e-10)
    assert found.value.energy == pytest.approx(1.0 / 6.0 + 2.0 / (2.0 * np.pi * 2.0**k) ** 2, abs=1e-11)


def test_ripples_that_no_polynomial_follows_come_by_cross():
    """Rounding errors of x alone are 1e-9 of the coefficient, and the status says so."""
    found = elliptic([30], diffusion=ripples(2.0**-20), accuracy=1e-7)
    assert found.value.energy == pytest.approx(1.0 / 6.0, abs=1e-8)
    with pytest.raises(NotConverged) as caught:
        elliptic([30], diffusion=ripples(2.0**-20), accuracy=1e-13)
    assert caught.value.solution.status is Status.PRECISION


def test_a_rough_product_in_two_dimensions_needs_no_iteration():
    """Spectral elements of degree 18, 1e-13."""

    def a(p):
        return (2.0 + np.cos(8.0 * np.pi * p[:, 0])) * (2.0 + np.cos(8.0 * np.pi * p[:, 1]))

    found = elliptic([30, 30], diffusion=a)
    assert found.value.energy == pytest.approx(0.0097178521139, abs=1e-11) and found.counts["steps"] == 0


def test_jumps_along_lines_and_cells():
    """Quarters of two values: the energy is that of the array of cells, and mirrored it is the same."""
    cells = np.array([[1.0, 10.0], [10.0, 1.0]])
    one = elliptic([10, 10], diffusion=cells, accuracy=1e-6).value.energy
    other = elliptic([10, 10], diffusion=cells.T.copy(), accuracy=1e-6).value.energy
    assert one == pytest.approx(other, rel=1e-6)


def test_a_load_as_a_train():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(16), rng.standard_normal(8)
    matrix, _ = plane_matrix(lambda x, y: np.ones_like(x), (4, 3), ENDS[:2])
    load = train_kron([sampled(x), sampled(y)])
    found = elliptic([4, 3], load=load, ends=list(ENDS[:2]), accuracy=1e-10)
    exact = np.linalg.solve(matrix, np.outer(x, y).ravel())
    assert np.linalg.norm(found.value.u.full().ravel() - exact) <= 1e-9 * np.linalg.norm(exact)


def test_a_circle_is_not_claimed():
    with pytest.raises(NotConverged) as caught:
        elliptic([10, 10], diffusion=lambda p: 1.0 + (np.hypot(p[:, 0] - 0.5, p[:, 1] - 0.5) < 0.2))
    assert caught.value.solution.status in (Status.BASIS_LIMIT, Status.ITERATION_LIMIT)


def test_an_eigenvalue_is_told():
    h = step_of(6, ENDS[0])
    eigenvalue = 2.0 * 4.0 / h**2 * np.sin(np.pi * h / 2.0) ** 2
    found = elliptic([6, 6], reaction=-eigenvalue, load=1.0, throw=False)
    assert found.status is Status.SINGULAR


def test_a_peak_that_is_pointed_at():
    """The load of a narrow Gaussian adds up to its integral; the solution away from it is that of a point source."""
    width = 2.0**-8

    def peak(p):
        return np.exp(-np.sum((p - 0.3) ** 2, axis=1) / width**2) / (np.pi * width**2)

    found = elliptic([16, 16], load=peak, features=[((0.3, 0.3), width)], accuracy=1e-5)
    m = np.arange(1, 60)
    s = np.sin(np.outer(m, [0.3, 0.7]) * np.pi)
    series = 4.0 * (s[:, :1] * s[:, 1:]) * (s[:, :1] * s[:, 1:]).T / (np.pi**2 * (m[:, None] ** 2 + m**2))
    assert found.value.at(np.array([[0.7, 0.7]]))[0] == pytest.approx(series.sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"levels": [4] * 4}, "one to three axes"),
        ({"ends": "closed"}, "ends must be"),
        ({"ends": "neumann"}, "mean zero"),
        ({"diffusion": lambda p: p[:, 0] - 0.5}, "must be positive"),
        ({"diffusion": 0.0}, "must be positive"),
        ({"levels": [20], "diffusion": lambda p: p - 0.5}, "coefficient must be positive and finite: at"),
        ({"levels": [20], "diffusion": lambda p: np.where(p > 0.5, np.nan, 1.0)}, "finite: at .* it is nan"),
        ({"diffusion": lambda p: 1.0 + 1j * p[:, 0]}, "real numbers for points .*, not complex128"),
        ({"diffusion": np.ones(3)}, "array of 2 axes"),
        ({"diffusion": (1.0,)}, "one a direction"),
        ({"load": lambda p: np.full(len(p), np.nan)}, "load must be finite: at .* it is nan"),
        ({"load": lambda p: p}, "must return"),
        ({"accuracy": 0.0}, "accuracy"),
        ({"features": [((2.0, 0.0), 1.0)]}, "a feature is"),
        ({"levels": [30, 30], "load": lambda p: np.sin(1e5 * p[:, 0])}, "not resolved"),
        ({"levels": [30, 30], "reaction": -1e9}, "wave number"),
    ],
)
def test_refusals_are_one_line(keywords, text):
    with pytest.raises(ValueError, match=text) as caught:
        elliptic(**{"levels": [4, 4], **keywords})
    assert "\n" not in str(caught.value)


def test_a_function_of_one_axis_is_written_as_it_stands():
    """-(exp(x) u')' = 1, u = 0 at the ends: the energy is the integral of exp(-x) (c - x)^2."""
    c = (1.0 - 2.0 / np.e) / (1.0 - 1.0 / np.e)
    exact = c**2 - 2.0 * c + 2.0 - ((c - 1.0) ** 2 - 2.0 * (c - 1.0) + 2.0) / np.e
    one, same = (elliptic([30], diffusion=a).value.energy for a in (np.exp, lambda p: np.exp(p[:, 0])))
    assert one == same == pytest.approx(exact, abs=1e-14)


def test_it_goes_on_from_a_file(tmp_path):
    def a(p):
        return 1.0 + p[:, 0] * p[:, 1]

    class Enough(Exception):
        pass

    def stop(state):
        if state.step == 2:
            raise Enough

    path = tmp_path / "kept.npz"
    with pytest.raises(Enough):
        elliptic([12, 12], diffusion=a, checkpoint=path, callback=stop)
    steps = []
    found = elliptic([12, 12], diffusion=a, checkpoint=path, callback=lambda state: steps.append(state.step))
    whole = elliptic([12, 12], diffusion=a)
    assert steps in ([3], [2, 3]) and found.value.energy == whole.value.energy and found.counts == whole.counts
