"""营业日 · Money is posted on the open business day: whoever posts keeps it open until his transaction ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from domain.kernel.clock import BusinessClock

if TYPE_CHECKING:
    from domain.kernel.context import Context

# As any serialization failure: the command is run again, on the new day.
_TURNED = "do $$ begin raise exception 'the business day was turned meanwhile' using errcode = '40001'; end $$"


async def hold_day(ctx: Context) -> None:
    """Shares the clock's row, so that end of day waits for this transaction and none of its vouchers is late.

    If the day was turned after the transaction began, it fails as a serialization failure does, and is retried."""
    held = select(BusinessClock.business_date).with_for_update(read=True)
    if (await ctx.connection.execute(held)).scalar_one() != ctx.today:
        await ctx.connection.exec_driver_sql(_TURNED)
