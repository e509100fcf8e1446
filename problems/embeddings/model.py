"""The YAML keys of kind ``embeddings``: words as vectors, from a text or from counts of pairs.

    maximise sum_ij [A_ij log sigma(X_ij) + B_ij log sigma(-X_ij)] over matrices X of rank vector_size

The fields below are the keys, with the names that the field gives them; their descriptions are what
``ttsuite describe embeddings`` prints. No numerics are imported here: texts are read and counted by numpy alone.
"""

from __future__ import annotations

import codecs
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, ValidationInfo, field_validator, model_validator

from problems.contract import Family
from problems.embeddings.counts import Counts, read_counts
from problems.embeddings.text import Corpus, corpus, similarities, tokens
from problems.errors import ProblemError
from problems.keys import WORKERS, Keys, ProblemKeys, SolverKeys, WorkerCount, located, shown
from problems.tables import raise_all

LEAST_BLOCKS = 10  # of a text, some of which are held out and all of which are drawn again
MOST_WORDS = 20_000  # of a vocabulary, of which every pair has an entry


class PlantedCounts(Keys):
    """Counts whose maximum is known: A = B exp(X) with X a sum of products of sines of rank ``rank``."""

    shape: tuple[int, int] = Field(description="Words and contexts.", json_schema_extra={"values": "two numbers"})
    rank: int = Field(ge=1, le=50, description="Of the maximum.")
    amplitude: float = Field(gt=0, le=10, description="Of the first term of X; the k-th has a k-th of it.")
    alpha: float = Field(gt=0, le=10, description="Frequency of the first term.")
    total: float = Field(default=1e5, gt=0, le=1e12, description="Negative samples, all together.")

    @field_validator("shape", mode="plain")
    @classmethod
    def _sizes(cls, value: object) -> tuple[int, int]:
        if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(type(n) is int for n in value):
            raise ValueError(f"must be two whole numbers, found {shown(value)}")
        if not all(2 <= n <= MOST_WORDS for n in value):
            raise ValueError(f"must be two numbers from 2 to {MOST_WORDS}, found {shown(value)}")
        return (value[0], value[1])


def _texts(value: object) -> tuple[str, ...]:
    """One name or a list of them, as a tuple."""
    listed = (value,) if isinstance(value, str) else value
    if (
        not isinstance(listed, (list, tuple))
        or not listed
        or not all(isinstance(name, str) and name for name in listed)
    ):
        raise ValueError(f"must be the name of a file or a list of them, found {shown(value)}")
    return tuple(str(name) for name in listed)


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"must be a list of words, found {shown(value)}")
    return tuple(value)


def _which_counts(value: object) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    return "(planted)" if isinstance(value, (dict, PlantedCounts)) else "(file)"


