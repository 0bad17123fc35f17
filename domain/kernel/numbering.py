"""编号 · Numbers that people read: `JK-2026-0001`. Per lender, kind and period, without gaps.

The counter's row stays locked until the command commits, so a rolled-back command gives its number back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.table import TenantTable

if TYPE_CHECKING:
    from domain.kernel.context import Context


class NumberSequence(TenantTable):
    """The last number given out for a kind in a period (a year, or a day)."""

    __tablename__ = "number_sequences"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    last: Mapped[int]


async def next_number(ctx: Context, kind: str, *, count: int = 1) -> int:
    """Takes `count` numbers of this kind in this business year; answers the first of them."""
    statement = (
        insert(NumberSequence)
        .values(kind=kind, period=str(ctx.today.year), last=count)
        .on_conflict_do_update(
            index_elements=[NumberSequence.kind, NumberSequence.period], set_={"last": NumberSequence.last + count}
        )
        .returning(NumberSequence.last)
    )
    return int((await ctx.connection.execute(statement)).scalar_one()) - count + 1


async def numbered(ctx: Context, kind: str, width: int = 4) -> str:
    """The next readable number of a kind: `JK-2026-0001`."""
    return f"{kind}-{ctx.today.year}-{await next_number(ctx, kind):0{width}d}"
