"""Levenberg-Marquardt for the CP format, on a ridge that fades.

    minimise |T - [[U1, ..., Ud]]|^2 / 2 + ridge |x|^2 / 2,   x all entries of all factors
    (J^T J + (ridge + damping) I) step = - gradient

J^T J has closed blocks: for one mode (product of the other Gram matrices) x identity, for modes k != l

    [(i, r), (j, s)] = U_k[i, s] U_l[j, r] prod_{m != k, l} (U_m^T U_m)[r, s]

Paatero, Chemom. Intell. Lab. Syst. 38, 223 (1997); Tichavsky, Phan and Cichocki, Numer. Algorithms 2016, on matrix
multiplication. The ridge keeps terms from running away while they sort themselves; it falls each time that a step
promises little, so that an exact decomposition is reached to rounding errors. Index letters: N entries, R terms,
K = R (n_1 + ... + n_d) unknowns. Cost a step K^3 / 3 + d N R.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from solvers.formats.cp.fit import EXACT, Fit
from solvers.formats.cp.tensor import CPTensor, khatri_rao
from solvers.formats.tucker.tensor import left_singular

FIRST_DAMPING = 1e-2
LEAST_DAMPING, MOST_DAMPING = 1e-15, 1e8
HARDER, GENTLER = 2.0, 1.0 / 3.0  # of the damping, after steps that gain less than a quarter, more than three
REFUSED = 4.0  # of the damping, after a step that gains nothing
PROMISED = 0.01  # of the value: a step that promises less lets the ridge fall; 0.003 and 0.03 bring home fewer starts
FADING = 0.7  # of the ridge, each time
NO_RIDGE = 1e-6  # of the error: the share of a ridge that no longer matters
OUT = 1e-3  # of the error: a term so small is out
KEEPS = 4.0  # times what its columns cost: a term that gains more comes back
POWERS = 10  # iterations for a rank-one part
STILL = 1e-12  # of the value: a step that promises less, without a ridge that matters, leads nowhere


class DampedFit(Fit):
    """One start under Levenberg-Marquardt."""

    def __init__(self, target: np.ndarray, factors: list[np.ndarray], most: int, ridge: float) -> None:
        super().__init__(target, factors, most)
        self.ridge, self.damping = ridge, FIRST_DAMPING

    def plain(self) -> dict[str, Any]:
        return {"ridge": self.ridge, "damping": self.damping}

    def step(self) -> None:
        """One step that lowers the value, or none where rounding errors forbid it."""
        # 1 gradient and normal matrix here
        value, _, misfit = self.valued(self.factors)
        gradient = packed(self.gradient(self.factors, misfit)) + self.ridge * packed(self.factors)
        normal = normal_matrix(self.factors)
        # 2 the damping that gives a lower value
        found = self.search(value, gradient, normal)
        promised = 0.0
        if found is not None:
            self.factors, promised = found
        value, error, _ = self.valued(self.factors)
        self.errors.append(error)
        # 3 a smaller ridge where it is near its minimum
        if promised < PROMISED * value:
            penalty = self.ridge * sum(float(np.sum(u * u)) for u in self.factors)
            self.still = promised <= STILL * value and penalty < NO_RIDGE * error**2 and error > EXACT
            self.ridge *= FADING
            self.still = not self.revived() and self.still

    def revived(self) -> bool:
        """Whether a term that the ridge has put out came back: as a rank-one part of the misfit, where it would stay.

        At a term of norm zero the gradient is zero too, so that none would come back by itself. A part of norm s
        lowers the error by s^2 / 2, and its columns cost d ridge s^(2/d) / 2.
        """
        d, error = len(self.factors), self.errors[-1]
        norms = CPTensor(tuple(self.factors)).term_norms()
        dead = int(np.argmin(norms))
        if norms[dead] > OUT * error:
            return False
        others = [u.copy() for u in self.factors]
        for u in others:
            u[:, dead] = 0.0
        rest = -self.misfit(others).reshape(self.target.shape)
        columns, size = leading_part(rest)
        if size**2 < KEEPS * d * self.ridge * size ** (2.0 / d) or size < NO_RIDGE * error:
            return False
        for u, column in zip(others, columns, strict=True):
            u[:, dead] = size ** (1.0 / d) * column
        self.factors = others
        return True

    def valued(self, factors: list[np.ndarray]) -> tuple[float, float, np.ndarray]:
        """The value that is minimised, the error, and the misfit."""
        misfit = self.misfit(factors)
        error = float(np.linalg.norm(misfit))
        return 0.5 * error**2 + 0.5 * self.ridge * sum(float(np.sum(u * u)) for u in factors), error, misfit

    def gradient(self, factors: list[np.ndarray], misfit: np.ndarray) -> list[np.ndarray]:
        """Of half the squared error, a matrix a factor."""
        whole = misfit.reshape(self.target.shape)
        found = []
        for k, n in enumerate(self.target.shape):
            others = [u for m, u in enumerate(factors) if m != k]
            found.append(np.moveaxis(whole, k, 0).reshape(n, -1) @ khatri_rao(others))
        return found

    def search(self, value: float, gradient: np.ndarray, normal: np.ndarray) -> tuple[list[np.ndarray], float] | None:
        """Factors of a lower value and the decrease that the model promised; None: no damping gives any."""
        here = packed(self.factors)
        while self.damping < MOST_DAMPING:
            shifted = normal.copy()
            shifted.flat[:: len(normal) + 1] += self.ridge + self.damping
            try:
                step = -cho_solve(cho_factor(shifted, overwrite_a=True, check_finite=False), gradient)
            except np.linalg.LinAlgError:  # rounding errors of a matrix that is singular but for its damping
                self.damping = max(REFUSED * self.damping, LEAST_DAMPING)
                continue
            promised = float(-(gradient @ step) - 0.5 * (step @ (normal @ step) + self.ridge * (step @ step)))
            factors = unpacked(here + step, self.target.shape)
            gained = value - self.valued(factors)[0]
            if gained > 0.0:
                share = gained / max(promised, 1e-300)
                if share > 0.75:
                    self.damping = max(GENTLER * self.damping, LEAST_DAMPING)
                elif share < 0.25:
                    self.damping *= HARDER
                return factors, promised
            self.damping = REFUSED * self.damping
        self.damping = FIRST_DAMPING
        return None


def leading_part(tensor: np.ndarray) -> tuple[list[np.ndarray], float]:
    """Unit vectors and the norm of a good rank-one part: power iterations from the leading singular vectors."""
    d = tensor.ndim
    columns = [left_singular(np.moveaxis(tensor, k, 0).reshape(tensor.shape[k], -1))[0][:, 0] for k in range(d)]
    size = 0.0
    for _ in range(POWERS):
        for k in range(d):
            others = [column[:, None] for m, column in enumerate(columns) if m != k]
            image = np.moveaxis(tensor, k, 0).reshape(tensor.shape[k], -1) @ khatri_rao(others)[:, 0]
            size = float(np.linalg.norm(image))
            if size > 0.0:
                columns[k] = image / size
    return columns, size


def normal_matrix(factors: list[np.ndarray]) -> np.ndarray:
    """J^T J, (K, K), from the factors alone."""
    d, rank = len(factors), factors[0].shape[1]
    grams = [u.T @ u for u in factors]
    ends = np.cumsum([0, *(u.size for u in factors)])
    normal = np.zeros((ends[-1], ends[-1]))
    for k, u in enumerate(factors):
        own = reduce(np.multiply, (grams[m] for m in range(d) if m != k), np.ones((rank, rank)))
        block = normal[ends[k] : ends[k + 1], ends[k] : ends[k + 1]]
        for i in range(len(u)):
            block[i * rank : (i + 1) * rank, i * rank : (i + 1) * rank] = own
        for other in range(k + 1, d):
            v = factors[other]
            rest = reduce(np.multiply, (grams[m] for m in range(d) if m not in (k, other)), np.ones((rank, rank)))
            cross = u[:, None, None, :] * v.T[None, :, :, None] * rest[None, :, None, :]  # i r j s
            cross = cross.reshape(u.size, v.size)
            normal[ends[k] : ends[k + 1], ends[other] : ends[other + 1]] = cross
            normal[ends[other] : ends[other + 1], ends[k] : ends[k + 1]] = cross.T
    return normal


def packed(factors: list[np.ndarray]) -> np.ndarray:
    """All entries one after the other."""
    return np.concatenate([u.ravel() for u in factors])


def unpacked(x: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
    """The factors of these entries."""
    rank = x.size // sum(shape)
    return [part.reshape(n, rank) for n, part in zip(shape, np.split(x, rank * np.cumsum(shape)[:-1]))]
