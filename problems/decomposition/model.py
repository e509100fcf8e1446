"""The YAML keys of kind ``decomposition``: arrays in the formats of tensors.

    x ~ train, tree, Tucker tensor, or sum of rank-one tensors, each within the accuracy

The fields below are the keys; their descriptions are what ``ttsuite describe decomposition`` prints. No numerics are
imported here: a file is read and checked by numpy alone (a .mat file by scipy.io).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from problems.completion.samples import FUNCTIONS
from problems.contract import Family
from problems.decomposition.arrays import ENDINGS, MOST_ENTRIES, read_arrays
from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, Keys, ProblemKeys, SolverKeys, WorkerCount, located, shown

KEY = "problem.tensor"
MOST_TERMS = 256
MOST_MODES = 20
Format: TypeAlias = Literal["tt", "ht", "tucker", "cp"]
FORMATS: tuple[Format, ...] = ("tt", "ht", "tucker", "cp")
Tree: TypeAlias = "int | tuple[Tree, Tree]"
_SHAPE = Field(description="Sizes of the modes.", json_schema_extra={"values": "a list of numbers"})


def _sizes(value: object) -> tuple[int, ...]:
    fits = isinstance(value, (list, tuple)) and len(value) >= 2 and all(type(n) is int and n >= 1 for n in value)
    if not isinstance(value, (list, tuple)) or not fits:
        raise ValueError(f"must be a list of at least two numbers, each at least 1, found {shown(value)}")
    if len(value) > MOST_MODES or math.prod(value) > MOST_ENTRIES:
        raise ValueError(f"must have at most {MOST_MODES} modes and {MOST_ENTRIES} entries, found {shown(value)}")
    return tuple(value)


class RandomModel(Keys):
    """A tensor of standard normal parameters, from the seed."""

    model: Literal["random_train", "random_tree", "random_cp"] = Field(
        description="random_train: all TT-ranks are the width; random_tree: all ranks of the balanced tree; "
        "random_cp: a sum of that many terms."
    )
    shape: tuple[int, ...] = _SHAPE
    width: int = Field(ge=1, le=64, description="Ranks, or number of terms.")
    noise: float = Field(default=0.0, ge=0, le=1, description="Standard normal noise of this relative size is added.")

    _sizes = field_validator("shape", mode="plain")(_sizes)


class Example(Keys):
    """The example of the theorem on trains and sums: 0 and 1, its odd-even unfolding an identity."""

    model: Literal["example"] = Field(description="TT-ranks q, 1, q, ..., and q^(d/2) terms at least.")
    modes: int = Field(ge=2, le=MOST_MODES, description="Number of modes d, even.")
    size: int = Field(ge=2, le=1000, description="Size n of each mode.")
    width: int = Field(ge=1, le=1000, description="q = min(n, width).")

    @model_validator(mode="after")
    def _fits(self) -> Example:
        if self.modes % 2:
            raise ProblemError(f"must be even, found {self.modes}", f"{KEY}.modes")
        _sizes([self.size] * self.modes)
        return self


class WState(Keys):
    """The W tensor: of rank d, and of rank 2 to any accuracy."""

    model: Literal["w_state"] = Field(description="The sum over k of e2 on mode k and e1 on all others.")
    modes: int = Field(ge=2, le=MOST_MODES, description="Number of modes d.")


class MatrixMultiplication(Keys):
    """The tensor of the product of two square matrices."""

    model: Literal["matrix_multiplication"] = Field(description="Three modes of size n^2; a term is a multiplication.")
    size: int = Field(ge=1, le=8, description="Rows n of the matrices.")


class FunctionModel(Keys):
    """A function on a uniform grid of [0, 1]^d."""

    model: Literal["function"] = Field(description="A function on a uniform grid of [0, 1]^d.")
    function: Literal["inverse_sum"] = Field(description="inverse_sum: 1 / (1 + x_1 + ... + x_d).")
    shape: tuple[int, ...] = _SHAPE

    _sizes = field_validator("shape", mode="plain")(_sizes)


class AnyModel(Keys):
    """Only reached by a mapping whose ``model`` is missing or unknown, to say so."""

    model: Literal[
        "random_train", "random_tree", "random_cp", "example", "w_state", "matrix_multiplication", "function"
    ]
    shape: object = None
    width: object = None
    noise: object = None
    modes: object = None
    size: object = None
    function: object = None


TAGS = {"random_train": "random", "random_tree": "random", "random_cp": "random"}
TAGS |= {name: name for name in ("example", "w_state", "matrix_multiplication", "function")}


def _tag(value: object) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    if not isinstance(value, (dict, Keys)):
        return "(file)"
    name = value.get("model") if isinstance(value, dict) else getattr(value, "model", None)
    return f"({TAGS[name]})" if isinstance(name, str) and name in TAGS else "(any)"


Model: TypeAlias = RandomModel | Example | WState | MatrixMultiplication | FunctionModel
TensorKey = Annotated[
    Annotated[RandomModel, Tag("(random)")]
    | Annotated[Example, Tag("(example)")]
    | Annotated[WState, Tag("(w_state)")]
    | Annotated[MatrixMultiplication, Tag("(matrix_multiplication)")]
    | Annotated[FunctionModel, Tag("(function)")]
    | Annotated[AnyModel, Tag("(any)")]
    | Annotated[str, Tag("(file)")],
    Discriminator(_tag),
]


class DecompositionProblem(ProblemKeys):
    """One array or several, and the formats that they are brought into."""

    kind: Literal["decomposition"] = Field(description="The kind of problem.")
    tensor: TensorKey = Field(
        description="A file (path relative to the YAML file) of real arrays of at least two axes, or a model.",
        json_schema_extra={"values": "a path ending in .npy, .npz, .mat or .safetensors, or {model: ..., ...}"},
    )
    names: str = Field(
        default="*",
        validate_default=True,
        max_length=200,
        description="Which arrays of a file of several, by name; * and ? stand for others.",
    )
    formats: tuple[Format, ...] = Field(
        default=FORMATS,
        description="tt: tensor train; ht: hierarchical Tucker; tucker; cp: sum of rank-one terms.",
        json_schema_extra={"values": "a list of tt, ht, tucker and cp"},
    )
    tree: str = Field(
        default="balanced",
        description="Dimension tree of the format ht: balanced, train (one mode after the other), or pairs of modes "
        "from 1 in parentheses, such as ((1 3) (2 4)).",
        json_schema_extra={"values": "balanced | train | a text such as ((1 3) (2 4))"},
    )

    @field_validator("formats", mode="plain")
    @classmethod
    def _known(cls, value: object) -> tuple[Format, ...]:
        if not isinstance(value, (list, tuple)) or not value:
            raise ValueError(f"must be a list of {', '.join(FORMATS)}, found {shown(value)}")
        for name in value:
            if name not in FORMATS:
                raise ValueError(f"must be a list of {', '.join(FORMATS)}, found {shown(name)} in it")
        if len(set(value)) < len(value):
            raise ValueError(f"must have each format once, found {shown(value)}")
        return tuple(value)

    @field_validator("tensor")
    @classmethod
    def _readable(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        if not value.lower().endswith(ENDINGS):
            message = f"must be a file whose name ends in {', '.join(ENDINGS)}, or a mapping with a model"
            raise ProblemError(f"{message}, found {shown(value)}", KEY)
        return str(located(value, Path((info.context or {}).get("directory", ".")), KEY))

    @field_validator("names")
    @classmethod
    def _found(cls, value: str, info: ValidationInfo) -> str:
        tensor = info.data.get("tensor")  # missing where it is at fault itself
        if isinstance(tensor, str):
            read_arrays(Path(tensor), value)
        elif tensor is not None and value != "*":
            raise ProblemError("only the arrays of a file have names: leave it out", "problem.names")
        return value

    @model_validator(mode="after")
    def _fits(self) -> DecompositionProblem:
        if self.tree not in ("balanced", "train"):
            for name, shape in self.shapes.items():
                self.pairs(len(shape), name)
        return self

    @property
    def file(self) -> Path | None:
        """The file of arrays, or None for a model."""
        return Path(self.tensor) if isinstance(self.tensor, str) else None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array, by name."""
        if isinstance(self.tensor, str):
            return {name: array.shape for name, array in read_arrays(Path(self.tensor), self.names).items()}
        given = self.tensor
        if isinstance(given, (RandomModel, FunctionModel)):
            shape = given.shape
        elif isinstance(given, Example):
            shape = (given.size,) * given.modes
        elif isinstance(given, WState):
            shape = (2,) * given.modes
        else:
            assert isinstance(given, MatrixMultiplication)
            shape = (given.size**2,) * 3
        return {given.model: shape}

    def pairs(self, d: int, name: str) -> Tree | None:
        """The tree of ``d`` modes, from 0, as pairs; None: balanced. Raises ProblemError where it has other modes."""
        if self.tree == "balanced":
            return None
        if self.tree == "train":
            tree: Tree = d - 1
            for k in range(d - 2, -1, -1):
                tree = (k, tree)
            return tree
        words = self.tree.replace("(", " ( ").replace(")", " ) ").split()
        found, rest = _parsed(words)
        if found is None or rest or sorted(_modes(found)) != list(range(d)):
            message = f"must be balanced, train, or pairs of pairs with each of the modes 1 to {d} of {name} once"
            raise ProblemError(f"{message}, such as ((1 2) 3), found {shown(self.tree)}", "problem.tree")
        return found

    @property
    def files(self) -> dict[str, Path]:
        """Key -> file a run must keep beside its configuration so that it can be repeated."""
        return {} if self.file is None else {"tensor": self.file}


