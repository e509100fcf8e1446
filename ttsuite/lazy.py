"""Public names that are imported when they are first used."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from ttsuite.floors import check_floors


def public_names(stub: Path) -> dict[str, str]:
    """Public name -> module it is imported from, of every ``from module import name as name`` in a stub.

    Raises OSError where the stub cannot be read. Cost: some milliseconds.
    """
    body = ast.parse(stub.read_text(encoding="utf-8")).body
    return {
        alias.name: statement.module
        for statement in body
        if isinstance(statement, ast.ImportFrom) and statement.module
        for alias in statement.names
        if alias.asname == alias.name
    }


class LazyPackage(ModuleType):
    """A package that imports a name of its ``_PUBLIC`` (name -> module) when that is first asked for.

    Where a function and a submodule share a name, importing the submodule does not hide the function.
    """

    __all__: list[str]
    _PUBLIC: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        if name not in vars(self)["_PUBLIC"]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        check_floors()
        value = getattr(importlib.import_module(self._PUBLIC[name]), name)
        vars(self)[name] = value  # a module too, which __setattr__ keeps out
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in self._PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted(self.__all__)
