"""节点 · Types that are made from rows: `of(row)` takes a core row or an ORM object, `columns()` says what to select.

A field is the column of its own name; `column("mobile_masked")` names another one. Columns have no resolver function.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, Self
from uuid import UUID

import strawberry
from sqlalchemy import Column
from strawberry import Private as Hidden

from domain.kernel.scope import entity_of

ID = strawberry.ID
__all__ = ["ID", "FromRow", "Hidden", "Node", "column", "global_id"]
TABLES: dict[type, tuple[str, ...]] = {}


def global_id(type_name: str, key: UUID | str) -> ID:
    """The opaque id that clients see: base64 of `Type:key`."""
    return ID(base64.b64encode(f"{type_name}:{key}".encode()).decode())


def column(name: str, description: str | None = None) -> Any:
    """A field whose column bears another name."""
    return strawberry.field(metadata={"column": name}, description=description)


class FromRow:
    """A type whose fields are columns. `given` adds what no column holds, or replaces it."""

    @classmethod
    def of(cls, row: Any, **given: Any) -> Self:
        names, values = _reader(cls)  # type: ignore[arg-type]
        return cls(**{**dict(zip(names, values(row), strict=True)), **given})

    @classmethod
    def columns(cls) -> list[Column[Any]]:
        """The columns of the type's tables that its fields need; `of` reads them by name."""
        return list({found.name: found for found in _columns(cls).values()}.values())  # type: ignore[arg-type]


@strawberry.interface(description="对象 Anything that has an id of its own.")
class Node(FromRow):
    key: Hidden[UUID] = dataclasses.field(metadata={"column": "id"})

    @strawberry.field(description="全局标识 Opaque id, unique over all types.")
    def id(self) -> ID:
        return global_id(type(self).__name__, self.key)


def _column_names(cls: Any) -> dict[str, str]:
    """Field → column, of all fields that are stored values."""
    return {part.name: part.metadata.get("column", part.name) for part in dataclasses.fields(cls) if part.init}


@cache
def _columns(cls: Any) -> dict[str, Column[Any]]:
    """Field → column of the type's tables, the first table that has it; fields of no column are left out."""
    tables = [entity_of(name).__table__.c for name in TABLES.get(cls, ())]
    found: dict[str, Column[Any]] = {}
    for field, name in _column_names(cls).items():
        holder = next((columns for columns in tables if name in columns), None)
        if holder is not None:
            found[field] = holder[name]
    return found


@cache
def _reader(cls: Any) -> tuple[list[str], Callable[[Any], tuple[Any, ...]]]:
    """The fields that a row fills, and how to take their values from it in one go."""
    names = _column_names(cls)
    wanted = list(_columns(cls)) if cls in TABLES else list(names)
    if len(wanted) == 1:
        only = attrgetter(names[wanted[0]])
        return wanted, lambda row: (only(row),)
    return wanted, attrgetter(*(names[field] for field in wanted))
