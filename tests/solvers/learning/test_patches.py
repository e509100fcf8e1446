"""Score functions: their gradients, their sizes, and what the formats have in common."""

import numpy as np
import pytest

from solvers.learning import losses
from solvers.learning.descent import Descent, cut_into_patches, learn
from solvers.learning.patches import FORMATS, begin, gradients, numbers, scores


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("patches", [1, 2, 3, 5, 8])
def test_gradients_are_those_of_finite_differences(form, patches):
    rng = np.random.default_rng(0)
    parameters, x = begin(form, patches, 4, 3, 3, 4, 0), rng.random((patches, 6, 4))
    targets = np.array([3, 0, 1, 2, 3, 1])

    def value(changed, at):
        return losses.value("softmax", scores(form, changed, at), targets)

    slope = lambda at: losses.derivatives("softmax", at, targets)[0] / 6  # noqa: E731
    _, of_parameters, of_patches = gradients(form, parameters, x, slope)
    assert set(of_parameters) == set(parameters)
    for name, array in parameters.items():
        along = rng.standard_normal(array.shape)
        up, down = (value({**parameters, name: array + sign * 1e-6 * along}, x) for sign in (1, -1))
        assert (up - down) / 2e-6 == pytest.approx(np.sum(of_parameters[name] * along), abs=1e-7), name
    along = rng.standard_normal(x.shape)
    up, down = (value(parameters, x + sign * 1e-6 * along) for sign in (1, -1))
    assert (up - down) / 2e-6 == pytest.approx(np.sum(of_patches * along), abs=1e-7)


@pytest.mark.parametrize(
    "form, width, count", [("cp", 4, 656), ("cp", 64, 9896), ("ht", 4, 1672), ("tt", 2, 660), ("tt", 8, 9912)]
)
def test_numbers_of_a_model_of_digits(form, width, count):
    assert numbers(begin(form, 16, 4, 8, width, 10, 0)) == count


def test_a_sum_of_products_is_a_train_of_diagonal_cores():
    rng = np.random.default_rng(0)
    cp, x = begin("cp", 4, 2, 3, 5, 3, 0), rng.random((4, 7, 2))
    cores = np.einsum("pmr,rs->pmrs", cp["leaves"], np.eye(5))
    middle = np.einsum("rk,rs->rks", cp["class"], np.eye(5))
    train = {"A": cp["A"], "b": cp["b"], "cores": cores, "first": np.ones(5), "last": np.ones(5), "class": middle}
    assert np.allclose(scores("tt", train, x), scores("cp", cp, x), rtol=1e-12)
    copy = np.einsum("ab,bc->abc", np.eye(5), np.eye(5)).reshape(25, 5)
    root = np.einsum("ab,bk->abk", np.eye(5), cp["class"]).reshape(25, 3)
    tree = {"A": cp["A"], "b": cp["b"], "leaves": cp["leaves"], "joints": np.stack([copy] * 2), "class": root}
    assert np.allclose(scores("ht", tree, x), scores("cp", cp, x), rtol=1e-12)


def test_dropped_patches_count_as_constants():
    rng = np.random.default_rng(0)
    parameters, x = begin("tt", 3, 2, 2, 2, 3, 0), rng.random((3, 4, 2))
    dropped = np.zeros((3, 4), dtype=bool)
    dropped[1] = True
    changed = x.copy()
    changed[1] = rng.random((4, 2))
    assert np.array_equal(scores("tt", parameters, x, dropped), scores("tt", parameters, changed, dropped))


@pytest.mark.parametrize("form", FORMATS)
def test_a_small_task_is_learned(form):
    rng = np.random.default_rng(0)
    images = rng.random((200, 2, 4))
    targets = (images[:, 0, 0] + images[:, 1, 3] > 1.0).astype(int)  # a pixel of either patch
    x = cut_into_patches(images, (2, 2))
    model = learn(x, targets, "softmax", form=form, width=3, how=Descent(epochs=30, batch=20, rate=0.02), seed=0)
    assert np.mean(model.scores(x).argmax(axis=1) == targets) > 0.95
    assert model.losses[-1] < 0.5 * model.losses[0] and len(model.losses) == 30


def test_patches_are_cut_row_by_row():
    images = np.arange(16.0).reshape(1, 4, 4)
    assert cut_into_patches(images, (2, 2))[:, 0].tolist()[:2] == [[0, 1, 4, 5], [2, 3, 6, 7]]
    with pytest.raises(ValueError, match="do not fill"):
        cut_into_patches(images, (3, 2))


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"rate": 0.0}, {"decay": -1.0}, {"patch_dropout": 1.0}])
def test_impossible_options_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Descent(**wrong)
