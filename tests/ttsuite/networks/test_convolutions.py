"""Factored convolutions are the convolution of their whole kernel."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'networks' is not installed")

from ttsuite.networks.convolutions import CPConv2d, TTConv2d, Tucker2Conv2d  # noqa: E402

CASES = [(CPConv2d, (5,)), (Tucker2Conv2d, (3, 2)), (TTConv2d, (2, 3)), (TTConv2d, (2, 5, 3))]
PLACED = [{}, {"stride": 2, "padding": 1}, {"stride": (1, 2), "padding": (2, 1), "dilation": (1, 2)}]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.mark.parametrize("placed", PLACED)
@pytest.mark.parametrize(("layer", "ranks"), CASES)
def test_the_chain_is_the_convolution_with_the_kernel(layer, ranks, placed):
    found = layer(4, 6, (3, 2), ranks, **placed).double()
    x = torch.randn(2, 4, 9, 8, dtype=torch.float64)
    expected = torch.nn.functional.conv2d(x, found.weight(), found[-1].bias, **placed)
    assert torch.allclose(found(x), expected, atol=1e-12)


@pytest.mark.parametrize("placed", PLACED)
@pytest.mark.parametrize(("layer", "ranks"), [(Tucker2Conv2d, (6, 4)), (TTConv2d, (4, 6)), (TTConv2d, (4, 12, 6))])
def test_large_enough_ranks_are_the_convolution_itself(layer, ranks, placed):
    conv = torch.nn.Conv2d(4, 6, (3, 2), **placed).double()
    found = layer.from_conv(conv, ranks)
    x = torch.randn(2, 4, 9, 8, dtype=torch.float64)
    assert torch.allclose(found(x), conv(x), atol=1e-6)


@pytest.mark.parametrize(("layer", "ranks"), [(CPConv2d, (3,)), *CASES[1:]])
def test_a_kernel_of_these_ranks_is_found(layer, ranks):
    """Planted: what has the ranks is represented to rounding (CP: to the accuracy of its iteration)."""
    conv = torch.nn.Conv2d(4, 6, (3, 2), bias=False).double()
    conv.weight.data = layer(4, 6, (3, 2), ranks).double().weight().detach()
    off = torch.linalg.vector_norm(layer.from_conv(conv, ranks).weight() - conv.weight)
    assert off <= 1e-6 * torch.linalg.vector_norm(conv.weight)


def test_truncations_of_tucker_are_as_good_as_their_singular_values_allow():
    conv = torch.nn.Conv2d(8, 10, 3, bias=False).double()
    kernel = conv.weight.detach().numpy()
    sizes = [kernel.reshape(10, -1), kernel.transpose(1, 0, 2, 3).reshape(8, -1)]
    lost = [np.sum(np.linalg.svd(m, compute_uv=False)[r:] ** 2) for m, r in zip(sizes, (5, 4))]
    off = float(torch.linalg.vector_norm(Tucker2Conv2d.from_conv(conv, (5, 4)).weight() - conv.weight).detach() ** 2)
    assert max(lost) <= off <= sum(lost)


@pytest.mark.parametrize(
    ("layer", "ranks", "numbers"),
    [(CPConv2d, (8,), 712), (Tucker2Conv2d, (8, 4), 864), (TTConv2d, (8, 16), 2304)],
)
def test_numbers_as_published(layer, ranks, numbers):
    """16 to 64 channels, 3 x 3: 9,216 numbers."""
    found = layer(16, 64, 3, ranks, bias=False)
    assert sum(p.numel() for p in found.parameters()) == numbers


def test_what_cannot_be_is_refused():
    for ranks in ((2,), (2, 0), (9, 2), (2.0, 2)):
        with pytest.raises(ValueError, match="Tucker2Conv2d"):
            Tucker2Conv2d(4, 6, 3, ranks)
    for options in ({"groups": 2}, {"padding": 1, "padding_mode": "circular"}, {"padding": "same"}):
        with pytest.raises(ValueError, match="compressed"):
            Tucker2Conv2d.from_conv(torch.nn.Conv2d(4, 6, 3, **options), (2, 2))
