"""What the command line takes: one function a command adds its arguments."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Mapping

from ttsuite.study.lengths import FORMATS, inches
from ttsuite.version import __version__

# of a command: its parser's arguments in, its exit code out
Command = Callable[[argparse.Namespace], int]


def arguments_of(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser of the command line; ``commands`` names the function that runs each command."""
    parser = _Parser(
        prog="ttsuite", description="Tensor-train solvers, from a YAML file to a report.", allow_abbrev=False
    )
    parser.set_defaults(command=None)
    parser.add_argument("--version", action="version", version=f"ttsuite {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    for name, (summary, add) in _COMMANDS.items():
        command = subparsers.add_parser(name, help=summary)
        add(command)
        command.set_defaults(command=commands[name])
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser that knows the command which a misspelt one comes closest to."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            close = difflib.get_close_matches(str(value), list(action.choices), n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(action.choices)}"
            self.exit(2, f"no command is called {value!r} ({hint})\n")


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the YAML file")
    parser.add_argument("--out", metavar="DIR", help="run folder (default: results/runs/<name>-<time>)")
    parser.add_argument("--dry-run", action="store_true", help="print sizes, memory, time and the plan; write nothing")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="give the solver's tasks to a Dask cluster")
    _overrides(parser)


def _resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a run")
    parser.add_argument("--out", metavar="DIR", help="with --set: folder of the new run (default: beside RUN)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="give the solver's tasks to a Dask cluster")
    _overrides(parser)


def _certify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a finished run")
    parser.add_argument("--list", action="store_true", help="print the routes and what each is expected to take")
    parser.add_argument("--routes", metavar="A,B", help="take these routes only; routes already taken count too")
    parser.add_argument("--workers", metavar="N", type=_count, help="processes (default: as many as cores)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="give the solver's tasks to a Dask cluster")


def _scan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the YAML file of the scan")
    parser.add_argument("--out", metavar="DIR", help="scan folder (default: results/scans/<name>); what it has is kept")
    parser.add_argument("--workers", metavar="N", type=_count, help="processes (default: as many as cores)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="compute on the Dask cluster of this scheduler instead")
    _overrides(parser)


def _reproduce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", metavar="NAME", nargs="?", help="a shipped collection or a YAML file; none: list")
    parser.add_argument(
        "--tiny", action="store_true", help="the small variant: other sizes, to see that all of it runs"
    )
    parser.add_argument("--only", metavar="ITEM", nargs="+", default=[], help="run these items only")
    parser.add_argument("--without", metavar="ITEM", nargs="+", default=[], help="leave these items out")
    parser.add_argument("--again", action="store_true", help="run the items anew, those too that have ended")
    parser.add_argument(
        "--out", metavar="DIR", help="folder (default: results/reproductions/<name>); what it has is kept"
    )
    parser.add_argument("--workers", metavar="N", type=_count, help="processes (default: as many as cores)")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 1, found {text!r}")
    return int(text)


def _validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+")


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tests", action="store_true", help="the small ones that the tests run, instead")


def _describe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND")


def _schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind", metavar="KIND", nargs="?", help="one kind of problem, or collection; by default all kinds"
    )


def _example(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an output, or another file, of a quantum-chemistry program")
    parser.add_argument("--format", metavar="FORMAT", default="automatic", help="of FILE (default: found out)")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder; what it has is not overwritten")


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs=2, help="folders of two runs of one kind of problem")
    parser.add_argument("--out", metavar="DIR", help="folder (default: results/comparisons/<first>-and-<second>)")


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")


def _plot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument(
        "--width", metavar="WIDTH", type=_inches, help="figures for a paper: 3.4 (inches), 86mm; into figures/paper"
    )
    parser.add_argument("--format", choices=FORMATS, help="of figures for a paper (default: pdf)")


def _inches(text: str) -> float:
    try:
        return inches(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", nargs="?", default="results/runs", help="default: results/runs")


def _overrides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        dest="overrides",
        action="append",
        nargs="+",
        default=[],
        help="change keys, as in --set solver.n_states=10 seed=1; paths are relative to FILE",
    )


# command -> its line in --help, and the function that adds its arguments
_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "run": ("compute a configuration and write its report", _run),
    "resume": ("continue a run, or a finished one with other solver settings", _resume),
    "certify": ("take other routes to a run's numbers: confirmed, exit code 0, contradicted 4, unknown 3", _certify),
    "compare": ("compare two runs: within their error estimates, exit code 0, else 4", _compare),
    "report": ("make the report of a run again, from its record alone", _report),
    "plot": ("make the figures of a run again, from its record alone", _plot),
    "index": ("write one page over all runs in a folder", _index),
    "scan": ("compute a study at many values of its keys: one table, one figure", _scan),
    "reproduce": (
        "run the tables of a talk or a paper again, beside the published: differing, exit code 4",
        _reproduce,
    ),
    "validate": ("check configurations without computing", _validate),
    "list": ("list the shipped configurations", _list),
    "describe": ("print the keys of a kind of problem", _describe),
    "schema": ("print the JSON Schema of the configurations, for editors", _schema),
    "example": ("write a shipped configuration into this folder", _example),
    "import": ("make a run of a quantum-chemistry program's file: its numbers as CSV, a YAML file, notes", _import),
}
