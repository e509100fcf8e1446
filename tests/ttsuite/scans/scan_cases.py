"""Scans of made-up states: numerics that are told of every point, and what listens."""

import csv
import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import made_up

import problems.quantum.tasks.spectrum.figures
from solvers.solution import Status
from ttsuite import scan
from ttsuite.scans import scan_job

CONFIGS = Path(__file__).parents[3] / "configs"
scan_module = importlib.import_module("ttsuite.scans.scan")  # the function has its name
SCAN = """\
base:
  problem: {kind: vibrational, force_field: {model: henon_heiles, dimension: 4}}
  solver: {n_states: 3, accuracy: 1.0e-4}
grid:
  problem.force_field.dimension: [2, 3]
  solver.n_states: [3, 4]
"""


class Numerics:
    """Made-up states; ``ask`` is told of the problem and the number of states of every point that is computed."""

    def __init__(self, monkeypatch):
        self.asked = []
        self.ask = self.refuse = lambda problem, n_states: None
        self.status = Status.CONVERGED
        module = made_up.numerics(None)
        module.prepare, module.solve = self.prepare, self.solve
        monkeypatch.setitem(sys.modules, "problems.quantum.tasks.spectrum.solve", module)
        # figures take most of the time
        monkeypatch.setattr(problems.quantum.tasks.spectrum.figures, "figures", lambda *arguments: [])
        self.picture = scan_job.picture
        monkeypatch.setattr(scan_job, "picture", lambda outcomes: None)

    def prepare(self, problem, solver):
        self.refuse(problem, solver.n_states)
        return problem, solver

    def solve(self, prepared, **options):
        problem, n_states = prepared[0], prepared[1].n_states
        self.asked.append((problem.field.d, n_states))
        options["callback"](made_up.acetonitrile(n_states).history[0])
        self.ask(problem, n_states)
        return made_up.acetonitrile(n_states, self.status)


class Listener:
    def __init__(self, stop_after=None):
        self.kept, self.seen, self.stop_after = None, [], stop_after

    def started(self, plan, folder, kept):
        self.kept = kept

    def finished(self, outcome):
        self.seen.append((outcome.number, outcome.status))
        if len(self.seen) == self.stop_after:
            raise KeyboardInterrupt

    def ended(self):
        self.seen.append("ended")


def scanned(tmp_path, text=SCAN, **options):
    (tmp_path / "s.yaml").write_text(text)
    with ThreadPoolExecutor(1) as executor:
        return scan(tmp_path / "s.yaml", out=tmp_path / "out", executor=executor, **options)


def rows(folder):
    with (folder / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))
