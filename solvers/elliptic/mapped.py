"""-div(a grad u) + c u = f on the image of the unit square: bilinear finite elements with a full tensor coefficient.

On a cell h_1 x h_2 of the square, with K, |J|, a, c and f those of its middle (solvers.formats.quantics.domain), and
the mean m, the slopes g_1, g_2 and the twist t = D_1 D_2 u of a bilinear function there, the integrals are exactly

    h_1 h_2 [ g . K g' + (K_11 h_2^2 + K_22 h_1^2) / 12  t t' ]                                    of grad u . K grad u'
    h_1 h_2 c |J| [ m m' + h_1^2 / 12 g_1 g_1' + h_2^2 / 12 g_2 g_2' + h_1^2 h_2^2 / 144  t t' ]   of c |J| u u'

and h_1 h_2 f |J| m' is the load. All of these are differences and means along one axis after the other, so that the
matrix is projected on polynomials as that of second differences is (solvers.elliptic.galerkin); the diagonal part of K
as a product of its marginals gives the eigenfunctions of the axes, exact on rings with a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.elliptic.bases import Basis, along_all, basis_on_cells, outer
from solvers.elliptic.galerkin import SAME, Found, marginals, solve_in
from solvers.elliptic.leaves import GROUND, Axis
from solvers.formats.quantics.coefficients import Coefficient
from solvers.formats.quantics.domain import Domain
from solvers.measured import numeral

Tensor = Callable[[np.ndarray], np.ndarray] | np.ndarray | float  # of points of the domain: (m,), or (m, 2, 2)
SCOUTS = 500  # points for the sizes of K
SYMMETRIC = 1e-12  # of the size of a tensor: what its two halves may differ by


@dataclass(frozen=True, eq=False)
class Reference:
    """The problem on the unit square: ``tensor`` (m, 3) of K_11, K_12, K_22 at points (m, 2), c |J| and f |J|."""

    domain: Domain
    diffusion: Tensor
    reaction: Coefficient
    load: Coefficient

    def stretched(self, square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """|J| K as (m, 3), and |J|.  Raises ValueError where |J| or a is not positive."""
        jacobian = self.domain.jacobian(square)
        (p, q), (r, s) = jacobian.transpose(1, 2, 0)
        volume = p * s - q * r
        if not (volume > 0.0).all():
            at = ", ".join(numeral(x) for x in square[int(np.argmax(~(volume > 0.0)))])
            raise ValueError(
                f"the map of the domain must keep orientation: at ({at}) of the square its Jacobian determinant is "
                f"{numeral(float(volume[~(volume > 0.0)][0]))}"
            )
        a = self._coefficient(square)
        adjugate = np.array([[s, -q], [-r, p]]).transpose(2, 0, 1)
        if a.ndim == 1:
            k = a[:, None, None] * (adjugate @ adjugate.transpose(0, 2, 1))
        else:
            k = adjugate @ a @ adjugate.transpose(0, 2, 1)
        return np.stack([k[:, 0, 0], 0.5 * (k[:, 0, 1] + k[:, 1, 0]), k[:, 1, 1]], axis=1), volume

    def tensor(self, square: np.ndarray) -> np.ndarray:
        """K_11, K_12, K_22, (m, 3)."""
        stretched, volume = self.stretched(square)
        return stretched / volume[:, None]

    def _coefficient(self, square: np.ndarray) -> np.ndarray:
        """a at the images of ``square``, (m,) or (m, 2, 2)."""
        if not callable(self.diffusion):
            a = np.asarray(self.diffusion, dtype=float)
            return np.broadcast_to(a, (len(square), *a.shape))
        points = self.domain.points(square)
        a = np.asarray(self.diffusion(points))
        if a.shape not in ((len(points),), (len(points), 2, 2)) or a.dtype.kind not in "iuf":
            raise ValueError(
                f"the coefficient must return real numbers ({len(points)},) or matrices ({len(points)}, 2, 2) for "
                f"points {points.shape}, not {a.dtype} {a.shape}"
            )
        bad = ~_definite(a)
        if bad.any():
            at = ", ".join(numeral(x) for x in points[int(np.argmax(bad))])
            raise ValueError(f"the coefficient must be finite, symmetric and positive: at ({at}) it is {a[bad][0]}")
        return a.astype(float)

    def reactivity(self, square: np.ndarray) -> np.ndarray:
        """c |J| over the diagonal of K, (m, 2): squares of wave numbers where negative."""
        k = self.tensor(square)[:, ::2]
        result: np.ndarray = self.density(self.reaction, square)[:, None] / k
        return result

    def density(self, f: Coefficient, square: np.ndarray) -> np.ndarray:
        """f |J|."""
        values = f(self.domain.points(square)) if callable(f) else f
        result: np.ndarray = np.linalg.det(self.domain.jacobian(square)) * values
        return result

    def functions(self) -> list[Callable[[np.ndarray], np.ndarray]]:
        """What the leaves have to follow; at a side that is a point |J| K, for K grows there without bound."""
        scouts = self.tensor(np.random.default_rng(0).random((SCOUTS, 2)))
        ratio = float(np.sqrt(np.mean(scouts[:, 0]) / np.mean(scouts[:, 2])))

        def component(k: int) -> Callable[[np.ndarray], np.ndarray]:
            def values(x: np.ndarray) -> np.ndarray:
                tensor = self.stretched(x)[0] if self.domain.collapsed else self.tensor(x)
                # K_12 beside K_11, for it may be zero but for rounding errors
                result: np.ndarray = tensor[:, 0] + ratio * tensor[:, 1] if k == 1 else tensor[:, k]
                return result

            return values

        densities = [self.load, *([self.reaction] if callable(self.reaction) or self.reaction else [])]
        return [*map(component, range(3)), *((lambda x, f=f: self.density(f, x)) for f in densities)]

    def marks(self, square: np.ndarray) -> np.ndarray:
        """Numbers by which two problems are told apart."""
        densities = [self.density(f, square) for f in (self.reaction, self.load)]
        return np.column_stack([self.domain.points(square), self.tensor(square), *densities])

    def integral(self, axes: Sequence[Axis], coefficients: np.ndarray) -> float:
        """Of u over the domain, by the middles of the cells."""
        cells = self.on_cells(axes)
        means = along_all([axis.averages for axis in axes], coefficients)
        return float(np.sum(cells.weights * cells.volume * means))

    def on_cells(self, axes: Sequence[Axis]) -> Cells:
        """K, c |J| and f |J| at the middles of the cells, with their weights."""
        x = [axis.edge_x for axis in axes]
        shape = len(x[0]), len(x[1])
        square = np.stack(np.meshgrid(*x, indexing="ij"), axis=-1).reshape(-1, 2)
        stretched, volume = self.stretched(square)
        points = self.domain.points(square)
        c = self.reaction(points) if callable(self.reaction) else self.reaction
        f = self.load(points) if callable(self.load) else self.load
        k = (stretched / volume[:, None]).T.reshape(3, *shape)
        weights = outer([axis.edge_weights for axis in axes])
        return Cells(k, (volume * c).reshape(shape), (volume * f).reshape(shape), volume.reshape(shape), weights)


@dataclass(frozen=True, eq=False)
class Cells:
    """At the middles of the cells (e_1, e_2): ``tensor`` (3, e_1, e_2), c |J|, f |J|, |J|, and the weights of sums."""

    tensor: np.ndarray
    reaction: np.ndarray
    load: np.ndarray
    volume: np.ndarray
    weights: np.ndarray

    def moments(self, axes: Sequence[Axis]) -> np.ndarray:
        """The load of every product of basis functions."""
        return along_all([axis.averages.T for axis in axes], self.weights * self.load)


def check_tensor(given: object) -> Tensor:
    """A coefficient of a domain: a number, a symmetric positive matrix (2, 2), or a function of points."""
    if callable(given):
        return given  # type: ignore[no-any-return]
    array = np.asarray(given)
    if array.shape not in ((), (2, 2)) or array.dtype.kind not in "iuf" or not _definite(array[None]).all():
        raise ValueError(
            f"on a domain the coefficient is a positive number, a symmetric positive matrix (2, 2), or a function of "
            f"points that returns (m,) or (m, 2, 2), not {array.tolist() if array.dtype != object else given!r}"[:300]
        )
    return float(array) if array.ndim == 0 else array.astype(float)


def _definite(a: np.ndarray) -> np.ndarray:
    """Which of the numbers (m,) or matrices (m, 2, 2) are finite, symmetric and positive."""
    if a.ndim == 1:
        return np.isfinite(a) & (a > 0.0)
    p, q, r, s = a.reshape(-1, 4).T
    good: np.ndarray = np.isfinite(a).all(axis=(1, 2)) & (p > 0.0) & (p * s > q * r)
    return good & (np.abs(q - r) <= SYMMETRIC * np.maximum(np.abs(p), np.abs(s)))


def solve_mapped(
    reference: Reference, axes: Sequence[Axis], tolerance: float, start: np.ndarray | None = None
) -> Found:
    """The Galerkin solution on ``axes``; arguments and result as of ``solve_on``.

    Where nothing holds u, it has mean zero over the domain.
    """
    cells = reference.on_cells(axes)
    shares = [axis.edge_weights / axis.edge_weights.sum() for axis in axes]
    diagonal = [cells.tensor[0], cells.tensor[2]]
    means = [marginals(k, shares) for k in diagonal]
    factors = [float(means[k][k] @ shares[k]) for k in range(2)]
    # the direction k: its stiffness weight along axis k, its mass weight along the other
    bases = [basis_on_cells(axes[j], means[j][j] / factors[j], means[1 - j][j] / factors[1 - j]) for j in range(2)]
    masses = [means[1 - j][j] / factors[1 - j] for j in range(2)]
    product = outer(masses)
    shift = float(np.sum(cells.weights * cells.reaction) / np.sum(cells.weights * product))
    parts = [
        factors[0] * np.multiply.outer(means[0][0] / factors[0], masses[1]),
        factors[1] * np.multiply.outer(masses[0], means[1][1] / factors[1]),
    ]
    exact = all(_same(k, part) for k, part in zip(diagonal, parts))
    exact &= bool((np.abs(cells.tensor[1]) <= SAME * np.sqrt(diagonal[0] * diagonal[1])).all())
    exact &= bool(_same(cells.reaction, shift * product))
    operator = None if exact else lambda scale: _operator(bases, axes, cells, scale)
    found = solve_in(bases, factors, shift, cells.moments(axes), operator, tolerance, start)
    if not any(GROUND[end] for axis in axes for end in axis.ends) and not cells.reaction.any():
        _centre(found, axes, cells)
    return found


def _same(values: np.ndarray, product: np.ndarray) -> bool:
    """Entry by entry: where K grows without bound, its size says nothing."""
    return bool((np.abs(values - product) <= SAME * np.abs(values)).all())


def _centre(found: Found, axes: Sequence[Axis], cells: Cells) -> None:
    """A multiple of one taken off, so that the mean over the domain is zero."""
    volume = cells.weights * cells.volume
    mean = float(np.sum(volume * along_all([axis.averages for axis in axes], found.coefficients)) / np.sum(volume))
    found.coefficients[...] -= mean * outer([flat(axis) for axis in axes])


def flat(axis: Axis) -> np.ndarray:
    """The coefficients of the function that is one everywhere, where the space has it."""
    result: np.ndarray = np.linalg.lstsq(axis.values, np.ones(len(axis.node_x)), rcond=None)[0]
    return result


def products(
    averages: Sequence[np.ndarray], slopes: Sequence[np.ndarray], y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """m, g_1, g_2 and t of the function with coefficients ``y`` at all cells."""
    mean, slope = averages[0] @ y, slopes[0] @ y
    return mean @ averages[1].T, slope @ averages[1].T, mean @ slopes[1].T, slope @ slopes[1].T


def fluxes(
    cells: Cells, steps: Sequence[float], of: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What the four of a test function are multiplied with and added up, in that order."""
    mean, one, two, twist = of
    k11, k12, k22 = cells.tensor
    p, q = steps[0] ** 2 / 12.0, steps[1] ** 2 / 12.0
    w, c = cells.weights, cells.reaction
    turned = q * k11 + p * k22
    if not c.any():
        return np.zeros_like(mean), w * (k11 * one + k12 * two), w * (k12 * one + k22 * two), w * turned * twist
    return (
        w * c * mean,
        w * ((k11 + p * c) * one + k12 * two),
        w * (k12 * one + (k22 + q * c) * two),
        w * (turned + p * q * c) * twist,
    )


def _operator(
    bases: Sequence[Basis], axes: Sequence[Axis], cells: Cells, scale: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """x -> S A S x in eigenfunctions."""
    averages, slopes, steps = [b.values for b in bases], [b.slopes for b in bases], [axis.step for axis in axes]

    def apply(x: np.ndarray) -> np.ndarray:
        mean, one, two, twist = fluxes(cells, steps, products(averages, slopes, scale * x))
        total = averages[0].T @ (mean @ averages[1] + two @ slopes[1])
        total += slopes[0].T @ (one @ averages[1] + twist @ slopes[1])
        return scale * total

    return apply
