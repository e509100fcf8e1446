"""A linear layer in tensor-train format is the linear layer of its whole matrix."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'networks' is not installed")

from ttsuite.networks.factors import default_sizes, divided  # noqa: E402
from ttsuite.networks.tt_linear import TTLinear  # noqa: E402


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def dense(layer):
    """The matrix by the formula, entry by entry."""
    cores = [core.detach().double().numpy() for core in layer.cores]
    rows = np.array(np.unravel_index(np.arange(layer.out_features), layer.out_sizes)).T
    columns = np.array(np.unravel_index(np.arange(layer.in_features), layer.in_sizes)).T
    matrix = np.empty((layer.out_features, layer.in_features))
    for a, i in enumerate(rows):
        for b, j in enumerate(columns):
            product = np.ones((1, 1))
            for core, m, n in zip(cores, i, j):
                product = product @ core[:, m, n, :]
            matrix[a, b] = product[0, 0]
    return matrix


@pytest.mark.parametrize(
    ("sizes", "rank"), [(((2, 3), (4, 2)), 3), (((2, 3, 2), (2, 2, 3)), [2, 4]), (((6,), (5,)), 1)]
)
def test_a_call_is_the_product_with_the_matrix(sizes, rank):
    columns, rows = sizes
    layer = TTLinear(int(np.prod(columns)), int(np.prod(rows)), rank, in_sizes=columns, out_sizes=rows).double()
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 2, layer.in_features, dtype=torch.float64)
    expected = x.numpy() @ dense(layer).T + layer.bias.detach().numpy()
    assert layer(x).detach().numpy() == pytest.approx(expected, abs=1e-12)
    assert layer.weight().detach().numpy() == pytest.approx(dense(layer), abs=1e-12)


@pytest.mark.parametrize("bias", [True, False])
def test_full_ranks_are_the_layer_itself(bias):
    linear = torch.nn.Linear(24, 30, bias=bias)
    layer = TTLinear.from_linear(linear, 24 * 30)
    x = torch.randn(5, 24)
    assert torch.allclose(layer(x), linear(x), atol=1e-5)


def test_truncation_is_within_the_bound_of_tt_svd():
    linear = torch.nn.Linear(64, 27, bias=False).double()
    for rank in (1, 3, 6):
        layer = TTLinear.from_linear(linear, rank)
        d, squares = len(layer.cores), 0.0
        array = linear.weight.detach().numpy().reshape(*layer.out_sizes, *layer.in_sizes)
        array = array.transpose([axis for k in range(d) for axis in (k, d + k)])
        for k in range(1, d):
            values = np.linalg.svd(array.reshape(int(np.prod(array.shape[: 2 * k])), -1), compute_uv=False)
            squares += float(np.sum(values[rank:] ** 2))
        off = float(torch.linalg.norm(layer.weight() - linear.weight).detach())
        assert 0.0 < off <= np.sqrt(squares) * (1.0 + 1e-9)


def test_the_start_has_the_variance_of_he():
    layers = [TTLinear(64, 1024, 4) for _ in range(8)]
    spread = np.mean([float(layer.weight().detach().square().mean()) for layer in layers])
    assert spread == pytest.approx(2.0 / 64.0, rel=0.25)


def test_numbers_of_the_published_layer():
    """64 x 1024 at rank 2 is 320 numbers for 65,536."""
    for rank, numbers in ((1, 128), (2, 320), (4, 896)):
        assert sum(core.numel() for core in TTLinear(64, 1024, rank).cores) == numbers
    assert "numbers=320 for 65536" in repr(TTLinear(64, 1024, 2))


@pytest.mark.parametrize(
    ("n", "count", "sizes"), [(1024, 3, (8, 8, 16)), (64, 3, (4, 4, 4)), (7, 2, (1, 7)), (1, 2, (1, 1))]
)
def test_an_axis_is_divided_evenly(n, count, sizes):
    assert divided(n, count) == sizes


def test_a_short_axis_has_two_sizes():
    assert default_sizes(512, 10) == ((16, 32), (5, 2))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"rank": 0}, "rank must be"),
        ({"rank": [2, 2, 2]}, "rank must be"),
        ({"rank": 2, "in_sizes": (3, 2)}, "product 6, not 12"),
        ({"rank": 2, "in_sizes": (3, 2, 2), "out_sizes": (4, 2)}, "must be as many"),
        ({"rank": 2, "in_sizes": (3, 4.0), "out_sizes": (4, 2)}, "whole numbers"),
    ],
)
def test_impossible_layers_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        TTLinear(12, 8, **options)


@pytest.mark.slow
def test_digits_need_few_numbers():
    """A hidden layer of 1024 behind 64 pixels: dense 0.9792(23), rank 2 0.9820(47) over five seeds (scikit-learn's
    digits, 500 test images, hidden ReLU layer of 1024, Adam)."""
    data = pytest.importorskip("sklearn.datasets").load_digits()
    from sklearn.model_selection import train_test_split

    scores = {"dense": [], "tt": []}
    for seed in range(5):
        pieces = train_test_split(data.data / 16.0, data.target, test_size=500, stratify=data.target, random_state=seed)
        x, x_test, y, y_test = (
            torch.tensor(piece, dtype=torch.float32 if k < 2 else torch.int64) for k, piece in enumerate(pieces)
        )
        for name in scores:
            torch.manual_seed(seed)
            first = torch.nn.Linear(64, 1024) if name == "dense" else TTLinear(64, 1024, 2)
            model = torch.nn.Sequential(first, torch.nn.ReLU(), torch.nn.Linear(1024, 10))
            optimiser = torch.optim.Adam(model.parameters(), 2e-3)
            for _ in range(80):
                for batch in torch.randperm(len(x)).split(64):
                    optimiser.zero_grad()
                    torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
                    optimiser.step()
            scores[name].append(float((model(x_test).argmax(1) == y_test).float().mean()))
    assert np.mean(scores["tt"]) >= np.mean(scores["dense"]) - 0.005, scores
    assert np.mean(scores["dense"]) >= 0.9792 - 3 * 0.0023, scores
