"""节假日历 · The lender's calendar: public holidays and make-up workdays (调休).

Weekends are known without a table. The State Council publishes the holidays year by year; the table starts with the years
published so far and is kept up by hand (saveCalendarDay).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from chinese_calendar import constants as published  # type: ignore[import-untyped]
from sqlalchemy import String, UniqueConstraint, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.command import command, query
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, choice, uuid7
from domain.organization.department import check_text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from domain.kernel.context import Context
    from domain.kernel.fresh_lender import FreshLender


class DayKind(StrEnum):
    """What a day is against its weekday. ORDINARY takes an entry back: the weekday alone decides again."""

    HOLIDAY = "HOLIDAY"
    """休息日 No working day, whatever the weekday."""
    MAKEUP_WORKDAY = "MAKEUP_WORKDAY"
    """调休上班 A working day, though it is a weekend."""
    ORDINARY = "ORDINARY"
    """普通 The weekday alone decides."""


class CalendarDay(Keyed):
    """A day that is not what its weekday says."""

    __tablename__ = "calendar_days"
    __table_args__ = (UniqueConstraint("on"),)
    reach: ClassVar[Reach] = Everyone()

    on: Mapped[date]
    kind: Mapped[DayKind] = mapped_column(choice(DayKind))
    name: Mapped[str] = mapped_column(String(60))


@dataclass(frozen=True, slots=True)
class Holidays:
    """What a repayment plan needs to roll its due dates."""

    holidays: frozenset[date]
    makeup_workdays: frozenset[date]


@command("configuration.calendar.save")
async def save_day(ctx: Context, *, on: date, kind: DayKind, name: str) -> CalendarDay:
    """Says what a day is, in place of what was said before. Plans made already keep their due dates. Raises InvalidInput."""
    name = check_text("name", name, 60)
    statement = select(CalendarDay).where(CalendarDay.on == on).with_for_update()
    row = (await ctx.session.execute(statement)).scalar_one_or_none()
    if row is None:
        return ctx.add(CalendarDay(on=on, kind=kind, name=name))
    row.kind, row.name = kind, name
    return row


@query("configuration.calendar.read")
async def days(ctx: Context, *, columns: list[Any], first_day: date, last_day: date, window: Window) -> Page:
    """The entries from one day to another, in order."""
    table = CalendarDay.__table__.c
    statement = select(*columns).where(table.on.between(first_day, last_day))
    return await page(ctx, statement, [Order(table.on), Order(table.id)], window)


async def holidays(ctx: Context, first_day: date, last_day: date) -> Holidays:
    """Holidays and make-up workdays from one day to another, both included."""
    statement = select(CalendarDay.on, CalendarDay.kind).where(CalendarDay.on.between(first_day, last_day))
    found = (await ctx.connection.execute(statement)).all()
    return Holidays(
        holidays=frozenset(row.on for row in found if row.kind == DayKind.HOLIDAY),
        makeup_workdays=frozenset(row.on for row in found if row.kind == DayKind.MAKEUP_WORKDAY),
    )


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The published years from the lender's first year on."""
    known = {
        **{day: (DayKind.HOLIDAY, name) for day, name in published.holidays.items()},
        **{day: (DayKind.MAKEUP_WORKDAY, name) for day, name in published.workdays.items()},
    }
    rows = [
        {"id": uuid7(), "created_at": request.moment, "on": day, "kind": kind, "name": str(name)}
        for day, (kind, name) in sorted(known.items())
        if day.year >= request.open_on.year
    ]
    if rows:
        await connection.execute(insert(CalendarDay), rows)
