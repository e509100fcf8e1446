"""Other routes to the numbers of a finished run: what ``ttsuite certify`` takes, kind by kind.

A kind's module ``certify`` has ``routes(problem, solver, results)``, the routes for a run of these keys whose report
holds ``results``, and ``allowed(solver, quantity, results)``, what the accuracy asked for allows in each value of a
quantity of that run; it may have ``between``, what the trains of two runs are compared by. A route must not share the
fault it looks for: it takes another method, another seed, a larger basis, a finer grid, more states than were asked
for, or it computes the numbers directly, without tensor trains, where the problem is small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from problems.report_parts import Effort
    from problems.result import Results

TIGHTER = 0.1  # times the accuracy of the run, of the routes that ask for more


@dataclass(frozen=True)
class Route:
    """Another way to the numbers of a run.

    Attributes
    ----------
    name : of its folder: small letters, digits and -.
    what : what it does otherwise, in a few words.
    changes : dotted key -> value, of the keys of the run's configuration that it changes.
    other_seed : whether the seed is another one; not where the seed is part of the question.
    direct : computes what the run is compared with, as the ``results`` of a report, from (problem, solver); a route
        without it is a run with the changed keys.
    effort : of a direct route, what it is expected to take.
    """

    name: str
    what: str
    changes: Mapping[str, object] = field(default_factory=dict)
    other_seed: bool = False
    direct: Callable[[Any, Any], Results] | None = None
    effort: Effort | None = None


class NotReached(RuntimeError):
    """A direct route that did not come to an answer it can vouch for; the text says why."""
