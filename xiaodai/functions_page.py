"""Writes docs/functions.md: the 55 functions, and through which operations each works. `python -m xiaodai.functions_page`

A file of `resolvers/` says in its first line which functions it answers for: `利息减免 · Interest waiver (F14).`
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from importlib import import_module
from itertools import groupby
from types import ModuleType

from strawberry.utils.str_converters import to_camel_case

from domain.catalogue import FUNCTIONS, MODULES, Function
from schema import root
from xiaodai.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "functions.md"
HEADER = """# Functions

Written by `python -m xiaodai.functions_page`; a test compares. The name is the file in `domain/`, `schema/`, `resolvers/` and
`tests/`. What has no operation yet is not built. {built} of {all} functions have operations.
"""


def page() -> str:
    """The whole page."""
    operations = operations_by_code()
    lines = [HEADER.format(built=len(operations), all=len(FUNCTIONS))]
    for module, functions in groupby(FUNCTIONS, key=lambda function: function.module):
        lines += [
            f"## {MODULES[module]} `{module}`\n",
            "| | function | name | operations |",
            "| --- | --- | --- | --- |",
        ]
        lines += [_row(function, operations.get(function.code, [])) for function in functions]
        lines.append("")
    return "\n".join(lines)


def operations_by_code() -> dict[str, list[str]]:
    """Code of a function → the operations of the files that answer for it."""
    found: dict[str, list[str]] = defaultdict(list)
    for module in map(import_module, root.MODULES):
        for code in re.findall(r"\bF\d\d\b", (module.__doc__ or "").splitlines()[0]):
            found[code] += operations_of(module)
    return {code: names for code, names in found.items() if names}


def operations_of(module: ModuleType) -> list[str]:
    """What a file adds to the root of the API."""
    parts = (part for part in vars(module).values() if inspect.isclass(part) and part.__module__ == module.__name__)
    offered = (part for part in parts if part.__name__.endswith(("Queries", "Mutations", "Subscriptions")))
    return [
        field.graphql_name or to_camel_case(field.python_name)
        for part in offered
        for field in part.__strawberry_definition__.fields  # type: ignore[attr-defined]
    ]


def _row(function: Function, operations: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in operations) or "–"
    return f"| {function.code} | {function.chinese} {function.english} | `{function.name}` | {shown} |"


if __name__ == "__main__":
    PAGE.write_text(page())
