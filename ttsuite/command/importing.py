"""The command ``ttsuite import``: a file of a quantum-chemistry program becomes a folder that can be run."""

from __future__ import annotations

import argparse

from ttsuite.command.endings import DONE, fail
from ttsuite.command.output import say


def import_command(options: argparse.Namespace) -> int:
    """Read, write, tell what is missing or weak; the exit code."""
    from problems.errors import ProblemError
    from ttsuite.actions.import_file import ImportRefused, import_file

    try:
        done = import_file(options.file, options.out, options.format)
    except (ProblemError, ImportRefused) as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"cannot write {error.filename}: {error.strerror}")
    say(done.facts)
    for path in done.paths:
        say(f"wrote {path}")
    for note in done.notes:
        say(f"note: {note}")
    say(f"to run it: ttsuite run {done.configuration}")
    return DONE
