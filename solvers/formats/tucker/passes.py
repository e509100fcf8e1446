"""The passes of a Tucker cross approximation over the axes; see solvers.formats.tucker.cross for what they do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import scipy.linalg

from solvers.checkpoint import Content, random_state, restore
from solvers.cross.search import EVIDENCE
from solvers.formats.tucker.tensor import TuckerTensor, left_singular, multiply, truncated
from solvers.formats.tucker.values import WORST, Values
from solvers.measured import amount
from solvers.methods import TuckerCross
from solvers.solution import Checked, IterationState, Solution, Status

INSIDE = 0.03  # of the tolerance, for the bases: so many errors add up, and interpolation enlarges them
TIGHTEN = 0.2  # of the tolerance inside, after a pass that was not enough
EASILY, RELAX = 0.3, 1.5  # of the target, for an error after one pass; times the tolerance inside of the next call then
SMALLEST = 3e-15
ROUNDING = 0.4  # of the tolerance, for the final truncation
EXTRA_COLUMNS, EXTRA_ROWS = 4, 4
SAMPLES = 16  # rows an axis in the estimate of the error
UNIFORM = 0.5  # of the probability of a sampled row, spread over all rows: errors may sit where the function is small
DRAWN = 400  # points a check, each entry as likely as any other


def pivot_rows(basis: np.ndarray, count: int | None = None) -> np.ndarray:
    """The first ``count`` pivots of a pivoted QR of the rows of ``basis`` (n, r): they tell its columns apart."""
    pivots = scipy.linalg.qr(basis.T, mode="r", pivoting=True)[1]
    return np.asarray(pivots[: basis.shape[1] if count is None else count])


class Passes:
    """Rows and bases of a function ``values``, better after every pass.

    ``start``: rows to begin with; ``share``: of the accuracy, for the bases to begin with; ``scale``: what errors are
    relative to, the norm of the result where None.
    """

    def __init__(
        self,
        values: Values,
        start: Sequence[np.ndarray] | None,
        share: float,
        method: TuckerCross,
        accuracy: float,
        scale: float | None,
        rng: np.random.Generator,
    ) -> None:
        self.values, self.start, self.method, self.accuracy = values, start, method, accuracy
        self.scale, self.rng = scale, rng
        self.rows: list[np.ndarray] = []
        self.inside = share * accuracy  # tolerance of the bases, relative
        self.status: Status | None = None
        self.passes = 0
        self.core, self.bases = np.zeros(()), [np.zeros((0, 0))]  # of the last pass
        self.error = np.inf
        # what rounding will take is left to it
        self.target = np.sqrt(1.0 - ROUNDING**2) * accuracy

    @property
    def small(self) -> bool:
        """Whether every value is asked for."""
        return math.prod(self.values.shape) <= self.method.whole

    def steps(self) -> Iterator[IterationState]:
        """A state a pass, until the error is small enough or a limit is met; none where every value is asked for."""
        if self.small:
            return
        if not self.rows:
            self.rows = self.starting_rows(self.start)
        while self.status is None:
            rows = self.rows
            # 1 the basis and the rows of each axis, from the rows of the others
            self.bases, capped = [], False
            for axis in range(self.values.d):
                basis, rows[axis], cut = self.basis(axis, rows, max(self.inside, SMALLEST))
                self.bases.append(basis)
                capped |= cut
            # 2 the core, fitted to the block of all rows
            block = self.values.block(rows)
            self.values.blocks.append((list(rows), block))
            self.core = multiply(block, [np.linalg.pinv(q[i]) for q, i in zip(self.bases, rows, strict=True)])
            # 3 the error, where nothing was looked at and at all that is known
            error, worst = self.check(self.core, self.bases)
            known, misses = self.values.missed(TuckerTensor(self.core, tuple(self.bases)))
            self.error = max(error, self.relative(known, self.core))
            self.passes += 1
            state = IterationState(
                0,
                "pass",
                max(self.core.shape),
                0.0,
                residuals=np.array([self.error]),
                extra={"evaluations": self.values.evaluations},
            )
            # 4 the end, or bases of a smaller tolerance from the worst places too
            if self.error <= self.target:
                self.status = Status.CONVERGED
            elif capped:
                self.status = Status.RANK_LIMIT
            elif self.passes >= self.method.passes:
                self.status = Status.ITERATION_LIMIT
            else:
                self.inside *= TIGHTEN
                places = worst if misses is None else misses.worst()
                self.rows = [reduce(np.union1d, (i, w, p)) for i, w, p in zip(rows, worst, places, strict=True)]
            yield state

    def content(self) -> Content:
        """What is known and the rows of the next pass, or what the last one found."""
        known, counted = self.values.content()
        arrays = {f"values.{name}": array for name, array in known.items()}
        arrays |= {f"rows.{m}": i for m, i in enumerate(self.rows)}
        data: dict[str, Any] = {name: getattr(self, name) for name in ("inside", "passes", "error")}
        data |= {"values": counted, "generator": random_state(self.rng), "status": None}
        if self.status is not None:
            data["status"] = self.status.name
            arrays |= {"core": self.core} | {f"basis.{m}": q for m, q in enumerate(self.bases)}
        return arrays, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on with the next pass, or with the last one."""
        known = {name.removeprefix("values."): array for name, array in arrays.items() if name.startswith("values.")}
        self.values.restore(known, data["values"])
        d = self.values.d
        self.rows = [arrays[f"rows.{m}"] for m in range(d)]
        for name in ("inside", "passes", "error"):
            setattr(self, name, data[name])
        restore(self.rng, data["generator"])
        if data["status"] is not None:
            self.status, self.core = Status[data["status"]], arrays["core"]
            self.bases = [arrays[f"basis.{m}"] for m in range(d)]

    def starting_rows(self, start: Sequence[np.ndarray] | None) -> list[np.ndarray]:
        if start is not None:
            return [np.unique(np.asarray(rows)) for rows in start]
        rows = [[self.rng.integers(0, n, 2 * EXTRA_ROWS)] for n in self.values.shape]
        for x in self.values.tensors:
            for known, u in zip(rows, x.factors, strict=True):
                known.append(pivot_rows(u))
        if not self.values.tensors:  # coordinates alone: the middle and the ends, finer towards the middle
            for known, n in zip(rows, self.values.shape, strict=True):
                steps = np.unique(np.geomspace(1, n // 2, 8).astype(int))
                known.append(np.clip(np.concatenate([n // 2 - steps, n // 2 + steps - 1]), 0, n - 1))
        return [np.unique(np.concatenate(known)) for known in rows]

    def basis(self, axis: int, rows: list[np.ndarray], inside: float) -> tuple[np.ndarray, np.ndarray, bool]:
        """The basis of an axis (n, r), its rows, and whether the cap on the rank cut it; ``inside``: relative."""
        values = self.values.block(rows)
        unfolded = np.moveaxis(values, axis, 0).reshape(len(rows[axis]), -1)
        triangle, pivots = scipy.linalg.qr(unfolded, mode="r", pivoting=True)
        sizes = np.abs(np.diag(triangle))
        chosen = pivots[: max(1, int(np.sum(sizes > inside * sizes[0])))]
        more = self.rng.integers(0, unfolded.shape[1], EXTRA_COLUMNS)
        others = [i for m, i in enumerate(rows) if m != axis]
        places = np.unravel_index(np.unique(np.concatenate([chosen, more])), tuple(map(len, others)))
        fibres = self.values.fibres(axis, np.column_stack([i[p] for i, p in zip(others, places, strict=True)]))
        u, s, _ = np.linalg.svd(fibres, full_matrices=False)
        wanted = max(1, int(np.sum(s > inside * s[0])))
        rank = min(wanted, self.method.max_rank)
        # some directions more than are kept: their rows are the places where the bases do worst
        found = np.concatenate([pivot_rows(u[:, :rank]), pivot_rows(u[:, : rank + EXTRA_ROWS], rank + EXTRA_ROWS)])
        return u[:, :rank], np.unique(found), rank < wanted

    def check(self, core: np.ndarray, bases: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
        """The estimated error over the scale, and on each axis the rows of the worst places."""
        rows, probabilities = [], []
        for m, q in enumerate(bases):
            vectors, values = left_singular(np.moveaxis(core, m, 0).reshape(core.shape[m], -1))
            weights = np.sum((q @ (vectors * values)) ** 2, axis=1)
            uniform = np.full(len(q), 1.0 / len(q))
            total = weights.sum()
            p = UNIFORM * uniform + (1.0 - UNIFORM) * weights / total if total > 0.0 else uniform
            shares = np.cumsum(p)
            drawn = (np.arange(SAMPLES) + self.rng.random(SAMPLES)) / SAMPLES * shares[-1]
            rows.append(np.minimum(np.searchsorted(shares, drawn, side="right"), len(q) - 1))
            probabilities.append(p[rows[-1]])
        values = self.values.block(rows)
        distinct = [np.unique(i, return_index=True) for i in rows]
        self.values.blocks.append(([i for i, _ in distinct], values[np.ix_(*[first for _, first in distinct])]))
        errors = values - multiply(core, [q[i] for q, i in zip(bases, rows, strict=True)])
        self.searched(np.array([i[k] for i, k in zip(rows, np.unravel_index(np.argmax(np.abs(errors)), errors.shape))]))
        weighted = errors**2 / reduce(np.multiply.outer, probabilities)
        norm = self.norm(core)
        error = float(np.sqrt(weighted.mean())) / norm if norm > 0.0 else float(np.abs(errors).max())
        worst = []
        for m, i in enumerate(rows):
            largest = np.moveaxis(weighted, m, 0).reshape(SAMPLES, -1).max(axis=1)
            worst.append(i[np.argsort(largest)[-WORST:]])
        return error, worst

    def searched(self, point: np.ndarray) -> None:
        """Fibres through a point (d,) along every axis, and points drawn: they join what is known."""
        for axis in range(self.values.d):
            self.values.lines.append((axis, point, self.values.fibres(axis, np.delete(point, axis)[None])))
        drawn = np.unique(np.column_stack([self.rng.integers(0, n, DRAWN) for n in self.values.shape]), axis=0)
        self.values.drawn.append((drawn, self.values.at(drawn)))

    def norm(self, core: np.ndarray) -> float:
        """What errors are relative to."""
        return float(np.linalg.norm(core)) if self.scale is None else self.scale

    def relative(self, error: float, core: np.ndarray) -> float:
        """An error over the norm, as it is where that is zero."""
        norm = self.norm(core)
        return error / norm if norm > 0.0 else error

    def solution(self) -> Solution:
        """The core and the bases of the last pass, truncated, with the error of that too."""
        if self.small:
            return self.whole()
        assert self.status is not None
        core, bases, status = self.core, self.bases, self.status
        value = truncated(core, bases, tol=ROUNDING * self.accuracy, scale=self.scale)
        kept = multiply(value.core, [q.T @ u for q, u in zip(bases, value.factors, strict=True)])
        error = float(np.hypot(self.error, self.relative(float(np.linalg.norm(core - kept)), core)))
        error = max(error, self.relative(self.values.missed(value)[0], core))
        if status is Status.CONVERGED and error > self.accuracy:
            status = Status.ITERATION_LIMIT
        looked = [
            Checked(
                "entries not looked at before",
                f"a sample of {SAMPLES} rows an axis, {DRAWN} points, searches along axes",
                f"error {amount(error)} (2-norm)",
                error <= self.accuracy,
            )
        ]
        if status is Status.CONVERGED and self.values.single_valued():
            status = Status.NO_EVIDENCE
            looked.append(
                Checked("the function is constant", f"{self.values.evaluations} values", "no other value seen", False)
            )
        share = EVIDENCE / DRAWN if status is Status.CONVERGED else 1.0
        # less was enough where the first pass was clearly good
        easily = self.passes == 1 and self.error < EASILY * self.target
        inside = self.inside / self.accuracy * (RELAX if easily else 1.0)
        return self.said(value, status, error, self.rows, inside, share, *looked)

    def whole(self) -> Solution:
        """Every value, the sequentially truncated higher-order SVD, and the error of it.

        Vannieuwenhoven, Vandebril, Meerbergen, SIAM J. Sci. Comput. 34, A1027 (2012).
        """
        values = self.values.block([np.arange(n) for n in self.values.shape])
        axes = [np.eye(n) for n in self.values.shape]
        value = truncated(values, axes, tol=ROUNDING * self.accuracy, scale=self.scale, max_rank=self.method.max_rank)
        error = self.relative(float(np.linalg.norm(values - value.full(values.size))), values)
        status = Status.CONVERGED if error <= self.accuracy else Status.RANK_LIMIT
        if status is Status.RANK_LIMIT and value.max_rank < self.method.max_rank:
            status = Status.STAGNATED  # rounding errors
        looked = Checked(
            "every entry", "all values of the tensor", f"error {amount(error)} (2-norm)", error <= self.accuracy
        )
        rows = [np.unique(pivot_rows(u)) for u in value.factors]
        return self.said(value, status, error, rows, INSIDE, 0.0, looked)

    def said(
        self,
        value: TuckerTensor,
        status: Status,
        error: float,
        rows: list[np.ndarray],
        inside: float,
        share: float,
        *looked: Checked,
    ) -> Solution:
        return Solution(
            value,
            status,
            int(status is Status.CONVERGED),
            np.array([error]),
            (),
            {"evaluations": self.values.evaluations, "passes": self.passes},
            {},
            {"rows": rows, "inside": inside, "unseen_share": share},
            looked,
        )
