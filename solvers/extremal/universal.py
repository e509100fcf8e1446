"""One perturbation for all inputs of a learner, by its Jacobians, and what it is compared with.

    layer       v = argmax ||J v||_q over ||v||_inf = 1, J the stacked Jacobians of a layer at a batch of inputs:
                an (inf, q)-singular vector (Khrulkov, Oseledets, CVPR 2018, eq. 5; solvers.extremal.pq_norm)
    gradient    v = sign(mean over the batch of the gradient of the loss in the input)
    DeepFool    for each input that v does not fool yet: the least perturbation that carries it over the nearest
                linearised border, added to v, and v cut to the size allowed; several passes (Moosavi-Dezfooli,
                Fawzi, Fawzi, Frossard, CVPR 2017, algorithm 1; the step: CVPR 2016, algorithm 2)
    random      signs

``free``: which entries of an input may change; a perturbation has an entry for each of these.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import LinearOperator

from solvers.extremal.pq_norm import PQNorm, pq_norm
from solvers.learning import losses
from solvers.learning.differentiable import LOGITS, Differentiable

DENSE = 2**22  # entries of a stacked Jacobian up to which it is a matrix: its norm then has a bound from above
OVERSHOOT, STEPS = 0.02, 50  # of DeepFool, as published
FOOLED = 0.8  # share of the inputs at which its passes end, as published


def stacked(model: Differentiable, x: np.ndarray, layer: str, free: np.ndarray) -> np.ndarray | LinearOperator:
    """J (B m, n) at inputs x (B, d) in their n free entries: a matrix where it is small, else by products.

    Raises ValueError for the name of no layer.
    """
    model.check_layer(layer)
    count, outputs = len(x), model.outputs(x[:1], layer).shape[1]
    chosen = np.flatnonzero(free)
    if count * outputs * model.size <= DENSE:
        return model.rows(x, layer)[:, :, chosen].reshape(count * outputs, -1)

    def times(v: np.ndarray) -> np.ndarray:
        whole = np.zeros((model.size, v.shape[1]))
        whole[chosen] = v
        return model.forward(x, layer, whole).reshape(count * outputs, -1)

    def back(u: np.ndarray) -> np.ndarray:
        return model.transposed(x, layer, u.reshape(count, outputs, -1))[chosen]

    return Products(times, back, (count * outputs, len(chosen)))


class Products(LinearOperator):
    """A linear operator of several columns at once."""

    def __init__(
        self,
        times: Callable[[np.ndarray], np.ndarray],
        back: Callable[[np.ndarray], np.ndarray],
        shape: tuple[int, int],
    ) -> None:
        super().__init__(np.dtype(np.float64), shape)
        self._times, self._back = times, back

    def _matmat(self, v: np.ndarray) -> np.ndarray:
        return self._times(v)

    def _matvec(self, v: np.ndarray) -> np.ndarray:
        return self._times(v.reshape(-1, 1))[:, 0]

    def _rmatmat(self, u: np.ndarray) -> np.ndarray:
        return self._back(u)

    def _rmatvec(self, u: np.ndarray) -> np.ndarray:
        return self._back(u.reshape(-1, 1))[:, 0]


def singular_perturbation(
    model: Differentiable,
    x: np.ndarray,
    layer: str,
    q: float,
    *,
    free: np.ndarray,
    starts: int,
    rng: np.random.Generator,
) -> PQNorm:
    """The norm of the stacked Jacobian of a layer from infinity to ``q``, and its vector of signs; as ``pq_norm``."""
    return pq_norm(stacked(model, x, layer, free), np.inf, q, starts=starts, rng=rng)


def gradient_signs(model: Differentiable, x: np.ndarray, targets: np.ndarray, *, free: np.ndarray) -> np.ndarray:
    """Signs (n,) of the mean gradient of the loss at inputs x (B, d) of classes ``targets`` (B,); zero counts as 1."""
    slopes = losses.derivatives(model.loss, model.outputs(x), targets)[0] / len(x)
    found = model.transposed(x, LOGITS, slopes[:, :, None])[free, 0]
    return np.where(found < 0.0, -1.0, 1.0)


def least_step(model: Differentiable, x: np.ndarray, *, free: np.ndarray) -> np.ndarray | None:
    """DeepFool: a small step (n,) of the free entries of an input (d,) to another class; None where none was found in
    ``STEPS`` steps."""
    at = x[None].copy()
    first = int(model.labels(at)[0])
    for _ in range(STEPS):
        values, slopes = model.outputs(at)[0], model.rows(at)[0][:, free]
        if len(values) == 1:
            gaps, ways = -values, -slopes
        else:
            others = np.arange(len(values)) != first
            gaps, ways = (values - values[first])[others], (slopes - slopes[first])[others]
        sizes = np.linalg.norm(ways, axis=1)
        if not sizes.any():
            return None
        distances = np.where(sizes > 0.0, np.abs(gaps) / np.where(sizes > 0.0, sizes, 1.0), np.inf)
        best = int(np.argmin(distances))
        sign = 1.0 if len(values) > 1 or values[0] > 0.0 else -1.0
        at[0, free] += (1.0 + OVERSHOOT) * (distances[best] + 1e-12) * sign * ways[best] / sizes[best]
        if int(model.labels(at)[0]) != first:
            return (at[0] - x)[free]
    return None


def deepfool_perturbation(
    model: Differentiable, x: np.ndarray, size: float, *, free: np.ndarray, passes: int, rng: np.random.Generator
) -> np.ndarray:
    """A perturbation (n,) of entries up to ``size``, from inputs x (B, d); see the module's lines.

    Cost: a few Jacobians of the scores an input and pass.
    """
    labels = model.labels(x)
    found = np.zeros(int(free.sum()))
    for _ in range(passes):
        for i in rng.permutation(len(x)):
            moved = shifted(x[i : i + 1], found, free)
            if model.labels(moved)[0] == labels[i]:
                step = least_step(model, moved[0], free=free)
                if step is not None:
                    found = np.clip(found + step, -size, size)
        if np.mean(model.labels(shifted(x, found, free)) != labels) > FOOLED:
            break
    return found


def shifted(x: np.ndarray, v: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Inputs (B, d) with v (n,) added to their free entries."""
    moved = x.copy()
    moved[:, free] += v
    return moved


def fooling_rates(
    model: Differentiable, x: np.ndarray, v: np.ndarray, *, free: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[float, float]:
    """Shares of inputs x (B, d) whose class changes, the better of +v and -v: as it is, and with what is moved cut to
    between ``low`` and ``high`` (d,)."""
    before = model.labels(x)
    plain, cut = [], []
    for sign in (1.0, -1.0):
        moved = shifted(x, sign * v, free)
        plain.append(float(np.mean(model.labels(moved) != before)))
        moved[:, free] = np.clip(moved, low, high)[:, free]
        cut.append(float(np.mean(model.labels(moved) != before)))
    return max(plain), max(cut)
