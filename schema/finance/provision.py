"""拨备 · Provision for loan losses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.finance import provision
from schema.kernel import Connection, Date, DateTime, Hidden, Money, Node, Payload, Rate, entity, relation
from schema.lending.loan import FiveClass, Loan
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.finance.provision import ProvisionRunState as ProvisionRunState
else:
    ProvisionRunState = strawberry.enum(
        provision.ProvisionRunState, description="计提状态 Whether a run is booked, or waits for another person."
    )


@strawberry.type(
    description="拨备数据 What a policy requires of the lender's own loans, what is booked, and the ratios (6.1)."
)
class ProvisionFigures:
    policy: str
    """拨备政策 Code of the policy in force on the day."""
    as_of: Date
    """截止日 The day whose close the classes and balances are of."""
    principal: Money
    """贷款余额 Unpaid principal of the lender's own loans."""
    npl_principal: Money
    """不良贷款余额 Of the last three classes."""
    general_required: Money
    """一般准备 General provision required."""
    specific_required: Money
    """专项准备 Specific provision required."""
    required: Money
    """应计提 Both together."""
    additional: Money
    """附加准备 What the lender keeps beyond it."""
    booked_before: Money
    """计提前余额 The allowance (1304) before the run."""
    change: Money
    """本期计提 What is booked; below zero: released."""
    booked: Money
    """计提后余额 The allowance after it."""
    npl_ratio: Rate | None
    """不良率 Non-performing / outstanding; null without loans."""
    provision_coverage_ratio: Rate | None
    """拨备覆盖率 Allowance / non-performing; null without such loans."""
    loan_provision_ratio: Rate | None
    """拨贷比 Allowance / outstanding; null without loans."""
    adequacy_ratio: Rate | None
    """拨备充足率 Allowance / required; null where nothing is required."""


@strawberry.type(description="拨备明细 What one loan required in a run.")
class ProvisionItem:
    five_class: FiveClass
    """五级分类 Its class then."""
    principal: Money
    """贷款余额 Its unpaid principal then."""
    general: Money
    """一般准备 General provision required."""
    specific: Money
    """专项准备 Specific provision required."""
    loan_id: Hidden[UUID]

    @relation(by="loan_id")
    def loan(self) -> Loan:
        """借据 The loan."""


@strawberry.type(description="拨备明细列表 One page of the loans of a run.")
class ProvisionItemConnection(Connection[ProvisionItem]):
    pass


@entity("provision_runs", reading="finance.provision.read")
class ProvisionRun(Node):
    """拨备计提 One run of the provision for a month."""

    month: Date
    """月份 The first day of the month."""
    state: ProvisionRunState
    """状态 Where it stands."""
    reason: str
    """事由 Why it was run."""
    decided_at: DateTime | None
    """入账时间 When it was booked or refused."""
    requested_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "requested_by"})

    @relation
    def figures(self) -> ProvisionFigures:
        """拨备数据 What it required and booked, and the ratios after it."""

    @relation
    def items(self, first: int | None = None, after: str | None = None) -> ProvisionItemConnection:
        """拨备明细 The loans, the greatest specific provision first."""

    @relation(by="requested_by_id")
    def requested_by(self) -> Employee | None:
        """发起人 Who asked for it; null for end of day."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The workflow that decides it."""


@strawberry.type(description="拨备计提列表 One page of runs.")
class ProvisionRunConnection(Connection[ProvisionRun]):
    pass


@strawberry.input(description="拨备计提 The month to run.")
class RunProvisionInput:
    month: Date
    """月份 Any day of the month."""
    reason: str
    """事由 Why it is run again."""


@strawberry.type(description="拨备计提结果 The run, or why nothing changed.")
class ProvisionRunPayload(Payload):
    run: ProvisionRun | None = None
    """拨备计提 The run, which waits for another person."""
