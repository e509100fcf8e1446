"""One linear system on its way: the steps of ``solve`` one after the other, kept and gone on with.

    1. A and b are brought to scale one by powers of two (solvers.linear.scaling).
    2. Up to ``DIRECT_FIRST`` unknowns: full vectors, by Krylov steps where these reach the accuracy, else by factors,
       exact to rounding errors (solvers.linear.full_vectors). Above, where no method is asked for: a Hermitian definite
       sum over groups of modes is inverted by a sum of exponentials (solvers.linear.exponential_sum).
    3. Sweeps of the method asked for (solvers.linear.sweeps). Up to ``DIRECT_LAST`` unknowns they end where the train
       holds as many numbers as the vector, or where they lead nowhere, and step 2 follows.
    4. Where the sweeps failed, residual minimisation from the best x they saw (solvers.linear.least_squares).
Whether the system is solved is decided by the true residual ||b - A x|| alone (solvers.linear.residual), which is
then looked at again by another route (solvers.linear.second_look). What is returned is never worse than zero.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np

from solvers.checkpoint import Content, random_state, restore, stored_train, train_arrays
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.condition import condition_seen
from solvers.linear.exponential_sum import by_exponentials
from solvers.linear.full_vectors import residual_full, rounding_errors, solve_full, to_train
from solvers.linear.iterate import Work
from solvers.linear.least_squares import LARGEST_RANK, minimise_residual
from solvers.linear.scaling import balanced, is_hermitian, moderate_scale, times_power
from solvers.linear.second_look import look
from solvers.linear.sweeps import Sweeping, Swept
from solvers.linear.system import System
from solvers.method_base import LinearMethod
from solvers.solution import Checked, IterationState, Solution, Status

DIRECT_FIRST = 1000  # unknowns: LU takes 50 ms, measured
DIRECT_LAST = 4096  # 2 s
FULL_SHARE = 0.5  # of the vector's entries in a train: from here on the train is no saving
PRECISION_SHARE = 0.1  # of the accuracy: rounding errors of A x above that are what stopped it
HIDDEN = 100.0  # times the accuracy: rounding errors at most, of which some per cent are seen, to look behind them
MEANINGLESS = 0.1  # of ||b||, for rounding errors of A x: no digit of the residual counts
ROUNDING = 500.0  # times the rounding errors of A x: what two routes to a residual may differ by
PARTS = "exponential sum"
ALLOWED = 1.1  # times the least residual a vector can have: what its train may have
_PLACE = ("route", "capped", "singular", "extra")  # plain data that say which steps are done
Step: TypeAlias = Swept | Generator[IterationState, None, Swept | None] | None


class Task:
    """One system brought to scale one, what was done on it, and the way back to the scale given."""

    def __init__(
        self,
        operator: TTOperator,
        b: TensorTrain,
        method: LinearMethod,
        start: TensorTrain | None,
        accuracy: float,
        dtype: np.dtype,
        rng: np.random.Generator,
        *,
        condition: bool = False,
        structure: bool = False,
    ) -> None:
        self.look_at_condition, self.structure = condition, structure
        self.method, self.start, self.accuracy, self.rng = method, start, accuracy, rng
        self.hermitian = is_hermitian(operator)
        moderate, exponent_a = moderate_scale(operator)
        sides, exponent_b = balanced(b.cores)
        side = TensorTrain(sides)
        self.size = side.norm()
        self.exponent = exponent_b - exponent_a  # x = 2^exponent size times the x of scale one
        self.unknowns, self.given = math.prod(b.shape), b
        self.system = System.of(moderate, side / (self.size or 1.0), dtype, self.hermitian)
        self.work = Work()
        self.extra: dict[str, Any] = {"hermitian": self.hermitian}
        self.singular = self.capped = False
        self.best = Swept(self.system.b * 0.0, 1.0, Status.STAGNATED, "zero")
        self.route = -1  # of the steps, the one at work; -1: before the first
        self.sweeping: Sweeping | None = None  # at work in that step, where it can be gone on with
        self.begun: dict[str, Any] = {}  # the generator where that step began
        self.resumed: Content | None = None

    def steps(self) -> Iterator[IterationState]:
        """The steps of the module's text, until one reaches the accuracy."""
        if self.size == 0.0:
            return
        if self.route < 0:
            self._begin_with(self.start)
        at_work = self.route
        ways = (self._directly, self._by_sweeps, self._directly_after, self._by_other_sweeps, self._minimised)
        for self.route in range(max(at_work, 0), len(ways)):
            if self.best.residual <= self.accuracy:
                break
            self.sweeping = None
            self.begun = random_state(self.rng)
            step = ways[self.route](self.best)
            found = (yield from step) if isinstance(step, Generator) else step
            if found is not None:
                self._take(found)
        self.route, self.sweeping, self.begun = len(ways), None, random_state(self.rng)  # nothing is left to do
        best = self.best
        best.status = Status.CONVERGED if best.residual <= self.accuracy else self._why(best, self.capped)

    def _begin_with(self, start: TensorTrain | None) -> None:
        """The start, or the multiple of it that is better than zero."""
        if start is None or not start.norm() > 0.0:
            return
        x = times_power(start, -self.exponent) * (1.0 / self.size)
        first = Swept(x, self.system.residual(x, self.rng, self.accuracy), Status.STAGNATED, "start")
        self._discard_meaningless(first)
        if not first.residual < 1.0:
            first.x, first.residual = self.system.scaled(first.x, self.rng)
        self.best = first

    def _take(self, found: Swept) -> None:
        """What a step has found, where it is better than all before."""
        self.work.add(found.work)
        self._discard_meaningless(found)
        self.capped |= found.status is Status.RANK_LIMIT
        if found.residual < self.best.residual or self.best.route == "zero":
            self.best = found
        else:
            self.best.status = found.status

    def content(self) -> Content:
        """Where the step at work is: its sweeps, or, where these are of a correction, where it began."""
        arrays, best = train_arrays("best", self.best.x)
        data: dict[str, Any] = {
            "best": {"train": best, **{name: getattr(self.best, name) for name in ("residual", "route")}},
            "status": self.best.status.name,
            "done": asdict(self.best.work),
            "work": asdict(self.work),
            "sweeping": None,
            "generator": self.begun if self.sweeping is None else random_state(self.rng),
            **{name: getattr(self, name) for name in _PLACE},
        }
        if self.sweeping is not None:
            own, data["sweeping"] = self.sweeping.content()
            arrays |= {f"sweeping.{name}": array for name, array in own.items()}
        return arrays, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        best = data["best"]
        x = stored_train(arrays, "best", best["train"])
        self.best = Swept(x, best["residual"], Status[data["status"]], best["route"], Work(**data["done"]))
        self.work = Work(**data["work"])
        for name in _PLACE:
            setattr(self, name, data[name])
        restore(self.rng, data["generator"])
        if data["sweeping"] is not None:
            own = {name.removeprefix("sweeping."): array for name, array in arrays.items()}
            self.resumed = own, {**data["sweeping"], "generator": data["generator"]}

    def _discard_meaningless(self, found: Swept) -> None:
        """Zero for an x so large that rounding errors of A x are of the order of b: its residual says nothing."""
        if self.system.rounding(found.x) > MEANINGLESS:
            found.x, found.residual, found.status = self.system.b * 0.0, 1.0, Status.PRECISION

    def _why(self, best: Swept, capped: bool) -> Status:
        """Why the accuracy was not reached."""
        if self.singular:
            return Status.SINGULAR
        if capped:
            return Status.RANK_LIMIT
        if self.system.rounding(best.x) > PRECISION_SHARE * self.accuracy:
            return Status.PRECISION
        return best.status

    def _directly(self, best: Swept) -> Step:
        if self.unknowns <= DIRECT_FIRST:
            return self._full()
        return self._by_parts() if self.structure and best.route == "zero" else None

    def _by_parts(self) -> Generator[IterationState, None, Swept | None]:
        found = by_exponentials(self.system, self.accuracy, self.method.cap, self.rng)
        if found is None:
            return None
        self.extra["condition"] = found.condition
        yield IterationState(1, PARTS, found.x.max_rank, 0.0, residuals=np.array([found.residual]))
        return Swept(found.x, found.residual, Status.STAGNATED, PARTS)

    def _by_sweeps(self, best: Swept) -> Step:
        if self._exact():
            return None
        small = self.unknowns <= DIRECT_LAST
        storage = FULL_SHARE * self.unknowns if small else np.inf
        start = best if best.route in ("start", PARTS) and best.residual < 1.0 else None
        return self._swept(self.method, start, storage)

    def _directly_after(self, best: Swept) -> Step:
        """Not where a cap on the ranks ended sweeps that do converge: cut to it, the exact x is hardly better."""
        if best.status is Status.RANK_LIMIT and best.residual < 1.0:
            return None
        return self._full() if DIRECT_FIRST < self.unknowns <= DIRECT_LAST else None

    def _by_other_sweeps(self, best: Swept) -> Step:
        """Where a method has another one for systems on which it gets no further."""
        method = self.method.where_stuck()
        if self._exact() or method is None or best.status is not Status.STAGNATED:
            return None
        return self._swept(method, best if best.residual < 1.0 else None, np.inf)

    def _minimised(self, best: Swept) -> Step:
        """Not where a limit that was asked for ended sweeps which do converge."""
        definite = self.hermitian and best.work.definite
        limited = best.status is Status.ITERATION_LIMIT or (best.status is Status.RANK_LIMIT and definite)
        if self._exact() or (limited and best.residual < 1.0):
            return None
        return minimise_residual(self.system, self.method, best.x, best.residual, self.accuracy, self.rng)

    def _exact(self) -> bool:
        """Whether full vectors have said all there is to say."""
        return "factorisation" in self.extra and not self.extra["capped"]

    def _swept(
        self, method: LinearMethod, start: Swept | None, storage: float
    ) -> Generator[IterationState, None, Swept]:
        x, residual = (start.x, start.residual) if start is not None else (None, 1.0)
        self.sweeping = Sweeping.of(
            self.system,
            self.system,
            method,
            x,
            self.accuracy,
            self.rng,
            first=residual,
            storage=storage,
            followed=self.hermitian and self.system.operator.max_rank**2 <= LARGEST_RANK,
        )
        if self.resumed is not None:
            arrays, data = self.resumed
            self.sweeping.restore(arrays, data)
            restore(self.rng, data["generator"])
            self.resumed = None
        yield from self.sweeping.run()
        return self.sweeping.swept

    def _full(self) -> Swept:
        operator, b = self.system.operator, self.system.b.full().reshape(-1).astype(self.system.dtype)
        found = solve_full(operator, b, self.accuracy, self.hermitian)
        goal = max(self.accuracy, ALLOWED * found.residual)
        x, capped = to_train(operator, found.x, b, goal, self.method.cap)
        capped &= found.residual <= self.accuracy
        self.singular = found.singular is not None
        self.extra |= {"factorisation": found.factorisation, "capped": capped}
        if np.isfinite(found.condition):
            self.extra["condition"] = found.condition
        if found.singular is not None:
            self.extra["left_null_vector"] = found.singular
        status = Status.RANK_LIMIT if capped else Status.PRECISION
        residual = self.system.residual(x, self.rng)
        blurred = residual > self.accuracy and HIDDEN * self.accuracy > rounding_errors(operator, found.x)
        if blurred:  # by rounding errors of A x, which are not x's fault
            residual = float(np.linalg.norm(residual_full(operator, x, b)))
        return Swept(x, residual, status, "full vectors")

    def solution(self) -> Solution:
        """The best x, looked at a second time and in the scale given."""
        if self.size == 0.0:
            zero = Checked("right-hand side", "its norm", "zero, and so is x", True)
            return self._solution(self.given * 0.0, 0.0, Status.CONVERGED, (zero,))
        given = self.start if self.best.route == "start" and self.best.residual <= self.accuracy else None
        return self._finish(self.best, given)

    def _finish(self, best: Swept, given: TensorTrain | None = None) -> Solution:
        """The second look, and x in the scale given."""
        if not best.residual < 1.0:
            best.x, best.residual, best.route = self.system.b * 0.0, 1.0, "zero"
        rounding = ROUNDING * self.system.rounding(best.x)
        by_full = self.system.by_full(best.x)
        agrees = look(self.system.operator, best.x, self.system.b, best.residual, rounding, self.rng, rows=by_full)
        status = best.status if agrees.passed else Status.CONTRADICTED
        if status is Status.CONVERGED and not best.residual <= self.accuracy:
            status = Status.STAGNATED
        if best.residual <= self.accuracy and agrees.passed:
            status = Status.CONVERGED
        x = given if given is not None else times_power(best.x * self.size, self.exponent)
        self.extra["route"] = best.route
        if self.look_at_condition and best.residual < 1.0:
            seen = self.extra.get("condition") or condition_seen(self.system, best.x, best.residual, self._ends(best))
            if seen is not None:
                self.extra |= {"condition": seen, "forward_error": seen * best.residual}
        return self._solution(x, best.residual, status, (agrees,))

    def _ends(self, best: Swept) -> tuple[float, float] | None:
        """The least and the largest Rayleigh quotient that sweeps have seen, of a definite operator."""
        seen = best.work
        if best.route != "sweeps" or not (self.system.definite and seen.definite and seen.ends[0] > 0.0):
            return None
        return seen.ends[0], seen.ends[1]

    def _solution(self, x: TensorTrain, residual: float, status: Status, checked: tuple[Checked, ...]) -> Solution:
        counts = {"sweeps": self.work.sweeps, "local_solves": self.work.local_solves, "matvecs": self.work.products}
        self.extra.pop("capped", None)
        return Solution(
            x,
            status,
            int(status is Status.CONVERGED),
            np.array([residual]),
            (),
            counts,
            {},
            {"max_rank": x.max_rank, **self.extra},
            checked,
        )