def _parsed(words: list[str], depth: int = 0) -> tuple[Tree | None, list[str]]:
    """A tree at the beginning of ``words``, and the words after it; None where there is none."""
    if not words or depth > MOST_MODES:
        return None, words
    if words[0].isascii() and words[0].isdigit() and len(words[0]) < 3:
        return int(words[0]) - 1, words[1:]
    if words[0] != "(":
        return None, words
    left, rest = _parsed(words[1:], depth + 1)
    right, rest = _parsed(rest, depth + 1) if left is not None else (None, rest)
    if left is None or right is None or rest[:1] != [")"]:
        return None, rest
    return (left, right), rest[1:]


def _modes(tree: Tree) -> list[int]:
    return [tree] if isinstance(tree, int) else [*_modes(tree[0]), *_modes(tree[1])]


class DecompositionSolver(SolverKeys):
    """How exact, and how the sums of terms are sought."""

    accuracy: float = Field(default=1e-6, gt=0, lt=1, description="Relative error (2-norm of all entries) asked.")
    terms: int | tuple[int, ...] | Literal["automatic"] = Field(
        default=AUTOMATIC,
        description="Numbers of terms that the format cp is tried with; automatic: from few on, up to 32, until the "
        "accuracy is met.",
        json_schema_extra={
            "values": "automatic, a number, or a list of numbers",
            "schema": {
                "anyOf": [
                    {"const": AUTOMATIC},
                    {"type": "integer", "minimum": 1, "maximum": MOST_TERMS},
                    {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": MOST_TERMS}, "minItems": 1},
                ]
            },
        },
    )
    starts: int = Field(default=4, ge=1, le=1000, description="Random starts for each number of terms; all are judged.")
    method: Literal["automatic", "levenberg_marquardt", "als"] = Field(
        default=AUTOMATIC,
        description="Of the format cp; als: alternating least squares; automatic: Levenberg-Marquardt up to 1500 "
        "unknowns, else als.",
    )
    workers: WorkerCount = WORKERS

    @field_validator("terms", mode="plain")
    @classmethod
    def _numbers(cls, value: object) -> object:
        if value == AUTOMATIC and isinstance(value, str):
            return value
        given = list(value) if isinstance(value, (list, tuple)) else [value]
        if not given or any(type(n) is not int or not 1 <= n <= MOST_TERMS for n in given) or len(given) > 20:
            raise ValueError(f"must be automatic, or up to 20 numbers from 1 to {MOST_TERMS}, found {shown(value)}")
        return tuple(sorted({int(n) for n in given if isinstance(n, int)}))


assert set(FUNCTIONS) == {"inverse_sum"}  # those of ``FunctionModel``

FAMILY = Family(
    kind="decomposition",
    summary="arrays as trains, trees, Tucker tensors and sums of terms: ranks, numbers kept, errors with bounds",
    formula="x[i1, ..., id] ~ G1[i1] ... Gd[id], a tree of bases, core times factors, or sum_r U1[i1, r] ... Ud[id, r]",
    references=(
        "Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011): trains",
        "Grasedyck, SIAM J. Matrix Anal. Appl. 31, 2029 (2010): trees",
        "De Lathauwer, De Moor and Vandewalle, SIAM J. Matrix Anal. Appl. 21, 1253 (2000): Tucker",
        "De Silva and Lim, SIAM J. Matrix Anal. Appl. 30, 1084 (2008): sums without a best approximation",
        "Khrulkov, Novikov and Oseledets, ICLR 2018: trains that need exponentially many terms",
    ),
    typical="the product of 3 x 3 matrices (23 terms, 4 starts): 17 s, 200 MB; 3^8 entries of a random train: 1 s",
    problem=DecompositionProblem,
    solver=DecompositionSolver,
    package="problems.decomposition",
)
