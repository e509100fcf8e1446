"""The public names: every one is there, says what it does, and the constructors stand in the guide."""

import importlib
import tomllib
from pathlib import Path

import numpy as np
import pytest

import ttsuite
from ttsuite.lazy import public_names
from ttsuite.version import __version__

ROOT = Path(__file__).parents[2]
CONSTRUCTORS = [
    "tt_svd",
    "ones",
    "unit",
    "random_train",
    "rank_one",
    "rank_one_operator",
    "operator_tt_svd",
    "kronecker_sum",
    "identity_operator",
    "save_trains",
    "load_trains",
]


@pytest.mark.parametrize("name", [name for name in ttsuite.__all__ if name != "__version__"])
def test_every_public_name_is_there_and_documented(name):
    found = getattr(ttsuite, name)
    assert (found.__doc__ or "").strip(), name


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_the_constructors_are_public_and_in_the_guide(name):
    assert name in ttsuite.__all__
    for page in ("README.md", "docs/python.md"):
        assert f"`{name}`" in (ROOT / page).read_text(encoding="utf-8"), page


def test_trains_are_made_added_and_kept(tmp_path):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((2, 3, 2))
    x = ttsuite.tt_svd(a, tol=1e-14)
    ttsuite.save_trains(tmp_path / "x.npz", {"x": x, "one": ttsuite.ones((2, 3, 2))})
    kept = ttsuite.load_trains(tmp_path / "x.npz")
    np.testing.assert_allclose(kept["x"].full(), a, atol=1e-12)
    assert ttsuite.dot(kept["one"], x) == pytest.approx(a.sum())
    np.testing.assert_allclose((ttsuite.identity_operator((2, 3, 2)) @ x).full(), a, atol=1e-12)
    assert ttsuite.unit((2, 3, 2), (1, 2, 0)).full()[1, 2, 0] == 1.0


def test_completion_offers_the_public_names_and_nothing_else():
    assert dir(ttsuite) == sorted(ttsuite.__all__)
    assert {"eigsolve", "run", "__version__"} <= set(dir(ttsuite)) and not {"sys", "Path", "floors"} & set(dir(ttsuite))


def test_public_names_are_those_that_a_stub_passes_on_under_their_own_name(tmp_path):
    stub = tmp_path / "__init__.pyi"
    lines = ["from typing import Any", "from a.b import c as c", "from a import d as e, f as f", "x: int"]
    stub.write_text("\n".join(lines))
    assert public_names(stub) == {"c": "a.b", "f": "a"}


def test_a_submodule_does_not_hide_the_function_of_its_name():
    module = importlib.import_module("ttsuite.actions.certify")
    assert ttsuite.certify is module.certify


@pytest.mark.parametrize("floor", ["solvers", "problems", "ttsuite"])
def test_type_checkers_are_told_that_the_packages_are_typed(floor):
    assert (ROOT / floor / "py.typed").exists()


def test_the_version_stands_in_one_place():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in settings["project"] and settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ttsuite.version.__version__"}
    assert ttsuite.__version__ == __version__
