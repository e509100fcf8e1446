"""The Jacobian of a network at some inputs, as a linear operator that never becomes a matrix.

    J v = (J_1 v, ..., J_n v),   J_k = d f(x_k) / d x,   one v for all inputs

A universal perturbation of a layer f maximises ||J v||_q over ||v||_p = 1: the (p, q)-singular vector of J. Khrulkov,
Oseledets, CVPR 2018, eq. (5), doi:10.1109/CVPR.2018.00893.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator
from torch.func import jvp, vjp


class JacobianOperator(LinearOperator):
    """J of ``model`` at ``inputs`` (n, ...), or of what comes out of its module ``layer``: (n outputs, size of one
    input), double precision outside.

    ``layer``: a name of ``model.named_modules()``; by default the model as a whole. The model is put into evaluation
    while it is called and otherwise left as it is. Cost: a forward pass with its derivative, or a backward pass, a
    product. Raises ValueError for an unknown name and for inputs that are none.
    """

    def __init__(self, model: torch.nn.Module, inputs: torch.Tensor, layer: str = "") -> None:
        if inputs.ndim < 2 or not inputs.numel():
            raise ValueError(f"inputs must be (n, ...), at least one, not {tuple(inputs.shape)}")
        known = dict(model.named_modules())
        if layer not in known:
            raise ValueError(f"no module {layer!r}; there are {', '.join(name for name in known if name)}")
        self.model, self.inputs, self.layer = model, inputs.detach(), layer
        with torch.no_grad():
            size = self._outputs(self.inputs).numel()
        super().__init__(np.dtype(np.float64), (size, self.inputs[0].numel()))

    def _outputs(self, x: torch.Tensor) -> torch.Tensor:
        """What comes out of the layer for the inputs x."""
        caught: list[torch.Tensor] = []
        module = self.model.get_submodule(self.layer)
        hook = module.register_forward_hook(lambda module, given, out: caught.append(out))
        training = self.model.training
        self.model.eval()
        try:
            self.model(x)
        finally:
            hook.remove()
            self.model.train(training)
        return caught[-1]

    def _shifted(self, v: torch.Tensor) -> torch.Tensor:
        return self._outputs(self.inputs + v)

    def _at_zero(self) -> tuple[Callable[[torch.Tensor], torch.Tensor], torch.Tensor]:
        return self._shifted, torch.zeros_like(self.inputs[0])

    def _matvec(self, v: np.ndarray) -> np.ndarray:
        f, zero = self._at_zero()
        along = torch.from_numpy(np.ascontiguousarray(v)).reshape(zero.shape).to(zero)
        return jvp(f, (zero,), (along,))[1].detach().cpu().double().numpy().reshape(-1)

    def _rmatvec(self, u: np.ndarray) -> np.ndarray:
        f, zero = self._at_zero()
        out, back = vjp(f, zero)
        given = torch.from_numpy(np.ascontiguousarray(u)).reshape(out.shape).to(out)
        return back(given)[0].detach().cpu().double().numpy().reshape(-1)
