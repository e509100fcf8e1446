"""What trains and operators share: real and imaginary parts, exact, and the properties of cores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_strategies import close, operators_of, shapes, trains_of

from solvers.formats.trains.chain import part_cores
from solvers.formats.trains.construct import random_operator, random_train

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
