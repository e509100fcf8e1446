"""The YAML keys of kind ``supervised``: rows with a target, learned by low-rank weights and by plain methods.

    interactions   f(x) = sum over all subsets of the fields of W prod x_k, W a tensor train
    tt, ht, cp     f_y(x) = <W_y, phi(x_1) o ... o phi(x_p)>, phi learned features of patches, W in that format

The fields below are the keys; their descriptions are what ``ttsuite describe supervised`` prints.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, Keys, WorkerCount, is_number, shown
from problems.learning.keys import WIDTH, LearnerSolver, Plain, RowsProblem, require_fitting

OF_TABLES: tuple[Plain, ...] = ("linear", "boosting", "neighbours", "svm")
OF_IMAGES: tuple[Plain, ...] = ("linear", "nearest", "svm")
NEAREST: Plain = "nearest"


class Study(Keys):
    """What is varied."""

    label_noise: tuple[float, ...] = Field(
        description="Shares of the training labels that are drawn anew, uniformly from all classes.",
        json_schema_extra={"values": "a list of numbers from 0 to 1"},
    )

    @field_validator("label_noise", mode="plain")
    @classmethod
    def _shares(cls, value: object) -> tuple[float, ...]:
        given = [float(p) for p in value if is_number(p)] if isinstance(value, (list, tuple)) else []
        wrong = not given or len(given) < len(value) or len(set(given)) < len(given)  # type: ignore[arg-type]
        if wrong or not all(0.0 <= p <= 1.0 for p in given):
            raise ValueError(f"must be a list of different numbers from 0 to 1, found {shown(value)}")
        return tuple(sorted(given))


class SupervisedProblem(RowsProblem):
    """Rows with a target, divided into those fitted and those that judge, several times."""

    kind: Literal["supervised"] = Field(description="The kind of problem.")
    study: Study | None = Field(default=None, description="What is varied: label_noise.")

    @property
    def levels(self) -> tuple[float, ...]:
        """Shares of labels that are drawn anew."""
        return (0.0,) if self.study is None else self.study.label_noise


class SupervisedSolver(LearnerSolver):
    """What is fitted, and what it is compared with."""

    model: Literal["automatic", "interactions", "tt", "ht", "cp"] = Field(
        default=AUTOMATIC, description="automatic: interactions of a table; a train (tt) of patches of images."
    )
    against: Literal["automatic"] | tuple[Plain, ...] = Field(
        default=AUTOMATIC,
        description="Plain methods on the same splits, of scikit-learn: linear, linear-strong (penalised a hundred "
        "times more), boosting, nearest (neighbour), neighbours (15), svm, svm-soft, forest, network; automatic: "
        f"{', '.join(OF_TABLES)}; of images {', '.join(OF_IMAGES)}.",
        json_schema_extra={"values": "automatic or a list of names"},
    )
    accuracy: float = Field(
        default=0.02, gt=0, description="Standard error asked of the mean score: more splits or rows make it smaller."
    )
    workers: WorkerCount = WORKERS

    @field_validator("against", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


def complete(problem: SupervisedProblem, solver: SupervisedSolver) -> SupervisedSolver:
    """The settings with what depends on the rows; ProblemError for what cannot be fitted or judged."""
    data = problem.sizes
    images = data.image is not None
    model = solver.model if solver.model != AUTOMATIC else ("tt" if images else "interactions")
    require_fitting(problem, solver, model)
    if problem.study is not None and not data.classes:
        raise ProblemError("noise of labels needs classes, and the target is a number", "problem.study.label_noise")
    against = solver.against
    if against == AUTOMATIC:
        against = OF_IMAGES if images else OF_TABLES
        against = against if problem.study is None or NEAREST in against else (NEAREST, *against)
    changes: dict[str, object] = {"model": model, "against": tuple(dict.fromkeys(against))}
    if model != "interactions" and solver.rank == AUTOMATIC:
        changes["rank"] = WIDTH
    return solver.model_copy(update=changes)


FAMILY = Family(
    kind="supervised",
    summary="learning from tables and small images by low-rank weights",
    formula="f(x) = Σ W[i₁, …, i_d] φ₁(x₁)[i₁] ⋯ φ_d(x_d)[i_d], W of low rank: all interactions of fields or patches",
    references=(
        "Novikov, Trofimov, Oseledets, Exponential Machines, arXiv:1605.03795: all interactions in a tensor train",
        "Cohen, Sharir, Shashua, COLT 2016 (PMLR 49, 698): score functions in CP and hierarchical Tucker format",
        "Khrulkov, Novikov, Oseledets, ICLR 2018, arXiv:1711.00811: score functions as tensor trains",
        "Nadeau, Bengio, Mach. Learn. 52, 239 (2003), doi:10.1023/A:1024068626366: errors of means over splits",
    ),
    typical="958 boards, 5 splits, beside 4 plain methods: 40 s; 1,797 digits: 25 s; 0.3 GB a process",
    problem=SupervisedProblem,
    solver=SupervisedSolver,
    complete=complete,
    package="problems.supervised",
)
