"""成批写入 · Many rows of one table by one statement: a column is one array, so that a row costs the server what it costs to
store, and us next to nothing. For the batches of end of day; a command that writes a few rows uses its session.

Rows are mappings of the same columns. What all rows share is given once (`shared`). Values are what the columns hold (text of
an enumeration, whole fen, Decimal, dates, UUIDs); JSON is given as a plain value. A column that is itself an array can only
be shared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Column, Table, TextClause, text
from sqlalchemy.dialects import postgresql

from domain.kernel.refusals import plain

if TYPE_CHECKING:
    from domain.kernel.context import Context

Rows = Sequence[Mapping[str, Any]]
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


async def insert(ctx: Context, table: Table, rows: Rows, **shared: Any) -> None:
    """Adds the rows, in their order."""
    if rows:
        statement = _insert(table, tuple(rows[0]), tuple(shared), ())
        await ctx.connection.execute(statement, _values(table, rows, shared))


async def upsert(ctx: Context, table: Table, rows: Rows, *, keys: tuple[str, ...]) -> None:
    """Adds the rows, or brings those that are there by their keys to the new values."""
    if rows:
        await ctx.connection.execute(_insert(table, tuple(rows[0]), (), keys), _values(table, rows, {}))


async def update(
    ctx: Context, table: Table, rows: Rows, *, keys: tuple[str, ...], where: str = "true", **shared: Any
) -> None:
    """Writes the other columns of the rows that have these keys. `where` says more about the rows there (SQL about `t`)."""
    if rows:
        statement = _update(table, tuple(rows[0]), keys, tuple(shared), where)
        await ctx.connection.execute(statement, _values(table, rows, shared))


@lru_cache(maxsize=256)
def _insert(table: Table, columns: tuple[str, ...], shared: tuple[str, ...], keys: tuple[str, ...]) -> TextClause:
    names = ", ".join(f'"{name}"' for name in (*columns, *shared))
    values = ", ".join([*(_read(table.c[name]) for name in columns), *(_given(table.c[name]) for name in shared)])
    set_, by = ", ".join(f'"{n}" = excluded."{n}"' for n in columns if n not in keys), ", ".join(keys)
    conflict = f"on conflict ({by}) do update set {set_}" if keys else ""
    return text(f"insert into {table.name} ({names}) select {values} from {_unnested(table, columns)} {conflict}")


@lru_cache(maxsize=256)
def _update(
    table: Table, columns: tuple[str, ...], keys: tuple[str, ...], shared: tuple[str, ...], where: str
) -> TextClause:
    changed = [f'"{name}" = {_read(table.c[name])}' for name in columns if name not in keys]
    changed += [f'"{name}" = {_given(table.c[name])}' for name in shared]
    same = " and ".join(f't."{name}" = r."{name}"' for name in keys)
    return text(
        f"update {table.name} t set {', '.join(changed)} from {_unnested(table, columns)} where {same} and {where}"
    )


def _unnested(table: Table, columns: Iterable[str]) -> str:
    arrays = ", ".join(f"cast(:{name} as {_type(table.c[name])}[])" for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return f"unnest({arrays}) as r({names})"


def _type(column: Column[Any]) -> str:
    """The element of the array: JSON travels as text."""
    return "text" if isinstance(column.type, JSON) else column.type.compile(_DIALECT)


def _read(column: Column[Any]) -> str:
    return f'cast(r."{column.name}" as jsonb)' if isinstance(column.type, JSON) else f'r."{column.name}"'


def _given(column: Column[Any]) -> str:
    if isinstance(column.type, JSON):
        return f"cast(cast(:{column.name} as text) as jsonb)"
    return f"cast(:{column.name} as {column.type.compile(_DIALECT)})"


def _values(table: Table, rows: Rows, shared: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    for name in values:
        if isinstance(table.c[name].type, JSON):
            values[name] = [_written(value) for value in values[name]]
    for name, value in shared.items():
        values[name] = _written(value) if isinstance(table.c[name].type, JSON) else value
    return values


def _written(value: Any) -> str | None:
    return None if value is None else json.dumps(plain(value), ensure_ascii=False)
