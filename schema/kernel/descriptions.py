"""说明 · Descriptions for people who read the schema: the string under a field of a class is that field's description.

```python
number: str
\"\"\"编号 The number people read.\"\"\"
```
Arguments that mean the same everywhere are described here once.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from domain.kernel.refusals import REFUSALS

BACKREF = "strawberry-definition"
ARGUMENTS = {
    "input": "输入 What is asked for.",
    "id": "标识 Global id.",
    "first": "前若干条 Size of the page, at most 100 (20 when left out), counted from the beginning or from `after`.",
    "after": "起始游标 Rows behind this cursor.",
    "last": "后若干条 Size of the page, at most 100, counted back from the end or from `before`.",
    "before": "截止游标 Rows before this cursor.",
    "filter": "筛选 Only rows that meet all that is given.",
    "orderBy": "排序 The order of the rows; the id decides between equals.",
    "code": "编码 Only what bears this code.",
    "number": "编号 The number people read.",
    "state": "状态 Only what is in this state.",
    "days": "日期范围 The days asked about.",
    "figure": "数字 Which figure to explain.",
    "minLevel": "最低等级 This level and above.",
    "applicationId": "贷款申请 Global id of the application.",
    "month": "月份 Any day of the month asked about.",
    "entrustedContractId": "委托合同 Global id of the entrusted contract.",
    "firstDay": "起始日 The first day of the statement; the first of all when left out.",
    "lastDay": "截止日 The last day of the statement; the open business day when left out.",
    "on": "日期 The day asked about; the open business day when left out.",
    "asOf": "截至日 The day asked about, at its close.",
    "knownAt": "所知时点 What was known at this moment; now when left out. One that has not come, or before the lender, is refused.",
    "preview": "预演 Show what would change, and write nothing: same permission, same refusals.",
    "behind": "起始日 Days after this one.",
}


def describe_all(schema: GraphQLSchema) -> None:
    """Fills in every description that is not stated otherwise."""
    for kind in schema.type_map.values():
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
            definition = kind.extensions.get(BACKREF)
            stated = attributes_of(definition.origin) if definition else {}
            kind.description = kind.description or (_own_docstring(definition.origin) if definition else None)
            for name, field in kind.fields.items():
                python_name = getattr(field.extensions.get(BACKREF), "python_name", name)
                field.description = field.description or stated.get(python_name)
                for argument_name, argument in getattr(field, "args", {}).items():
                    argument.description = argument.description or ARGUMENTS.get(argument_name)
        elif isinstance(kind, GraphQLEnumType) and BACKREF in kind.extensions:
            _describe_enum(kind, kind.extensions[BACKREF].wrapped_cls)


def _describe_enum(kind: GraphQLEnumType, cls: type) -> None:
    kind.description = kind.description or _own_docstring(cls)
    stated = attributes_of(cls)
    for name, value in kind.values.items():
        rule = REFUSALS.get(name) if kind.name == "ErrorCode" else None
        value.description = value.description or stated.get(name) or (f"{rule.zh} {rule.en}" if rule else None)


def _own_docstring(cls: type) -> str | None:
    """The docstring that somebody wrote: dataclasses give the others their signature."""
    text: str | None = cls.__dict__.get("__doc__")
    return None if text is None or text.startswith(f"{cls.__name__}(") else inspect.cleandoc(text)


def attributes_of(cls: type) -> dict[str, str]:
    """Field → the string below it, of a class and the classes it is made from."""
    found: dict[str, str] = {}
    for part in reversed(cls.__mro__):
        source = getattr(sys.modules.get(part.__module__), "__file__", None)
        if source and part.__module__.split(".")[0] not in sys.stdlib_module_names:
            found.update(_strings(source).get(part.__qualname__, {}))
    return found


@cache
def _strings(path: str) -> dict[str, dict[str, str]]:
    """Class → field → string below it, of one source file."""
    tree = ast.parse(Path(path).read_text("utf-8"))
    return {node.name: _below(node.body) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _below(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, text in pairwise(body):
        value: Any = getattr(text, "value", None)
        if not (isinstance(text, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str)):
            continue
        target = field.target if isinstance(field, ast.AnnAssign) else getattr(field, "targets", [None])[0]
        if isinstance(target, ast.Name):
            found[target.id] = value.value
    return found
