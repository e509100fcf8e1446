"""Faults put into runs on purpose."""

from dataclasses import replace

from problems.families import family
from solvers.solution import Status


def solved_otherwise(monkeypatch, kind, change):
    """Let the numerics of a kind return ``change`` of what they find, called converged, with nothing checked."""
    module = family(kind).numerics
    solve = module.solve

    def faulty(*arguments, **options):
        result = solve(*arguments, **options)
        return replace(result, status=Status.CONVERGED, checked=(), **change(result))

    monkeypatch.setattr(module, "solve", faulty)
