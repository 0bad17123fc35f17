"""分页（多个上级） · The same page of a list for many parents at once, one statement: loans of customers, events of loans."""

from __future__ import annotations

from collections.abc import Sequence
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
    return {key: _page(rows, len(order), window, statement.where(parent == key)) for key, rows in found.items()}


def _page(found: list[Any], width: int, window: Window, statement: Select[Any]) -> Page:
    more, rows = len(found) > window.size, found[: window.size]
    if window.backward:
        rows.reverse()
    cursors = [cursor_of(tuple(row)[-width:]) for row in rows]
    has_next = window.before is not None if window.backward else more
    has_previous = more if window.backward else window.after is not None
    return Page(rows, cursors, has_next, has_previous, statement)
