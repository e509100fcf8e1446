"""A run, from a configuration to a complete run folder (ttsuite.runs.job), and reading it back."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from ttsuite.pages import report as report_writer
from ttsuite.pages.loaded_run import LoadedRun
from ttsuite.runs.job import Run, compute
from ttsuite.runs.layout import STATES_FILE
from ttsuite.runs.listener import Listener
from ttsuite.runs.record import Record
from ttsuite.runs.run_folder import read_report
from ttsuite.study.config import Source, Study, load_study
from ttsuite.study.yaml_file import Document

if TYPE_CHECKING:
    from problems.parametric_pde.surrogate import Solution


def run(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    overrides: Iterable[str] = (),
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> Run:
    """Compute a study, given as a YAML file or a Study, and write its run folder.

    Parameters
    ----------
    study : path of a YAML file, or a Study from ``load_study`` or ``make_study``.
    out : the run folder; by default ``results/runs/<name>-<time>`` below the current directory.
    overrides : texts ``key.path=value``, for a file only.
    executor : takes the solver's independent tasks in place of ``solver.workers`` processes, for example on a cluster
        (``ttsuite.workers.executors.cluster``); it is left open.
    listener : told of every pass.

    Raises ConfigError for bad input and RecordError for an unusable ``out``, both before anything is
    written, and RunFailed for an unexpected failure or a full disk. An interrupt is no exception: the first one
    (SIGINT or SIGTERM, in the main thread) ends the run after its present step, the second at once, both with
    status ``interrupted``. A script that uses more than one worker needs the ``if __name__ == "__main__":`` guard.
    """
    if isinstance(study, Study):
        if list(overrides):
            raise ValueError("overrides apply to a file, not to a Study")
        source = Source(Document(), None)
    else:
        study, source = load_study(study, overrides)
    return compute(
        study,
        source,
        executor=executor,
        listener=listener,
        place=lambda name, started: Record.create(name, started, out),
        writer=report_writer,
    )


def validate(file: str | Path, overrides: Iterable[str] = ()) -> Study:
    """Check a configuration without computing anything. Raises ConfigError with everything wrong in it."""
    return load_study(file, overrides)[0]


def load(folder: str | Path) -> LoadedRun:
    """What a run folder holds: ``report, trains = load(folder)``, and ``load(folder).figures()``.

    ``report``: the dict of report.json; ``trains``: the states in order of energy, or the solution; empty for a run
    that stored none. Raises FileNotFoundError where ``folder`` is no run folder, ValueError for damaged files.
    """
    folder = Path(folder)
    report = read_report(folder)
    if not (folder / STATES_FILE).exists():
        return LoadedRun(folder, report, [])
    from solvers.formats.trains.storage import load_trains
    from solvers.formats.trains.tensor_train import TensorTrain

    trains = load_trains(folder / STATES_FILE)
    stored = (trains[name] for name in sorted(trains))
    return LoadedRun(folder, report, [train for train in stored if isinstance(train, TensorTrain)])


def surrogate(folder: str | Path) -> Solution:
    """The solution of a parametric PDE as a function of its standardised parameters: y (d,) -> nodal values (N,).

    Raises FileNotFoundError where ``folder`` is no run folder, ValueError for damaged files and for other problems.
    """
    report, trains = load(folder)
    parameters = report["results"].get("parameters")
    if parameters is None or len(trains) != 1:
        raise ValueError(f"{folder} holds no solution of a parametric PDE")
    from problems.parametric_pde.surrogate import Solution

    return Solution(trains[0], parameters["distribution"])
