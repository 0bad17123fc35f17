"""分页 · Keyset pages: every list ends its order with the key, holds at most 100 rows, and counts only when asked."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from domain.kernel.refusals import BadInput, plain

if TYPE_CHECKING:
    from domain.kernel.context import Context

LARGEST = 100
USUAL = 20


@dataclass(frozen=True, slots=True)
class Window:
    """first/after or last/before, as the client asked. Raises BadInput for what cannot be."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None:
            raise BadInput("first and last exclude each other")
        for size in (self.first, self.last):
            if size is not None and not 0 <= size <= LARGEST:
                raise BadInput(f"a page holds 0 to {LARGEST} rows")

    @property
    def backward(self) -> bool:
        return self.last is not None

    @property
    def size(self) -> int:
        wanted = self.last if self.backward else self.first
        return USUAL if wanted is None else wanted


@dataclass(frozen=True, slots=True)
class Order:
    """One column of an order; columns must not be null."""

    column: ColumnElement[Any]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page with a cursor each, and how the rows of the whole list are counted."""

    rows: list[Any]
    cursors: list[str]
    has_next: bool
    has_previous: bool
    count: Callable[[Context], Awaitable[int]]

    async def total(self, ctx: Context) -> int:
        """How many rows the whole list has; counted only when asked."""
        return await self.count(ctx)


async def _count(statement: Select[Any], ctx: Context) -> int:
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    return int((await ctx.connection.execute(counted)).scalar_one())


async def page(ctx: Context, statement: Select[Any], order: Sequence[Order], window: Window) -> Page:
    """One page of `statement`. The last column of `order` must be the key (unique).

    Raises BadInput for a cursor that is none, or of another order."""
    columns = [part.column.label(f"__o{index}") for index, part in enumerate(order)]
    paged = statement.add_columns(*columns).where(*beyond_cursor(order, window))
    paged = paged.order_by(*(direction(part, window.backward) for part in order)).limit(window.size + 1)
    found = list((await ctx.connection.execute(paged)).all())
    more = len(found) > window.size
    rows = found[: window.size]
    if window.backward:
        rows.reverse()
    width = len(columns)
    cursors = [cursor_of(tuple(row)[-width:]) for row in rows]
    has_next = window.before is not None if window.backward else more
    has_previous = more if window.backward else window.after is not None
    return Page(rows, cursors, has_next, has_previous, partial(_count, statement))


def beyond_cursor(order: Sequence[Order], window: Window) -> list[ColumnElement[bool]]:
    """The conditions that leave only what follows `after` and precedes `before`. Raises BadInput."""
    cursors = ((window.after, True), (window.before, False))
    return [_beyond(order, _decode(cursor, order), forward) for cursor, forward in cursors if cursor is not None]


def direction(part: Order, backward: bool) -> ColumnElement[Any]:
    """The way a column is sorted; a page that is read from its end is sorted the other way round."""
    return part.column.desc() if part.descending != backward else part.column.asc()


def _beyond(order: Sequence[Order], values: Sequence[Any], forward: bool) -> ColumnElement[bool]:
    ways = []
    for index, part in enumerate(order):
        equal = [order[i].column == values[i] for i in range(index)]
        further = part.column < values[index] if part.descending == forward else part.column > values[index]
        ways.append(and_(*equal, further))
    # Said again for the first column alone, so that an index is entered there instead of read from its beginning.
    first, value = order[0], values[0]
    no_nearer = first.column <= value if first.descending == forward else first.column >= value
    return and_(no_nearer, or_(*ways))


def cursor_of(values: Sequence[Any]) -> str:
    """The opaque place of a row: its values in the columns of the order."""
    texts = [value.isoformat() if isinstance(value, (date, datetime)) else plain(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts, separators=(",", ":")).encode()).decode()


def _decode(cursor: str, order: Sequence[Order]) -> list[Any]:
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if not isinstance(texts, list) or len(texts) != len(order):
            raise ValueError
        return [_value(part.column, text) for part, text in zip(order, texts, strict=True)]
    except (ValueError, TypeError, binascii.Error, InvalidOperation, UnicodeError) as error:
        raise BadInput("the cursor is not one of this list") from error


def _value(column: ColumnElement[Any], text: Any) -> Any:
    kind = column.type.python_type
    if kind in (date, datetime, Decimal, UUID) and not isinstance(text, str):
        raise ValueError
    if kind in (date, datetime):
        return kind.fromisoformat(text)
    if kind in (Decimal, UUID):
        return kind(text)
    if not isinstance(text, kind):
        raise ValueError
    return text
