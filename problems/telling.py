"""While families are moved to ``Result``: what the application asks, answered by the result or by a presentation."""

from __future__ import annotations

from typing import Any

from problems.contract import Family


def _old(family: Family[Any, Any]) -> Any:
    module: Any = family.presentation
    return module if hasattr(module, "results") else None


def results(family: Family[Any, Any], result: Any) -> dict[str, Any]:
    old = _old(family)
    return old.results(result) if old else result.results()


def quantities(family: Family[Any, Any], told: Any) -> Any:
    old = _old(family)
    return old.quantities(told) if old else family.result_of(told).quantities(told)


def agreements(family: Family[Any, Any], problem: Any, result: Any) -> list[dict[str, Any]]:
    old = _old(family)
    return (
        old.references(problem, result) if old else [entry.told() for entry in family.known.agreements(problem, result)]
    )


def comparison_table(family: Family[Any, Any], problem: Any, solver: Any, result: Any) -> Any:
    old = _old(family)
    return (old or family.known).comparison_table(problem, solver, result)


def csv_table(family: Family[Any, Any], problem: Any, result: Any) -> Any:
    old = _old(family)
    if old:
        return old.csv_table(problem, result)
    return result.csv_table(family.known.columns(problem, result))


def trains(family: Family[Any, Any], result: Any) -> Any:
    old = _old(family)
    return old.trains(result) if old else result.trains()


def loading(family: Family[Any, Any], result: Any, folder: str) -> tuple[str, str]:
    old = _old(family)
    return old.loading(folder) if old else result.loading(folder)
