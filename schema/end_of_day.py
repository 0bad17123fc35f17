"""日终 · End of day: business days and the run that closes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import end_of_day
from schema.kernel import Connection, Date, DateTime, Node, Payload, entity

if TYPE_CHECKING:
    from domain.end_of_day import BusinessDayState as BusinessDayState
else:
    BusinessDayState = strawberry.enum(
        end_of_day.BusinessDayState, description="营业日状态 Whether a business day takes postings."
    )


@entity("business_days", reading="end_of_day.day.read")
class BusinessDay(Node):
    """营业日 One business day and what closing it brought."""

    date: Date
    """日期 The day."""
    state: BusinessDayState
    """状态 OPEN takes postings; FAILED goes on with the next run."""
    loans_advanced: int
    """推进借据数 Loans carried into the next day."""
    became_overdue: int
    """新增逾期 Loans on their first day past due, after grace."""
    alerts_raised: int
    """新增预警 Alerts raised at its close."""
    ledger_balanced: bool
    """总分相符 Whether the proof of the books held at its close."""
    started_at: DateTime
    """开始时间 When it was opened; once it is being closed, when that began."""
    finished_at: DateTime | None
    """完成时间 When it was closed."""


@strawberry.type(description="营业日列表 One page of business days.")
class BusinessDayConnection(Connection[BusinessDay]):
    pass


@strawberry.input(description="日终 Which days to close.")
class RunEndOfDayInput:
    through: Date | None = None
    """截止日 The day to close; the open day when left out. Days before it are closed one by one."""


@strawberry.type(description="日终结果 The days closed, and the day that is open now.")
class RunEndOfDayPayload(Payload):
    days: list[BusinessDay] = strawberry.field(default_factory=list)
    """营业日 Each day from the first one open to the one asked for; the last may still be CLOSING."""
    business_date: Date | None = None
    """当前营业日 The day that takes postings now."""
