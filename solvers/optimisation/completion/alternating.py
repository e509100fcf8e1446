"""A constant, an effect of every index of every mode, and a train, fitted together to noisy samples with a ridge.

With x_j = c + e_1[i_1] + .. + e_d[i_d] + X[i(j)] at sample j, X a train of cores G_k, weights w_j and a loss l
(solvers.optimisation.losses):

    minimise  sum_j w_j l(x_j, b_j)  +  (lambda_e / 2) sum_k |e_k|^2  +  (lambda / 2) sum_k |G_k|^2

For squares and matrices that is (half of) the usual sum of squared errors and lambda (|u_i|^2 + |v_j|^2) a row and a
column (Koren, Bell, Volinsky, Computer 42, 30 (2009), equation 5, with a ridge for each index and not each sample).
A sweep minimises over the constant, the effects of each mode and the slices of each core in turn, each exactly for the
quadratic function above the loss: no step raises the sum. Cost of a sweep O(m d r^4) for m samples (slices of r x r;
at the two ends r^2), of matrices O(m r^2).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.kernels.samples import ridge_slices, times_slice
from solvers.optimisation.completion.start import index_sums
from solvers.optimisation.losses import Loss
from solvers.optimisation.samples import Samples

SWEEPS = 150
SETTLED = 1e-6  # relative decrease of the sum in a sweep, below which a fit ends


@dataclass(frozen=True)
class Additive:
    """A model: constant, effects (n_k,) of each mode (none: ``effects`` is empty), cores (n_k, a, b) (none: rank 0)."""

    constant: complex = 0.0
    effects: tuple[np.ndarray, ...] = ()
    cores: tuple[np.ndarray, ...] = ()

    @property
    def rank(self) -> int:
        return max((core.shape[2] for core in self.cores[:-1]), default=0)

    def train(self, shape: tuple[int, ...], scale: float) -> TensorTrain:
        """All of it as one train, times ``scale``: effects have TT-rank 2."""
        whole = additive_train(self.constant, self.effects, shape)
        if self.cores:
            inner = TensorTrain(tuple(np.ascontiguousarray(core.transpose(1, 0, 2)) for core in self.cores))
            whole = whole + inner if self.effects else inner
        return whole * scale

    def without_train(self) -> Additive:
        return Additive(self.constant, self.effects)

    def grown(self, shape: tuple[int, ...], ranks: list[int], size: float, rng: np.random.Generator) -> Additive:
        """With cores of ``ranks``: those there are, and random entries of typical size ``size`` beside them."""
        cores = []
        for k, (n, a, b) in enumerate(zip(shape, ranks[:-1], ranks[1:])):
            core = size * rng.standard_normal((n, a, b))
            if self.cores:
                core = core.astype(self.cores[k].dtype)
                _, p, q = self.cores[k].shape
                core[:, :p, :q] = self.cores[k]
            cores.append(core)
        return Additive(self.constant, self.effects, tuple(cores))


def additive_train(constant: complex, effects: tuple[np.ndarray, ...], shape: tuple[int, ...]) -> TensorTrain:
    """c + e_1[i_1] + .. + e_d[i_d] as a train of TT-rank 2; without effects, of rank 1."""
    if not effects:
        first = np.full((1, shape[0], 1), constant)
        return TensorTrain((first, *(np.ones((1, n, 1)) for n in shape[1:])))
    d, cores = len(shape), []
    for k, effect in enumerate(effects):
        core = np.zeros((2, len(effect), 2), dtype=np.result_type(effect, constant))
        core[0, :, 0] = core[1, :, 1] = 1.0
        core[0, :, 1] = effect + (constant if k == 0 else 0.0)
        core = core[:1] if k == 0 else core
        cores.append(core[:, :, 1:] if k == d - 1 else core)
    return TensorTrain(tuple(np.ascontiguousarray(core) for core in cores))


@dataclass
class AlternatingFit:
    """The sum above for ``samples`` with ``values`` and ``weights`` (m,), or none: sweeps, that ``sweeps`` counts."""

    samples: Samples
    values: np.ndarray
    weights: np.ndarray | None = None
    sweeps: int = 0
    orders: list[tuple[np.ndarray, np.ndarray]] = field(init=False)

    def __post_init__(self) -> None:
        self.orders = []
        for column, n in zip(self.samples.columns, self.samples.shape):
            first = np.concatenate(([0], np.cumsum(np.bincount(column, minlength=n))))
            self.orders.append((np.argsort(column, kind="stable"), first.astype(np.int64)))

    def minimise(self, model: Additive, loss: Loss, effects_ridge: float, ridge: float, most: int = SWEEPS) -> Additive:
        """From ``model`` on, until the sum falls by next to nothing."""
        last = np.inf
        for _ in range(most):
            model, value = self.sweep(model, loss, effects_ridge, ridge)
            self.sweeps += 1
            if not last - value > SETTLED * abs(value):
                break
            last = value
        return model

    def sweep(self, model: Additive, loss: Loss, effects_ridge: float, ridge: float) -> tuple[Additive, float]:
        """One pass over all parts, and the sum then."""
        columns, shape = self.samples.columns, self.samples.shape
        weights = np.ones(len(self.values)) if self.weights is None else self.weights
        constant, effects = model.constant, [effect.copy() for effect in model.effects]
        inner = entries_of(model.cores, columns)
        outer = np.full(len(self.values), constant) + sum((e[c] for e, c in zip(effects, columns)), np.zeros(1))
        # 1 the constant and the effects of each mode
        if effects:
            w, z = loss.above(outer + inner, self.values)
            w = weights * w
            step = (w @ (z - outer - inner)) / float(w.sum())
            constant, outer = constant + step, outer + step
        for effect, column, n in zip(effects, columns, shape):
            w, z = loss.above(outer + inner, self.values)
            w = weights * w
            outer = outer - effect[column]
            weight = np.bincount(column, w, n) + effects_ridge
            effect[:] = index_sums(column, w * (z - outer - inner), n) / np.where(weight > 0.0, weight, 1.0)
            outer = outer + effect[column]
        # 2 the slices of each core, with the products of the others at the samples
        cores = [np.ascontiguousarray(core) for core in model.cores]
        if cores:
            dtype = np.result_type(self.values, *cores)
            cores = [core.astype(dtype, copy=False) for core in cores]
            after = [np.ones((len(self.values), 1), dtype=dtype)]
            for k in range(len(cores) - 1, 0, -1):
                after.append(times_slice(after[-1], np.ascontiguousarray(cores[k].transpose(0, 2, 1)), columns[k]))
            before = np.ones((len(self.values), 1), dtype=dtype)
            for k, column in enumerate(columns):
                w, z = loss.above(outer + inner, self.values)
                right, core = after[len(cores) - 1 - k], cores[k].copy()
                ridge_slices(core, before, right, weights * w, z - outer, *self.orders[k], ridge)
                cores[k] = core
                before = times_slice(before, core, column)
                inner = np.einsum("jb,jb->j", before, right)
        value = float(weights @ loss.each(outer + inner, self.values))
        value += 0.5 * effects_ridge * sum(float(np.vdot(e, e).real) for e in effects)
        value += 0.5 * ridge * sum(float(np.vdot(core, core).real) for core in cores)
        return Additive(constant, tuple(effects), tuple(cores)), value


def entries_of(cores: tuple[np.ndarray, ...], columns: list[np.ndarray]) -> np.ndarray:
    """Entries (m,) of a train of cores (n, a, b)."""
    if not cores:
        return np.zeros(len(columns[0]))
    rows = np.ones((len(columns[0]), 1), dtype=cores[0].dtype)
    for core, column in zip(cores, columns):
        rows = times_slice(rows, core, column)
    return rows[:, 0]
