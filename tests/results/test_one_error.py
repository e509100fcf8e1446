"""One quantity has one error: in the headline, the tables, the CSV file and report.json, of every kind."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from problems.report_parts import STANDARD
from problems.result import quantity_told
from solvers.measured import ROUNDING, Measured
from ttsuite.runs.run_folder import read_result

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
RUNS = sorted(path.parent.name for path in REFERENCE.glob("*/report.json"))
SAMPLED = {
    "test error, relative",
    "score of the test entries",
    "quantile",
    "probability",
    "score (AUC)",
    "score (accuracy)",
    "score (R2)",
    "share of variance",
    "objective a pair, held out",
}
WITH_ERROR = re.compile(r"[−-]?\d[\d.]*\([\d.]+\)(?: × 10[⁻⁰¹²³⁴-⁹]+)?")


read = cache(read_result)


def known(values):
    """Value -> the errors that ``values`` of report.json states for it; of complex ones both parts have it."""
    found = {}
    for entry in values.values():
        numbers = entry["value"]
        parts = [numbers["real"], numbers["imag"]] if isinstance(numbers, dict) else [numbers]
        for part in parts:
            part = np.array(part, dtype=float)
            errors = np.full(part.shape, np.nan) if entry["error"] is None else np.array(entry["error"], dtype=float)
            for value, error in zip(part.ravel().tolist(), errors.ravel().tolist()):
                found.setdefault(value, set()).add(error)
    return found


def agree(value, error, stated, rel=1e-9):
    """Whether an error is stated of a value, as far as anything is, and whether the value is known at all."""
    if not value:  # of which there are many
        return False, True
    close = [errors for other, errors in stated.items() if value == pytest.approx(other, rel=1e-12, abs=0.0)]
    errors = [e for each in close for e in each]
    shown = max(error, ROUNDING * abs(value))
    return bool(errors), not errors or any(shown == pytest.approx(e, rel=rel, abs=0.0) for e in errors)


def numbers_shown(study, result):
    """Every number with an error in the tables, as (where, value, error)."""
    family = study.family
    tables = list(family.presentation.tables(study.problem, study.solver, result))
    comparison = family.known.comparison_table(study.problem, study.solver, result)
    for table in [*tables, *([] if comparison is None else [comparison])]:
        for cell in (cell for row in table.rows for cell in row):
            if isinstance(cell, Measured) and cell.value is not None and cell.error is not None:
                for part in (cell.value.real, cell.value.imag):
                    yield table.title, float(part), float(cell.error)


def numbers_of_the_file(study, result):
    """Every number of the CSV file with an error beside it, as (column, value, error)."""
    _, heads, rows = result.csv_table(study.family.known.columns(study.problem, result))
    errors = [k for k, head in enumerate(heads) if head == "error_estimate"]
    for row in rows:
        for k, cell in enumerate(row):
            if errors and k < errors[0] and row[errors[0]] != "" and re.fullmatch(r"-?[\d.]+(e-?\d+)?", str(cell)):
                yield heads[k], float(cell), float(row[errors[0]])


def check(folder):
    """How many numbers are shown with an error that ``values`` knows: in the headline, the tables, the file."""
    report, study, result = read(folder)
    values = json.loads(json.dumps(type(result).values(report["results"]), default=lambda value: value.tolist()))
    stated = known(values)
    texts = {Measured(v, e).text for v, errors in stated.items() for e in errors if np.isfinite(e)}
    by_value = {text.partition("(")[0]: text for text in texts}
    counts = [0, 0, 0]
    for what, value in study.family.presentation.headline(study.problem, study.solver, result):
        for text in WITH_ERROR.findall(value):
            if text.partition("(")[0] in by_value:
                counts[0] += 1
                assert text in texts, (what, text, by_value[text.partition("(")[0]])
    for place, (numbers, rel) in enumerate([(numbers_shown, 1e-9), (numbers_of_the_file, 1e-3)], start=1):
        for where, value, error in numbers(study, result):
            there, same = agree(value, error, stated, rel)
            counts[place] += there
            assert same, (where, value, error)
    return counts


@pytest.mark.parametrize("name", RUNS)
def test_what_is_shown_of_a_quantity_has_the_error_of_its_values(name):
    counts = check(REFERENCE / name)
    assert sum(counts) or name == "w-state", "nothing of the values is shown with its error"  # they are errors there


@pytest.mark.parametrize("name", RUNS)
def test_errors_of_sampled_numbers_are_one_standard_deviation_and_say_so(name):
    report, _, result = read(REFERENCE / name)
    for quantity in type(result).quantities(report["results"]):
        drawn = quantity.name in SAMPLED
        drawn = drawn or (quantity.name == "objective a pair, fitted" and "sampling" in quantity.includes)
        assert quantity.coverage == (STANDARD if drawn else 1.0), quantity.name
        assert bool({"sampling", "splits"} & set(quantity.includes)) == drawn
        assert quantity_told(quantity)["coverage"] == quantity.coverage
