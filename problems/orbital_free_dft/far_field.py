"""The far field of a charge: from the potential that is zero on the faces of the box to that in free space.

The two differ by a kernel G(r, r'), harmonic and smooth in both places. On a charge rho = low + rest, ``low`` the
Gaussians about the centre that carry its multipoles up to l = ORDER, it is taken as
    G ~ P G + G P - P G P,    P the projection of a charge onto ``low``,
which is symmetric, so that the potential stays the derivative of the energy, and misses the energy of the rest with
itself alone: of second order in the multipoles beyond. (A carrier on one side, P G, misses half of what the
multipoles beyond have with the total charge: of first order, and 2e-3 hartree for a cluster of charge 6.)

With S_j harmonic polynomials, orthonormal by S_i(d) S_j = delta_ij, and g a normalised Gaussian of exponent a, the
carriers S_j(-d) g = (2a)^l S_j(r) g have unit moments (Hobson's theorem), and
    in free space     (2a)^l S_j(r) 2 sqrt(a/pi) int_0^1 t^2l exp(-a r^2 t^2) dt,
    zero on the faces 4 pi sum_m w_m exp(s_m Laplace) (2a)^l S_j(r) g,     1/K = sum_m w_m exp(-s_m K).
Both are sums of products by quadrature, all of them in one basis of an axis; lengths in half edges of the box, so that
a grid's tables depend on its points alone. Cost of a potential: J r^3 for J = (ORDER + 1)^2 carriers, r the basis.

What is missed is found in another way: a charge in an earthed box induces the charge sigma on the faces, whose field
is that of the walls, so that G's energy is the Coulomb energy of sigma with itself (James, J. Comput. Phys. 25, 71
(1977)).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import factorial, pi, sqrt

import numpy as np

from problems.orbital_free_dft.grid import Grid, from_sine, to_sine
from solvers.formats.tucker.tensor import TuckerTensor, combine, multiply

ORDER = 6  # largest l of the multipoles that are carried
FEWEST, LOW_ORDER = 32, 2  # points an axis that show a carrier of that order, and the order on fewer
DECAY = 30.0  # a Gaussian about the centre has fallen to exp(-DECAY) at the faces
NODES = 32  # of Gauss and Legendre, for the potential in free space
STEP = 0.4  # of ln s in the sum of exponentials for 1/K: 2e-11
BASIS = 1e-11  # relative size of what the basis of an axis leaves out
MOST, DEGREE = 256, 64  # points an axis of the tables; on more the basis is that of these, as Legendre series
FACE = 16  # cells an edge of a face on which the induced charge is looked at
SQUARE = 4.0 * np.log(1.0 + sqrt(2.0)) + 4.0 / 3.0 * (1.0 - sqrt(2.0))  # int int 1/|r - r'| over the unit square


@dataclass(frozen=True, eq=False)
class FarField:
    """Tables for a grid, in half edges; ``basis`` (n, r): functions of one axis.

    ``moments`` (J, r^3): of a charge's products with the basis its multipoles; ``fields`` (J, r^3): of a carrier the
    free potential less that of the box, in the basis; ``within`` (J, J): of those fields with the carriers;
    ``polynomials`` (J, p, p, p): coefficients of S_j; ``scales`` (J,): (2a)^l.
    """

    basis: np.ndarray
    moments: np.ndarray
    fields: np.ndarray
    within: np.ndarray
    polynomials: np.ndarray
    scales: np.ndarray

    def correction(self, projected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Core (r, r, r), in the basis, of what is added to the potential of the box, and the multipoles (J,).

        ``projected`` (r, r, r): the integrals of the charge with the products of the basis.
        """
        rho = projected.ravel()
        q = self.moments @ rho
        # G P rho, and P G (1 - P) rho: a harmonic polynomial
        core = q @ self.fields + (self.fields @ rho - self.within @ q) @ self.moments
        return core.reshape(projected.shape), q

    def low(self, q: np.ndarray) -> TuckerTensor:
        """The charge density of multipoles ``q`` (J,), a charge in a cube of half edges."""
        x = middles(len(self.basis))
        powers = x[:, None] ** np.arange(self.polynomials.shape[1])
        carriers = powers * (np.sqrt(DECAY / pi) * np.exp(-DECAY * x * x))[:, None]
        return TuckerTensor(np.tensordot(q * self.scales, self.polynomials, axes=1), (carriers,) * 3)


