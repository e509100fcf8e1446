"""Certificates: verdicts on values, routes taken once and gone on with, what the report of the run says of it."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import made_up
import numpy as np
import pytest

from problems.exact_levels import lowest_levels
from problems.families import family, kinds
from problems.report_parts import STANDARD, Quantity
from problems.route import NotReached, Route
from solvers.solution import Checked, Status
from ttsuite.actions.certificate import CONFIRMED, CONTRADICTED, LEFT_OUT, UNKNOWN, Certificate, RouteOutcome, judge
from ttsuite.actions.certify import CertifyError, certify, planned
from ttsuite.actions.run import run
from ttsuite.command.cli import main
from ttsuite.pages.compare import beside
from ttsuite.pages.report import remake_report

TEXT = """\
name: fake
problem:
  kind: vibrational
  force_field: {model: coupled_oscillators, dimension: 3, coupling: 0.1}
solver: {n_states: 3, accuracy: 1.0e-3, workers: 1}
"""
LEVELS = np.array([1.0, 2.0, 3.0])


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A finished run on made-up numerics, and a function that says what the routes will find."""
    state = SimpleNamespace(result=made_up.oscillators(LEVELS, 3), calls=0)
    module = made_up.numerics(state.result)

    def solve(*arguments, **options):
        state.calls += 1
        return state.result

    module.solve = solve
    monkeypatch.setitem(sys.modules, "problems.quantum.tasks.spectrum.solve", module)
    monkeypatch.setattr("ttsuite.pages.report.write_figures", lambda *arguments: [])
    effort = SimpleNamespace(effort=SimpleNamespace(seconds=1.0))
    monkeypatch.setattr(sys.modules["ttsuite.actions.certify"], "dry_run", lambda study: effort)
    routes = [
        Route("method", "another method", {"solver.method": "block_dmrg"}, other_seed=True),
        Route("direct", "by hand", direct=lambda problem, solver: state.direct),
    ]
    state.direct = {"energies": LEVELS, "error_estimates": np.zeros(3), "unit": "model units"}
    monkeypatch.setattr("problems.quantum.tasks.spectrum.certify.routes", lambda *arguments: routes)
    (tmp_path / "fake.yaml").write_text(TEXT)
    state.folder = run(tmp_path / "fake.yaml", out=tmp_path / "run").folder
    state.routes = routes
    state.calls = 0
    return state


def report_of(folder):
    return json.loads((folder / "report.json").read_text())


def test_a_run_is_confirmed_once_and_for_all(made, capsys):
    before = {path.name: path.read_bytes() for path in made.folder.iterdir() if path.is_file()}
    assert main(["certify", str(made.folder), "--workers", "1"]) == 0
    assert "confirmed by 2 other routes (method, direct)" in capsys.readouterr().out
    assert made.calls == 1
    study = (made.folder / "certify" / "method" / "configuration.yaml").read_text()
    assert "seed: 1" in study and "block_dmrg" in study and "name: fake-method" in study
    # nothing of the run is overwritten but its report, which gets more
    for name, content in before.items():
        assert name in ("report.json", "report.md", "report.html") or (made.folder / name).read_bytes() == content
    report = report_of(made.folder)
    assert report["converged"] and report["status"] == "finished" and report["certified"]["verdict"] == CONFIRMED
    assert [entry["passed"] for entry in report["checked"]] == [True, True]
    assert report["results"] == json.loads(before["report.json"])["results"]
    for name in ("report.md", "report.html"):
        text = (made.folder / name).read_text()
        assert "confirmed by 2 other routes" in text.lower() and "by hand" in text
    assert "| direct | by hand | confirmed |" in (made.folder / "certify.md").read_text()
    data = json.loads((made.folder / "certify.json").read_text())
    assert data["verdict"] == CONFIRMED and [r["verdict"] for r in data["routes"]] == [CONFIRMED, CONFIRMED]
    # once more: nothing is computed again, and nothing is listed twice
    assert certify(made.folder).verdict == CONFIRMED and made.calls == 1
    assert len(report_of(made.folder)["checked"]) == 2


def test_a_contradicted_run_is_not_converged_any_more(made, capsys):
    made.direct["energies"] = LEVELS + np.array([0.0, 0.5, 0.0])
    assert main(["certify", str(made.folder)]) == 4
    assert "contradicted by direct: do not trust these numbers" in capsys.readouterr().out
    report = report_of(made.folder)
    assert (
        not report["converged"]
        and report["status"] == "not_converged"
        and report["message"] == Status.CONTRADICTED.value
    )
    assert report["certified"]["before"]["converged"] is True
    (failed,) = [entry for entry in report["checked"] if not entry["passed"]]
    assert "state 1: differ by 0.5" in failed["result"] and "by hand" in failed["how"]
    page = (made.folder / "report.html").read_text()
    assert "contradicted" in page and "do not trust these numbers" in page
    # what was wrong with the judge is mended: the run is again what it said of itself
    made.direct["energies"] = LEVELS
    (made.folder / "certify" / "direct" / "report.json").unlink()
    assert main(["certify", str(made.folder)]) == 0
    report = report_of(made.folder)
    assert report["converged"] and report["status"] == "finished" and all(e["passed"] for e in report["checked"])


