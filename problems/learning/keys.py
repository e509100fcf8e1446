"""The YAML keys that all kinds which learn from rows share: the data and their splits, and what learners are fitted
with.

Tables are read here, by numpy alone; scikit-learn is first imported when a run is prepared.
"""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, Keys, ProblemKeys, SolverKeys, located, shown
from problems.learning.data import MOST_CELLS, Data, digits, planted, read_arrays, read_table, tictactoe

DIGITS = "digits"
WIDTH = 8  # of score functions, where nothing is said
Plain = Literal["linear", "linear-strong", "boosting", "nearest", "neighbours", "svm", "svm-soft", "forest", "network"]


@dataclass(frozen=True)
class Sizes:
    """Rows, fields, classes (0 for numbers), and (rows, columns) of pixels."""

    rows: int
    fields: int
    classes: int
    image: tuple[int, int] | None


class TicTacToe(Keys):
    """All 958 final boards of noughts and crosses; the target is whether x has won."""

    model: Literal["tictactoe"] = Field(description="tictactoe: all final boards, won by x or not.")


class Planted(Keys):
    """Fields of +-1 and a target that is a sum of products of some of them."""

    model: Literal["interactions"] = Field(description="interactions: a sum of products of fields of +-1.")
    fields: int = Field(default=10, ge=2, le=1000, description="Number of fields.")
    order: int = Field(default=3, ge=1, description="Fields in a product.")
    terms: int = Field(default=5, ge=1, le=1000, description="Number of products.")
    rows: int = Field(default=3000, ge=20, le=1_000_000, description="Number of rows.")
    noise: float = Field(default=0.0, ge=0, description="Deviation of normal noise, over that of the target.")
    seed: int = Field(default=0, ge=0, description="Of the rows and products that are drawn; not that of the run.")

    @model_validator(mode="after")
    def _few_enough(self) -> Planted:
        if self.order > self.fields:
            raise ProblemError(f"products of {self.order} of {self.fields} fields", "problem.data.order")
        if self.rows * self.fields > MOST_CELLS:
            raise ProblemError(f"{self.rows} rows of {self.fields} fields are more than fit", "problem.data.rows")
        return self


def _which(value: object) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    if isinstance(value, str):
        return "(file)"
    model = value.get("model") if isinstance(value, dict) else getattr(value, "model", None)
    return "(tictactoe)" if model == "tictactoe" else "(interactions)"


DataKey = Annotated[
    Annotated[TicTacToe, Tag("(tictactoe)")]
    | Annotated[Planted, Tag("(interactions)")]
    | Annotated[str, Tag("(file)")],
    Discriminator(_which),
]


