"""What a run of kind ``embeddings`` returns; the report is made from this alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from problems.embeddings.judges import LEAST_PAIRS, Similarity
from problems.published import published, stored
from problems.report_parts import STANDARD, Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain

ROUNDING = 1e-12  # of the value of a decomposition, which has no other error
EXACT = "exact"  # the status of a decomposition
METHODS = {
    "newton": "alternating Newton",
    "riemannian": "Riemannian descent",
    "svd": "SVD of shifted positive PMI",
    "pmi": "SVD of positive PMI",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class MethodFit:
    """One method; values of the objective are a pair.

    ``value``: on what was fitted; ``remaining``: the increase still expected, absolute, NaN where nobody knows;
    ``text_error``: one standard deviation of ``value`` over texts drawn again; ``held_out`` with ``held_out_error``,
    one standard deviation over the blocks held out; ``difference`` to Newton there, with its paired error;
    ``stability``: mean share of neighbours that stay in a text drawn again, ``stability_error`` its deviation.
    """

    name: str
    value: float = published()
    remaining: float = published()
    text_error: float = published()
    held_out: float = published()
    held_out_error: float = published()
    difference: float = published()
    difference_error: float = published()
    stability: float = published()
    stability_error: float = published()
    steps: int = published()
    seconds: float = published()
    status: str = published()
    similarity: tuple[Similarity, ...] = published()
    singular_values: np.ndarray = published()
    path: np.ndarray

    @property
    def value_error(self) -> float:
        """Of ``value``, see ``value_error``."""
        return value_error(self.status, self.value, self.remaining, self.text_error)


@dataclass(frozen=True, eq=False, kw_only=True)
class Neighbour:
    """One of the neighbours of a word: its cosine, and the share of the texts drawn again in which it stays (NaN:
    none were drawn)."""

    word: str
    method: str
    place: int
    neighbour: str
    cosine: float
    stays: float


@dataclass(frozen=True, eq=False, kw_only=True)
class EmbeddingsResult(Result):
    """Vectors by each method, as the matrices X of rank d (two cores: words, contexts), and how good they are.

    ``bound``: the objective a pair of the best matrix of any rank; ``exact``: that known of planted counts, NaN
    elsewhere; ``words``, ``contexts``: names of rows and columns; ``pairs``: counts fitted; ``verdicts``: what the
    comparison says, in sentences.
    """

    newton: TensorTrain = stored("newton")
    riemannian: TensorTrain = stored("riemannian")
    svd: TensorTrain = stored("svd")
    pmi: TensorTrain = stored("pmi")
    fits: tuple[MethodFit, ...] = published(by="name", key="methods")
    bound: float = published(key="full_rank_bound")
    exact: float = published(key="known_maximum")
    words: tuple[str, ...]
    contexts: tuple[str, ...]
    pairs: float = published(key="sizes.pairs")
    held_out_pairs: float = published(key="sizes.held_out_pairs")
    vocabulary: int = published(key="sizes.words")
    context_words: int = published(key="sizes.contexts")
    text_words: int = published(key="sizes.words_of_text")
    rank: int = published(key="vector_size")
    neighbours: tuple[Neighbour, ...]
    verdicts: tuple[str, ...] = published()

    csv_file = "neighbours.csv"

    def fit(self, name: str) -> MethodFit:
        """The fit of a method."""
        return next(fit for fit in self.fits if fit.name == name)

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """The objective of the methods, fitted and held out; another seed sets aside other parts of the text.

        Not of a descent on its way: what it has reached after so many steps is no answer to be compared.
        """
        found_by = results["methods"]
        names = [n for n in METHODS if n in found_by and (n != "riemannian" or found_by[n]["status"] == "converged")]
        fits = [results["methods"][name] for name in names]

        def array(key: str) -> np.ndarray:
            return np.array([np.nan if fit[key] is None else fit[key] for fit in fits], dtype=float)

        columns = (array(key) for key in ("value", "remaining", "text_error"))
        bars = np.array([value_error(fit["status"], *row) for fit, *row in zip(fits, *columns)])
        drawn = bool(np.isfinite(array("text_error")).any())
        contents = ("sampling", "iteration") if drawn else ("iteration",)
        what = "objective a pair, fitted"
        found = [Quantity(what, "", "part", names, array("value"), bars, contents, (), STANDARD if drawn else 1.0)]
        held = array("held_out")
        if np.isfinite(held).all():
            what, errors = "objective a pair, held out", array("held_out_error")
            found.append(Quantity(what, "", "part", names, held, errors, ("sampling",), (), STANDARD))
        return found

    @classmethod
    def largest_ranks(cls, results: Results) -> list[int]:
        """One bond: the length of a vector."""
        return [int(results["vector_size"])]

    def columns(self) -> Columns:
        """Neighbours, the nearest first."""
        found: Columns = []
        for name in ("word", "method", "place", "neighbour"):
            found.append((name, [getattr(entry, name) for entry in self.neighbours]))
        for name in ("cosine", "stays"):
            values = [getattr(entry, name) for entry in self.neighbours]
            found.append((name, ["" if np.isnan(value) else repr(float(value)) for value in values]))
        return found

    def texts(self) -> Mapping[str, str]:
        """Vectors of the words as word2vec writes them: a line with both numbers, then a word and its vector a line."""
        return {f"vectors-{fit.name}.txt": self._vectors(fit.name) for fit in self.fits}

    def _vectors(self, name: str) -> str:
        vectors = getattr(self, name).cores[0][0]
        lines = [f"{len(self.words)} {vectors.shape[1]}"]
        lines += [f"{word} {' '.join(f'{x:.9g}' for x in row)}" for word, row in zip(self.words, vectors)]
        return "\n".join(lines) + "\n"


def value_error(status: str, value: float, remaining: float, text_error: float) -> float:
    """Error of the objective a pair: what the iteration still lacks, and where texts were drawn again one standard
    deviation over these, in quadrature. NaN of an iteration that did not converge: nobody knows what it lacks; a
    decomposition (status exact) lacks nothing but rounding."""
    lacking = ROUNDING * abs(value) if status == EXACT else remaining
    return math.hypot(lacking, 0.0 if math.isnan(text_error) else text_error)


def claimed(pairs: int) -> bool:
    """Whether a list of so many pairs says anything of two methods."""
    return pairs >= LEAST_PAIRS


RESULTS = (EmbeddingsResult,)