def test_a_route_without_an_answer_judges_nothing(made, capsys):
    made.result = replace(made.result, energies=LEVELS + 1.0, status=Status.STAGNATED)
    assert main(["certify", str(made.folder)]) == 3
    assert "not known: method came to no answer" in capsys.readouterr().out
    report = report_of(made.folder)
    assert report["converged"] and len(report["checked"]) == 1

    def lost(problem, solver):
        raise NotReached("too large")

    made.routes[1] = replace(made.routes[1], direct=lost)
    (made.folder / "certify" / "direct" / "report.json").unlink()
    found = certify(made.folder)
    assert [outcome.verdict for outcome in found.routes] == [UNKNOWN, UNKNOWN] and "too large" in str(found)


def test_routes_can_be_chosen_listed_and_refused(made, capsys):
    made.routes.append(Route("nothing", "refused", {"problem.basis.functions": [1, 1]}))
    assert main(["certify", str(made.folder), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "method: another method (about 1 s)" and "needs 3 numbers" in lines[2]
    assert not (made.folder / "certify").exists()
    assert [plan.study is None for plan in planned(made.folder)] == [False, False, True]
    assert main(["certify", str(made.folder), "--routes", "direct"]) == 0
    verdicts = {r["name"]: r["verdict"] for r in json.loads((made.folder / "certify.json").read_text())["routes"]}
    assert verdicts == {"method": LEFT_OUT, "direct": CONFIRMED, "nothing": LEFT_OUT}
    assert made.calls == 0
    assert main(["certify", str(made.folder), "--routes", "direct,other"]) == 2
    assert "no route to this run is called other (there are: method, direct, nothing)" in capsys.readouterr().err


def test_what_is_no_finished_run_is_refused(made, tmp_path, capsys):
    assert main(["certify", str(tmp_path / "no-run")]) == 2
    (made.folder / "report.json").write_text(json.dumps(report_of(made.folder) | {"status": "interrupted"}))
    assert main(["certify", str(made.folder)]) == 2
    err = capsys.readouterr().err.splitlines()
    assert "is no run folder" in err[0] and "holds no results to certify: the run is interrupted" in err[1]
    assert not (made.folder / "certify").exists()


def test_an_interrupted_route_is_gone_on_with(made, capsys):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    module = sys.modules["problems.quantum.tasks.spectrum.solve"]
    solve, module.solve = module.solve, stop
    assert main(["certify", str(made.folder)]) == 130
    assert "the same command goes on" in capsys.readouterr().err
    verdicts = {r["name"]: r["verdict"] for r in json.loads((made.folder / "certify.json").read_text())["routes"]}
    assert verdicts == {"method": UNKNOWN, "direct": LEFT_OUT}
    module.solve = solve
    assert main(["certify", str(made.folder)]) == 0 and made.calls == 1


def test_a_route_that_fails_or_asks_otherwise_is_taken_again(made):
    module = sys.modules["problems.quantum.tasks.spectrum.solve"]
    solve = module.solve

    def fail(*arguments, **options):
        raise IndexError("made up")

    module.solve = fail
    found = certify(made.folder)
    assert found.routes[0].verdict == UNKNOWN and "IndexError: made up" in found.routes[0].message
    module.solve = solve
    assert certify(made.folder).verdict == CONFIRMED and made.calls == 1
    made.routes[0] = replace(made.routes[0], changes={"solver.n_states": 3, "solver.accuracy": 1e-4})
    assert certify(made.folder).verdict == CONFIRMED and made.calls == 2


def test_one_certification_at_a_time(made):
    from ttsuite.runs.locks import locked

    (made.folder / "certify").mkdir()
    with locked(made.folder / "certify" / "certify.lock"), pytest.raises(CertifyError, match="by another process"):
        certify(made.folder)
    assert certify(made.folder).verdict == CONFIRMED


def test_a_failed_check_is_never_converged(made, tmp_path, capsys):
    """Whatever a kind says of itself, ``converged`` holds only where all that was checked has passed."""
    made.result = replace(made.result, checked=(Checked("energies", "by hand", "off by 3", False),))
    assert main(["run", str(tmp_path / "fake.yaml"), "--out", str(tmp_path / "other")]) == 3
    report = report_of(tmp_path / "other")
    assert (
        not report["converged"]
        and report["status"] == "not_converged"
        and report["message"] == Status.CONTRADICTED.value
    )
    assert Status.CONTRADICTED.value in capsys.readouterr().out
    assert "3, of which 3 reached" not in (tmp_path / "other" / "report.md").read_text()


def test_reports_of_earlier_versions_are_made_again(made):
    report = report_of(made.folder)
    del report["checked"]
    (made.folder / "report.json").write_text(json.dumps(report))
    assert "Checked" not in remake_report(made.folder).read_text()


def quantities(values, errors, other, other_errors):
    keys = list(range(len(values)))
    first = Quantity("x", "eV", "state", keys, np.array(values, dtype=float), np.array(errors, dtype=float))
    return [beside(first, Quantity("x", "eV", "state", keys, np.array(other, float), np.array(other_errors, float)))]


def test_values_are_judged_by_both_errors_and_the_accuracy():
    ones, tiny = [1.0, 2.0, 3.0], [1e-6, 1e-6, 1e-6]

    def verdict(other, accuracy, errors=tiny):
        return judge(quantities(ones, tiny, other, errors), lambda q: accuracy)

    assert verdict([1.0, 2.0, 3.0 + 1.9e-6], 0.0)[0] == CONFIRMED
    found, message, (judged,) = verdict([1.0, 2.0 + 5e-6, 3.0], 1e-5)
    assert found == CONFIRMED and judged.understated == 1 and "1 of them by more than the stated errors" in message
    found, message, (judged,) = verdict([1.0, 2.0 + 5e-5, 3.0], 1e-5)
    assert (found, judged.contradicted, judged.at) == (
        CONTRADICTED,
        1,
        "state 1",
    ) and "differ by 5.0e-5 eV, allowed 1.2e-5 eV" in message
    assert judged.allowed == pytest.approx(1.2e-5) and judged.difference == pytest.approx(5e-5)
    # an accuracy a value; a number that one alone knows; errors that are not known
    assert verdict([1.0, 2.0 + 5e-5, 3.0], np.array([0.0, 1e-3, 0.0]))[0] == CONFIRMED
    assert verdict([1.0, np.nan, 3.0], 1e-5)[0] == CONTRADICTED
    assert verdict([9.0, 9.0, 9.0], 1e-5, [np.nan] * 3)[0] == UNKNOWN
    assert verdict([9.0, 2.0, 3.0], 1e-5, [np.nan, 1e-6, 1e-6])[0] == CONFIRMED


def test_sampled_values_are_judged_by_three_deviations_of_both_and_the_accuracy():
    def verdict(other, accuracy):
        values = (np.array([value]) for value in (0.5, other))
        first, second = (Quantity("s", "", "part", ["a"], v, np.array([0.03]), coverage=STANDARD) for v in values)
        return judge([beside(first, second)], lambda q: accuracy)

    found, message, (judged,) = verdict(0.62, 0.0)
    assert found == CONFIRMED and judged.allowed == pytest.approx(3.0 * 0.03 * 2.0**0.5)
    assert message.endswith("allowed 0.13 (3 standard deviations)")
    found, message, (judged,) = verdict(0.64, 0.02)
    assert found == CONFIRMED and judged.understated == 1
    assert message.endswith("allowed 0.15 (3 standard deviations and the accuracy)")
    assert verdict(0.66, 0.02)[0] == CONTRADICTED


def test_the_verdict_over_all_routes():
    def of(*verdicts, interrupted=False):
        routes = tuple(RouteOutcome(v, "", v, "") for v in verdicts)
        return Certificate("run", routes, interrupted).verdict

    assert of() == UNKNOWN and of(LEFT_OUT) == UNKNOWN
    assert of(CONFIRMED, LEFT_OUT) == CONFIRMED and of(CONFIRMED, UNKNOWN) == UNKNOWN
    assert of(CONFIRMED, UNKNOWN, CONTRADICTED) == CONTRADICTED
    assert of(CONFIRMED, interrupted=True) == UNKNOWN and of(CONTRADICTED, interrupted=True) == CONTRADICTED


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_other_routes(kind):
    part = family(kind).routes
    assert callable(part.routes) and callable(part.allowed)


def random_terms(rng, shape, diagonal, kind=float):
    terms = []
    for _ in range(6):
        modes = rng.choice(len(shape), size=int(rng.integers(1, len(shape) + 1)), replace=False)
        matrices = {}
        for k in modes:
            m = rng.standard_normal((shape[k], shape[k]))
            m = m + 1j * rng.standard_normal(m.shape) if kind is complex else m
            matrices[int(k)] = np.diag(np.diag(m).real) if diagonal else m + m.conj().T
        terms.append((float(rng.standard_normal()), matrices))
    return terms


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("diagonal", [False, True])
def test_exact_levels_are_those_of_the_full_matrix(kind, diagonal):
    """Degenerate and diagonal ones too, by dense diagonalisation and by Lanczos."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        shape = [3, 4, 2, 3][: 3 + seed % 2]
        terms = random_terms(rng, shape, diagonal, kind)
        if seed == 3:  # a mode that nothing acts on: every level twice
            terms = [(c, {k: m for k, m in ms.items() if k != 2} or {0: np.eye(3)}) for c, ms in terms]
        matrix = 0.0
        for c, matrices in terms:
            full = np.ones((1, 1))
            for k, n in enumerate(shape):
                full = np.kron(full, matrices.get(k, np.eye(n)))
            matrix = matrix + c * full
        true = np.linalg.eigvalsh(matrix)[:5]
        for dense in (1000, 0):
            energies, errors = lowest_levels(shape, terms, 5, dense=dense)
            assert np.all(np.abs(energies - true) <= errors + 1e-12) and errors.max() < 1e-8