class RowsProblem(ProblemKeys):
    """Rows with a target, divided into those fitted and those that judge, several times."""

    data: DataKey = Field(
        description="A table (.csv, with a header), arrays (.npz with images or rows, and targets), digits (1,797 "
        "images of 8 x 8 pixels that scikit-learn brings), or a model.",
        json_schema_extra={"values": "a path ending in .csv or .npz, digits, or {model: ...}"},
    )
    target: str = Field(default="", description="Column of a table that is to be predicted; empty: the last one.")
    categorical: tuple[str, ...] = Field(
        default=(),
        description="Columns of numbers of a table that are categories.",
        json_schema_extra={"values": "a list of names"},
    )
    task: Literal["automatic", "classification", "regression"] = Field(
        default=AUTOMATIC,
        description="What the target is; automatic: classes where it is texts or few whole numbers, else numbers.",
    )
    patch: tuple[int, int] = Field(
        default=(2, 2), description="Pixels of a patch.", json_schema_extra={"values": "a list of two numbers"}
    )
    splits: int = Field(default=5, ge=2, le=200, description="How often the rows are divided at random.")
    test: float = Field(
        default=0.3,
        gt=0,
        description="Rows of each split that judge and are never fitted: a share below 1, or a number.",
    )

    @field_validator("categorical", "patch", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("patch")
    @classmethod
    def _of_pixels(cls, value: tuple[int, int]) -> tuple[int, int]:
        if min(value) < 1:
            raise ValueError(f"must be two numbers of at least 1, found {shown(value)}")
        return value

    @field_validator("data")
    @classmethod
    def _found(cls, value: str | Keys, info: ValidationInfo) -> str | Keys:
        if not isinstance(value, str) or value == DIGITS:
            return value
        if not value.lower().endswith((".csv", ".npz")):
            message = f"must be a file ending in .csv or .npz, {DIGITS} or a mapping with a model, found {shown(value)}"
            raise ProblemError(message, "problem.data")
        return str(located(value, Path((info.context or {}).get("directory", ".")), "problem.data"))

    @model_validator(mode="after")
    def _readable(self) -> RowsProblem:
        if self.file is not None:
            _ = self.rows
        return self

    @property
    def file(self) -> Path | None:
        """The file of the rows, or None."""
        return Path(self.data) if isinstance(self.data, str) and self.data != DIGITS else None

    @property
    def files(self) -> dict[str, Path]:
        """Key -> file a run must keep beside its configuration so that it can be repeated."""
        return {} if self.file is None else {"data": self.file}

    @property
    def sizes(self) -> Sizes:
        """Of the rows, without drawing or loading what a name stands for."""
        if isinstance(self.data, TicTacToe):
            return Sizes(958, 9, 2, None)
        if isinstance(self.data, Planted):
            return Sizes(self.data.rows, self.data.fields, 0, None)
        if self.file is None:
            return Sizes(1797, 64, 10, (8, 8))
        data = self.rows
        return Sizes(len(data.targets), len(data.names), len(data.classes), data.image)

    @property
    def rows(self) -> Data:
        """The rows."""
        if isinstance(self.data, TicTacToe):
            return tictactoe()
        if isinstance(self.data, Planted):
            given = self.data
            return planted(given.fields, given.order, given.terms, given.rows, given.noise, given.seed)
        if self.file is None:
            return digits()
        if self.file.suffix.lower() == ".npz":
            return read_arrays(self.file, self.task)
        return read_table(self.file, self.target, self.categorical, self.task)

    def held(self, rows: int) -> int:
        """How many of so many rows judge."""
        return round(self.test * rows) if self.test < 1.0 else int(self.test)


class LearnerSolver(SolverKeys):
    """What this suite's learners are fitted with."""

    model: str = Field(default=AUTOMATIC, description="The learner.")
    rank: Literal["automatic"] | int | tuple[int, ...] = Field(
        default=AUTOMATIC,
        description="TT-rank of interactions, or several to choose among by rows set aside (automatic: 2, 4, 8); width "
        f"of tt, ht, cp (automatic: {WIDTH}).",
        json_schema_extra={"values": "automatic, a number, or a list of numbers"},
    )
    ridge: Literal["automatic"] | float | tuple[float, ...] = Field(
        default=AUTOMATIC,
        description="Penalty of interactions, or several to choose among by rows set aside (automatic: 1e-8 to 0.01).",
        json_schema_extra={"values": "automatic, a number, or a list of numbers"},
    )
    features: int = Field(default=8, ge=1, le=1000, description="Features learned of each patch (tt, ht, cp).")
    epochs: int = Field(default=40, ge=1, le=100_000, description="Passes over the rows (tt, ht, cp).")
    pixel_noise: float = Field(
        default=0.0, ge=0, description="Noise while fitting, over the largest pixel (tt, ht, cp)."
    )
    patch_dropout: float = Field(default=0.0, ge=0, lt=1, description="Share of patches left out while fitting.")
    decay: float = Field(default=0.0, ge=0, description="Of the weights while fitting (tt, ht, cp).")

    @field_validator("rank", "ridge", mode="plain")
    @classmethod
    def _one_or_several(cls, value: object, info: ValidationInfo) -> object:
        whole = info.field_name == "rank"
        wanted = "whole numbers of at least 1" if whole else "numbers above zero"
        kinds = (int,) if whole else (int, float)

        def good(one: object) -> bool:
            return type(one) in kinds and math.isfinite(one) and one > 0  # type: ignore[arg-type,operator]

        if value == AUTOMATIC or good(value):
            return value
        if isinstance(value, (list, tuple)) and value and all(good(one) for one in value):
            return tuple(value)
        raise ValueError(f"must be automatic, or one or a list of {wanted}, found {shown(value)}")


def require_fitting(problem: RowsProblem, solver: LearnerSolver, model: str) -> None:
    """ProblemError where scikit-learn is missing, splits have too few rows, or this suite's learner does not fit."""
    if importlib.util.find_spec("sklearn") is None:
        raise ProblemError('needs scikit-learn: pip install "ttsuite[learning]"', "problem.kind")
    data = problem.sizes
    held = problem.held(data.rows)
    least = max(2, data.classes)
    if held < least or data.rows - held < 2 * least:
        text = f"{held} of {data.rows} rows would judge: each part needs a few rows of every class"
        raise ProblemError(text, "problem.test")
    if model not in ("tt", "ht", "cp"):
        return
    if not data.classes:
        raise ProblemError(f"{model} tells classes apart, and the target is a number", "solver.model")
    if isinstance(solver.rank, tuple):
        raise ProblemError(f"the width of {model} is one number", "solver.rank")
    if data.image is not None and any(n % m for n, m in zip(data.image, problem.patch)):
        patch, image = (" x ".join(map(str, shape)) for shape in (problem.patch, data.image))
        raise ProblemError(f"patches of {patch} do not fill {image} pixels", "problem.patch")
