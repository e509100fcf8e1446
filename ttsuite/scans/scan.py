"""A scan: many runs of one study with changed parameters, each a run folder, and one table and one figure of all.

Order of events: check every point, prepare every point that is not yet computed (on the workers), and only then make
the scan folder and compute. The folder holds ``points/*`` (ordinary run folders), ``table.csv``, ``scan.json``,
``scan.md``, ``scan.html`` and ``figures/``. The table is renewed whenever a point ends. The same command again keeps
the points that have ended and computes the others; a file with more values extends the scan.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path

from ttsuite.scans.scan_file import Plan, Point, Refused, load_scan
from ttsuite.scans.scan_folder import alone, usable
from ttsuite.scans.scan_job import Listener, Scan, ScanJob
from ttsuite.scans.scan_point import POINTS, check_point, ended
from ttsuite.study.config import ConfigError
from ttsuite.workers.executors import available_cores, children, lone_workers

DEFAULT_PARENT = Path("results") / "scans"


def scan(
    file: str | Path | Plan,
    *,
    out: str | Path | None = None,
    overrides: Iterable[str] = (),
    workers: int | None = None,
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> Scan:
    """Compute every point of the scan in ``file`` that is not yet computed, and write its table, figure and pages.

    Parameters
    ----------
    file : a YAML file, see ``ttsuite.scans.scan_file``, or the Plan that ``load_scan`` made of it.
    out : the scan folder; by default ``results/scans/<name>`` below the current directory. Points in it that have ended
        are kept.
    overrides : for a file only, texts ``key.path=value`` that change the base; the points' own changes come after.
    workers : processes, each computing one point at a time; by default as many as there are cores.
    executor : computes instead, in processes that see ``out`` under the same name; a Dask client's own executor does
        (``ttsuite.workers.executors.cluster``). It is left open.
    listener : told of every point.

    A point that fails, or that asks for what cannot be computed, does not stop the others. Raises ConfigError for bad
    input, and where every point is refused, and RecordError for an unusable ``out``, both before anything is written.
    An interrupt is no exception: the points at work end the step that they are in (a second interrupt ends them at
    once), the scan ends with ``interrupted`` true, and the same call goes on. Results do not depend on the workers. A
    script that is to use more than one needs the ``if __name__ == "__main__":`` guard; without it the points are
    computed in this process, one after the other.
    """
    if isinstance(file, Plan):
        if list(overrides):
            raise ValueError("overrides apply to a file, not to a Plan")
        plan = file
    else:
        plan = load_scan(file, overrides)
    named = Path(out) if out is not None else DEFAULT_PARENT / plan.name
    folder = named.resolve()  # workers have working directories of their own
    usable(folder)
    left = [point for point in plan.points if not ended(folder / POINTS / point.key)]
    job = ScanJob(plan, folder, named, listener)
    count, others = min(workers or available_cores(), max(len(left), 1)), children()
    try:
        with nullcontext(executor) if executor is not None or not left else lone_workers(count) as working:
            if working is not None:
                job.refuse(_prepare(left, working))
                left = [point for point in left if point.number not in job.refused]
            with alone(folder):
                job.begin()
                if working is not None:
                    job.compute(left, working)
                job.write_pages()
    except KeyboardInterrupt:
        if not job.begun:
            raise
        with alone(folder):
            job.interrupted = True
            job.stop(others)
            job.write_pages()
    finally:
        if listener is not None and job.begun:
            listener.ended()
    return job.scan()


def _prepare(left: list[Point], executor: Executor) -> list[Refused]:
    """The points that the numerics refuse. Raises ConfigError where a worker does not see what this process sees."""
    futures = [executor.submit(check_point, point.data, point.directory.resolve()) for point in left]
    problems, found = [], []
    try:
        for point, future in zip(left, futures, strict=True):
            try:
                refused = future.result()
            except ConfigError as error:
                problems += error.problems
            except Exception:  # no fault of the configuration: the point will fail, and say so, when it is computed
                continue
            else:
                if refused is not None:
                    found.append(Refused(point.number, point.changes, (point.problem(*refused),)))
    finally:
        for future in futures:
            future.cancel()
    if problems:
        raise ConfigError(problems)
    return found
