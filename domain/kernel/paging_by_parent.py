"""分页（多个上级） · The same page of a list for many parents at once, one statement: loans of customers, events of loans."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select

from domain.kernel.paging import Order, Page, Window, beyond_cursor, cursor_of, direction

if TYPE_CHECKING:
    from domain.kernel.context import Context


async def pages_by_parent(
    ctx: Context,
    statement: Select[Any],
    parent: ColumnElement[UUID],
    keys: Sequence[UUID],
    order: Sequence[Order],
    window: Window,
) -> dict[UUID, Page]:
    """`statement` selects columns of different names; `parent` says whose row it is. The last column of `order` is unique.

    Every key has its page, an empty one where there are no rows. Raises BadInput for a cursor that is none."""
    places = [part.column.label(f"__o{index}") for index, part in enumerate(order)]
    number = func.row_number().over(partition_by=parent, order_by=[direction(part, window.backward) for part in order])
    ranked = statement.where(parent.in_(keys), *beyond_cursor(order, window))
    ranked = ranked.add_columns(parent.label("__parent"), number.label("__rank"), *places)
    inner = ranked.subquery()
    first = select(inner).where(inner.c["__rank"] <= window.size + 1).order_by(inner.c["__parent"], inner.c["__rank"])
    found: dict[UUID, list[Any]] = {key: [] for key in keys}
    for row in (await ctx.connection.execute(first)).all():
        found[row._mapping["__parent"]].append(row)
    totals = _Totals(statement, parent, keys)
    return {key: _page(rows, len(order), window, partial(totals.of, key)) for key, rows in found.items()}


class _Totals:
    """How many rows each of the lists has, counted by one statement for all of them when the first one is asked."""

    def __init__(self, statement: Select[Any], parent: ColumnElement[UUID], keys: Sequence[UUID]) -> None:
        listed = statement.where(parent.in_(keys)).add_columns(parent.label("__parent")).subquery()
        self._counted = select(listed.c["__parent"], func.count()).group_by(listed.c["__parent"])
        self._found: dict[UUID, int] | None = None
        self._counting = asyncio.Lock()

    async def of(self, key: UUID, ctx: Context) -> int:
        async with self._counting:
            if self._found is None:
                self._found = {row[0]: row[1] for row in (await ctx.connection.execute(self._counted)).all()}
        return self._found.get(key, 0)


def _page(found: list[Any], width: int, window: Window, count: Callable[[Context], Awaitable[int]]) -> Page:
    more, rows = len(found) > window.size, found[: window.size]
    if window.backward:
        rows.reverse()
    cursors = [cursor_of(tuple(row)[-width:]) for row in rows]
    has_next = window.before is not None if window.backward else more
    has_previous = more if window.backward else window.after is not None
    return Page(rows, cursors, has_next, has_previous, count)
