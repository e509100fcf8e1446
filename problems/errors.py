"""What a family raises where a problem cannot be computed as asked."""

from __future__ import annotations

from collections.abc import Sequence


class ProblemError(ValueError):
    """A problem that cannot be computed as asked: wrong data or impossible settings.

    Parameters
    ----------
    message : one line saying what is wrong and what would cure it.
    key : the YAML key to blame, as in ``problem.force_field``; the application adds file, line and column.
    more : further faults that were found with it; each is told in a line of its own.
    """

    def __init__(self, message: str, key: str, more: Sequence[ProblemError] = ()) -> None:
        self.key = key
        self.faults: tuple[tuple[str, str], ...] = ((key, message), *(fault for one in more for fault in one.faults))
        super().__init__("\n".join(text for _, text in self.faults))

    @classmethod
    def of_all(cls, errors: Sequence[ProblemError]) -> ProblemError:
        """Several of them as one; at least one."""
        faults = [cls(text, key) for error in errors for key, text in error.faults]
        return cls(*faults[0].faults[0][::-1], more=faults[1:])
