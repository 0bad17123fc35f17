"""节假日历 · The lender's calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.configuration import calendar
from schema.kernel import Connection, Date, Node, Payload, entity

if TYPE_CHECKING:
    from domain.configuration.calendar import DayKind as DayKind
else:
    DayKind = strawberry.enum(calendar.DayKind, description="日期类型 What a day is against its weekday.")


@entity("calendar_days", reading="configuration.calendar.read")
class CalendarDay(Node):
    """日历 A day that is not what its weekday says."""

    on: Date
    """日期 The day."""
    kind: DayKind
    """类型 What it is."""
    name: str
    """名称 Which holiday."""


@strawberry.type(description="日历列表 One page of days.")
class CalendarDayConnection(Connection[CalendarDay]):
    pass


@strawberry.input(description="日历 What a day is, in place of what was said before.")
class SaveCalendarDayInput:
    on: Date
    """日期 The day."""
    kind: DayKind
    """类型 What it is."""
    name: str
    """名称 Which holiday."""


@strawberry.type(description="日历结果 The day saved.")
class CalendarDayPayload(Payload):
    day: CalendarDay | None = None
    """日期 The day."""
