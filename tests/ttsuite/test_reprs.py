"""Every object that a public function returns says in a few lines what it is, to a console and to a notebook."""

import inspect
import typing
from pathlib import Path

import made_up
import numpy as np
import pytest

import ttsuite
from problems.families import family, kinds
from problems.result import Result
from solvers.cards import Card
from ttsuite.pages import report as writer
from ttsuite.runs.job import Run

CONFIGS = Path(__file__).parents[2] / "configs"
MOST_LINES, MOST_CHARACTERS = 10, 1000
OURS = ("solvers", "problems", "ttsuite")
# of Python and the standard library, and pages that are texts
PLAIN = (str, Path, dict, list, tuple, int, float, complex, bool, type(None), np.ndarray, BaseException)


def functions():
    """The public functions, those of the quantics package too."""
    quantics = [getattr(ttsuite.quantics, name) for name in dir(ttsuite.quantics) if not name.startswith("_")]
    found = [getattr(ttsuite, name) for name in ttsuite.__all__]
    return [each for each in found + quantics if inspect.isfunction(each)]


def classes(annotation):
    """The classes in an annotation, through unions and containers."""
    inner = typing.get_args(annotation)
    if inner:
        return [each for part in inner for each in classes(part)]
    return [annotation] if inspect.isclass(annotation) else []


def returned(function):
    hints = {**vars(typing), **inspect.unwrap(function).__globals__}
    try:
        found = typing.get_type_hints(function, globalns=hints | NAMES)
    except NameError as error:
        raise AssertionError(f"{function.__qualname__}: {error}") from None
    return classes(found["return"])


def _names():
    """Names that annotations have for type checkers only."""
    from concurrent.futures import Executor

    from problems.parametric_pde.surrogate import Solution
    from problems.report_parts import Picture

    return {"Solution": Solution, "Picture": Picture, "Executor": Executor}


NAMES = _names()


def test_all_types_that_public_functions_return_are_cards():
    bare = set()
    for function in functions():
        hint = str(inspect.signature(function).return_annotation)
        if "Iterator" in hint or "ContextManager" in hint or "TypeVar" in hint:
            continue
        bare |= {
            f"{function.__name__}: {each.__name__}"
            for each in returned(function)
            if not issubclass(each, (Card, *PLAIN)) and each.__module__.split(".")[0] in OURS
        }
    assert bare == set()


def test_all_results_of_all_kinds_are_cards():
    assert issubclass(Result, Card)
    for kind in kinds():
        for result in family(kind).results:
            assert issubclass(result, Result) and result.__repr__ is Card.__repr__, result


