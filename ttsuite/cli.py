"""The command ``ttsuite``: one function of the library a command.

Exit codes: 0 done, 1 unexpected failure, 2 bad input (nothing is written), 3 not converged (the report is
written in full), 130 interrupted. What is slow to import is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import Any

from ttsuite import __version__, check_floors

DONE, FAILURE, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        check_floors()
    except ImportError as error:
        return _fail(str(error))
    try:
        return options.command(options)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ttsuite", description="Tensor-train solvers, from a YAML file to a report.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"ttsuite {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="compute a configuration and write its report")
    run.add_argument("file", metavar="FILE", help="the YAML file")
    run.add_argument("--out", metavar="DIR", help="run folder (default: results/runs/<name>-<time>)")
    run.add_argument(
        "--set",
        metavar="KEY=VALUE",
        dest="overrides",
        action="append",
        nargs="+",
        default=[],
        help="change keys, as in --set solver.n_states=10 seed=1; paths are relative to FILE",
    )
    run.set_defaults(command=_run)

    validate = commands.add_parser("validate", help="check configurations without computing")
    validate.add_argument("files", metavar="FILE", nargs="+")
    validate.set_defaults(command=_validate)

    commands.add_parser("list", help="list the shipped configurations").set_defaults(command=_list)

    describe = commands.add_parser("describe", help="print the keys of a kind of problem")
    describe.add_argument("kind", metavar="KIND")
    describe.set_defaults(command=_describe)

    example = commands.add_parser("example", help="write a shipped configuration into this folder")
    example.add_argument("name", metavar="NAME")
    example.set_defaults(command=_example)
    return parser


def _run(options: argparse.Namespace) -> int:
    from ttsuite.config import ConfigError
    from ttsuite.progress import progress_for
    from ttsuite.record import RecordError
    from ttsuite.run import RunFailed, run

    def terminate(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    # a batch system ends a job with SIGTERM: record that as an interrupt too
    signal.signal(signal.SIGTERM, terminate)
    overrides = [assignment for group in options.overrides for assignment in group]
    try:
        done = run(options.file, out=options.out, overrides=overrides, listener=progress_for(sys.stdout))
    except (ConfigError, RecordError) as error:
        return _fail(str(error))
    except RunFailed as error:
        return _fail(f"failed: {error} (see {error.folder / 'traceback.txt'})", FAILURE)
    report = done.report
    if done.status == "interrupted":
        return _fail(f"interrupted: what was reached is in {done.folder}", INTERRUPTED)
    for reference in report["references"][:1]:
        label, largest = reference["label"], reference["max_abs_deviation"]
        unit = f" {report['results']['unit']}" if "unit" in report["results"] else ""
        print(f"largest deviation from {label}: {largest:.3g}{unit} over {reference['count']} values")
    for warning in report["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    seconds, memory = report["timing"]["wall_s"], report["peak_rss_mb"]
    print(f"{report['message']}; {seconds:.1f} s, {memory:.0f} MB")
    print(f"report: {done.folder / 'report.html'}")
    return DONE if report["converged"] else NOT_CONVERGED


def _validate(options: argparse.Namespace) -> int:
    from ttsuite.config import ConfigError, load_study

    code = DONE
    for file in options.files:
        try:
            load_study(file)
            print(f"{file}: valid")
        except ConfigError as error:
            code = _fail(str(error))
    return code


def _list(options: argparse.Namespace) -> int:
    from ttsuite.shipped import shipped

    entries = shipped()
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        print(f"{entry.name:{width}}  {entry.summary}")
    return DONE


def _describe(options: argparse.Namespace) -> int:
    from problems.problem import kinds
    from ttsuite.describe import describe

    if options.kind not in kinds():
        return _fail(f"no kind of problem is called {options.kind!r} (known: {', '.join(kinds())})")
    print(describe(options.kind))
    return DONE


def _example(options: argparse.Namespace) -> int:
    from ttsuite.shipped import ShippedError, example

    try:
        for path in example(options.name):
            print(f"wrote {path}")
    except ShippedError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"cannot write {error.filename}: {error.strerror}")
    return DONE


def _fail(message: str, code: int = BAD_INPUT) -> int:
    """Print ``message`` where errors belong; returns ``code``."""
    print(message, file=sys.stderr)
    return code
