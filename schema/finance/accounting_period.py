"""会计期间 · Accounting periods: months and years of the books."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.finance import accounting_period
from schema.kernel import Connection, Date, DateTime, Hidden, Node, Payload, entity, relation
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.finance.accounting_period import PeriodKind as PeriodKind
    from domain.finance.accounting_period import PeriodState as PeriodState
else:
    PeriodKind = strawberry.enum(accounting_period.PeriodKind, description="期间类型 A month or a year.")
    PeriodState = strawberry.enum(
        accounting_period.PeriodState, description="期间状态 Whether anything may be dated into the period."
    )


@entity("accounting_periods", reading="finance.accounting_period.read")
class AccountingPeriod(Node):
    """会计期间 A month or a year of the books."""

    kind: PeriodKind
    """类型 A month or a year."""
    first_day: Date
    """首日 Its first day."""
    last_day: Date
    """末日 Its last day."""
    state: PeriodState
    """状态 Whether it is closed."""
    reason: str | None
    """事由 Why it is to be reopened."""
    decided_at: DateTime | None
    """复核时间 When the last request was decided."""
    requested_by_id: Hidden[UUID | None] = strawberry.field(metadata={"column": "requested_by"})
    decided_by_id: Hidden[UUID | None] = strawberry.field(metadata={"column": "decided_by"})

    @relation
    def unregistered_receipts(self) -> int:
        """未登记还款数 Receipts with a value date in it that nobody has registered."""

    @relation(by="requested_by_id")
    def requested_by(self) -> Employee | None:
        """经办人 Who asked last."""

    @relation(by="decided_by_id")
    def decided_by(self) -> Employee | None:
        """复核人 Who decided."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The workflow of the last request."""


@strawberry.type(description="会计期间列表 One page of periods.")
class AccountingPeriodConnection(Connection[AccountingPeriod]):
    pass


@strawberry.input(description="月结 The month to close.")
class CloseMonthInput:
    month: Date
    """月份 Any day of the month."""


@strawberry.input(description="年结 The year to close.")
class CloseYearInput:
    year: int
    """年度 The year."""


@strawberry.input(description="反月结 The month to reopen.")
class ReopenMonthInput:
    month: Date
    """月份 Any day of the month."""
    reason: str
    """事由 Why."""


@strawberry.input(description="反年结 The year to reopen.")
class ReopenYearInput:
    year: int
    """年度 The year."""
    reason: str
    """事由 Why."""


@strawberry.type(description="会计期间结果 The period, or why nothing changed.")
class AccountingPeriodPayload(Payload):
    period: AccountingPeriod | None = None
    """会计期间 The period; another person decides what was asked."""
