"""Overlaps and expectation values of a train, gathered in one sweep over its cores.

With the train right-orthogonal beyond core k and C its centre core (a, i, b), expectation values of mode k need only
C; those of a neighbouring pair the transfer of O on k through core k+1. Entropies S = -sum p log p (nats) of every cut
come from the singular values of the triangular factor that moves on. All are divided by <psi|psi>.
Cost O(n r^3) a core, less than one step in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, svdvals

from solvers.formats.trains.tensor_train import TensorTrain, dot

# what an observer returns beside the observables asked for
OVERLAP, DOUBLED, ENTROPY, EDGE = "_overlap", "_doubled", "_entropy", "_edge"


def doubled_overlap(x: TensorTrain) -> complex:
    """sum_i x_i^2: the overlap of x with its own complex conjugate."""
    return complex(dot(x.conj(), x))


@dataclass(frozen=True)
class Measured:
    """Expectation values by site (name -> (d,)) and by pair (name -> (d-1,)), entropies (d-1,), edge populations."""

    sites: dict[str, np.ndarray]
    pairs: dict[str, np.ndarray]
    entropies: np.ndarray
    edge: float


def measure(
    x: TensorTrain,
    sites: Mapping[str, Sequence[np.ndarray]],
    pairs: Mapping[str, Sequence[np.ndarray]],
    edges: Sequence[Sequence[int]] = (),
) -> Measured:
    """All of it in one sweep; ``edges``: basis functions of each mode whose population is summed, largest mode kept."""
    d = x.d
    cores = list(x.orthogonalise(0).cores)
    centre = cores[0]
    square = float(np.vdot(centre, centre).real) or 1.0
    by_site = {name: np.zeros(d) for name in sites}
    by_pair = {name: np.zeros(max(d - 1, 0)) for name in pairs}
    entropies, edge = np.zeros(max(d - 1, 0)), 0.0
    for k in range(d):
        left, n, right = centre.shape
        flat = centre.transpose(1, 0, 2).reshape(n, -1)
        density = flat @ flat.conj().T / square
        for name, matrices in sites.items():
            by_site[name][k] = np.tensordot(matrices[k], density.T, 2).real
        if len(edges):
            edge = max(edge, float(np.diagonal(density).real[list(edges[k])].sum()))
        if k == d - 1:
            break
        following = cores[k + 1]
        for name, matrices in pairs.items():
            moved = np.tensordot(matrices[k], centre, axes=(1, 1)).transpose(1, 0, 2)
            transfer = centre.reshape(-1, right).conj().T @ moved.reshape(-1, right)
            after = np.tensordot(matrices[k + 1], following, axes=(1, 1)).transpose(1, 0, 2)
            after = np.tensordot(transfer, after, 1)
            by_pair[name][k] = (np.vdot(following, after) / square).real
        _, factor = qr(centre.reshape(left * n, right), mode="economic", check_finite=False)
        entropies[k] = entropy(svdvals(factor, check_finite=False))
        centre = np.tensordot(factor, following, 1)
    return Measured(by_site, by_pair, entropies, edge)


def entropy(singular_values: np.ndarray) -> float:
    """Von Neumann entropy in nats of a cut with these singular values, of a state normalised to one."""
    p = singular_values**2
    p = p[p > 1e-300] / p.sum()
    return max(0.0, float(-(p * np.log(p)).sum()))


@dataclass(frozen=True)
class Observer:
    """What ``evolve`` calls at every output time; plain data, so that a worker process can have one.

    ``bra``: the start, conjugated by the inner product. ``doubled``: also sum psi_i^2. ``sweep``: entropies, edge and
    the observables, which a second run does not need.
    """

    bra: TensorTrain
    doubled: bool
    sweep: bool
    sites: Mapping[str, Sequence[np.ndarray]]
    pairs: Mapping[str, Sequence[np.ndarray]]
    edges: Sequence[Sequence[int]]

    def __call__(self, t: float, x: TensorTrain) -> dict[str, object]:
        found: dict[str, object] = {OVERLAP: complex(dot(self.bra, x))}
        if self.doubled:
            found[DOUBLED] = doubled_overlap(x)
        if self.sweep:
            m = measure(x, self.sites, self.pairs, self.edges)
            found |= {**m.sites, **m.pairs, ENTROPY: m.entropies, EDGE: m.edge}
        return found


def chosen(operators: Mapping[str, Sequence[np.ndarray]], names: Iterable[str]) -> dict[str, Sequence[np.ndarray]]:
    """The operators of these names."""
    wanted = set(names)
    return {name: matrices for name, matrices in operators.items() if name in wanted}
