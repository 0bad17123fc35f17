"""The project's own source as data: files, imports, lengths. Used by the architecture tests only."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("domain", "schema", "resolvers", "tenancy", "migrations", "gateways", "xiaodai")


@dataclass(frozen=True)
class Source:
    """One Python file: its dotted name, its text and its tree."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    def imports(self) -> set[str]:
        """Modules that are imported when this file is imported (not those inside functions or TYPE_CHECKING)."""
        found: set[str] = set()
        for node in self._at_import(self.tree.body):
            found |= _named(node)
        return found

    def all_imports(self) -> set[str]:
        """Modules named anywhere in the file, inside functions and for types too."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            found |= _named(node)
        return found

    @classmethod
    def _at_import(cls, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for node in body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found.append(node)
            elif isinstance(node, ast.If) and not cls._for_types(node):
                found += cls._at_import(node.body) + cls._at_import(node.orelse)
            elif isinstance(node, ast.Try):
                found += cls._at_import(node.body)
        return found

    @staticmethod
    def _for_types(node: ast.If) -> bool:
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _named(node: ast.AST) -> set[str]:
    """What an import statement imports: modules where the names are modules, else the module they come from too."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        full = {f"{node.module}.{alias.name}" for alias in node.names}
        return full if all(_is_module(name) for name in full) else full | {node.module}
    return set()


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the product (not the tests), in the order of their names."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            text = path.read_text("utf-8")
            found.append(Source(path, name, text, ast.parse(text)))
    return tuple(found)
