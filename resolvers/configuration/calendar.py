"""节假日历 · The lender's calendar."""

from __future__ import annotations

from datetime import date

import strawberry

from domain.configuration import calendar
from domain.kernel.paging import Window
from resolvers.kernel import Info, mutation, reads
from schema.configuration.calendar import CalendarDay, CalendarDayConnection, CalendarDayPayload, SaveCalendarDayInput
from schema.kernel import DateRange


@strawberry.type
class CalendarQueries:
    @reads(calendar.days)
    async def calendar(
        self,
        info: Info,
        days: DateRange | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> CalendarDayConnection:
        """日历 Holidays and make-up workdays in order."""
        wanted = days or DateRange()
        page = await calendar.days(
            await info.context.reading(),
            columns=CalendarDay.columns(),
            first_day=wanted.from_ or date.min,
            last_day=wanted.to or date.max,
            window=Window(first, after, last, before),
        )
        return CalendarDayConnection.of(CalendarDay, page)


@strawberry.type
class CalendarMutations:
    @mutation(calendar.save_day)
    async def save_calendar_day(self, info: Info, input: SaveCalendarDayInput) -> CalendarDayPayload:
        """保存日历 Say what a day is; plans made already keep their due dates."""
        saved = await calendar.save_day(info.context.ctx, on=input.on, kind=input.kind, name=input.name)
        return CalendarDayPayload(day=CalendarDay.of(saved))
