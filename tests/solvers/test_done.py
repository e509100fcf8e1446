"""A call that is repeated when it is done is answered from its file: the same result, and no step made again."""

import inspect
from functools import partial

import option_cases as cases
import pytest

from solvers import checkpoint, fit_methods, methods

CASES = {
    "solve": (cases.system, {}),
    "solve, without success": (cases.system, {"method": methods.AMEn(sweeps=1)}),
    "eigsolve": (partial(cases.levels, True), {"method": methods.InverseIteration(first_rank=4)}),
    "eigsolve, block DMRG": (cases.levels, {"method": methods.BlockDMRG()}),
    "cross": (cases.function, {"method": methods.Cross(whole=0)}),
    "extreme": (cases.extremes, {}),
    "extreme, of a train": (cases.extremes_of_a_train, {}),
    "als_cross": (cases.parameters, {}),
    "tucker_cross": (cases.tucker_function, {"method": methods.TuckerCross(whole=0)}),
    "evolve": (cases.motion, {"method": methods.TDVP(time_step=0.1)}),
    "gmres": (cases.given_system, {}),
    "lstsq": (cases.fitted, {}),
    "pinv": (cases.inverted, {}),
    "multiply": (cases.product, {}),
    "minimise": (cases.descent, {}),
    "complete": (cases.samples, {"method": fit_methods.Completion(max_rank=2)}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_done_is_answered_from_its_file(name, tmp_path, monkeypatch):
    cases.nothing_is_small(monkeypatch)
    monkeypatch.setattr(checkpoint, "QUIET", 1e-9)  # nothing is written after the first time, but for the end
    make, options = CASES[name]
    verb, arguments, keywords = make()
    assert "checkpoint" in inspect.signature(verb).parameters

    def called(told):
        file = tmp_path / "kept.npz"
        return verb(*arguments, **{**keywords, **options}, checkpoint=file, callback=told.append, throw=False)

    first, again = [], []
    whole, repeated = called(first), called(again)
    assert [state.label for state in again if state.finished] in ([], ["start"])
    assert len(first) > len(again) and repeated.status is whole.status
    assert cases.digest(repeated) == cases.digest(whole)
