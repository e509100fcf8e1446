"""The floors only look down, no files import each other in a circle, and names come from where they are defined.

Solvers know no problems, problems know no application. Imports inside functions and under ``TYPE_CHECKING`` count.
"""

from pathlib import Path

import pytest
from import_graph import Module, borrowed, circles, edges, modules_of, reached

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "solvers": {"problems", "ttsuite", "configs"},
    "problems": {"ttsuite", "configs"},
    "ttsuite": {"tests"},
}


@pytest.fixture(scope="module")
def modules():
    return modules_of(ROOT, FORBIDDEN)


def floors_of(module: Module) -> set[str]:
    """Top-level packages that a module imports anywhere."""
    return {source.partition(".")[0] for source, _ in module.imports}


def test_imports_inside_functions_are_seen():
    source = "def f():\n    import ttsuite.run\n    from problems import x\nfrom . import y\n"
    assert floors_of(Module.of("solvers.a", source)) == {"ttsuite", "problems", "solvers"}


@pytest.mark.parametrize("floor", FORBIDDEN)
def test_no_floor_looks_up(floor, modules):
    own = [module for name, module in modules.items() if (name + ".").startswith(f"{floor}.")]
    assert own
    for module in own:
        above = floors_of(module) & FORBIDDEN[floor]
        assert not above, f"{module.name} imports {sorted(above)}"


def test_every_package_is_a_real_one():
    for floor in FORBIDDEN:
        for file in (ROOT / floor).rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), f"{file.parent.relative_to(ROOT)} has no __init__.py"


def made_up(**sources: str) -> dict[str, Module]:
    """Modules from sources; ``a__b`` is the module a.b, and ``a`` is a package where there is an ``a__b``."""
    return {
        name.replace("__", "."): Module.of(
            name.replace("__", "."), source, any(other.startswith(f"{name}__") for other in sources)
        )
        for name, source in sources.items()
    }


def test_there_are_no_circles_of_imports(modules):
    assert sorted(map(sorted, circles(edges(modules)))) == []


def test_names_are_imported_from_the_module_that_defines_them(modules):
    assert borrowed(modules) == set()


def test_the_packages_of_the_application_look_one_way(modules):
    """Computing a run knows no page, for one: what shows it is handed in."""
    order = ["study", "workers", "runs", "pages", "actions", "scans", "command"]
    own = {f"ttsuite.{package}" for package in order}
    assert own <= set(modules)

    def floor(name):
        package = ".".join(name.split(".")[:2])
        return order.index(package.removeprefix("ttsuite.")) if package in own else -1

    up = [(a, b) for a, known in edges(modules).items() if floor(a) >= 0 for b in known if floor(b) > floor(a)]
    assert up == []
    known = reached(edges(modules), "ttsuite.runs.job")
    assert "ttsuite.study.config" in known and not any(name.startswith("ttsuite.pages") for name in known)


def test_the_walk_sees_every_file(modules):
    files = [file for floor in FORBIDDEN for file in (ROOT / floor).rglob("*.py")]
    assert len(modules) == len(files) > 200
    assert {"solvers", "problems", "ttsuite"} <= set(modules)
    assert "solvers.formats.trains" in edges(modules)["ttsuite"]  # by its stub


@pytest.mark.parametrize(
    "way",
    [
        "import f.a",
        "import f.a as other",
        "from f.a import x",
        "from f import a",
        "from . import a",
        "from .a import x",
        "def g():\n    from f.a import x",
        "class G:\n    def g(self):\n        import f.a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from f.a import x",
        "try:\n    from f.a import x\nexcept ImportError:\n    x = 0",
    ],
)
def test_a_circle_is_found_whatever_way_it_is_imported(way):
    found = circles(edges(made_up(f="", f__a="from f.b import y\nx = 1", f__b=way + "\ny = 1", f__c="import f.a")))
    assert found == {frozenset({"f.a", "f.b"})}


def test_circles_are_told_apart_and_a_module_may_be_one_alone():
    modules = made_up(
        a="import b", b="import c", c="import a, d", d="import e", e="import d", g="import g", h="import a"
    )
    assert circles(edges(modules)) == {frozenset("abc"), frozenset("de"), frozenset("g")}
    assert circles(edges(made_up(a="import b, c", b="import c", c="import numpy"))) == set()


def test_a_front_that_is_asked_from_inside_makes_a_circle():
    front = "from f.a import x"
    assert circles(edges(made_up(f=front, f__a="x = 1", f__b="from f.a import x"))) == set()
    found = circles(edges(made_up(f=front, f__a="from f import y\nx = 1", f__b="")))
    assert found == {frozenset({"f", "f.a"})}


def test_a_name_of_both_a_function_and_a_submodule_leads_to_both():
    modules = made_up(f="from f.go import go", f__go="def go(): ...", g="from f import go")
    assert edges(modules) == {"f": {"f.go"}, "f.go": set(), "g": {"f", "f.go"}}


@pytest.mark.parametrize(
    "defined",
    [
        "x = 1",
        "x: int",
        "x, y = 1, 2",
        "def x(): ...",
        "async def x(): ...",
        "class x: ...",
        "if True:\n    pass\nelse:\n    x = 1",
        "try:\n    import numpy\nexcept ImportError:\n    x = 1\nelse:\n    x = 2",
    ],
)
def test_a_name_that_its_module_defines_is_in_order(defined):
    assert borrowed(made_up(f="", f__a=defined, g="from f.a import x")) == set()


def test_a_name_that_its_module_only_imports_is_found():
    lender = made_up(f="", f__a="x = 1", f__b="from f.a import x", g="def h():\n    from f.b import x", k="")
    assert borrowed(lender) == {("g", "f.b", "x")}
    inner = made_up(a="def f():\n    x = 1", b="from a import x", c="from a import *")
    assert borrowed(inner) == {("b", "a", "x"), ("c", "a", "*")}


def test_the_front_of_a_package_passes_on_its_own_and_nothing_else():
    sources = {"f__a": "x = 1", "o": "y = 1", "g": "from f import x, y\nfrom f import a"}
    assert borrowed(made_up(f="from f.a import x\nfrom o import y", **sources)) == {("g", "f", "y")}
    assert borrowed(made_up(f="from .a import x\ny = 1", **sources)) == set()
    chain = made_up(f="from f.b import x", f__a="x = 1", f__b="from f.a import x", g="from f import x")
    assert borrowed(chain) == {("f", "f.b", "x")}
