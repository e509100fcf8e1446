"""The Jacobian operator of a network against finite differences and its own transpose."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'networks' is not installed")

from ttsuite.networks.jacobian import JacobianOperator  # noqa: E402


@pytest.fixture
def case():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.Tanh(), torch.nn.Dropout(0.5), torch.nn.Flatten(), torch.nn.Linear(48, 5)
    ).double()
    return model, torch.randn(4, 1, 6, 6, dtype=torch.float64)


@pytest.mark.parametrize(("layer", "size"), [("", 20), ("1", 192)])
def test_products_are_directional_derivatives(case, layer, size):
    model, x = case
    a = JacobianOperator(model, x, layer)
    assert a.shape == (size, 36)
    v, u, h = np.random.default_rng(0).standard_normal(36), np.random.default_rng(1).standard_normal(size), 1e-6
    step = torch.from_numpy(v.reshape(1, 6, 6)) * h
    part = model.eval()[: len(model) if not layer else int(layer) + 1]
    difference = (part(x + step) - part(x - step)).detach().numpy().reshape(-1) / (2.0 * h)
    assert a @ v == pytest.approx(difference, abs=1e-7)
    assert float(u @ (a @ v)) == pytest.approx(float((a.T @ u) @ v), rel=1e-12)


def test_the_model_is_left_as_it_is(case):
    model, x = case
    model.train()
    a = JacobianOperator(model, x)
    assert np.array_equal(a @ np.ones(36), a @ np.ones(36))  # no dropout
    assert model.training and not any(module._forward_hooks for module in model.modules())
    assert all(p.grad is None for p in model.parameters())


def test_impossible_questions_are_refused(case):
    model, x = case
    with pytest.raises(ValueError, match="no module 'last'; there are 0, 1"):
        JacobianOperator(model, x, "last")
    with pytest.raises(ValueError, match="at least one"):
        JacobianOperator(model, x[:0])
