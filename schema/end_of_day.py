"""日终 · End of day: business days and the run that closes them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain import business_day
from schema.kernel import Connection, Date, DateTime, Hidden, Node, Payload, entity, relation
from schema.lending.loan import Loan

if TYPE_CHECKING:
    from domain.business_day import BusinessDayState as BusinessDayState
else:
    BusinessDayState = strawberry.enum(
        business_day.BusinessDayState, description="营业日状态 Whether a business day takes postings."
    )


@entity("quarantined_loans", reading="end_of_day.day.read")
class QuarantinedLoan(Node):
    """隔离借据 A loan that end of day could not carry into a day."""

    on: Date
    """日期 The day it should have been carried into."""
    reason: str
    """原因 What went wrong."""
    released_at: DateTime | None
    """恢复时间 When it was carried after all."""
    loan_id: Hidden[UUID]

    @relation(by="loan_id")
    def loan(self) -> Loan:
        """借据 The loan."""


@entity("business_days", reading="end_of_day.day.read")
class BusinessDay(Node):
    """营业日 One business day and what closing it brought."""

    date: Date
    """日期 The day."""
    state: BusinessDayState
    """状态 OPEN takes postings; FAILED goes on with the next run."""
    loans_advanced: int
    """推进借据数 Loans carried into the next day."""
    loans_set_aside: int
    """隔离借据数 Loans that could not be carried; they are tried again at the next close."""
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

    @relation(by="date")
    def set_aside(self) -> list[QuarantinedLoan]:
        """隔离借据 The loans that could not be carried into the next day, and why."""


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


@strawberry.type(
    description="日终进度 How far the close of a day has come. Behind the last step loans are carried into the next day."
)
class EndOfDayProgress:
    date: Date
    """日期 The day that is being closed, or else the open one."""
    state: BusinessDayState
    """状态 OPEN while nothing is under way."""
    step: str | None
    """下一步 The step that is done next; null when none is left, or nothing is under way."""
    steps_done: int
    """已完成步骤 Steps that are done."""
    steps: int
    """步骤数 All steps."""
    loans_done: int
    """已推进借据数 Loans that stand on the next day already."""
    loans: int
    """借据数 Loans that are carried from day to day."""
