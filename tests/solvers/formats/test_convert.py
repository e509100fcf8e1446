"""Conversions among the formats: exact, within the widths of the table, which are reached."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensors_of_known_rank import random_terms, theorem_example

from solvers.formats.convert import FORMATS, allowed_width, convert, format_of
from solvers.formats.cp.tensor import CPTensor
from solvers.formats.hierarchical.tensor import random_tree
from solvers.formats.hierarchical.tree import balanced, linear
from solvers.formats.trains.construct import random_train
from solvers.formats.tucker.tensor import TuckerTensor


def source(name, shape, width, seed=0):
    rng = np.random.default_rng(seed)
    if name == "tt":
        return random_train(shape, width, rng)
    if name == "ht":
        return random_tree(shape, width, balanced(len(shape)), rng)
    if name == "cp":
        return CPTensor(tuple(random_terms(shape, width, seed)))
    if name == "tucker":
        core = rng.standard_normal((width,) * len(shape))
        return TuckerTensor(core, tuple(rng.standard_normal((n, width)) for n in shape))
    return rng.standard_normal(shape)


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_conversion_is_exact_and_within_the_table(name, to):
    x = source(name, (3, 4, 2, 3), 2)
    found = convert(x, to)
    assert format_of(found.value) == to
    assert found.error < 1e-12 and (to == "full" or found.width <= found.allowed)
    dense = found.value if to == "full" else found.value.full()
    np.testing.assert_allclose(dense, x if name == "full" else x.full(), atol=1e-10)


@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 3), st.sampled_from(FORMATS), st.sampled_from(FORMATS))
@settings(max_examples=40)
def test_conversions_of_any_shape(seed, d, width, name, to):
    shape = tuple(int(n) for n in np.random.default_rng(seed).integers(1, 4, d))
    found = convert(source(name, shape, width, seed), to)
    assert found.error < 1e-10
    assert to == "full" or found.width <= max(found.allowed, 1)


@pytest.mark.parametrize(
    ("name", "to", "d", "n", "r", "width"),
    [
        ("tt", "ht", 8, 3, 3, 9),  # r^2
        ("ht", "tt", 4, 3, 2, 2),  # r^ceil(log2(d) / 2): r^1, r^2, r^2
        ("ht", "tt", 8, 3, 2, 4),
        ("ht", "tt", 16, 2, 2, 4),
        ("cp", "tt", 8, 3, 5, 5),
        ("cp", "ht", 8, 3, 5, 5),
        ("tucker", "tt", 4, 4, 3, 9),
        ("tt", "tucker", 5, 9, 2, 4),
        ("ht", "tucker", 5, 9, 2, 2),
    ],
)
def test_the_widths_of_the_table_are_reached(name, to, d, n, r, width):
    found = convert(source(name, (n,) * d, r), to)
    assert found.width == width == found.allowed == allowed_width(name, to, (n,) * d, r)


def test_the_example_of_the_theorem_has_as_many_terms_as_its_rank():
    """Its odd-even unfolding says that fewer are impossible."""
    found = convert(theorem_example(6, 2, 2), "cp")
    assert found.width == 8 and found.error < 1e-14
    assert convert(convert(theorem_example(6, 2, 2), "tt").value, "cp").width == 8


def test_long_tensors_are_converted_without_their_entries():
    x = source("ht", (4,) * 32, 2)
    train = convert(x, "tt")
    assert train.width == allowed_width("ht", "tt", (4,) * 32, 2) == 2 ** math.ceil(5 / 2)
    assert train.error < 1e-11
    assert convert(train.value, "ht").value.ranks == x.round().ranks
    with pytest.raises(ValueError, match=r"round first|max_size"):
        convert(x, "tucker")


@pytest.mark.parametrize("tree", [linear(4), ((0, 2), (1, 3))])
def test_other_trees(tree):
    x = source("tt", (3, 4, 2, 3), 2)
    found = convert(x, "ht", tree=tree)
    assert found.value.tree == tree and found.error < 1e-12
    assert convert(found.value, "tt").value.ranks == x.ranks
    assert convert(found.value, "ht").error < 1e-12


def test_a_cap_of_the_ranks_costs_accuracy():
    x = source("full", (4, 4, 4, 4), 0)
    for to in ("tt", "ht", "tucker"):
        found = convert(x, to, max_rank=2)
        assert found.width == 2 and 0.1 < found.error < 1.0
    assert convert(x, "tt", tol=0.5).error <= 0.5


@pytest.mark.parametrize("scale", [1e200, 1e-200])
@pytest.mark.parametrize("to", ["tt", "ht", "tucker", "cp"])
def test_scales_far_from_one(scale, to):
    x = source("tt", (3, 4, 2, 3), 2).full() * scale
    assert convert(x, to).error < 1e-11


@pytest.mark.parametrize("to", ["tt", "ht", "tucker", "cp"])
def test_constant_arrays_have_width_one(to):
    assert convert(np.full((2, 3, 2), 4.0), to).width == 1
    assert convert(np.zeros((2, 3, 2)), to).error == 0.0


@pytest.mark.parametrize(
    ("x", "to", "said"),
    [
        (np.ones((2, 2)), "train", "to must be one of"),
        (np.ones(3), "tt", "at least two modes"),
        (np.ones((2, 0)), "tt", "at least two modes"),
        (np.ones((2, 2)) * 1j, "ht", "real"),
        (np.array([[np.nan, 1.0]]), "ht", "NaN"),
    ],
)
def test_what_cannot_be_converted_is_refused(x, to, said):
    with pytest.raises(ValueError, match=said):
        convert(x, to)
