"""Tensor-train solvers for high-dimensional problems, from a YAML file to a report.

Public names are imported when first used, so that importing this package costs next to nothing:

    from ttsuite import run, load
    report, states = load(run("configs/vibrational/coupled-oscillators-6.yaml").folder)
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from solvers.methods import Cross as Cross
    from solvers.methods import Implicit as Implicit
    from solvers.methods import InverseIteration as InverseIteration
    from solvers.solution import NotConverged as NotConverged
    from solvers.solution import Solution as Solution
    from solvers.solution import Status as Status
    from solvers.trains import TensorTrain as TensorTrain
    from solvers.trains import TTOperator as TTOperator
    from solvers.trains import dot as dot
    from solvers.trains import sum_of_products as sum_of_products
    from ttsuite.config import ConfigError as ConfigError
    from ttsuite.config import Study as Study
    from ttsuite.config import load_study as load_study
    from ttsuite.config import make_study as make_study
    from ttsuite.run import load as load
    from ttsuite.run import run as run
    from ttsuite.run import surrogate as surrogate
    from ttsuite.run import validate as validate

__version__ = "0.1.0"

# public name -> module that defines it
_PUBLIC = {
    "ALS": "solvers.methods",
    "ALSCross": "solvers.methods",
    "AMEn": "solvers.methods",
    "BUG": "solvers.methods",
    "BlockDMRG": "solvers.methods",
    "ConfigError": "ttsuite.config",
    "Cross": "solvers.methods",
    "DMRG": "solvers.methods",
    "Evolution": "solvers.dynamics.evolution",
    "Implicit": "solvers.methods",
    "InverseIteration": "solvers.methods",
    "NotConverged": "solvers.solution",
    "ParametricSystem": "solvers.cross.parametric_system",
    "ProblemError": "problems.problem",
    "ProductTerms": "solvers.eigen.configuration_interaction",
    "Solution": "solvers.solution",
    "Status": "solvers.solution",
    "Study": "ttsuite.config",
    "TDVP": "solvers.methods",
    "TTOperator": "solvers.trains",
    "TensorTrain": "solvers.trains",
    "als_cross": "solvers.cross.als_cross",
    "cross": "solvers.cross.cross",
    "cross_of_trains": "solvers.cross.cross",
    "dot": "solvers.trains",
    "eigsolve": "solvers.eigen",
    "evolve": "solvers.dynamics.evolve",
    "load": "ttsuite.run",
    "load_study": "ttsuite.config",
    "make_study": "ttsuite.config",
    "multiply": "solvers.linear.product",
    "run": "ttsuite.run",
    "solve": "solvers.linear.solve",
    "sum_of_products": "solvers.trains",
    "surrogate": "ttsuite.run",
    "validate": "ttsuite.run",
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


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))
