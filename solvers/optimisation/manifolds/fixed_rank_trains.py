"""The manifold of trains of fixed TT-ranks, optionally on the unit sphere.

A point is held twice: X = U_1 .. U_{d-1} C with U_k left-orthogonal, and with V_2 .. V_d right-orthogonal. A tangent
vector is the sum

    xi = sum_k U_1 .. U_{k-1} W_k V_{k+1} .. V_d,     U_k^H W_k = 0 as (r n, r) matrices for k < d,

given by its cores W_k (r_{k-1}, n_k, r_k) alone. The d terms are orthogonal to each other, so that inner products and
sums are those of the cores. The projection of a tensor Z has W_k = (I - U_k U_k^H) <U_<k, Z, V_>k>, without the
projector at k = d. Retraction: X + t xi is a train of ranks 2 r, truncated to the ranks of X by SVD. Vectors are
transported by projecting them as trains. On the sphere the component along X, which lies in W_d alone, is removed, and
points are normalised.

Holtz, Rohwedder and Schneider, Numer. Math. 120, 701 (2012); Lubich, Oseledets and Vandereycken, SIAM J. Numer. Anal.
53, 917 (2015), section 3; Steinlechner, SIAM J. Sci. Comput. 38, S461 (2016), section 3. Cost d n r^3 each, and
d n r R (r + R) for the projection of a train of ranks R.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.cards import Card, Fact
from solvers.formats.trains.factorisations import LeftSVD, frobenius
from solvers.formats.trains.orthogonalisation import orthogonalise_cores, right_interfaces
from solvers.formats.trains.tensor_train import TensorTrain

Tangent = tuple[np.ndarray, ...]  # the d cores W_k
Environments = list[np.ndarray]


@dataclass(frozen=True, eq=False)
class FixedRankPoint(Card):
    """A point: ``left`` the cores U_1 .. U_{d-1}, C; ``right`` the cores whose second to last are V_2 .. V_d."""

    left: tuple[np.ndarray, ...]
    right: tuple[np.ndarray, ...]

    def worded(self) -> list[Fact]:
        """What its train says."""
        return self.train.worded()

    @property
    def train(self) -> TensorTrain:
        """The point as a train, its centre at the last core."""
        return TensorTrain(self.left, len(self.left) - 1)

    @property
    def ranks(self) -> tuple[int, ...]:
        """The d+1 TT-ranks."""
        return (1, *(core.shape[2] for core in self.left))

    @property
    def max_rank(self) -> int:
        return max(self.ranks)


@dataclass(frozen=True)
class FixedRank:
    """Trains whose ranks are those of the point at hand; ``unit_norm``: of Frobenius norm one as well."""

    unit_norm: bool = False

    def point(self, train: TensorTrain) -> FixedRankPoint:
        """The point of a train, of its ranks as they are. Raises ValueError for a zero train on the sphere."""
        left = list(train.orthogonalise(train.d - 1).cores)
        if self.unit_norm:
            size = frobenius(left[-1])
            if size == 0.0:
                raise ValueError("a train of norm zero cannot be normalised")
            left[-1] = left[-1] / size
        return FixedRankPoint(tuple(left), orthogonalise_cores(left, len(left) - 1, 0))

    def point_arrays(self, x: FixedRankPoint) -> tuple[np.ndarray, ...]:
        """The cores of both forms."""
        return (*x.left, *x.right)

    def stored_point(self, arrays: Sequence[np.ndarray]) -> FixedRankPoint:
        """The point of ``point_arrays``."""
        d = len(arrays) // 2
        return FixedRankPoint(tuple(arrays[:d]), tuple(arrays[d:]))

    def tangent(self, x: FixedRankPoint, cores: Sequence[np.ndarray]) -> Tangent:
        """Cores <U_<k, Z, V_>k> of any tensor Z made those of its projection, by the projectors of the gauge."""
        new = []
        for core, u in zip(cores[:-1], x.left[:-1], strict=True):
            w, basis = core.reshape(-1, core.shape[2]), u.reshape(-1, u.shape[2])
            new.append((w - basis @ (basis.conj().T @ w)).reshape(core.shape))
        last = cores[-1]
        if self.unit_norm:
            last = last - x.left[-1] * np.vdot(x.left[-1], last)
        return (*new, last)

    def project(self, x: FixedRankPoint, z: TensorTrain) -> Tangent:
        """The orthogonal projection of a train of the same shape onto the tangent space."""
        left, right = _environments(x, z.cores)
        return self.tangent(x, [_centre(a, core, b) for a, core, b in zip(left, z.cores, right, strict=True)])

    def as_train(self, x: FixedRankPoint, u: Tangent, step: float = 1.0, point: float = 0.0) -> TensorTrain:
        """``point`` X + ``step`` u as a train of ranks 2 r."""
        return TensorTrain(tuple(_doubled(x, u, step, point)))

    def inner(self, x: FixedRankPoint, u: Tangent, v: Tangent) -> float:
        """The Frobenius inner product, its real part."""
        return float(sum(np.vdot(p, q).real for p, q in zip(u, v, strict=True)))

    def combine(self, x: FixedRankPoint, terms: Sequence[tuple[float, Tangent]]) -> Tangent:
        """Sum of factors times tangent vectors."""
        first, rest = terms[0], terms[1:]
        cores = [first[0] * core for core in first[1]]
        for factor, u in rest:
            cores = [core + factor * other for core, other in zip(cores, u, strict=True)]
        return tuple(cores)

    def retract(self, x: FixedRankPoint, u: Tangent, step: float) -> FixedRankPoint:
        """X + step u truncated to the ranks of X, then normalised on the sphere."""
        left = truncated(_doubled(x, u, step, 1.0), x.ranks)
        return self.point(TensorTrain(tuple(left), len(left) - 1))

    def transport(self, x: FixedRankPoint, y: FixedRankPoint, u: Tangent) -> Tangent:
        """The projection of u at x onto the tangent space at y (ranks may differ). Cost 6 d n r^3.

        The doubled structure is used: three pairs of environments, of ranks r, instead of one of ranks 2 r.
        """
        d = len(y.left)
        uu, uw = [np.ones((1, 1))], [np.zeros((1, 1))]
        for k in range(d - 1):
            uw.append(_advance(uw[k], y.left[k], x.right[k]) + _advance(uu[k], y.left[k], u[k]))
            uu.append(_advance(uu[k], y.left[k], x.left[k]))
        vv, vw = [np.ones((1, 1))], [np.zeros((1, 1))]
        for k in range(d - 1, 0, -1):
            vw.append(_retreat(vw[-1], y.right[k], x.left[k]) + _retreat(vv[-1], y.right[k], u[k]))
            vv.append(_retreat(vv[-1], y.right[k], x.right[k]))
        vv.reverse()
        vw.reverse()
        cores = []
        for k in range(d):
            core = _centre(uu[k], u[k], vv[k])
            if k:
                core = core + _centre(uw[k], x.right[k], vv[k])
            if k < d - 1:
                core = core + _centre(uu[k], x.left[k], vw[k])
            cores.append(core)
        return self.tangent(y, cores)


def truncated(cores: Sequence[np.ndarray], ranks: Sequence[int]) -> list[np.ndarray]:
    """Cores of the train cut to the d+1 ``ranks`` by SVD (less where it has less), the last one the centre.

    As rounding (solvers.formats.trains.rounding), but with a rank a bond. Cost 16 d n R^3 for ranks R before.
    """
    interfaces, _ = right_interfaces(cores, None, stop=1, compress=False)  # their sizes change no singular vector
    new, carried = [], np.ascontiguousarray(cores[0])
    for k in range(len(cores) - 1):
        a, n, b = carried.shape
        unfolding, factor = carried.reshape(a * n, b), interfaces[k + 1]
        assert factor is not None
        left = LeftSVD((factor.T @ unfolding.T).T)
        u = left.vectors(min(ranks[k + 1], len(left.s)))
        new.append(np.ascontiguousarray(u).reshape(a, n, -1))
        carried = ((u.conj().T @ unfolding) @ cores[k + 1].reshape(b, -1)).reshape(-1, *cores[k + 1].shape[1:])
    return [*new, carried]


def _doubled(x: FixedRankPoint, u: Tangent, step: float, point: float) -> list[np.ndarray]:
    """Cores [W U], [[V 0], [W U]], .., [V; W] of point X + step u: in each row what comes before the one W is U."""
    d = len(u)
    if d == 1:
        return [step * u[0] + point * x.left[0]]
    cores = [np.concatenate((step * u[0], x.left[0]), axis=2)]
    for k in range(1, d - 1):
        a, n, b = x.left[k].shape
        core = np.zeros((2 * a, n, 2 * b), dtype=np.result_type(x.left[k], u[k]))
        core[:a, :, :b] = x.right[k]
        core[a:, :, :b] = step * u[k]
        core[a:, :, b:] = x.left[k]
        cores.append(core)
    cores.append(np.concatenate((x.right[-1], step * u[-1] + point * x.left[-1]), axis=0))
    return cores


def _environments(x: FixedRankPoint, cores: Sequence[np.ndarray]) -> tuple[Environments, Environments]:
    """<U_<k, Z_<k> (r, R) and <V_>k, Z_>k> (r, R) of the train Z, for every core k."""
    d = len(cores)
    left, right = [np.ones((1, 1))], [np.ones((1, 1))]
    for k in range(d - 1):
        left.append(_advance(left[-1], x.left[k], cores[k]))
    for k in range(d - 1, 0, -1):
        right.append(_retreat(right[-1], x.right[k], cores[k]))
    return left, right[::-1]


def _advance(environment: np.ndarray, bra: np.ndarray, ket: np.ndarray) -> np.ndarray:
    product = (environment @ ket.reshape(ket.shape[0], -1)).reshape(-1, ket.shape[2])
    return bra.reshape(-1, bra.shape[2]).conj().T @ product


def _retreat(environment: np.ndarray, bra: np.ndarray, ket: np.ndarray) -> np.ndarray:
    product = (ket.reshape(-1, ket.shape[2]) @ environment.T).reshape(ket.shape[0], -1)
    return bra.reshape(bra.shape[0], -1).conj() @ product.T


def _centre(left: np.ndarray, core: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left (r, R) core (R, n, S) right (s, S)^T -> (r, n, s)."""
    product = (left @ core.reshape(core.shape[0], -1)).reshape(-1, core.shape[2])
    return (product @ right.T).reshape(left.shape[0], core.shape[1], right.shape[0])
