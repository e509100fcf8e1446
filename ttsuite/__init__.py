"""Tensor-train solvers for high-dimensional problems, from a YAML file to a report.

Public names are imported when first used, so that importing this package costs next to nothing:

    from ttsuite import run, load
    report, states = load(run("configs/vibrational/coupled-oscillators-6.yaml").folder)
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ttsuite.version import __version__

if TYPE_CHECKING:
    from problems.problem import ProblemError as ProblemError
    from solvers.cross.als_cross import als_cross as als_cross
    from solvers.cross.cross import cross as cross
    from solvers.cross.cross import cross_of_trains as cross_of_trains
    from solvers.cross.parametric_system import ParametricSystem as ParametricSystem
    from solvers.dynamics.evolution import Evolution as Evolution
    from solvers.dynamics.evolve import evolve as evolve
    from solvers.eigen import eigsolve as eigsolve
    from solvers.eigen.configuration_interaction import ProductTerms as ProductTerms
    from solvers.linear.product import multiply as multiply
    from solvers.linear.solve import solve as solve
    from solvers.methods import ALS as ALS
    from solvers.methods import BUG as BUG
    from solvers.methods import DMRG as DMRG
    from solvers.methods import TDVP as TDVP
    from solvers.methods import ALSCross as ALSCross
    from solvers.methods import AMEn as AMEn
    from solvers.methods import BlockDMRG as BlockDMRG
    from solvers.methods import Completion as Completion
    from solvers.methods import ConjugateGradients as ConjugateGradients
    from solvers.methods import Cross as Cross
    from solvers.methods import Implicit as Implicit
    from solvers.methods import InverseIteration as InverseIteration
    from solvers.methods import TuckerCross as TuckerCross
    from solvers.riemannian.completion import complete as complete
    from solvers.riemannian.descent import minimise as minimise
    from solvers.riemannian.manifold import FixedRank as FixedRank
    from solvers.solution import Checked as Checked
    from solvers.solution import NotConverged as NotConverged
    from solvers.solution import Solution as Solution
    from solvers.solution import Status as Status
    from solvers.trains import TensorTrain as TensorTrain
    from solvers.trains import TTOperator as TTOperator
    from solvers.trains import dot as dot
    from solvers.trains import identity_operator as identity_operator
    from solvers.trains import kronecker_sum as kronecker_sum
    from solvers.trains import load_trains as load_trains
    from solvers.trains import ones as ones
    from solvers.trains import operator_tt_svd as operator_tt_svd
    from solvers.trains import quantics as quantics
    from solvers.trains import random_train as random_train
    from solvers.trains import rank_one as rank_one
    from solvers.trains import rank_one_operator as rank_one_operator
    from solvers.trains import save_trains as save_trains
    from solvers.trains import sum_of_products as sum_of_products
    from solvers.trains import tt_svd as tt_svd
    from solvers.trains import unit as unit
    from solvers.tucker import TuckerTensor as TuckerTensor
    from solvers.tucker import tucker_cross as tucker_cross
    from ttsuite.certificate import Certificate as Certificate
    from ttsuite.certify import CertifyError as CertifyError
    from ttsuite.certify import certify as certify
    from ttsuite.checkpoint import ResumeError as ResumeError
    from ttsuite.compare import Comparison as Comparison
    from ttsuite.compare import compare_runs as compare_runs
    from ttsuite.compare_page import write_comparison as write_comparison
    from ttsuite.config import ConfigError as ConfigError
    from ttsuite.config import Study as Study
    from ttsuite.config import load_study as load_study
    from ttsuite.config import make_study as make_study
    from ttsuite.describe import describe as describe
    from ttsuite.dry_run import dry_run as dry_run
    from ttsuite.index import index_runs as index_runs
    from ttsuite.report import figures_of as figures_of
    from ttsuite.report import plot_run as plot_run
    from ttsuite.report import remake_report as remake_report
    from ttsuite.resume import resume as resume
    from ttsuite.run import load as load
    from ttsuite.run import run as run
    from ttsuite.run import surrogate as surrogate
    from ttsuite.run import validate as validate
    from ttsuite.scan import scan as scan
    from ttsuite.scan_file import load_scan as load_scan
    from ttsuite.schema import schema as schema

# public name -> module that defines it
_PUBLIC = {
    "ALS": "solvers.methods",
    "ALSCross": "solvers.methods",
    "AMEn": "solvers.methods",
    "BUG": "solvers.methods",
    "BlockDMRG": "solvers.methods",
    "Certificate": "ttsuite.certificate",
    "CertifyError": "ttsuite.certify",
    "Checked": "solvers.solution",
    "Comparison": "ttsuite.compare",
    "Completion": "solvers.methods",
    "ConfigError": "ttsuite.config",
    "ConjugateGradients": "solvers.methods",
    "Cross": "solvers.methods",
    "DMRG": "solvers.methods",
    "Evolution": "solvers.dynamics.evolution",
    "FixedRank": "solvers.riemannian.manifold",
    "Implicit": "solvers.methods",
    "InverseIteration": "solvers.methods",
    "NotConverged": "solvers.solution",
    "ParametricSystem": "solvers.cross.parametric_system",
    "ProblemError": "problems.problem",
    "ProductTerms": "solvers.eigen.configuration_interaction",
    "ResumeError": "ttsuite.checkpoint",
    "Solution": "solvers.solution",
    "Status": "solvers.solution",
    "Study": "ttsuite.config",
    "TDVP": "solvers.methods",
    "TTOperator": "solvers.trains",
    "TensorTrain": "solvers.trains",
    "TuckerCross": "solvers.methods",
    "TuckerTensor": "solvers.tucker",
    "als_cross": "solvers.cross.als_cross",
    "certify": "ttsuite.certify",
    "compare_runs": "ttsuite.compare",
    "complete": "solvers.riemannian.completion",
    "cross": "solvers.cross.cross",
    "cross_of_trains": "solvers.cross.cross",
    "describe": "ttsuite.describe",
    "dot": "solvers.trains",
    "dry_run": "ttsuite.dry_run",
    "eigsolve": "solvers.eigen",
    "evolve": "solvers.dynamics.evolve",
    "figures_of": "ttsuite.report",
    "identity_operator": "solvers.trains",
    "index_runs": "ttsuite.index",
    "kronecker_sum": "solvers.trains",
    "load": "ttsuite.run",
    "load_scan": "ttsuite.scan_file",
    "load_study": "ttsuite.config",
    "load_trains": "solvers.trains",
    "make_study": "ttsuite.config",
    "minimise": "solvers.riemannian.descent",
    "multiply": "solvers.linear.product",
    "ones": "solvers.trains",
    "operator_tt_svd": "solvers.trains",
    "plot_run": "ttsuite.report",
    "quantics": "solvers.trains",
    "random_train": "solvers.trains",
    "rank_one": "solvers.trains",
    "rank_one_operator": "solvers.trains",
    "remake_report": "ttsuite.report",
    "resume": "ttsuite.resume",
    "run": "ttsuite.run",
    "save_trains": "solvers.trains",
    "scan": "ttsuite.scan",
    "schema": "ttsuite.schema",
    "solve": "solvers.linear.solve",
    "sum_of_products": "solvers.trains",
    "surrogate": "ttsuite.run",
    "tt_svd": "solvers.trains",
    "tucker_cross": "solvers.tucker",
    "unit": "solvers.trains",
    "validate": "ttsuite.run",
    "write_comparison": "ttsuite.compare_page",
}

__all__ = ["__version__", *_PUBLIC]


def check_floors() -> None:
    """Raise ImportError, in one clear line, where another folder shadows this suite's packages.

    ``solvers`` and ``problems`` are common names: a folder of that name in the directory a user works in is
    found first when Python is started with ``-m`` or ``-c``.
    """
    home = Path(__file__).resolve().parent.parent
    for name in ("solvers", "problems"):
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ImportError(f"the package {name!r} of ttsuite is missing: install ttsuite again")
        places = [Path(place).resolve() for place in spec.submodule_search_locations or [spec.origin or ""]]
        if home / name not in places:
            raise ImportError(
                f"{places[0]} shadows the package {name!r} of ttsuite: rename it or work in another folder"
            )


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ttsuite' has no attribute {name!r}")
    check_floors()
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Where a function and a submodule share a name, importing the submodule does not hide the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))
