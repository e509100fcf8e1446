"""The YAML keys of kind ``completion``: a tensor known at a few entries, completed as a tensor train.

    minimise sum over the samples of loss(X[i1, ..., id], value) over trains X of fixed TT-ranks

of which, asked for, effects of every index are a part, and with a ridge where the samples are noisy.
The fields below are the keys; their descriptions are what ``ttsuite describe completion`` prints. No numerics are
imported here: samples are read and counted by numpy alone.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, ValidationInfo, field_validator

from problems.completion.samples import FUNCTIONS, read_csv, require_dense, require_outcomes
from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, AutomaticCount, Keys, ProblemKeys, SolverKeys, WorkerCount, located, shown
from solvers.fit_methods import Completion
from solvers.optimisation.completion.dimension import parameters, require_enough, set_aside
from solvers.optimisation.completion.scores import known

AUTOMATIC_RANK = 10
PENALISED_RANK = 4  # of trains of three and more modes with a ridge, whose sweeps cost r^4 a sample
SCORES = ("rmse", "mae", "ndcg@10", "log_loss", "accuracy")
SAMPLES_A_PARAMETER = 2.0  # at least, for a rank chosen automatically
FRESH = 20_000  # entries of a function that judge the result
LEAST_TESTS = 10
MOST_SAMPLES = 5_000_000


class FunctionSamples(Keys):
    """Samples of a function on a uniform grid of [0, 1]^d, drawn at random without replacement."""

    function: Literal["inverse_sum"] = Field(description="inverse_sum: 1 / (1 + x_1 + ... + x_d).")
    shape: tuple[int, ...] = Field(
        description="Grid points of each coordinate.", json_schema_extra={"values": "a list of numbers"}
    )
    fraction: float = Field(gt=0, lt=1, description="Share of the entries that is known.")

    @field_validator("shape", mode="plain")
    @classmethod
    def _sizes(cls, value: object) -> tuple[int, ...]:
        if not isinstance(value, (list, tuple)) or not all(type(n) is int and n >= 2 for n in value) or len(value) < 2:
            raise ValueError(f"must be a list of at least two numbers, each at least 2, found {shown(value)}")
        return tuple(value)

    @property
    def number(self) -> int:
        """Number of samples."""
        return round(self.fraction * math.prod(self.shape))


def _which_samples(value: object) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    return "(function)" if isinstance(value, (dict, FunctionSamples)) else "(file)"


SamplesKey = Annotated[
    Annotated[FunctionSamples, Tag("(function)")] | Annotated[str, Tag("(file)")], Discriminator(_which_samples)
]


class CompletionProblem(ProblemKeys):
    """A tensor known at a few entries."""

    kind: Literal["completion"] = Field(description="The kind of problem.")
    samples: SamplesKey = Field(
        description="A CSV file with the columns i1,...,id,value (path relative to the YAML file), or a function.",
        json_schema_extra={"values": "a path ending in .csv, or {function: ..., shape: [...], fraction: ...}"},
    )
    test_fraction: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description=f"Share of a file's samples held out to measure the error; a function gives {FRESH} fresh entries.",
    )

    loss: Literal["squares", "huber", "logistic"] = Field(
        default="squares",
        description="squares; huber: some values are wrong by any amount, they are found and told; logistic: values of "
        "0 and 1 (or -1 and 1), predictions are probabilities.",
    )
    effects: bool = Field(
        default=False,
        description="A constant and an effect of every index of every mode come first, the train fits what they leave; "
        "an index without samples is predicted by the effects of the others.",
    )
    metrics: tuple[str, ...] = Field(
        default=(),
        description="Scores of the test entries, beside those of the effects alone and of a constant; rows of ndcg are "
        "the indices of the first mode. A logistic loss adds log_loss and accuracy.",
        json_schema_extra={
            "values": f"a list of {', '.join(SCORES)}",
            "schema": {
                "type": "array",
                "items": {"type": "string", "pattern": "^(rmse|mae|log_loss|accuracy|ndcg@[1-9][0-9]{0,3})$"},
            },
        },
    )

    @field_validator("samples")
    @classmethod
    def _readable(cls, value: str | FunctionSamples, info: ValidationInfo) -> str | FunctionSamples:
        if not isinstance(value, str):
            if value.number > MOST_SAMPLES:
                message = f"these are {value.number} samples, more than fit ({MOST_SAMPLES})"
                raise ProblemError(message, "problem.samples.fraction")
            return value
        if not value.lower().endswith(".csv"):
            known = ", ".join(FUNCTIONS)
            message = (
                f"must be a file whose name ends in .csv, or a mapping with a function ({known}), found {shown(value)}"
            )
            raise ProblemError(message, "problem.samples")
        path = located(value, Path((info.context or {}).get("directory", ".")), "problem.samples")
        read_csv(path, cold=True)
        return str(path)

    @field_validator("metrics", mode="plain")
    @classmethod
    def _scores(cls, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) and known(name) for name in value):
            raise ValueError(f"must be a list of {', '.join(SCORES)} (any number after @), found {shown(value)}")
        return tuple(dict.fromkeys(value))

    def require_usable(self) -> None:
        """ProblemError for a file without samples of an index that only effects could predict, or of other values."""
        if self.file is None:
            if self.loss == "logistic":
                raise ProblemError("the function has no values of 0 and 1: give a file", "problem.loss")
            return
        entries = read_csv(self.file, cold=self.effects)
        if self.loss == "logistic":
            require_outcomes(entries, self.file.name)
        if self.effects:
            require_dense(entries, self.file.name)
        if "ndcg" in " ".join(self.metrics) and float(entries.values.min()) < 0.0 and self.loss != "logistic":
            raise ProblemError("ndcg needs values that are not negative, as gains", "problem.metrics")

    @property
    def file(self) -> Path | None:
        """The CSV file, or None for a function."""
        return Path(self.samples) if isinstance(self.samples, str) else None

    @property
    def shape(self) -> tuple[int, ...]:
        """Mode sizes: of the grid, or the largest index of the file and one."""
        return read_csv(Path(self.samples), cold=True).shape if isinstance(self.samples, str) else self.samples.shape

    @property
    def known(self) -> int:
        """Number of samples, those held out included."""
        return len(read_csv(Path(self.samples), cold=True)) if isinstance(self.samples, str) else self.samples.number

    @property
    def tests(self) -> int:
        """Number of entries that measure the error."""
        if self.file is not None:
            return round(self.test_fraction * self.known)
        return min(FRESH, math.prod(self.shape) - self.known)

    @property
    def fitted(self) -> int:
        """Number of samples that are fitted."""
        given = self.known - (self.tests if self.file is not None else 0)
        return given - set_aside(given, Completion().validation)

    @property
    def files(self) -> dict[str, Path]:
        """Key -> file a run must keep beside its configuration so that it can be repeated."""
        return {} if self.file is None else {"samples": self.file}


def _automatic_or_ridge(value: object) -> float | str:
    number = type(value) in (int, float) and math.isfinite(value) and value >= 0  # type: ignore[operator, arg-type]
    if value == AUTOMATIC or number:
        return value  # type: ignore[return-value]
    raise ValueError(f"must be automatic or a number of at least 0, found {shown(value)}")


class CompletionSolver(SolverKeys):
    """How the train is found."""

    max_rank: AutomaticCount = Field(
        default=AUTOMATIC,
        description="TT-ranks grow from 1 while they predict better, up to this; automatic: as the samples allow, up "
        f"to {AUTOMATIC_RANK}.",
        json_schema_extra={"values": "automatic or a number"},
    )
    ridge: Annotated[float | Literal["automatic"], PlainValidator(_automatic_or_ridge)] = Field(
        default=AUTOMATIC,
        description="lambda (|u|^2 + |v|^2) for every row u and column v of the factors, of trains for every core, and "
        "lambda e^2 of effects; automatic: chosen by samples set aside where there are effects or a logistic loss, "
        "else 0.",
        json_schema_extra={
            "values": "automatic or a number",
            "schema": {"anyOf": [{"type": "number", "minimum": 0}, {"const": AUTOMATIC}]},
        },
    )
    accuracy: float = Field(
        default=1e-4, gt=0, lt=1, description="Relative error (2-norm) asked of entries that were not fitted."
    )
    workers: WorkerCount = WORKERS


def options(problem: CompletionProblem, solver: CompletionSolver) -> Completion:
    """The options of the verb."""
    rank = AUTOMATIC_RANK if solver.max_rank == AUTOMATIC else int(solver.max_rank)
    ridge = None if isinstance(solver.ridge, str) else float(solver.ridge)
    return Completion(max_rank=rank, loss=problem.loss, effects=problem.effects, ridge=ridge)


def complete(problem: CompletionProblem, solver: CompletionSolver) -> CompletionSolver:
    """The solver settings with the rank filled in; ProblemError where the samples are too few for it."""
    problem.require_usable()
    if problem.tests < LEAST_TESTS:
        key = "problem.test_fraction" if problem.file is not None else "problem.samples.fraction"
        raise ProblemError(f"only {problem.tests} entries are left to measure the error, fewer than {LEAST_TESTS}", key)
    fitted, shape = problem.fitted, problem.shape
    rank = solver.max_rank
    if options(problem, solver).penalised:  # a ridge decides where samples do not
        largest = AUTOMATIC_RANK if len(shape) == 2 else PENALISED_RANK
        return solver.model_copy(update={"max_rank": largest if rank == AUTOMATIC else int(rank)})
    if rank == AUTOMATIC:
        most = fitted / SAMPLES_A_PARAMETER
        rank = max((r for r in range(1, AUTOMATIC_RANK + 1) if parameters(shape, r) <= most), default=1)
    try:
        require_enough(fitted, shape, int(rank))
    except ValueError as error:
        raise ProblemError(str(error), "solver.max_rank" if int(rank) > 1 else "problem.samples") from None
    return solver.model_copy(update={"max_rank": int(rank)})


FAMILY = Family(
    kind="completion",
    summary="completion of a tensor from samples",
    formula="minimise Σ loss(X[i₁, …, i_d], value) over the samples, X a tensor train of given ranks",
    references=(
        "Steinlechner, SIAM J. Sci. Comput. 38, S461 (2016), doi:10.1137/15M1010506: Riemannian completion of trains",
        "Huber, Annals of Mathematical Statistics 35, 73 (1964), doi:10.1214/aoms/1177703732: values that are wrong",
        "Koren, Bell, Volinsky, Computer 42, 30 (2009), doi:10.1109/MC.2009.263: effects and a ridge for ratings",
    ),
    typical="20^4 grid points from 4,000 of them, up to rank 6: 3 s, 0.2 GB",
    problem=CompletionProblem,
    solver=CompletionSolver,
    complete=complete,
    package="problems.completion",
)
