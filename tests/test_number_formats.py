"""Numbers that a user reads are written by one formatter, solvers.measured; other formats are those of data."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [file for folder in ("problems", "solvers", "ttsuite") for file in sorted((ROOT / folder).rglob("*.py"))]
# where a number becomes the cell of a CSV file, a file of another program, or a key: module -> how many formats
DATA = {
    "problems/embeddings/result.py": 1,  # word2vec
    "problems/fokker_planck/references.py": 1,
    "problems/fokker_planck/result.py": 1,
    "problems/orbital_free_dft/references.py": 1,
    "problems/orbital_free_dft/result.py": 1,
    "problems/parametric_pde/references.py": 1,
    "problems/parametric_pde/result.py": 1,
    "problems/quantum/tasks/spectrum/result.py": 1,
    "solvers/dynamics/full_vectors.py": 2,  # keys of equal lengths
}
SPEC = re.compile(r"^[+\- ]?\d*\.\d+[eEgG]$")
LIKELY = re.compile(r"\.\d+[eEgG]")  # a file without that has none, and need not be parsed


def formats(text):
    """Lines of f-strings, and of texts with ``format`` and ``%``, that write significant digits of their own."""
    found: list[int] = []
    if not LIKELY.search(text):
        return found
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            spec = "".join(str(part.value) for part in node.format_spec.values if isinstance(part, ast.Constant))
            if SPEC.match(spec):
                found.append(node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "format":
            if len(node.args) == 2 and isinstance(node.args[1], ast.Constant) and SPEC.match(str(node.args[1].value)):
                found.append(node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search(r"\{[\w\[\].]*:[+ ]?\d*\.\d+[eEgG]\}|%[+ ]?\d*\.\d+[eEgG]", node.value):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("folder", ["problems", "solvers", "ttsuite"])
def test_texts_write_numbers_by_the_one_formatter(folder):
    files = [file for file in FILES if file.relative_to(ROOT).parts[0] == folder]
    assert len(files) > 20
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        found = formats(file.read_text(encoding="utf-8"))
        assert len(found) == DATA.get(name, 0), f"{name}, lines {found}: take amount or numeral of solvers.measured"


def test_templates_leave_numbers_to_the_formatter_too():
    for file in sorted((ROOT / "ttsuite" / "pages" / "templates").iterdir()):
        assert not re.search(r"%[+ ]?\d*\.\d+[eEgG]", file.read_text(encoding="utf-8")), file.name


def test_the_walk_finds_what_it_looks_for():
    assert formats('f"{x:.2g}"; f"{x:+.1e}"; "{:.3g}".format(x); "%.3g" % x; format(x, ".3e")') == [1] * 5
    assert formats('f"{x:.1f} s"; f"{x:g}"; f"{amount(x)}"; f"{x:{width}.{digits}e}"') == []
