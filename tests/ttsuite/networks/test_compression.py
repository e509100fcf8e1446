"""A network is compressed to what was asked, says what that costs, and is otherwise the same."""

import pytest

torch = pytest.importorskip("torch", reason="the extra 'networks' is not installed")

from ttsuite.networks.compression import compress  # noqa: E402
from ttsuite.networks.convolutions import CPConv2d, TTConv2d, Tucker2Conv2d  # noqa: E402
from ttsuite.networks.tt_linear import TTLinear  # noqa: E402

KINDS = {"cp": CPConv2d, "tucker2": Tucker2Conv2d, "tt": TTConv2d}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def network():
    """Two convolutions and two linear layers on images of 8 x 8."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Sequential(torch.nn.Conv2d(8, 12, 3, stride=2, padding=1), torch.nn.ReLU()),
        torch.nn.Flatten(),
        torch.nn.Linear(192, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 10),
    )


def numbers(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("convolution", KINDS)
def test_a_share_is_kept(convolution):
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = compress(model, share=0.3, convolution=convolution, keep=["6"])
    assert found.before == numbers(model) and found.after == numbers(found.model) <= 0.3 * found.before
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert isinstance(found.model.get_submodule("2.0"), KINDS[convolution])
    assert isinstance(found.model[4], TTLinear) and isinstance(found.model[6], torch.nn.Linear)
    assert found.model(torch.randn(3, 1, 8, 8)).shape == (3, 10)
    for layer in found.layers:
        weight, other = model.get_submodule(layer.name).weight, found.model.get_submodule(layer.name).weight()
        off = torch.linalg.vector_norm(other - weight) / torch.linalg.vector_norm(weight)
        assert float(off.detach()) == pytest.approx(layer.error) and layer.after < layer.before


@pytest.mark.parametrize("convolution", KINDS)
def test_an_error_is_met(convolution):
    found = compress(network(), error=0.75, convolution=convolution)
    assert found.layers and all(0.0 < layer.error <= 0.75 for layer in found.layers)
    smaller = compress(network(), error=0.9, convolution=convolution)
    assert smaller.after < found.after < found.before


def test_ranks_by_name():
    found = compress(network(), ranks={"2.0": [3, 2], "4": 2})
    assert [(layer.name, layer.ranks) for layer in found.layers] == [("2.0", (3, 2)), ("4", (2, 2))]


def test_a_model_of_one_layer():
    assert isinstance(compress(torch.nn.Linear(64, 64), error=0.9).model, TTLinear)


def test_accuracy_before_at_once_and_after_fine_tuning():
    called = []
    found = compress(
        network(), share=0.3, evaluate=lambda model: float(numbers(model)), fine_tune=lambda model: called.append(model)
    )
    assert found.accuracy == (found.before, found.after, found.after) and called == [found.model]
    assert "accuracy after fine-tuning" in repr(found) and len(repr(found).splitlines()) <= 11
    assert compress(network(), share=0.3).accuracy == (None, None, None)


def test_the_control_has_the_structure_and_other_weights():
    found = compress(network(), share=0.3)
    control = found.control(seed=1)
    assert numbers(control) == found.after
    assert not torch.equal(control.get_submodule("2.0").weight(), found.model.get_submodule("2.0").weight())
    assert torch.equal(control[4].bias, found.model[4].bias)
    again = found.control(seed=1)
    assert all(torch.equal(a, b) for a, b in zip(control.parameters(), again.parameters()))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "one of ranks, error and share"),
        ({"error": 0.1, "share": 0.5}, "one of ranks, error and share"),
        ({"share": 1.5}, "share must lie between"),
        ({"share": 0.001}, "out of reach"),
        ({"error": 0.5, "convolution": "svd"}, "cp, tucker2, tt"),
        ({"error": 0.5, "keep": ["9"]}, "no such linear layers or convolutions: 9; there are"),
        ({"ranks": {"1": 3}}, "no such linear layers or convolutions: 1"),
    ],
)
def test_impossible_wishes_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        compress(network(), **options)
