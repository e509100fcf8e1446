"""Jacobians of learners: central differences entry by entry, products with them and their transposes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.learning.differentiable import LOGITS, InteractionScores, Network, PatchScores
from solvers.learning.fields import SCALE, Category, Number, functions_of
from solvers.learning.interactions import Interactions, feasible
from solvers.learning.patches import begin

STEP = 1e-6


def network(rng, categories=()):
    first = sum(count or 1 for count in categories) if categories else 5
    widths = [first, 7, 3, 4]
    weights = [rng.standard_normal((a, b)) for a, b in itertools.pairwise(widths)]
    return Network(weights, [rng.standard_normal(b) for b in widths[1:]], categories)


def patch_scores(rng, form, image):
    size = 16 if image else 5
    patches, pixels = (4, 4) if image else (5, 1)
    parameters = begin(form, patches, pixels, 3, 2, 3, int(rng.integers(100)))
    parameters = {name: array + 0.3 * rng.standard_normal(array.shape) for name, array in parameters.items()}
    centre, scale = (np.zeros(1), np.array([2.0])) if image else (rng.standard_normal(5), rng.uniform(0.5, 2.0, 5))
    return PatchScores(form, parameters, centre, scale, (4, 4) if image else None, (2, 2), size)


def interaction_scores(rng, scores=2):
    columns = [rng.standard_normal(30) for _ in range(4)]
    fields = [Number.of(column) for column in columns]
    fields[2] = Category.of(rng.integers(0, 3, 30), 3)
    sizes = [field.size for field in fields]
    ranks = feasible(sizes, scores, 3)
    shapes = zip(ranks[:-1], [*sizes, scores], ranks[1:])
    return InteractionScores(fields, [rng.standard_normal(shape) for shape in shapes])


def inputs(learner, rng, count=4):
    x = 0.5 * rng.standard_normal((count, learner.size))
    if isinstance(learner, InteractionScores):
        x[:, 2] = rng.integers(0, 3, count)
    if isinstance(learner, Network):
        for k, classes in enumerate(learner.categories):
            x[:, k] = rng.integers(0, classes, count) if classes else x[:, k]
    return x


MAKERS = {
    "network": network,
    "network of a table": lambda rng: network(rng, (0, 3, 0, 2)),
    "tt": lambda rng: patch_scores(rng, "tt", True),
    "ht": lambda rng: patch_scores(rng, "ht", True),
    "cp": lambda rng: patch_scores(rng, "cp", True),
    "tt of a table": lambda rng: patch_scores(rng, "tt", False),
    "interactions": interaction_scores,
}


def numbers(learner):
    """Columns that are no categories."""
    if isinstance(learner, InteractionScores):
        return [0, 1, 3]
    return [k for k, count in enumerate(getattr(learner, "categories", [0] * learner.size)) if not count]


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=3)
@given(st.integers(0, 10**6))
def test_entries_are_central_differences(name, seed):
    rng = np.random.default_rng(seed)
    learner = MAKERS[name](rng)
    x = inputs(learner, rng)
    for layer in learner.layers:
        rows = learner.rows(x, layer)
        assert rows.shape == (*learner.outputs(x, layer).shape, learner.size)
        for k in numbers(learner):
            moved = np.eye(learner.size)[k] * STEP
            after, before = learner.outputs(x + moved, layer), learner.outputs(x - moved, layer)
            smooth = np.abs(after + before - 2 * learner.outputs(x, layer)) < 1e-9  # no kink between
            off = np.abs((after - before) / (2 * STEP) - rows[:, :, k])[smooth]
            assert off.max(initial=0.0) < 1e-7 * max(1.0, np.abs(rows).max())
        others = sorted(set(range(learner.size)) - set(numbers(learner)))
        assert not rows[:, :, others].any()


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=3)
@given(st.integers(0, 10**6))
def test_products_are_those_of_the_matrix(name, seed):
    rng = np.random.default_rng(seed)
    learner = MAKERS[name](rng)
    x = inputs(learner, rng)
    for layer in learner.layers:
        rows = learner.rows(x, layer)
        v, u = rng.standard_normal((learner.size, 3)), rng.standard_normal((*rows.shape[:2], 2))
        forward, back = learner.forward(x, layer, v), learner.transposed(x, layer, u)
        assert np.allclose(forward, rows @ v, rtol=1e-12, atol=1e-12 * np.abs(rows).max())
        assert np.allclose(back, np.einsum("bmd,bms->ds", rows, u), rtol=1e-12, atol=1e-11 * np.abs(rows).max())
        assert np.allclose(np.einsum("bms,bmt->st", u, forward), back.T @ v, rtol=1e-9, atol=1e-9)


def test_layers_by_name_and_classes():
    rng = np.random.default_rng(0)
    learner = network(rng)
    assert learner.layers == ("layer 1", "layer 2", LOGITS) and learner.loss == "softmax"
    x = inputs(learner, rng, 6)
    assert np.array_equal(learner.labels(x), learner.outputs(x).argmax(axis=1))
    for method in (learner.outputs, learner.rows):
        with pytest.raises(ValueError, match="no 'layer 3'; the layers are layer 1, layer 2, logits"):
            method(x, "layer 3")
    one = Network([np.ones((2, 1))], [np.array([-1.0])])
    assert one.layers == (LOGITS,) and one.loss == "logistic"
    assert one.labels(np.array([[0.2, 0.2], [2.0, 0.0]])).tolist() == [0, 1]
    with pytest.raises(ValueError, match="do not follow each other"):
        Network([np.ones((2, 3)), np.ones((2, 1))], [np.ones(3), np.ones(1)])


def test_an_unknown_category_is_none_of_them():
    learner = network(np.random.default_rng(1), (0, 3))
    known, unknown = learner.outputs(np.array([[0.3, 1.0]])), learner.outputs(np.array([[0.3, 7.0]]))
    assert np.isfinite(unknown).all() and not np.allclose(known, unknown)


def test_scores_are_those_of_the_train():
    rng = np.random.default_rng(2)
    learner = interaction_scores(rng)
    x = inputs(learner, rng)
    model = Interactions(tuple(learner.cores), "softmax")
    assert np.allclose(learner.outputs(x), model.scores(functions_of(learner.fields, x)))


def test_the_end_of_a_range_has_the_slope_inside():
    field = Number.of(np.array([0.0, 1.0, 1.0, 0.0]))
    learner = InteractionScores([field], [np.eye(2)[None], np.array([[[1.0]], [[2.0]]])])
    assert learner.rows(np.array([[1.0]]))[0, 0, 0] == pytest.approx(2.0 * SCALE / 0.5)
    assert learner.rows(np.array([[1.1]]))[0, 0, 0] == 0.0
