"""The floors only look down: solvers know no problems, problems know no application."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "solvers": {"problems", "ttsuite", "configs"},
    "problems": {"ttsuite", "configs"},
    "ttsuite": {"tests"},
}


def imported(source: str) -> set[str]:
    """Top-level packages that a module imports anywhere, in functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_imports_inside_functions_are_seen():
    source = "def f():\n    import ttsuite.run\n    from problems import x\nfrom . import y\n"
    assert imported(source) == {"ttsuite", "problems"}


@pytest.mark.parametrize("floor", FORBIDDEN)
def test_no_floor_looks_up(floor):
    files = list((ROOT / floor).rglob("*.py"))
    assert files
    for file in files:
        above = imported(file.read_text(encoding="utf-8")) & FORBIDDEN[floor]
        assert not above, f"{file.relative_to(ROOT)} imports {sorted(above)}"


def test_every_package_is_a_real_one():
    for floor in FORBIDDEN:
        for file in (ROOT / floor).rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), f"{file.parent.relative_to(ROOT)} has no __init__.py"
