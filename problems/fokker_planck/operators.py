"""The discretised Fokker-Planck operator, in a frame in which it is nearly symmetric.

    p = s q,   s(x) = prod_k exp(-g_k x_k^2 / 2),  dq/dt = sum_ij A_ij e_i x_j q + D sum_i e_i^2 q,  e_i = d_i - g_i x_i

With g = 0 this is the equation itself, and with 1/(2 g) the variance at rest a drift that derives from a potential
becomes a symmetric negative operator, a sum of oscillators (Risken, The Fokker-Planck Equation, section 5.4). That
matters twice: the alternating solver needs few sweeps where it would stagnate, and an error of q in the 2-norm bounds
the error of every moment, since s x and s x^2 are square integrable. g is taken as large as the box allows: q is wider
than p, and the box has to hold it.

Grid: n points x_j = -L + j h an axis, periodic; derivatives are those of the trigonometric interpolant, an
antisymmetric and a symmetric matrix with vanishing sums of rows and columns. d_i x_j with i = j is taken as
(d x + x d + 1) / 2, whose first part is antisymmetric to the last digit.
The sum over i, j has TT-ranks 4 for a tridiagonal A, found exactly by sum_of_products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.fokker_planck.model import LOOKS, FokkerPlanckProblem
from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.operator_check import checked_operator
from solvers.formats.trains.sum_of_products import Term, sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import Checked

FACTORS = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)  # 1/(2 g) over the largest variance
WITHIN = 5.5  # deviations of q inside the box


@dataclass(frozen=True, eq=False)
class Axis:
    """One coordinate: grid points ``x`` (n,), spacing ``h``, frame constant ``g`` and weights ``s`` (n,)."""

    x: np.ndarray
    h: float
    g: float

    @property
    def s(self) -> np.ndarray:
        return np.exp(-0.5 * self.g * self.x**2)

    @property
    def origin(self) -> np.ndarray:
        """Weights (n,) that give the value at x = 0 of a function on the grid."""
        n = len(self.x)
        if n % 2 == 0:
            return (np.arange(n) == n // 2).astype(float)
        angle = np.pi * self.x / (n * self.h)  # never a multiple of pi: no point is the origin
        return np.sin(n * angle) / (n * np.sin(angle))

    def functional(self, power: int) -> np.ndarray:
        """Weights (n,) by which q gives the integral of x^power p."""
        return self.h * self.s * self.x**power


@dataclass(frozen=True, eq=False)
class Discrete:
    """The operator on q, the start, the trains of the linear functionals, and axes; ``looks``: second looks at it."""

    axes: list[Axis]
    operator: TTOperator
    start: TensorTrain
    mass: TensorTrain
    looks: tuple[Checked, ...] = ()

    @classmethod
    def of(cls, problem: FokkerPlanckProblem, t_final: float) -> Discrete:
        constants = frame(problem, t_final)
        axes = []
        for n, width, g in zip(problem.points, problem.half_widths, constants):
            h = 2.0 * width / n
            axes.append(Axis(-width + h * np.arange(n), h, float(g)))
        start = []
        for axis, mean, variance in zip(axes, problem.mean, problem.variance):
            q = np.exp(-((axis.x - mean) ** 2) / (2.0 * variance) + 0.5 * axis.g * axis.x**2)
            start.append(q / (axis.functional(0) @ q))
        mass = rank_one([axis.functional(0) for axis in axes])
        stacks, terms = table(problem.matrix, problem.diffusion, axes)
        operator = sum_of_products(stacks, terms)
        look = checked_operator(operator, stacks, terms, "generator against its terms")
        return cls(axes, operator, rank_one(start), mass, (look,))

    def density(self, q: TensorTrain) -> TensorTrain:
        """p on the grid."""
        return TensorTrain(tuple(core * axis.s[None, :, None] for core, axis in zip(q.cores, self.axes)))


def frame(problem: FokkerPlanckProblem, t_final: float) -> np.ndarray:
    """The constants g (d,): the largest with which the exact q stays in the box, zero where none does."""
    known = problem.exact(np.linspace(0.0, t_final, LOOKS))
    variances = known.widths() ** 2
    found = np.zeros(problem.dimension)
    for k, width in enumerate(problem.half_widths):
        m, v = known.means[:, k], variances[:, k]
        for factor in FACTORS:
            g = 1.0 / (2.0 * factor * v.max())
            narrow = 1.0 - g * v  # q has mean m / narrow and variance v / narrow
            if (np.abs(m) / narrow + WITHIN * np.sqrt(v / narrow)).max() <= width:
                found[k] = g
                break
    return found


def derivatives(n: int, h: float) -> tuple[np.ndarray, np.ndarray]:
    """First (antisymmetric) and second (symmetric) derivative of the trigonometric interpolant on n points."""
    k = 2.0 * np.pi * np.fft.fftfreq(n, h)
    odd = k.copy()
    if n % 2 == 0:
        odd[n // 2] = 0.0  # the highest wave has no derivative among real functions on the grid
    waves = np.fft.fft(np.eye(n), axis=0)
    first = np.fft.ifft(1j * odd[:, None] * waves, axis=0).real
    second = np.fft.ifft(-(k**2)[:, None] * waves, axis=0).real
    return 0.5 * (first - first.T), 0.5 * (second + second.T)


def generator(matrix: np.ndarray, diffusion: float, axes: Sequence[Axis]) -> TTOperator:
    """The operator of the module's text."""
    return sum_of_products(*table(matrix, diffusion, axes))


def table(matrix: np.ndarray, diffusion: float, axes: Sequence[Axis]) -> tuple[list[np.ndarray], list[Term]]:
    """Matrices of every axis and the products of them that make the operator, as ``sum_of_products`` takes them."""
    stacks: list[np.ndarray] = []
    terms: list[Term] = []
    for i, axis in enumerate(axes):
        n = len(axis.x)
        first, second = derivatives(n, axis.h)
        x, g = np.diag(axis.x), axis.g
        turning = 0.5 * (first @ x + x @ first)
        drift = turning + 0.5 * np.eye(n) - g * x @ x
        spread = second - 2.0 * g * turning + g**2 * x @ x
        stacks.append(np.stack([np.eye(n), matrix[i, i] * drift + diffusion * spread, first - g * x, x]))
        terms.append((1.0, {i: 1}))
        terms += [(float(a), {i: 2, j: 3}) for j, a in enumerate(matrix[i]) if j != i and a != 0.0]
    return stacks, terms