def middles(points: int) -> np.ndarray:
    """The middles of the cells of [-1, 1]."""
    return -1.0 + (np.arange(points) + 0.5) * (2.0 / points)


def far_field(points: int) -> FarField:
    """The tables for ``points`` an axis."""
    table, legendre = _tables(min(points, MOST), ORDER if points >= FEWEST else LOW_ORDER)
    if points <= MOST:
        return table
    # all of it smooth functions of the place: on more points only the basis changes
    return replace(table, basis=np.polynomial.legendre.legval(middles(points), legendre).T)


@lru_cache(maxsize=8)
def _tables(points: int, order: int) -> tuple[FarField, np.ndarray]:
    """The tables, and the Legendre coefficients (., r) of the basis."""
    polynomials, degrees = harmonic_polynomials(order)
    a, h, count = DECAY, 2.0 / points, order + 1
    x = middles(points)
    powers = x[:, None] ** np.arange(count)
    carriers = powers * (np.sqrt(a / pi) * np.exp(-a * x * x))[:, None]
    # 1. columns x^k t^2k exp(-a x^2 t^2), and exp(s d^2/dx^2) of the carriers with zero values on the faces
    t, weights = np.polynomial.legendre.leggauss(NODES)
    t, weights = 0.5 * (t + 1.0), weights * np.sqrt(a / pi)
    free = powers[:, :, None] * t ** (2 * np.arange(count)[:, None]) * np.exp(-a * np.outer(x * x, t * t))[:, None]
    numbers = 0.5 * pi * np.arange(1, points + 1)
    exponents, shares = exponential_sum(3.0 * (0.5 * pi) ** 2, 3.0 * min(float(numbers[-1]), 2.0 * DECAY) ** 2)
    waves = to_sine(carriers)[:, :, None] * np.exp(-np.outer(numbers**2, exponents))[:, None]
    bound = from_sine(waves.reshape(points, -1)).reshape(waves.shape)
    weights = np.concatenate([weights, -4.0 * pi * shares])
    columns = np.concatenate([free, bound], axis=2)
    # 2. one basis of them and of the powers
    everything = np.hstack([powers, columns.reshape(points, -1)])
    sizes = np.maximum(np.linalg.norm(everything, axis=0), 1e-300)
    basis, s, _ = np.linalg.svd(everything / sizes, full_matrices=False)
    basis = basis[:, : int(np.sum(s > BASIS * s[0]))]
    inside = np.tensordot(columns, basis, axes=(0, 0)).transpose(0, 2, 1)
    plain, gaussian = powers.T @ basis, carriers.T @ basis
    # 3. fields of the harmonic polynomials, by those of the monomials
    r = basis.shape[1]
    scales = (2.0 * a) ** degrees
    monomials = np.argwhere(polynomials.any(axis=0))
    each = np.empty((len(monomials), r, r, r))
    known: dict[tuple[int, ...], np.ndarray] = {}
    for m, degree in enumerate(monomials):
        axes = np.argsort(degree)  # those of one monomial are those of all with its axes exchanged
        key = tuple(degree[axes].tolist())
        if key not in known:
            pair = (inside[key[0]][:, None] * inside[key[1]][None] * weights).reshape(r * r, -1)
            known[key] = (pair @ inside[key[2]].T).reshape(r, r, r)
        each[m] = known[key].transpose(np.argsort(axes))
    coefficients = np.stack([polynomials[:, i, j, k] for i, j, k in monomials], axis=1)
    fields = (scales[:, None] * coefficients) @ each.reshape(len(each), -1)
    moments = np.stack([multiply(p, [plain.T] * 3).ravel() for p in polynomials])
    unit = np.stack([multiply(p, [gaussian.T] * 3).ravel() for p in polynomials]) * (scales * h**3)[:, None]
    within = fields @ unit.T
    legendre = np.polynomial.legendre.legfit(x, basis, min(DEGREE, points // 4))
    return FarField(basis, moments, fields, 0.5 * (within + within.T), polynomials, scales), legendre


def exponential_sum(smallest: float, largest: float) -> tuple[np.ndarray, np.ndarray]:
    """s_m and w_m of 1/K = sum_m w_m exp(-s_m K) for K in the range: the trapezoidal rule in ln s."""
    u = np.arange(np.log(1e-8 / largest), np.log(30.0 / smallest), STEP)
    return np.exp(u), np.exp(u) * STEP


def harmonic_polynomials(order: int) -> tuple[np.ndarray, np.ndarray]:
    """All of degree 0 to ``order``, as coefficients ((order + 1)^2, p, p, p) of x^a y^b z^c, and their degrees.

    Orthonormal by S_i(d) S_j = delta_ij, the null space of the Laplacian on each degree.
    """
    found, degrees = [], []
    for degree in range(order + 1):
        powers = [p for p in product(range(degree + 1), repeat=3) if sum(p) == degree]
        # in monomials x^a y^b z^c / sqrt(a! b! c!), which are orthonormal
        norms = [sqrt(factorial(a) * factorial(b) * factorial(c)) for a, b, c in powers]
        lower = [p for p in product(range(degree + 1), repeat=3) if sum(p) == degree - 2]
        laplacian = np.zeros((len(lower), len(powers)))
        for column, p in enumerate(powers):
            for axis in range(3):
                if p[axis] > 1:
                    row = lower.index(tuple(p[m] - 2 * (m == axis) for m in range(3)))
                    laplacian[row, column] += p[axis] * (p[axis] - 1) / norms[column]
        null = np.linalg.svd(laplacian)[2][np.linalg.matrix_rank(laplacian) if lower else 0 :]
        for vector in null:
            s = np.zeros((order + 1,) * 3)
            for p, value, norm in zip(powers, vector, norms, strict=True):
                s[p] = value / norm
            found.append(np.where(np.abs(s) > 1e-14, s, 0.0))
            degrees.append(degree)
    return np.array(found), np.array(degrees)


def missed_energy(grid: Grid, charge: TuckerTensor) -> float:
    """The Coulomb energy (hartree) that the potential misses for ``charge``, from the charge it induces on the faces.

    Good to some percent, for FACE cells an edge; positive. Cost n FACE^2 r and (6 FACE^2)^2.
    """
    table, half = far_field(grid.points), 0.5 * grid.box
    projected = multiply(charge.core, [table.basis.T @ u for u in charge.factors]) * grid.volume
    low = table.low(table.moments @ projected.ravel())
    rest = combine([(1.0, charge), (-1.0 / half**3, low)], tol=1e-13)
    return 0.5 * _induced_energy(grid, rest)


def _induced_energy(grid: Grid, charge: TuckerTensor) -> float:
    """Coulomb energy, twice, of what ``charge`` induces on the faces."""
    n, k = grid.points, grid.wave_numbers
    modes = min(FACE, n)
    waves = [to_sine(u) for u in charge.factors]
    alternating = np.where(np.arange(1, n + 1) % 2, -1.0, 1.0)
    faces = []
    for axis in range(3):
        rows = [np.arange(n) if m == axis else np.arange(modes) for m in range(3)]
        block = np.moveaxis(TuckerTensor(charge.core, tuple(waves)).block(rows), axis, 0)
        low = k[:modes] ** 2
        slope = block * (k[:, None, None] / (k[:, None, None] ** 2 + low[:, None] + low)) * np.sqrt(2.0 / n)
        for signs in (-np.ones(n), alternating):
            # sigma = (1/4 pi) dV/dn of the outward normal; values at the middles of the cells
            values = from_sine(from_sine(np.tensordot(signs, slope, axes=1)).T).T * (modes / n)
            faces.append(values * (grid.box / modes) ** 2)
    charges = np.concatenate([f.ravel() for f in faces])
    return float(charges @ (_coulomb(modes) @ charges)) / grid.box


@lru_cache(maxsize=2)
def _coulomb(cells: int) -> np.ndarray:
    """1/|r - r'| between the cells of the faces of the unit cube, in the order of the faces above."""
    s = (np.arange(cells) + 0.5) / cells
    places = []
    for axis in range(3):
        for side in (0.0, 1.0):
            p, q = (u.ravel() for u in np.meshgrid(s, s, indexing="ij"))
            rest = iter((p, q))
            places.append(np.stack([np.full(p.size, side) if m == axis else next(rest) for m in range(3)], axis=1))
    r = np.concatenate(places)
    squares = np.sum(r * r, axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * r @ r.T, 0.0))
    np.fill_diagonal(distance, 1.0)
    inverse = 1.0 / distance
    np.fill_diagonal(inverse, SQUARE * cells)
    return inverse
