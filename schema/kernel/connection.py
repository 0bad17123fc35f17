"""连接 · Lists that can grow: keyset pages with cursors, and a total that is counted only when asked."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, Protocol, Self, TypeVar

import strawberry

from schema.kernel.node import Hidden
from schema.kernel.scalars import Date, Money

T = TypeVar("T")


class PageOfRows(Protocol):
    """What `domain.kernel.paging` answers."""

    @property
    def rows(self) -> list[Any]: ...
    @property
    def cursors(self) -> list[str]: ...
    @property
    def has_next(self) -> bool: ...
    @property
    def has_previous(self) -> bool: ...
    async def total(self, ctx: Any) -> int: ...


@strawberry.type(description="分页信息 Whether there is more, and where this page begins and ends.")
class PageInfo:
    has_next_page: bool
    """下一页 True when rows follow this page."""
    has_previous_page: bool
    """上一页 True when rows precede this page."""
    start_cursor: str | None
    """首游标 Cursor of the first row; null on an empty page."""
    end_cursor: str | None
    """末游标 Cursor of the last row; give it as `after` for the next page."""


@strawberry.type(description="边 One row of a page and its place.")
class Edge(Generic[T]):
    cursor: str
    """游标 The place of this row in the list."""
    node: T
    """对象 The row itself."""


@strawberry.type(description="列表 One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]]
    """边 The rows of this page with their cursors."""
    nodes: list[T]
    """对象 The rows of this page."""
    page_info: PageInfo
    """分页信息 Whether there is more."""
    page: Hidden[PageOfRows]

    @strawberry.field(description="总数 How many rows the whole list has; counted only when asked.")
    async def total_count(self, info: strawberry.Info[Any, None]) -> int:
        return await self.page.total(await info.context.reading())

    @classmethod
    def of(cls, node_type: Any, page: PageOfRows) -> Self:
        """The connection over a page of rows; `node_type.of(row)` makes each node."""
        return cls.over([node_type.of(row) for row in page.rows], page)

    @classmethod
    def over(cls, nodes: list[Any], page: PageOfRows) -> Self:
        """The connection over nodes that are made already, one for each row of the page."""
        cursors = page.cursors
        return cls(
            edges=[Edge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo(
                has_next_page=page.has_next,
                has_previous_page=page.has_previous,
                start_cursor=cursors[0] if cursors else None,
                end_cursor=cursors[-1] if cursors else None,
            ),
            page=page,
        )


@strawberry.enum(description="顺序 Direction of an order.")
class SortDirection(StrEnum):
    ASC = "ASC"
    """升序 Smallest first."""
    DESC = "DESC"
    """降序 Largest first."""


@strawberry.input(description="日期范围 Both ends belong to it; an end left out is open.")
class DateRange:
    from_: Date | None = strawberry.field(name="from", default=None)
    """起 First day."""
    to: Date | None = None
    """止 Last day."""


@strawberry.input(description="金额范围 Both ends belong to it; an end left out is open.")
class MoneyRange:
    min: Money | None = None
    """下限 Least amount."""
    max: Money | None = None
    """上限 Largest amount."""