CountsKey = Annotated[
    Annotated[PlantedCounts, Tag("(planted)")] | Annotated[str, Tag("(file)")], Discriminator(_which_counts)
]
Names = Annotated[tuple[str, ...], PlainValidator(_texts)]
Words = Annotated[tuple[str, ...], PlainValidator(_words)]
FILES: dict[str, Any] = {
    "values": "a path or a list of paths",
    "schema": {
        "anyOf": [{"type": "null"}, {"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
    },
}
LIST: dict[str, Any] = {"values": "a list of words", "schema": {"type": "array", "items": {"type": "string"}}}


class EmbeddingsProblem(ProblemKeys):
    """Words as vectors."""

    kind: Literal["embeddings"] = Field(description="The kind of problem.")
    text: Names | None = Field(
        default=None, description="Files of text, paths relative to the YAML file.", json_schema_extra=FILES
    )
    counts: CountsKey | None = Field(
        default=None,
        description="In the place of a text: a CSV file with the columns word,context,count, a matrix written by "
        "scipy.sparse.save_npz, or planted counts whose maximum is known.",
        json_schema_extra={"values": "a path ending in .csv or .npz, or {shape: [...], rank: ..., ...}"},
    )
    encoding: str = Field(default="utf-8", description="Of all files.")
    lowercase: bool = Field(default=True, description="Whether capitals are no difference.")
    window: int = Field(default=5, ge=1, le=100, description="Words to either side that a word is seen with.")
    min_count: int = Field(default=5, ge=1, description="How often a word must be there to have a vector.")
    sample: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Subsampling: a word of frequency f is kept with probability (sample / f)^(1/2) + sample / f, the "
        "rest dropped before windows are taken; 0: none.",
    )
    negative: float = Field(default=5.0, gt=0, le=1000, description="Negative samples a pair.")
    ns_exponent: float = Field(
        default=1.0, ge=0, le=2, description="Power of the frequency by which negative samples are drawn."
    )
    held_out: float = Field(default=0.1, gt=0, le=0.5, description="Share of the text, or of the counts, set aside.")
    block: int = Field(
        default=1000, ge=2, description="Words of a block of text; blocks are set aside and drawn again as a whole."
    )
    similarity: Names | None = Field(
        default=None,
        description="CSV files with the columns word1,word2,score, to correlate cosines with.",
        json_schema_extra=FILES,
    )
    queries: Words = Field(
        default=(), description="Words whose neighbours are shown; none: the most frequent.", json_schema_extra=LIST
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except (LookupError, ValueError):
            raise ValueError(f"must be an encoding such as utf-8 or latin-1, found {shown(value)}") from None
        return value

    @field_validator("text", "similarity")
    @classmethod
    def _located(cls, value: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if value is None:
            return None
        key = f"problem.{info.field_name}"
        found = tuple(str(located(name, Path((info.context or {}).get("directory", ".")), key)) for name in value)
        names = [Path(path).name for path in found]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ProblemError(f"{twice} is named twice: a run keeps its files by name", key)
        return found

    @field_validator("counts")
    @classmethod
    def _counted(cls, value: str | PlantedCounts | None, info: ValidationInfo) -> str | PlantedCounts | None:
        if not isinstance(value, str):
            return value
        if not value.lower().endswith((".csv", ".npz")):
            raise ProblemError(
                f"must be a file whose name ends in .csv or .npz, found {shown(value)}", "problem.counts"
            )
        return str(located(value, Path((info.context or {}).get("directory", ".")), "problem.counts"))

    @model_validator(mode="after")
    def _readable(self) -> EmbeddingsProblem:
        if (self.text is None) == (self.counts is None):
            raise ProblemError("give one of text and counts", "problem.text" if self.text else "problem")
        texts = [partial(tokens, Path(name), self.encoding, self.lowercase, "problem.text") for name in self.text or ()]
        lists = [
            partial(similarities, Path(name), self.encoding, self.lowercase, "problem.similarity")
            for name in self.similarity or ()
        ]
        counts = [partial(read_counts, Path(self.counts), self.encoding)] if isinstance(self.counts, str) else []
        raise_all([*texts, *lists, *counts])
        return self

    @property
    def planted(self) -> PlantedCounts | None:
        """The counts whose maximum is known, or None."""
        return self.counts if isinstance(self.counts, PlantedCounts) else None

    @property
    def read(self) -> Corpus | Counts:
        """The text, or the counts of a file."""
        if self.text is not None:
            paths = tuple(Path(name) for name in self.text)
            keys = ("problem.text",) * len(paths)
            return corpus(paths, self.encoding, self.lowercase, self.min_count, self.block, keys)
        assert isinstance(self.counts, str)
        return read_counts(Path(self.counts), self.encoding)

    @property
    def shape(self) -> tuple[int, int]:
        """Words and contexts."""
        if self.planted is not None:
            return self.planted.shape
        read = self.read
        return (len(read.words), len(read.contexts if isinstance(read, Counts) else read.words))

    @property
    def divisible(self) -> bool:
        """Whether something can be set aside and drawn again: a text, or counts that are whole numbers."""
        return self.planted is None and (self.text is not None or (isinstance(self.read, Counts) and self.read.whole))

    @property
    def files(self) -> dict[str, Path]:
        """Key -> file a run must keep beside its configuration so that it can be repeated."""
        found = {f"text.{i}": Path(name) for i, name in enumerate(self.text or ())}
        found |= {f"similarity.{i}": Path(name) for i, name in enumerate(self.similarity or ())}
        return found | ({"counts": Path(self.counts)} if isinstance(self.counts, str) else {})


class EmbeddingsSolver(SolverKeys):
    """How the vectors are found: by three methods, side by side."""

    vector_size: int = Field(default=50, ge=1, le=1000, description="Length of a vector, the rank of X.")
    ridge: float = Field(default=1.0, ge=0, description="What a singular value of X costs the Newton steps, in counts.")
    accuracy: float = Field(
        default=1e-4,
        gt=0,
        lt=1,
        description="Increase of the objective still expected at which Newton stops, relative.",
    )
    max_sweeps: int = Field(default=40, ge=1, description="Most sweeps of Newton steps.")
    riemannian_steps: int = Field(default=30, ge=1, description="Most steps of descent on matrices of fixed rank.")
    start: Literal["svd", "random"] = Field(default="svd", description="Where Newton and the descent begin.")
    bootstraps: int = Field(
        default=3, ge=0, le=100, description="Texts of blocks drawn again, to see which neighbours stay; 0: none."
    )
    neighbours: int = Field(default=10, ge=1, le=100, description="Neighbours of a word that are looked at.")
    workers: WorkerCount = WORKERS


def complete(problem: EmbeddingsProblem, solver: EmbeddingsSolver) -> EmbeddingsSolver:
    """The settings as they are; ProblemError where text and vectors do not go together."""
    n, m = problem.shape
    where = "problem.min_count" if problem.text is not None else "problem.counts"
    if min(n, m) < 2:
        words = "no word is" if n == 0 else "one word is"
        message = f"{words} there {problem.min_count} times: two are the least; give more text or a smaller min_count"
        raise ProblemError(message, where)
    if max(n, m) > MOST_WORDS:
        raise ProblemError(f"{max(n, m)} words, more than {MOST_WORDS}: a larger min_count leaves fewer", where)
    if solver.vector_size > min(n, m):
        message = f"at most {min(n, m)}, the number of words or contexts, found {solver.vector_size}"
        raise ProblemError(message, "solver.vector_size")
    if isinstance(read := None if problem.planted else problem.read, Corpus) and read.n_blocks < LEAST_BLOCKS:
        message = f"the text has {read.n_blocks} blocks of {problem.block} words, fewer than {LEAST_BLOCKS}: "
        raise ProblemError(message + f"give at most {max(2, len(read.ids) // LEAST_BLOCKS)}", "problem.block")
    known = set(() if problem.planted or read is None else read.words)
    missing = [word for word in problem.queries if (word.lower() if problem.lowercase else word) not in known]
    if missing:
        message = f"no vector for {', '.join(missing[:5])}: not in the text, or less often than min_count"
        raise ProblemError(message, "problem.queries")
    return solver


FAMILY = Family(
    kind="embeddings",
    summary="words as vectors: skip-gram embeddings beside the decomposition of mutual information",
    formula="maximise Σ A_ij log σ(X_ij) + B_ij log σ(−X_ij) over matrices X of rank d",
    references=(
        "Levy and Goldberg, NIPS 27 (2014): the objective as a matrix problem, and its full-rank maximum",
        "Fonarev, Hrinchuk, Gusev, Serdyukov and Oseledets, ACL 2017, doi:10.18653/v1/P17-1185: the Riemannian step",
    ),
    typical="790,000 words, vocabulary 1,430, vectors of 50, three texts drawn again: 90 s, 0.9 GB",
    problem=EmbeddingsProblem,
    solver=EmbeddingsSolver,
    complete=complete,
    package="problems.embeddings",
)
