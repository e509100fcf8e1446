"""Second looks at an evolution, by routes that share no step, rank or projection with the first.

A small state space is looked at whole: the operator becomes a sparse matrix and the start a vector, and the exact
exponential is applied to it by truncated Taylor series (Al-Mohy and Higham, SIAM J. Sci. Comput. 33, 488 (2011), as
scipy has it), in pieces of time between which the vector is scaled to one. For a larger one the invariants speak: norm
and energy where the evolution is unitary. Where the state was evolved as a full vector itself, the matrix is common to
both, so that it is held against the operator's trains. (An error of the state of delta shifts a mean energy by at most
2 delta ||(A - E) x|| / ||x|| and its square.)
"""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import expm_multiply

from solvers.dynamics.evolution import Evolution
from solvers.dynamics.evolving import Evolving
from solvers.dynamics.sparse import MOST_NONZEROS, sparse_matrix
from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.solution import Checked

LARGEST = 100_000  # entries of a state that is evolved exactly beside; none: no such look is taken
MOST_WORK = 4e8  # multiplications of such a look, about a second
PIECE = 30.0  # of the 1-norm of the exponent, between two scalings
PRODUCTS = 5.0  # of the matrix with a vector, a unit of the exponent's norm
DIGITS = 1e-11  # what rounding errors make of either route, relative


def second_looks(run: Evolving, value: Evolution, bound: float) -> tuple[list[Checked], float | None]:
    """The looks taken, and the true error of the last state where one knows it."""
    looks: list[Checked] = []
    if run.route == "full vectors":
        looks.append(_matrix(run))
    exact = exactly(run)
    if exact is not None:
        error, size = exact
        passed = bool(error <= max(bound, run.accuracy) + DIGITS)
        looks.append(
            Checked(
                "state at the last time",
                f"exact exponential on all {size} entries of the state",
                f"relative error {amount(error)}, bound {amount(bound)}",
                passed,
            )
        )
        return looks, error
    if run.unitary:
        looks.append(_invariants(run, value, bound))
    return looks, None


def exactly(run: Evolving) -> tuple[float, int] | None:
    """Relative error of the last state against the exact exponential, and its size; None where that is not cheap."""
    # a shift by the mean energy keeps the exponent small
    shift = run.stepper.shift if run.shifts else 0.0
    span = float(run.times[-1] - run.times[0])
    factor = run.factor if run.factor.imag else run.factor.real
    exact = Exact.of(run.operator, run.start, factor, shift, span)
    if exact is None:
        return None
    try:
        exact.advance(span)
    except OverflowError:
        return None
    x, log, size = exact.x, exact.log, len(exact.x)
    found = run.stepper.train().full().ravel()
    # both in units of the exact norm; phases are those of the same shift
    phase = run.log - run.factor * shift * span
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.linalg.norm(np.exp(phase - log) * found - x))
    return (error if np.isfinite(error) else math.inf), size


class Exact:
    """The exponential exp(t factor (A - shift)) of a small system applied to its start: exp(log) x, x of norm one."""

    def __init__(self, generator: sparse.csr_matrix, x: np.ndarray) -> None:
        self.generator = generator
        self.reach = float(abs(generator).sum(axis=0).max())
        self.trace = generator.diagonal().sum()
        self.x, self.log = x, 0.0
        self._scale()

    @classmethod
    def of(cls, operator: TTOperator, start: TensorTrain, factor: complex, shift: float, span: float) -> Exact | None:
        """None where an evolution over ``span`` would not be cheap."""
        size = math.prod(start.shape)
        if size > LARGEST:
            return None
        matrix = sparse_matrix(operator, MOST_NONZEROS)
        if matrix is None:
            return None
        generator = (factor * (matrix - shift * sparse.identity(size, format="csr"))).tocsr()
        found = cls(generator, start.full().ravel().astype(np.result_type(generator.dtype, start.dtype)))
        return found if PRODUCTS * found.reach * span * (generator.nnz + 20.0 * size) <= MOST_WORK else None

    def advance(self, t: float) -> None:
        """On by a time t. Raises OverflowError where the norm leaves the range of numbers within a piece."""
        pieces = max(1, math.ceil(self.reach * t / PIECE))
        for _ in range(pieces):
            self.x = expm_multiply((t / pieces) * self.generator, self.x, traceA=(t / pieces) * self.trace)
            self._scale()

    def _scale(self) -> None:
        norm = float(np.linalg.norm(self.x))
        if not 0.0 < norm < math.inf:
            raise OverflowError
        self.log, self.x = self.log + math.log(norm), self.x / norm


def exact_overlaps(
    operator: TTOperator, start: TensorTrain, times: np.ndarray, factor: complex, shift: float
) -> np.ndarray | None:
    """<start|x(t)> at evenly spaced ``times`` from zero, by the exact exponential; None where that is not cheap."""
    exact = Exact.of(operator, start, factor, shift, float(times[-1]))
    if exact is None or PRODUCTS * len(times) * exact.generator.nnz > MOST_WORK:
        return None
    bra = start.full().ravel().conj()
    found = []
    for i, t in enumerate(times):
        if i:
            exact.advance(float(t - times[i - 1]))
        found.append(np.exp(exact.log + factor * shift * t) * (bra @ exact.x))
    return np.array(found)


def _matrix(run: Evolving) -> Checked:
    """The matrix of the operator on a random product, which the trains multiply without it."""
    rng = np.random.default_rng(0)
    x = rank_one([rng.standard_normal(n) for n in run.start.shape])
    by_trains = (run.operator @ x).full().ravel()
    matrix = sparse_matrix(run.operator, math.inf)
    assert matrix is not None
    vector = x.full().ravel()
    size = float(np.linalg.norm(abs(matrix) @ np.abs(vector))) or 1.0
    off = float(np.linalg.norm(matrix @ vector - by_trains)) / size
    return Checked(
        "matrix of the operator",
        "its action on a random product, by trains alone",
        f"differs by {amount(off)}",
        off <= DIGITS,
    )


def _invariants(run: Evolving, value: Evolution, bound: float) -> Checked:
    """Norm and energy, which a unitary evolution keeps."""
    norm = float(np.abs(value.norms / value.norms[0] - 1.0).max())
    energy = float(np.abs(value.energies - value.energies[0]).max())
    x = value.state
    spread = (run.operator @ x - x * float(value.energies[-1])).norm() / x.norm()
    allowed = 2.0 * bound * spread + bound**2 * abs(float(value.energies[0])) + DIGITS * abs(float(value.energies[0]))
    passed = norm <= bound + DIGITS and energy <= allowed + DIGITS * spread
    return Checked(
        "norm and energy",
        "constant in the exact evolution",
        f"norm changes by {amount(norm)}, energy by {amount(energy)} (a bound of {amount(bound)} "
        f"allows {amount(allowed)})",
        bool(passed),
    )
