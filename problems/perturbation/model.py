"""The YAML keys of kind ``perturbation``: one small change that fools a learner on most inputs.

    v = argmax ||J v||_q over ||v||_inf = 1,   J the Jacobians of a layer at a batch of inputs, one below the other

The rows, their splits and the learner have the keys of ``supervised``; the fields below are the others.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

from pydantic import Field, field_validator

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, WorkerCount, is_number, shown
from problems.learning.keys import WIDTH, LearnerSolver, Plain, RowsProblem, TicTacToe, require_fitting, some_of

Learner: TypeAlias = Literal["network", "linear", "linear-strong", "interactions", "tt", "ht", "cp"]
Rival: TypeAlias = Literal["random", "gradient", "deepfool"]
LEARNERS: tuple[Learner, ...] = get_args(Learner)
RIVALS: tuple[Rival, ...] = get_args(Rival)
LOGITS = "logits"
LARGEST_Q = 1000.0


def _listed_numbers(value: object, good: str, low: float, strict: bool, high: float = math.inf) -> tuple[float, ...]:
    given = list(value) if isinstance(value, (list, tuple)) else [value]
    numbers = [float(one) for one in given if is_number(one)]
    inside = all((one > low if strict else one >= low) and one <= high for one in numbers)
    if not numbers or len(numbers) < len(given) or len(set(numbers)) < len(numbers) or not inside:
        raise ValueError(f"must be one or a list of different {good}, found {shown(value)}")
    return tuple(numbers)


class PerturbationProblem(RowsProblem):
    """Rows with classes, a learner of them, and the layers whose singular vectors are sought."""

    kind: Literal["perturbation"] = Field(description="The kind of problem.")
    layers: Literal["automatic"] | tuple[str, ...] = Field(
        default=AUTOMATIC,
        description="Layers whose Jacobians are taken: layer 1, layer 2, ... and logits; automatic: all.",
        json_schema_extra={"values": "automatic or a list of names"},
    )
    q: tuple[float, ...] = Field(
        default=(10.0,),
        description="The norm of what comes out of a layer that is made largest, q of at least 1; all of a list.",
        json_schema_extra={
            "values": "a number or a list of numbers of at least 1",
            "schema": {"anyOf": [{"type": "number", "minimum": 1}, {"type": "array", "items": {"type": "number"}}]},
        },
    )
    eps: tuple[float, ...] = Field(
        default=(0.05, 0.1, 0.15, 0.2),
        description="Sizes of the largest change: of pixels scaled to [0, 1], of numbers of a table in deviations.",
        json_schema_extra={
            "values": "a number or a list of numbers above zero",
            "schema": {
                "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "array", "items": {"type": "number"}}]
            },
        },
    )

    @field_validator("layers", mode="plain")
    @classmethod
    def _names(cls, value: object) -> object:
        if value == AUTOMATIC:
            return value
        given = list(value) if isinstance(value, (list, tuple)) else [value]
        if not given or not all(isinstance(name, str) for name in given):
            raise ValueError(f"must be automatic or a list of names such as layer 1 and {LOGITS}, found {shown(value)}")
        return tuple(dict.fromkeys(given))

    @field_validator("q", mode="plain")
    @classmethod
    def _exponents(cls, value: object) -> tuple[float, ...]:
        good = f"numbers from 1 to {LARGEST_Q:g}"
        return _listed_numbers(value, good, 1.0, strict=False, high=LARGEST_Q)

    @field_validator("eps", mode="plain")
    @classmethod
    def _sizes(cls, value: object) -> tuple[float, ...]:
        return tuple(sorted(_listed_numbers(value, "numbers above zero", 0.0, strict=True)))

    @property
    def free(self) -> int:
        """How many entries of an input may change: all but categories."""
        if self.sizes.image is not None:
            return self.sizes.fields
        return 0 if isinstance(self.data, TicTacToe) else sum(not count for count in self.rows.categories)


class PerturbationSolver(LearnerSolver):
    """What is fitted, how the vectors are sought, and what they are compared with."""

    model: Literal["automatic", "network", "linear", "linear-strong", "interactions", "tt", "ht", "cp"] = Field(
        default=AUTOMATIC,
        description="network (of rectified units), linear and linear-strong (softmax regression), of scikit-learn; "
        "interactions, tt, ht, cp, as of supervised; automatic: network.",
    )
    hidden: tuple[int, ...] = Field(
        default=(64, 32, 16),
        description="Widths of the hidden layers of a network.",
        json_schema_extra={"values": "a list of numbers"},
    )
    rate: float = Field(default=0.01, gt=0, le=1, description="First learning rate of a network.")
    passes: int = Field(
        default=200, ge=1, le=100_000, description="Over the rows, of a network, at most: as many as bring anything."
    )
    batch: int = Field(default=64, ge=1, le=100_000, description="Fitted rows whose Jacobians are taken together.")
    starts: int = Field(default=50, ge=1, le=100_000, description="From how many the power method sets out.")
    against: Literal["automatic"] | tuple[Rival, ...] = Field(
        default=AUTOMATIC,
        description="Other perturbations: random (signs), gradient (signs of the mean gradient of the loss), deepfool "
        "(its universal perturbation); automatic: all.",
        json_schema_extra={"values": "automatic or a list of names"},
    )
    random_signs: int = Field(default=50, ge=1, le=100_000, description="How many random signs are drawn.")
    deepfool_rows: int = Field(default=100, ge=1, le=100_000, description="Fitted rows that DeepFool goes through.")
    deepfool_passes: int = Field(default=2, ge=1, le=1000, description="How often.")
    accuracy: float = Field(
        default=0.2, gt=0, description="Standard error asked of the mean fooling rates: more splits make it smaller."
    )
    workers: WorkerCount = WORKERS

    @field_validator("model", mode="before")
    @classmethod
    def _has_gradients(cls, value: object) -> object:
        if value in get_args(Plain) and value not in LEARNERS:
            raise ValueError(f"{value} has no gradients, which a perturbation is made of; these have: {_NAMED}")
        return value

    @field_validator("hidden", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("against", mode="plain")
    @classmethod
    def _rivals(cls, value: object) -> str | tuple[str, ...]:
        return some_of(value, RIVALS)

    @field_validator("hidden")
    @classmethod
    def _widths(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 1 or max(value) > 10_000 or len(value) > 20:
            raise ValueError(f"must be 1 to 20 widths from 1 to 10000 (none: model linear), found {shown(value)}")
        return value


_NAMED = ", ".join(LEARNERS)


def layers_of(solver: PerturbationSolver) -> tuple[str, ...]:
    """The layers of the learner, the scores last."""
    if solver.model == "network":
        return (*(f"layer {k + 1}" for k in range(len(solver.hidden))), LOGITS)
    return ("layer 1", LOGITS) if solver.model in ("tt", "ht", "cp") else (LOGITS,)


def complete(problem: PerturbationProblem, solver: PerturbationSolver) -> PerturbationSolver:
    """The settings with what depends on the rows; ProblemError for what cannot be fitted or fooled."""
    model = "network" if solver.model == AUTOMATIC else solver.model
    if not problem.sizes.classes:
        raise ProblemError("fooling a learner changes a class, and the target is a number", "problem.data")
    if not problem.free:
        raise ProblemError(
            "every field is a category: a perturbation needs pixels or columns of numbers", "problem.data"
        )
    require_fitting(problem, solver, model)
    changes: dict[str, object] = {"model": model}
    if model in ("tt", "ht", "cp") and solver.rank == AUTOMATIC:
        changes["rank"] = WIDTH
    if solver.against == AUTOMATIC:
        changes["against"] = RIVALS
    found = solver.model_copy(update=changes)
    known = layers_of(found)
    wrong = [name for name in problem.layers if name not in known] if problem.layers != AUTOMATIC else []
    if wrong:
        text = f"there is no {shown(wrong[0])}; the layers of this learner ({model}): {', '.join(known)}"
        raise ProblemError(text, "problem.layers")
    return found


FAMILY = Family(
    kind="perturbation",
    summary="one small change of all inputs that fools a learner, by singular vectors of its Jacobians",
    formula="v = argmax ‖J v‖_q, ‖v‖_∞ = 1, J = [∂f(x₁)/∂x; …; ∂f(x_B)/∂x] of a layer f: an (∞, q)-singular vector",
    references=(
        "Khrulkov, Oseledets, CVPR 2018, arXiv:1709.03582: singular vectors of the layers of a network",
        "Moosavi-Dezfooli, Fawzi, Fawzi, Frossard, CVPR 2017, arXiv:1610.08401: universal perturbations by DeepFool",
        "Boyd, Linear Algebra Appl. 9, 95 (1974): the power method for (p, q)-norms",
        "Nadeau, Bengio, Mach. Learn. 52, 239 (2003), doi:10.1023/A:1024068626366: errors of means over splits",
    ),
    typical="1,797 digits, a network of 3 hidden layers, 5 splits: 22 s; a train over patches: 80 s; 0.3 GB a process",
    problem=PerturbationProblem,
    solver=PerturbationSolver,
    complete=complete,
    package="problems.perturbation",
)
