"""营业日 · The lender's clock: its business date and its moment (behaviour.md "Clocks").

The business date moves only by end of day. A moment is real time; in a sandbox it is the business date at the real time of
day, and it never goes back: past midnight of the day on which the business day was opened it stands at that day's last moment.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.refusals import ClosedBusinessDay
from domain.kernel.table import TenantTable

if TYPE_CHECKING:
    from domain.kernel.context import Context

SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOSING_DAY: ColumnElement[date] = bindparam("closing_day", type_=Date())
"""The day that is being closed, where SQL that is written once asks about it (`Step.when`)."""


class BusinessClock(TenantTable):
    """One row: the open business day, when (real time) it was opened, and whether the lender is a sandbox.

    `closed_through` is the last day of the last month that accounting has closed: nothing may take effect on or before it."""

    __tablename__ = "business_clock"

    id: Mapped[int] = mapped_column(primary_key=True, default=1, autoincrement=False)
    business_date: Mapped[date]
    opened_at: Mapped[datetime]
    sandbox: Mapped[bool]
    closed_through: Mapped[date | None]


def machine_now() -> datetime:
    """The machine's clock: for tokens, time-outs and rate limits only. Business moments come from `ctx.now`."""
    return datetime.now(UTC)


def moment(business_date: date, opened_at: datetime, sandbox: bool, real: datetime) -> datetime:
    """The lender's moment at the real time `real` (UTC)."""
    if not sandbox:
        return real
    local = real.astimezone(SHANGHAI)
    if local.date() == opened_at.astimezone(SHANGHAI).date():
        return datetime.combine(business_date, local.timetz()).astimezone(UTC)
    last = datetime.combine(business_date, time(0), SHANGHAI) + timedelta(days=1, microseconds=-1)
    return last.astimezone(UTC)


async def read_clock(connection: AsyncConnection) -> tuple[date, datetime]:
    """The business date and the lender's moment, read in the transaction at hand."""
    clock = BusinessClock.__table__.c
    row = (await connection.execute(select(clock.business_date, clock.opened_at, clock.sandbox))).one()
    return row.business_date, moment(row.business_date, row.opened_at, row.sandbox, machine_now())


async def wait_for_postings(ctx: Context) -> None:
    """Keeps everybody from posting until this transaction ends, once those who hold the day have committed."""
    await ctx.connection.execute(select(BusinessClock.id).with_for_update())


async def open_day(ctx: Context, business_date: date) -> bool:
    """Moves the business date on, and with it this transaction; answers whether the lender is a sandbox.

    Only end of day calls this. It waits for whoever holds the day, and whoever wants to hold one waits for its commit. The day
    is opened at a moment later than that of everything posted before it."""
    await wait_for_postings(ctx)
    opened_at = machine_now()
    opened = update(BusinessClock).values(business_date=business_date, opened_at=opened_at)
    opened = opened.returning(BusinessClock.sandbox, BusinessClock.closed_through)
    clock = (await ctx.connection.execute(opened)).one()
    ctx.bound.today, ctx.bound.now = business_date, moment(business_date, opened_at, clock.sandbox, opened_at)
    ctx.bound.holds_day, ctx.bound.closed_through = True, clock.closed_through
    return bool(clock.sandbox)


# As any serialization failure: the command is run again, on the new day.
_TURNED = "do $$ begin raise exception 'the business day was turned meanwhile' using errcode = '40001'; end $$"


async def hold_day(ctx: Context) -> None:
    """Keeps the business day open until this transaction ends: whoever posts shares the clock's row, and end of day waits.

    If the day was turned after the transaction began, it fails as a serialization failure does, and is retried."""
    if ctx.bound.holds_day:
        return
    held = select(BusinessClock.business_date, BusinessClock.closed_through).with_for_update(read=True)
    clock = (await ctx.connection.execute(held)).one()
    if clock.business_date != ctx.today:
        await ctx.connection.exec_driver_sql(_TURNED)
    ctx.bound.holds_day, ctx.bound.closed_through = True, clock.closed_through


async def take_day(ctx: Context) -> None:
    """Holds whatever day is open now and makes it this transaction's, before it has done anything else.

    For who was overtaken: days may close one after another, and whoever comes to his posting last would be overtaken each time."""
    row = (await ctx.connection.execute(select(BusinessClock.__table__).with_for_update(read=True))).one()
    ctx.bound.today = row.business_date
    ctx.bound.now = moment(row.business_date, row.opened_at, row.sandbox, machine_now())
    ctx.bound.holds_day, ctx.bound.closed_through = True, row.closed_through


async def hold_month(ctx: Context, value_date: date, field: str = "valueDate") -> None:
    """Holds the day, and the month of `value_date` with it: neither is closed until this transaction ends.

    Raises ClosedBusinessDay, with the last day of the closed months, for a day in one of them."""
    await hold_day(ctx)
    check_month(ctx.bound.closed_through, value_date, field)


async def closed_through(ctx: Context) -> date | None:
    """The last day of the closed months as it stands, without holding it: for looking ahead."""
    return (await ctx.connection.execute(select(BusinessClock.closed_through))).scalar_one()


def check_month(closed_through: date | None, value_date: date, field: str) -> None:
    """Raises ClosedBusinessDay, with the last day of the closed months, for a day in one of them."""
    if closed_through is not None and value_date <= closed_through:
        raise ClosedBusinessDay(
            field,
            zh="{on} 所在会计期间已结账（截至 {closed_through}）。",
            en="{on} lies in a closed month: the books are closed through {closed_through}.",
            on=value_date,
            closed_through=closed_through,
        )


async def close_through(ctx: Context, last: date | None) -> None:
    """Nothing takes effect on or before `last` from here on (None: no month is closed). Waits for whoever holds the day."""
    await ctx.connection.execute(update(BusinessClock).values(closed_through=last))
