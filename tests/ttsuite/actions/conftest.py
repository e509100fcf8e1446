"""A run with a fault in it, and a route of ``certify`` over it."""

import pytest

from ttsuite.actions.certify import certify
from ttsuite.actions.run import run
from ttsuite.study.config import make_study


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """A function that runs a study, then takes a route; it returns the route's outcome and the run's first report."""
    monkeypatch.setattr("ttsuite.pages.report.write_figures", lambda *arguments: [])

    def of(route, problem, before=lambda: None, **solver):
        study = make_study({"name": "faulty", "problem": problem, "solver": solver | {"workers": 1}})
        done = run(study, out=tmp_path / "run")
        before()
        found = certify(done.folder, routes=[route], workers=1)
        (outcome,) = [outcome for outcome in found.routes if outcome.name == route]
        return outcome, done.report

    return of
