"""What trains and operators share: real and imaginary parts, exact, and the properties of cores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_strategies import close, operators_of, shapes, trains_of

from solvers.formats.quantics.operators import diagonal
from solvers.formats.trains.chain import part_cores
from solvers.formats.trains.construct import outer, random_operator, random_train, tt_svd
from solvers.formats.trains.joining import pad, tensordot
from solvers.formats.trains.layouts import to_cores
from solvers.formats.trains.tensor_train import log_dot
from solvers.linear.product import multiply

few = settings(max_examples=25, deadline=None, derandomize=True)


@few
@given(shapes().flatmap(trains_of))
def test_the_parts_of_a_train_are_those_of_its_entries(x):
    size = float(np.abs(x.full()).max())
    assert close(x.real.full(), x.full().real, size) and close(x.imag.full(), x.full().imag, size)
    assert x.real.dtype == x.imag.dtype == np.float64
    wide = 2 if x.dtype.kind == "c" else 1
    assert x.real.ranks == (1, *(wide * r for r in x.ranks[1:-1]), 1)


@few
@given(st.integers(1, 3).flatmap(lambda d: operators_of((2,) * d, (3,) * d)))
def test_the_parts_of_an_operator(a):
    size = float(np.abs(a.full()).max())
    assert close(a.real.full(), a.full().real, size) and close(a.imag.full(), a.full().imag, size)


def test_a_real_train_is_its_own_real_part():
    x = random_train((2, 3), 2, np.random.default_rng(0))
    assert x.real is x and x.imag.norm() == 0.0
    a = random_operator((2, 3), (3, 2), 2, np.random.default_rng(0))
    assert a.real is a and a.imag.norm() == 0.0


def test_the_parts_of_large_trains_keep_their_size():
    x = random_train((10,) * 300, 2, np.random.default_rng(0), np.complex128) * 1e300 * 1e300
    total = np.logaddexp(2 * x.real.log_norm(), 2 * x.imag.log_norm()) / 2
    assert total == pytest.approx(x.log_norm(), rel=1e-12)
    assert len(part_cores(x.cores, imaginary=True)) == 300


@pytest.mark.parametrize("made", [random_train((3, 4), 2, np.random.default_rng(0))])
def test_the_properties_of_cores(made):
    assert (made.d, made.ranks, made.max_rank, made.size) == (2, (1, 2, 1), 2, 14)
    assert made.dtype == np.float64


X = random_train((2, 3), 2, np.random.default_rng(0))
A = random_operator((2, 3), (2, 3), 2, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pad(A, 1), "pad takes TensorTrains, not TTOperator; as_train()"),
        (lambda: tensordot(X, X.full(), 1), "tensordot takes TensorTrains, not ndarray"),
        (lambda: outer(A, X), "outer takes TensorTrains"),
        (lambda: log_dot(A, A), "an inner product of trains takes TensorTrains, not TTOperator; as_train()"),
        (lambda: to_cores(X.full()), "to_cores takes trains or operators, not ndarray"),
        (lambda: diagonal(A), "diagonal takes TensorTrains"),
        (lambda: multiply(A, X.full()), "multiply takes trains or operators, not ndarray"),
        (
            lambda: X + X.full(),
            "a dense array (2, 3) is no operand here: bring it into the format first, as tt_svd",
        ),
        (lambda: X.full() - X, "a dense array (2, 3) is no operand here"),
        (lambda: A * np.eye(6), "a dense array (6, 6) is no operand here"),
        (lambda: np.dot(X.full(), X), "a TensorTrain is no array of numpy: full() gives one"),
        (lambda: np.linalg.norm(A), "a TTOperator is no array of numpy"),
        (lambda: tt_svd(X), "a TensorTrain is no array of numpy"),
    ],
)
def test_what_is_of_another_kind_is_refused_in_one_line(call, message):
    """numpy would make arrays of objects, or speak of its own concatenation."""
    with pytest.raises(TypeError) as error:
        call()
    assert message in str(error.value) and "\n" not in str(error.value)
