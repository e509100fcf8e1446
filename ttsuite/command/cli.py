"""The command ``ttsuite``: one function of the library a command.

Progress, warnings and faults go to the standard error, the outcome to the standard output. Exit codes are in
``endings``, the commands that make many runs in ``many_runs``. What is slow to import is imported by the command that
needs it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ttsuite.command.arguments import Command, arguments_of
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
from ttsuite.command.importing import import_command
from ttsuite.command.many_runs import certify_command, reproduce_command, scan_command
from ttsuite.command.output import say, silence, width_of
from ttsuite.floors import check_floors

if TYPE_CHECKING:
    from pathlib import Path

    from ttsuite.runs.job import Run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = arguments_of(_COMMANDS)
    options = parser.parse_args(arguments)
    # whatever else is installed has no say in what our keys mean; looking for it is a tenth of ``validate``
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        check_floors()
    except ImportError as error:
        return fail(str(error))
    if options.command is None:
        say(parser.format_help().rstrip("\n"))
        return DONE
    try:
        return options.command(options)
    except KeyboardInterrupt:
        return fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # of what is printed otherwise
        silence(sys.stdout)
        return DONE


def _run(options: argparse.Namespace) -> int:
    if options.dry_run:
        return _dry_run(options)
    from ttsuite.actions.run import run

    if not os.path.exists(options.file):
        return fail(_no_file(options.file))
    overrides = [assignment for group in options.overrides for assignment in group]
    return _computed(
        lambda **given: run(options.file, out=options.out, overrides=overrides, **given), options.scheduler
    )


def _no_file(file: str) -> str:
    """That a file is missing, and whether one that comes with the suite has its name."""
    from ttsuite.command.shipped import ShippedError, find

    try:
        return f"{file}: no such file (to have the shipped one here: ttsuite example {find(file).name})"
    except ShippedError:
        return f"{file}: no such file"


def _resume(options: argparse.Namespace) -> int:
    from ttsuite.actions.resume import resume

    overrides = [assignment for group in options.overrides for assignment in group]
    return _computed(
        lambda **given: resume(options.run, out=options.out, overrides=overrides, **given), options.scheduler
    )


def _computed(compute: Callable[..., Run], scheduler: str | None) -> int:
    """Compute, with a listener for this terminal and the cluster asked for; say how it ended; the exit code."""
    from contextlib import nullcontext

    from ttsuite.command.outcome import outcome
    from ttsuite.command.progress import progress_for
    from ttsuite.runs.checkpoint import ResumeError
    from ttsuite.runs.job import RunFailed
    from ttsuite.runs.record import RecordError
    from ttsuite.study.config import ConfigError
    from ttsuite.workers.blas import ClusterError
    from ttsuite.workers.executors import cluster

    take_sigterm_as_interrupt()  # while it computes, the run itself listens
    try:
        with cluster(scheduler) if scheduler else nullcontext() as executor:
            done = compute(executor=executor, listener=progress_for(sys.stderr))
    except (ConfigError, RecordError, ResumeError, ClusterError) as error:
        return fail(str(error))
    except RunFailed as error:
        details = error.folder / "traceback.txt"
        return fail(f"failed: {error}{f' (see {details})' if details.exists() else ''}", FAILURE)
    report = done.report
    if done.status == "interrupted":
        return fail(f"interrupted: continue with ttsuite resume {done.folder}", INTERRUPTED)
    for warning in report["warnings"]:
        say(f"warning: {warning}", sys.stderr)
    say("\n".join(outcome(done, width_of(sys.stdout))))
    failed = report["check"]["failed"]
    for line in failed:
        say(f"check failed: {line}", sys.stderr)
    if not report["converged"]:
        return NOT_CONVERGED
    return CHECK_FAILED if failed else DONE


def _dry_run(options: argparse.Namespace) -> int:
    from ttsuite.actions.dry_run import dry_run
    from ttsuite.study.config import ConfigError

    try:
        say(str(dry_run(options.file, overrides=[word for group in options.overrides for word in group])))
    except ConfigError as error:
        return fail(str(error))
    return DONE


def _validate(options: argparse.Namespace) -> int:
    from ttsuite.reproductions.places import is_collection
    from ttsuite.study.config import ConfigError, is_scan, load_study

    code = DONE
    for file in options.files:
        try:
            if is_scan(file):
                from ttsuite.scans.scan_file import load_scan

                plan = load_scan(file)
                if plan.refused:
                    raise ConfigError([problem for point in plan.refused for problem in point.problems])
                say(f"{file}: valid, {len(plan.points)} points")
            elif is_collection(file):
                from ttsuite.reproductions.collection import load_collection

                items = load_collection(file).tasks
                load_collection(file, tiny=True)
                say(f"{file}: valid, {len(items)} items")
            else:
                load_study(file)
                say(f"{file}: valid")
        except ConfigError as error:
            code = fail(str(error))
    return code


def _list(options: argparse.Namespace) -> int:
    from ttsuite.command.shipped import listing

    for line in listing(tests=options.tests, width=width_of(sys.stdout)):
        say(line)
    return DONE


def _describe(options: argparse.Namespace) -> int:
    from problems.families import is_kind, kinds
    from ttsuite.study.describe import describe

    if not is_kind(options.kind):
        return fail(_no_kind(options.kind, kinds()))
    say(describe(options.kind))
    return DONE


def _schema(options: argparse.Namespace) -> int:
    from problems.families import is_kind, kinds
    from ttsuite.reproductions.schema import NAME, collection_schema_text
    from ttsuite.study.schema import schema_text

    if options.kind == NAME:
        say(collection_schema_text().rstrip("\n"), wrap=False)
        return DONE
    if options.kind is not None and not is_kind(options.kind):
        return fail(_no_kind(options.kind, kinds()))
    say(schema_text(options.kind).rstrip("\n"), wrap=False)
    return DONE


def _no_kind(word: str, known: Sequence[str]) -> str:
    from ttsuite.study.faults import guess

    return f"no kind of problem is called {word!r}{guess(word, known)} (known: {', '.join(known)})"


def _example(options: argparse.Namespace) -> int:
    from ttsuite.command.shipped import ShippedError, example

    try:
        for path in example(options.name):
            say(f"wrote {path}")
    except ShippedError as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"cannot write {error.filename}: {error.strerror}")
    return DONE


def _compare(options: argparse.Namespace) -> int:
    from ttsuite.pages.compare import compare_runs, told
    from ttsuite.pages.compare_page import write_comparison

    try:
        comparison = compare_runs(*options.runs)
        page = write_comparison(comparison, options.out)
    except (OSError, ValueError) as error:
        return fail(why(error))
    say(told(comparison))
    say(f"report: {page}")
    return DONE if comparison.equal else CHECK_FAILED


def _report(options: argparse.Namespace) -> int:
    from ttsuite.pages.report import remake_report

    return _written(lambda: [remake_report(options.run)])


def _plot(options: argparse.Namespace) -> int:
    from ttsuite.pages.report import plot_run

    return _written(lambda: plot_run(options.run, options.width, options.format))


def _index(options: argparse.Namespace) -> int:
    from ttsuite.pages.index import index_runs

    return _written(lambda: [index_runs(options.folder)])


def _written(write: Callable[[], list[Path]]) -> int:
    """Print what ``write`` wrote."""
    try:
        paths = write()
    except (OSError, ValueError) as error:
        return fail(why(error))
    for path in paths:
        say(f"wrote {path}")
    return DONE


# command -> its function; what it takes is in ttsuite/command/arguments.py
_COMMANDS: dict[str, Command] = {
    "run": _run,
    "resume": _resume,
    "scan": scan_command,
    "reproduce": reproduce_command,
    "certify": certify_command,
    "compare": _compare,
    "report": _report,
    "plot": _plot,
    "index": _index,
    "validate": _validate,
    "list": _list,
    "describe": _describe,
    "schema": _schema,
    "example": _example,
    "import": import_command,
}
