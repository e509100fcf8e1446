"""The commands that make many runs: ``scan``, ``reproduce`` and ``certify``."""

from __future__ import annotations

import argparse
import sys

from ttsuite.command.endings import (
    CHECK_FAILED,
    DONE,
    FAILURE,
    INTERRUPTED,
    NOT_CONVERGED,
    fail,
    take_sigterm_as_interrupt,
    why,
)
from ttsuite.command.output import say


def scan_command(options: argparse.Namespace) -> int:
    """One study at many values; the exit code."""
    from contextlib import nullcontext

    from ttsuite.runs.record import RecordError
    from ttsuite.scans.scan_file import load_scan
    from ttsuite.study.config import ConfigError
    from ttsuite.workers.blas import ClusterError
    from ttsuite.workers.executors import cluster

    take_sigterm_as_interrupt()
    try:
        plan = load_scan(options.file, [assignment for group in options.overrides for assignment in group])
        from ttsuite.command.scan_progress import scan_progress_for
        from ttsuite.scans.scan import scan

        with cluster(options.scheduler) if options.scheduler else nullcontext() as executor:
            listener = scan_progress_for(sys.stderr)
            done = scan(plan, out=options.out, workers=options.workers, executor=executor, listener=listener)
    except (ConfigError, RecordError, ClusterError) as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"failed: cannot write {error.filename}: {error.strerror}; the same command goes on", FAILURE)
    for point in done.points:
        if point.status == "refused":
            say(f"point {point.number} refused: {point.message}", sys.stderr)
    say(f"{done.summary}\ntable: {done.folder / 'scan.html'}")
    if done.interrupted:
        return fail("interrupted: the same command goes on", INTERRUPTED)
    codes = {"finished": DONE, "not_converged": NOT_CONVERGED, "check_failed": CHECK_FAILED}
    return codes.get(done.status, FAILURE)


def reproduce_command(options: argparse.Namespace) -> int:
    """The tables of a collection again, or what collections there are; the exit code."""
    from ttsuite.reproductions.collection import load_collection, shipped
    from ttsuite.runs.record import RecordError
    from ttsuite.study.config import ConfigError

    take_sigterm_as_interrupt()
    try:
        if options.collection is None:
            from ttsuite.command.reproduce_progress import listed

            say("\n".join(listed([(load_collection(file), load_collection(file, tiny=True)) for file in shipped()])))
            return DONE
        collection = load_collection(options.collection, tiny=options.tiny)
        from ttsuite.command.reproduce_progress import reproduce_progress_for
        from ttsuite.reproductions.reproduce import reproduce
        from ttsuite.reproductions.tables import PAGE

        asked = {key: getattr(options, key) for key in ("only", "without", "again", "out", "workers")}
        done = reproduce(collection, listener=reproduce_progress_for(sys.stderr), **asked)
    except (ConfigError, RecordError) as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"failed: {why(error)}; the same command goes on", FAILURE)
    for item in done.differing:
        for value in item.values:
            if value.verdict == item.verdict:
                say(f"differs: {item.task.keys.name}, {value.label}: {value.why or 'why is not known'}", sys.stderr)
    say(f"{done.summary}\npage: {done.folder / PAGE}")
    if done.interrupted:
        return fail("interrupted: the same command goes on", INTERRUPTED)
    if done.failed:
        return FAILURE
    return CHECK_FAILED if done.differing else DONE


def certify_command(options: argparse.Namespace) -> int:
    """Other routes to the numbers of a run; the exit code."""
    from contextlib import nullcontext

    from ttsuite.actions.certificate import CONFIRMED, CONTRADICTED
    from ttsuite.actions.certify import PAGE, CertifyError, certify, planned
    from ttsuite.command.progress import EachRun, progress_for
    from ttsuite.workers.blas import ClusterError
    from ttsuite.workers.executors import cluster

    take_sigterm_as_interrupt()
    try:
        if options.list:
            say("\n".join(map(str, planned(options.run))))
            return DONE
        routes = None if options.routes is None else options.routes.split(",")
        with cluster(options.scheduler) if options.scheduler else nullcontext() as executor:
            listener = EachRun(lambda: progress_for(sys.stderr))
            done = certify(options.run, routes=routes, workers=options.workers, executor=executor, listener=listener)
    except (CertifyError, ClusterError) as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"failed: {why(error)}; the same command goes on", FAILURE)
    say(str(done))
    say(f"report: {done.folder / PAGE}")
    if done.interrupted:
        return fail("interrupted: the same command goes on", INTERRUPTED)
    return {CONFIRMED: DONE, CONTRADICTED: CHECK_FAILED}.get(done.verdict, NOT_CONVERGED)
