"""Who imports whom among the files of some packages, read from their sources: nothing is imported for it.

Every import counts, those inside functions and under ``TYPE_CHECKING`` too, and those of a stub count as those of its
module. That importing ``a.b`` runs ``a/__init__.py`` first is no import that ``a.b`` makes.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Module:
    """What a file, or a file and its stub, imports and defines; ``package``: whether it is an ``__init__``.

    ``imports``: (module, name) of every ``from module import name``, (module, None) of every ``import module``.
    ``defined``: the names that the module itself gives a meaning: functions, classes, and what it assigns. The tree of
    its statements is not kept: those of all files together cost the collector of garbage more than reading them.
    """

    name: str
    package: bool
    imports: tuple[tuple[str, str | None], ...]
    defined: frozenset[str]

    @classmethod
    def of(cls, name: str, source: str, package: bool = False) -> "Module":
        body = ast.parse(source).body
        return cls(name, package, tuple(_imports(name, package, body)), frozenset(_defined(body)))

    def joined(self, other: "Module") -> "Module":
        """With what its stub says."""
        return Module(self.name, self.package, self.imports + other.imports, self.defined | other.defined)

    @property
    def passed_on(self) -> set[str]:
        """Of a package: the names that its ``__init__`` imports from the package's own modules."""
        if not self.package:
            return set()
        own = self.name + "."
        return {name for module, name in self.imports if name and (module + ".").startswith(own)}


def _imports(name: str, package: bool, body: Iterable[ast.stmt]) -> Iterator[tuple[str, str | None]]:
    for node in _statements(body):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((_absolute(name, package, node), alias.name) for alias in node.names)


def _absolute(name: str, package: bool, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    above = parts[: len(parts) - node.level + package]
    return ".".join([*above, *([node.module] if node.module else [])])


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement, those inside others too; no expression is walked, which holds none."""
    for node in body:
        yield node
        for inner in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, inner, ()))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _statements(part.body)


def _defined(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))
        for inner in ("body", "orelse", "finalbody") if isinstance(node, ast.If | ast.Try | ast.With | ast.For) else ():
            yield from _defined(getattr(node, inner, []))


def modules_of(root: Path, packages: Iterable[str]) -> dict[str, Module]:
    """Every module of the packages below ``root``, by its dotted name."""
    found: dict[str, Module] = {}
    for file in (file for package in packages for file in sorted((root / package).rglob("*.py*"))):
        if file.suffix not in (".py", ".pyi"):
            continue
        parts = file.relative_to(root).with_suffix("").parts
        package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if package else parts)
        module = Module.of(name, file.read_text(encoding="utf-8"), package)
        found[name] = found[name].joined(module) if name in found else module
    return found


def edges(modules: dict[str, Module]) -> dict[str, set[str]]:
    """Module -> the modules that it imports, or names from.

    ``from package import name`` is an import of the submodule of that name where there is one, of the package where
    that has such a name itself, and of both where both hold.
    """
    found: dict[str, set[str]] = {name: set() for name in modules}
    for name, module in modules.items():
        for source, what in module.imports:
            below = f"{source}.{what}"
            if what is not None and below in modules:
                found[name].add(below)
                own = modules[source].defined | modules[source].passed_on if source in modules else set()
                if what not in own or source == name:
                    continue
            if source in modules:
                found[name].add(source)
    return found


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The largest sets of modules each of which leads, import by import, to all others and back to itself."""
    led = {name: reached(graph, name) for name in graph}
    around = {name: frozenset(other for other in led[name] if name in led[other]) for name in graph}
    return {circle for circle in around.values() if circle}


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """What ``start`` leads to; ``start`` itself only where a circle leads back."""
    found: set[str] = set()
    left = list(graph[start])
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += graph[name]
    return found


def borrowed(modules: dict[str, Module]) -> set[tuple[str, str, str]]:
    """(who, from which module, name) of every name that is imported from a module that does not define it.

    The one exception are the fronts of packages: an ``__init__`` may pass on what it imports from the package's own
    modules. What it imports from elsewhere it may not.
    """
    return {
        (name, source, what)
        for name, module in modules.items()
        for source, what in module.imports
        if what is not None and source in modules and f"{source}.{what}" not in modules
        if what not in modules[source].defined | modules[source].passed_on
    }
