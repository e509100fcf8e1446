"""What a family raises where a problem cannot be computed as asked."""

from __future__ import annotations


class ProblemError(ValueError):
    """A problem that cannot be computed as asked: wrong data or impossible settings.

    Parameters
    ----------
    message : one line saying what is wrong and what would cure it.
    key : the YAML key to blame, as in ``problem.force_field``; the application adds file, line and column.
    """

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key
