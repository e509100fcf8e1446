"""The algebra of trains against dense tensors, exactly, real and complex."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_strategies import centre_defect, close, pairs_of_trains, shapes, trains_of

from solvers.formats.trains.construct import ones, random_train, rank_one, unit
from solvers.formats.trains.tensor_train import TensorTrain, dot

few = settings(max_examples=40, deadline=None, derandomize=True)
trains = shapes().flatmap(trains_of)


@few
@given(pairs_of_trains(), st.sampled_from([2.5, -1, 1.5 - 2j, np.float64(0.3)]))
def test_arithmetic_matches_dense(pair, scalar):
    x, y = pair
    a, b = x.full(), y.full()
    size = np.abs(a).max() + np.abs(b).max()
    assert close((x + y).full(), a + b, size)
    assert close((x - y).full(), a - b, size)
    assert close((scalar * x).full(), scalar * a)
    assert close((x * scalar).full(), scalar * a)
    assert close((x / scalar).full(), a / scalar)
    assert close((-x).full(), -a)
    assert close(x.conj().full(), a.conj())
    assert close((x * y).full(), a * b, np.abs(a).max() * np.abs(b).max())
    assert (x * y).ranks == tuple(r * s for r, s in zip(x.ranks, y.ranks))
    if x.d > 1:
        assert (x + y).ranks[1:-1] == tuple(r + s for r, s in zip(x.ranks[1:-1], y.ranks[1:-1]))


@few
@given(pairs_of_trains())
def test_dot_conjugates_the_first_and_norm_is_its_root(pair):
    x, y = pair
    assert close(dot(x, y), np.vdot(x.full(), y.full()), x.norm() * y.norm())
    assert close(dot(x, y), np.conj(dot(y, x)), x.norm() * y.norm())
    assert x.norm() == pytest.approx(np.linalg.norm(x.full()), rel=1e-13)
    assert isinstance(dot(x, y), complex if "c" in (x.dtype.kind, y.dtype.kind) else float)


@few
@given(trains, st.data())
def test_orthogonalise_keeps_the_tensor_and_orthogonalises(x, data):
    first, second = (data.draw(st.integers(0, x.d - 1)) for _ in range(2))
    y = x.orthogonalise(first)
    z = y.orthogonalise(second)
    for train, centre in ((y, first), (z, second)):
        assert train.centre == centre
        assert centre_defect(train) < 1e-13
        assert close(train.full(), x.full(), x.norm())
        assert train.norm() == pytest.approx(x.norm(), rel=1e-13)
    # only cores between the centres are touched, and nothing is done twice
    for k in set(range(x.d)) - set(range(min(first, second), max(first, second) + 1)):
        assert z.cores[k] is y.cores[k]
    assert z.orthogonalise(second) is z


def test_scalars_and_conjugation_keep_the_centre():
    x = random_train((3, 4, 5), 4, np.random.default_rng(0), np.complex128).orthogonalise(1)
    for y in (2.0 * x, x * 1j, -x, x / 3.0, x.conj()):
        assert y.centre == 1
        assert centre_defect(y) < 1e-13
    assert (x + x).centre is None
    assert (x * x).centre is None
    assert (3.0 * x).cores[2] is x.cores[2]


def test_norm_of_a_small_difference_is_not_lost_to_cancellation():
    rng = np.random.default_rng(1)
    x = random_train((4,) * 8, 6, rng)
    e = random_train((4,) * 8, 3, rng)
    for size in (1e-4, 1e-8, 1e-11):
        y = x + size * (1.0 / e.norm()) * e
        # the square of this norm is below the rounding errors of dot for the smaller two
        assert (y - x).norm() == pytest.approx(size, abs=2e-15 * x.norm(), rel=1e-12)


@few
@given(trains, st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_entries_match_the_full_tensor(x, m, seed):
    indices = np.random.default_rng(seed).integers(0, x.shape, size=(m, x.d))
    assert np.allclose(x.entries(indices), x.full()[tuple(indices.T)], rtol=0, atol=1e-13 * x.norm())
    assert x.entries(indices).dtype == x.dtype


def test_entries_refuse_bad_indices():
    x = ones((3, 4))
    for bad in ([[0, 4]], [[-1, 0]], [[3, 0]]):
        with pytest.raises(IndexError, match="outside"):
            x.entries(np.array(bad))
    with pytest.raises(ValueError, match="shape"):
        x.entries(np.array([0, 1]))
    with pytest.raises(ValueError, match="integers"):
        x.entries(np.array([[0.0, 1.0]]))


def test_entries_reach_tensors_too_large_to_form():
    vectors = [np.arange(1.0, 11.0) + k for k in range(30)]
    x = rank_one(vectors)
    index = np.random.default_rng(2).integers(0, 10, size=(5, 30))
    expected = [np.prod([v[i] for v, i in zip(vectors, row)]) for row in index]
    assert np.allclose(x.entries(index), expected, rtol=1e-13)
    with pytest.raises(ValueError, match="max_size"):
        x.full()
    with pytest.raises(ValueError, match="max_size = 11"):
        ones((3, 4)).full(max_size=11)
    assert ones((3, 4)).full(max_size=12).sum() == 12.0


def test_properties_and_storage_of_cores():
    core = np.ones((1, 3, 2), dtype=np.float32)
    x = TensorTrain([core, np.ones((2, 4, 1), dtype=np.complex64)])
    assert (x.d, x.shape, x.ranks, x.max_rank, x.size) == (2, (3, 4), (1, 2, 1), 2, 14)
    assert x.dtype == np.complex128
    assert all(c.flags.c_contiguous and not c.flags.writeable for c in x.cores)
    mine = np.ones((1, 3, 1))
    y = TensorTrain((mine,))
    mine[0, 0, 0] = 7.0  # the train holds a copy
    assert y.entries(np.array([[0]]))[0] == 1.0
    with pytest.raises(AttributeError):
        x.centre = 0
    assert TensorTrain((np.ones((1, 2, 1), dtype=int),)).dtype == np.float64
    fortran = np.asfortranarray(np.arange(12.0).reshape(1, 4, 3))
    z = TensorTrain((fortran, np.ones((3, 2, 1))))
    assert z.cores[0].flags.c_contiguous
    assert np.array_equal(z.cores[0], fortran)


@pytest.mark.parametrize(
    ("cores", "error", "words"),
    [
        ((), ValueError, "at least one"),
        ((np.ones((1, 3)),), ValueError, "axes"),
        ((np.ones((1, 0, 1)),), ValueError, "empty"),
        ((np.ones((2, 3, 1)),), ValueError, "left rank 2"),
        ((np.ones((1, 3, 2)),), ValueError, "last right rank"),
        ((np.ones((1, 3, 2)), np.ones((3, 3, 1))), ValueError, "core 1"),
        ((np.full((1, 3, 1), np.nan),), ValueError, "NaN"),
        ((np.array([1.0, np.inf, -np.inf]).reshape(1, 3, 1),), ValueError, "infinity"),
        ((np.full((1, 2, 1), None),), TypeError, "object"),
        ((np.ones((1, 2, 1), dtype=np.longdouble),), TypeError, "not float64"),
        ((np.full((1, 2, 1), "a"),), TypeError, "not float64"),
    ],
)
def test_bad_cores_are_refused(cores, error, words):
    with pytest.raises(error, match=words):
        TensorTrain(cores)


def test_large_finite_cores_are_accepted_although_their_sum_overflows():
    assert TensorTrain((np.full((1, 3, 1), 1e308),)).cores[0].max() == 1e308
    assert TensorTrain((np.full((1, 4, 1), 1e200),)).norm() == pytest.approx(2e200)
    assert TensorTrain((np.full((1, 4, 1), 1e-200),)).norm() == pytest.approx(2e-200)


@pytest.mark.filterwarnings("ignore:(overflow|invalid)")
def test_overflow_and_non_finite_scalars_are_refused():
    x = 1e200 * ones((2, 2))
    with pytest.raises(ValueError, match="overflow"):
        dot(x, x)
    huge = TensorTrain(tuple(np.full((1, 2, 1), 1e200) for _ in range(2)))
    for act in (huge.norm, huge.full, huge.orthogonalise, lambda: huge.entries(np.zeros((1, 2), int))):
        with pytest.raises(ValueError, match=r"NaN or infinity|overflow"):
            act()
    # the cores share what no number could hold
    for held in (huge, huge.round(), x * 1e200):
        assert held.log_norm() == pytest.approx(400.0 * np.log(10.0) + np.log(2.0))
    for scalar in (np.nan, np.inf, complex(0, np.nan)):
        for act in (lambda s=scalar: x * s, lambda s=scalar: x / s):
            with pytest.raises(ValueError, match="not finite"):
                act()
    with pytest.raises(ZeroDivisionError):
        x / 0


def test_operands_that_do_not_fit_are_refused():
    x, y = ones((2, 3)), ones((3, 2))
    for act in (lambda: x + y, lambda: x - y, lambda: x * y, lambda: dot(x, y)):
        with pytest.raises(ValueError, match="do not fit"):
            act()
    for act in (lambda: x + "a", lambda: x * "a", lambda: x - np.ones((2, 3)), lambda: x * np.ones(3)):
        with pytest.raises(TypeError):
            act()
    with pytest.raises(IndexError, match="centre"):
        x.orthogonalise(2)
    with pytest.raises(ValueError, match="centre"):
        TensorTrain(x.cores, 2)
    assert x.orthogonalise(-1).centre == 1


def test_unit_vectors_are_orthonormal():
    e, f = unit((3, 4, 5), (2, 0, 4)), unit((3, 4, 5), (2, 1, 4))
    assert dot(e, e) == 1.0 == e.norm()
    assert dot(e, f) == 0.0
    assert e.full()[2, 0, 4] == 1.0 == np.abs(e.full()).sum()
