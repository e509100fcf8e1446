"""The command ``ttsuite import``: a file of a quantum-chemistry program becomes a folder that can be run."""

from __future__ import annotations

import argparse
import sys

from ttsuite.command.output import say

DONE, BAD_INPUT = 0, 2


def import_command(options: argparse.Namespace) -> int:
    """Read, write, tell what is missing or weak; the exit code."""
    from problems.errors import ProblemError
    from ttsuite.actions.import_file import ImportRefused, import_file

    try:
        done = import_file(options.file, options.out, options.format)
    except (ProblemError, ImportRefused) as error:
        say(str(error), sys.stderr)
        return BAD_INPUT
    except OSError as error:
        say(f"cannot write {error.filename}: {error.strerror}", sys.stderr)
        return BAD_INPUT
    say(done.facts)
    for path in done.paths:
        say(f"wrote {path}")
    for note in done.notes:
        say(f"note: {note}")
    say(f"to run it: ttsuite run {done.configuration}")
    return DONE