def trains():
    rng = np.random.default_rng(3)
    long = ttsuite.random_train((2,) * 400, 9, rng=rng)
    levels = ttsuite.kronecker_sum([np.diag(np.arange(3.0) + 0.1 * k) for k in range(5)])
    yield from (long, ttsuite.identity_operator((3,) * 200), ttsuite.quantics.sine(20), ttsuite.quantics.laplacian(20))
    yield ttsuite.tt_svd(rng.standard_normal((2, 3, 4)))
    states = ttsuite.eigsolve(levels, 5, accuracy=1e-6)
    yield from (states, states.value, states.value.trains[0], states.history[-1])
    motion = ttsuite.evolve(levels, ttsuite.ones((3,) * 5), np.linspace(0.0, 0.1, 3))
    yield from (motion, motion.value, motion.history[-1])
    yield ttsuite.solve(levels + ttsuite.identity_operator((3,) * 5), ttsuite.ones((3,) * 5))
    yield ttsuite.solve(lambda x: x * 2.0, ttsuite.ones((3,) * 5))
    wide = ttsuite.rank_one_operator([np.eye(3, 4)] * 5)
    yield from (ttsuite.lstsq(wide, ttsuite.ones((3,) * 5)), ttsuite.pinv(wide), ttsuite.pinv(wide).value)
    yield ttsuite.multiply(levels, ttsuite.ones((3,) * 5))
    yield ttsuite.cross(lambda i: 1.0 / (1.0 + i.sum(axis=1)), (6,) * 4)
    product = ttsuite.TuckerTensor(np.ones((1, 1, 1)), tuple(np.arange(1.0, 13.0)[:, None] for _ in range(3)))
    tucker = ttsuite.tucker_cross(lambda x: 1.0 / (1.0 + x), [product])
    yield from (tucker, tucker.value)
    i = rng.integers(0, 8, (400, 3))
    method = ttsuite.Completion(max_rank=3)
    yield ttsuite.complete(i, 1.0 / (1.0 + i.sum(axis=1)), (8,) * 3, method=method, throw=False)
    line = ttsuite.regress(rng.random((99, 2)), rng.random(99), ttsuite.Polynomials(2), throw=False)
    yield from (
        line,
        line.value,
        line.history[-1],
        ttsuite.Polynomials(2),
        ttsuite.Functions(np.sin),
        ttsuite.Huber(1.0),
    )
    found = ttsuite.cp_decomposition(np.ones((3, 4, 2)) + np.eye(3, 4)[:, :, None], 2, throw=False)
    yield from (found, found.value, found.history[-1])
    tree = ttsuite.convert(product, "ht")
    yield from (tree, tree.value, ttsuite.generic_ranks("tt", (2,) * 8, 2), ttsuite.skeleton(np.eye(30), 4))
    yield from (ttsuite.pq_norm(np.ones((3, 2)) - np.eye(3, 2), *pair) for pair in ((2, 2), (3, 4)))
    corners = ttsuite.extreme(ttsuite.random_train((30,) * 40, 6, rng), prefixes=20)
    yield from (corners, corners.value, corners.history[-1])
    field = ttsuite.elliptic([5, 5])
    yield from (field, field.value, field.history[-1])
    yield ttsuite.elliptic([5, 5], domain=ttsuite.quantics.Ring(1.0, 2.0)).value
    yield from (ttsuite.quantics.Triangle([(0, 0), (1, 0), (0, 1)]), ttsuite.quantics.Mapped(lambda x: x))
    vectors = ttsuite.embed(rng.poisson(2.0, (30, 20)), 3, throw=False)
    yield from (vectors, vectors.value, vectors.history[-1])
    for name in (
        "AlternatingNewton",
        "CPALS",
        "CPLevenbergMarquardt",
        "DMRG",
        "GMRES",
        "AMEn",
        "TDVP",
        "Cross",
        "Completion",
        "Regression",
        "InverseIteration",
    ):
        yield getattr(ttsuite, name)()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run."""
    path = tmp_path_factory.mktemp("runs") / "run"
    return ttsuite.run(CONFIGS / "tiny" / "henon-heiles-4.yaml", out=path, overrides=["solver.n_states=3"])


def runs(run):
    study = ttsuite.validate(CONFIGS / "vibrational" / "acetonitrile.yaml")
    yield from (study, *ttsuite.load_study(CONFIGS / "wave_packet" / "ising-40.yaml"))
    yield ttsuite.dry_run(CONFIGS / "vibrational" / "coupled-oscillators-64.yaml")
    yield ttsuite.load_scan(CONFIGS / "scans" / "tiny" / "oscillators.yaml")
    result = made_up.acetonitrile()
    yield result
    report = {
        "name": "a",
        "status": "finished",
        "message": result.status.value,
        "headline": [("states", "84")],
        "results": result.results(),
        "warnings": result.warnings,
        "ranks": result.largest_ranks({"ranks": result.ranks}),
        "timing": {"compile_s": 1.0, "setup_s": 1.0, "solve_s": 9.0, "wall_s": 12.0},
        "peak_rss_mb": 200.0,
    }
    yield Run(Path("a"), report, result, writer)
    loaded = ttsuite.load(run.folder)
    yield from (run, run.result, loaded, loaded.result(), *loaded.trains, *loaded.figures())
    compared = ttsuite.compare_runs(run.folder, run.folder)
    yield from (compared, *compared.quantities)


@pytest.mark.parametrize("made", [trains, runs])
def test_what_is_returned_says_itself_in_a_few_lines(made, folder):
    for each in made(folder) if made is runs else made():
        text = repr(each)
        assert len(text) < MOST_CHARACTERS and len(text.splitlines()) <= MOST_LINES, text[:300]
        assert " at 0x" not in text, text
        if isinstance(each, Card):
            assert "<" in each._repr_html_()


def test_a_run_says_its_values_with_errors(folder):
    assert "agree" in repr(ttsuite.compare_runs(folder.folder, folder.folder))
    text = repr(ttsuite.load(folder.folder))
    assert "energies, state 0" in text and "(" in text.split("state 0")[1].splitlines()[0] and "time" in text


def test_a_surrogate_says_itself():
    from problems.parametric_pde.surrogate import Solution, Surrogate

    train = ttsuite.random_train((30, 4, 4, 4), 3, rng=np.random.default_rng(0))
    text = repr(Solution(train, "uniform"))
    assert "3, uniform" in text and "nodes" in text and "30" in text
    assert "4, uniform" in repr(Surrogate(train, "uniform"))
