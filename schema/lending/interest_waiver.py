"""利息减免 · Interest waiver (F14)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.lending import interest_waiver
from schema.kernel import ID, Connection, Date, DateTime, Hidden, Money, Node, Payload, Rate, entity, relation
from schema.lending.loan import Loan
from schema.lending.loan_preview import LoanChangePreview
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.lending.interest_waiver import WaiverComponent as WaiverComponent
    from domain.lending.interest_waiver import WaiverState as WaiverState
else:
    WaiverComponent = strawberry.enum(
        interest_waiver.WaiverComponent, description="减免项目 What may be given up; never principal."
    )
    WaiverState = strawberry.enum(
        interest_waiver.WaiverState, description="减免状态 LAPSED: its condition was not met, the amount is due again."
    )


@entity("interest_waivers", reading="lending.interest_waiver.read")
class InterestWaiver(Node):
    """利息减免 Fee, penalty, compound or interest given up on a loan."""

    number: str
    """减免编号 The number people read: JM-2026-0001."""
    state: WaiverState
    """状态 Where it stands."""
    component: WaiverComponent
    """减免项目 What is given up."""
    installment_seq: int | None
    """期次 The installment; null: what was due, oldest first."""
    amount: Money
    """金额 What is asked; once approved, what was given up."""
    ratio: Rate | None
    """比例 The share that was asked, where no amount was."""
    reason: str
    """原因 Why."""
    void_unless_paid_by: Date | None
    """条件日期 It lapses if anything is still due at the close of this day."""
    effective_on: Date | None
    """生效日 The business date of the approval."""
    decided_at: DateTime | None
    """审批时间 When it was decided."""
    loan_id: Hidden[UUID]
    requested_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "requested_by"})

    @relation(by="loan_id")
    def loan(self) -> Loan:
        """借据 The loan."""

    @relation(by="requested_by_id")
    def requested_by(self) -> Employee:
        """申请人 Who asked."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The workflow that decides it."""


@strawberry.type(description="利息减免列表 One page of waivers.")
class InterestWaiverConnection(Connection[InterestWaiver]):
    pass


@strawberry.input(description="利息减免筛选 Only waivers that meet all that is given.")
class InterestWaiverFilter:
    states: list[WaiverState] | None = None
    """状态 In one of these states."""
    loan_id: ID | None = None
    """借据 On this loan."""


@strawberry.input(description="申请利息减免 What is to be given up, either an amount or a ratio.")
class RequestInterestWaiverInput:
    loan_id: ID
    """借据 The loan."""
    component: WaiverComponent
    """减免项目 What is to be given up."""
    reason: str
    """原因 Why."""
    installment_seq: int | None = None
    """期次 One installment, due or still running. Left out: what is due, oldest first."""
    amount: Money | None = None
    """金额 How much, at most what is outstanding."""
    ratio: Rate | None = None
    """比例 Share of what is outstanding at the approval, above 0 and at most 1."""
    void_unless_paid_by: Date | None = None
    """条件日期 It lapses if anything is still due at the close of this day."""


@strawberry.input(description="利息减免操作 The waiver.")
class InterestWaiverActionInput:
    waiver_id: ID
    """利息减免 The waiver."""


@strawberry.type(description="利息减免结果 The waiver, or why nothing changed.")
class InterestWaiverPayload(Payload):
    waiver: InterestWaiver | None = None
    """利息减免 The waiver; null with preview, as nothing is written."""
    preview: LoanChangePreview | None = None
    """预演 With preview: what would change on its loan."""
