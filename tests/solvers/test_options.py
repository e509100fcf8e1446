"""Every option of the public methods is read, by more than its own validation, and changes something."""

import dataclasses
import sys
from functools import cache, partial

import option_cases as cases
import pytest

from solvers import fit_methods, method_base, methods
from solvers.formats.cp import methods as cp_methods

ITERATIVELY = methods.LocalSolver(dense_size=0)
DENSELY = methods.LocalSolver(dense_size=2000)  # two sites are never small
CHECKS = (methods.__file__, fit_methods.__file__, cp_methods.__file__, method_base.__file__, dataclasses.__file__)
# of every method: a problem, the options to begin with, and for each option another value, which must be noticed in the
# result, its counts or its history
CASES = {
    methods.BlockDMRG: (
        cases.levels,
        methods.BlockDMRG(tol=1e-6, model=2),
        {"tol": 1e-1, "max_rank": 4, "sweeps": 1, "steps": 1, "model": 150},
    ),
    methods.InverseIteration: (
        partial(cases.levels, True),
        methods.InverseIteration(first_rank=3),
        {
            "max_rank": 3,
            "first_rank": 28,
            "growth": 3.0,
            "expansion": 0.9,
            "max_passes": 1,
            "local_steps": 2,
            "local_tolerance": 1e-6,
            "local_block": 1,
            "shift": 0.4,
            "window": 0.01,
            "configurations": 80,
            "probes": 0,
        },
    ),
    methods.ALS: (cases.system, methods.ALS(rank=2), {"rank": 4, "sweeps": 1, "local": ITERATIVELY}),
    methods.DMRG: (cases.system, methods.DMRG(), {"max_rank": 2, "sweeps": 1, "local": DENSELY}),
    methods.AMEn: (cases.system, methods.AMEn(), {"enrichment": 1, "max_rank": 2, "sweeps": 1, "local": ITERATIVELY}),
    methods.LocalSolver: (
        cases.system,
        methods.LocalSolver(dense_size=0, side="left"),
        {"dense_size": 100, "steps": 1, "side": "right"},
    ),
    methods.GMRES: (cases.given_system, methods.GMRES(restart=3), {"restart": 20, "cycles": 1, "max_rank": 3}),
    methods.Cross: (
        cases.function_with_noise,
        methods.Cross(whole=0),
        {"max_rank": 2, "sweeps": 1, "max_evaluations": 1000, "check_points": 50, "whole": 400_000, "patience": 1},
    ),
    methods.ALSCross: (
        cases.parameters,
        methods.ALSCross(max_rank=1),
        {"max_solves": 2, "max_rank": 300, "sweeps": 1, "candidates": 10},
    ),
    methods.TuckerCross: (
        cases.tucker_function,
        methods.TuckerCross(whole=0),
        {"max_rank": 3, "passes": 1, "whole": 300_000},
    ),
    methods.TDVP: (
        cases.motion,
        methods.TDVP(sites=2, time_step=0.1),
        {"sites": 1, "order": 1, "time_step": 0.05, "max_rank": 3, "tol": 1e-2, "krylov_dimension": 3},
    ),
    methods.BUG: (cases.motion, methods.BUG(time_step=0.1), {"time_step": 0.05, "max_rank": 3, "tol": 1e-2}),
    methods.Implicit: (
        cases.motion,
        methods.Implicit(time_step=0.1),
        {"time_step": 0.05, "degree": 2, "max_rank": 3, "tol": 1e-2},
    ),
    fit_methods.Completion: (
        cases.samples,
        fit_methods.Completion(max_rank=2),
        {
            "max_rank": 1,
            "validation": 0.3,
            "starts": 0,
            "descent": fit_methods.ConjugateGradients(steps=2),
            "loss": "huber",
            "effects": True,
            "ridge": 0.5,
        },
    ),
    fit_methods.Regression: (
        cases.scattered,
        fit_methods.Regression(max_rank=2),
        {"max_rank": 1, "validation": 0.3, "ridge": 0.1, "sweeps": 1, "starts": 0, "loss": "huber"},
    ),
    cp_methods.CPALS: (
        cases.array_of_terms,
        cp_methods.CPALS(starts=2, sweeps=60),
        {"starts": 1, "sweeps": 10, "weight": 1.0},
    ),
    cp_methods.CPLevenbergMarquardt: (
        cases.array_of_terms,
        cp_methods.CPLevenbergMarquardt(starts=2, steps=60),
        {"starts": 1, "steps": 5, "ridge": 0.1},
    ),
    fit_methods.AlternatingNewton: (cases.pairs, fit_methods.AlternatingNewton(), {"sweeps": 1, "ridge": 0.1}),
    fit_methods.ShiftedPMI: (cases.pairs, fit_methods.ShiftedPMI(), {"shift": 0.0}),
    fit_methods.ConjugateGradients: (
        partial(cases.descent, 1e-16),
        fit_methods.ConjugateGradients(),
        {"steps": 1, "first_step": 1e-3, "conjugate": False, "slope": 0.9, "corrections": 0, "noise": 1e-3},
    ),
}


def asked(kind, method):
    """What a call with this method says, to the last digit."""
    verb, arguments, keywords = CASES[kind][0]()
    if isinstance(method, methods.LocalSolver):
        own = (methods.AMEn(local=method), methods.DMRG(local=method), methods.ALS(local=method))
    else:
        own = (method,)
    return [cases.digest(verb(*arguments, **keywords, method=one, throw=False)) for one in own]


@cache
def at_first(kind):
    return asked(kind, CASES[kind][1])


def recorded(method):
    """A method that notes which of its fields are read outside of its own checks."""
    kind = type(method)
    read: set[str] = set()
    names = {field.name for field in dataclasses.fields(kind)}

    def note(self, name):
        if name in names and sys._getframe(1).f_code.co_filename not in CHECKS:
            read.add(name)
        return object.__getattribute__(self, name)

    options = {name: getattr(method, name) for name in names}
    return type(kind.__name__, (kind,), {"__getattribute__": note})(**options), read


def test_every_option_of_every_method_is_looked_at():
    named = [one for module in (methods, fit_methods, cp_methods) for one in vars(module).values()]
    every = {kind for kind in named if isinstance(kind, type) and dataclasses.is_dataclass(kind)}
    assert set(CASES) == every
    for kind, (_, first, others) in CASES.items():
        assert list(others) == [field.name for field in dataclasses.fields(kind)]
        assert all(getattr(first, name) != value for name, value in others.items())


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_every_option_is_read_and_the_same_options_say_the_same(kind, monkeypatch):
    """The same to the last digit, so that a difference is the option's."""
    cases.nothing_is_small(monkeypatch)
    method, read = recorded(CASES[kind][1])
    assert asked(kind, method) == at_first(kind)
    assert read == {field.name for field in dataclasses.fields(kind)}


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, case in CASES.items() for name in case[2]],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_every_option_changes_something(kind, name, monkeypatch):
    cases.nothing_is_small(monkeypatch)
    _, first, others = CASES[kind]
    assert asked(kind, dataclasses.replace(first, **{name: others[name]})) != at_first(kind)
