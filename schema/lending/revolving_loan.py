"""循环贷款业务 · Revolving loans (F11): facilities, drawing on them, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import strawberry

from domain.lending.revolving_loan import queries, tables
from schema.configuration.loan_product import LendingMode, LoanProduct
from schema.customers.customer import Customer
from schema.kernel import (
    Connection,
    Date,
    DateTime,
    Hidden,
    Money,
    Node,
    Payload,
    Rate,
    column,
    entity,
    relation,
)
from schema.lending.loan import LoanConnection
from schema.lending.loan_application import GuardResult, LoanApplication, LoanApplicationConnection, guard_result
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.lending.revolving_loan.queries import FacilityOrderField as FacilityOrderField
    from domain.lending.revolving_loan.tables import FacilityEventType as FacilityEventType
    from domain.lending.revolving_loan.tables import FacilityState as FacilityState
    from domain.lending.revolving_loan.tables import FreezeCause as FreezeCause
    from domain.lending.revolving_loan.tables import RequestKind as RequestKind
    from domain.lending.revolving_loan.tables import RequestState as RequestState
    from domain.lending.revolving_loan.tables import ReviewOutcome as ReviewOutcome
else:
    FacilityState = strawberry.enum(tables.FacilityState, description="授信状态 Where a facility stands.")
    FreezeCause = strawberry.enum(tables.FreezeCause, description="冻结原因 Why a facility is frozen.")
    RequestKind = strawberry.enum(
        tables.RequestKind,
        name="FacilityRequestKind",
        description="授信申请类型 What others must decide about a facility.",
    )
    RequestState = strawberry.enum(
        tables.RequestState, name="FacilityRequestState", description="授信申请状态 What became of a request."
    )
    ReviewOutcome = strawberry.enum(
        tables.ReviewOutcome, name="FacilityReviewOutcome", description="年审结论 What a review says about a facility."
    )
    FacilityEventType = strawberry.enum(
        tables.FacilityEventType, description="授信事件类型 What happened to a facility."
    )
    FacilityOrderField = strawberry.enum(
        queries.FacilityOrderField, description="授信排序字段 What facilities are sorted by."
    )

READING = "lending.credit_facility.read"


@strawberry.type(description="额度占用 How much of a facility is drawn, on its way and free. Counted, never stored.")
class FacilityUsage:
    used: Money
    """已用 Principal outstanding of all that was drawn."""
    in_approval: Money
    """在途 Drawdowns in approval, or approved and not paid out yet."""
    available: Money
    """可用 What can be drawn now: the limit less both; nothing unless the facility is ACTIVE."""
    rate: Rate
    """使用率 Used ÷ limit."""


@entity("credit_facilities", reading=READING)
class CreditFacility(Node):
    """授信额度 A limit granted to a customer, drawn on again and again within its term."""

    number: str
    """授信编号 The number people read: SX-2026-0001."""
    state: FacilityState
    """状态 Where it stands."""
    limit: Money = column("credit_limit")
    """授信额度 The most that may be drawn at one time."""
    annual_rate: Rate
    """年利率 Interest a year on what is drawn."""
    starts_on: Date
    """生效日 First day on which it can be drawn on; before the grant the one asked for."""
    ends_on: Date
    """到期日 Last day on which it can be drawn on."""
    min_drawdown: Money
    """单笔最低 Least amount of one drawdown."""
    max_drawdown: Money
    """单笔最高 Largest amount of one drawdown."""
    max_periods: int
    """单笔最长期数 Most periods of one drawdown."""
    lending_mode: LendingMode
    """贷款方式 What secures it."""
    purpose_code: str
    """用途代码 Code of the purpose."""
    purpose: str
    """用途 What the money is for."""
    conditions: str | None
    """批准条件 Conditions that the approvers set."""
    papers_valid_until: Date | None
    """证件有效期 Last day of the customer's papers as they were seen; null: not noted."""
    granted_on: Date | None
    """批准日 The business date of the grant."""
    next_review_on: Date | None
    """下次年审日 When it is to be reviewed; null before the grant and after the end."""
    frozen_on: Date | None
    """冻结日 Since when it is frozen; null when it is not."""
    frozen_causes: list[FreezeCause]
    """冻结原因 Why it is frozen; empty when it is not."""
    frozen_reason: str | None
    """冻结说明 What the person who froze it said."""
    ended_on: Date | None
    """终止日 When it expired, was refused, taken back or ended."""
    version: int
    """版本 Counts the edits; give it as expectedVersion."""
    created_at: DateTime
    """申请时间 When it was asked for."""
    customer_id: Hidden[UUID]
    product_id: Hidden[UUID]
    maker_id: Hidden[UUID]
    manager_id: Hidden[UUID | None]
    co_manager_id: Hidden[UUID | None]
    checked: Hidden[list[Any]] = strawberry.field(metadata={"column": "guards"})

    @strawberry.field(description="护栏 The rules checked when it was asked for, at the grant or at a higher limit.")
    def guards(self) -> list[GuardResult]:
        return [guard_result(found) for found in self.checked]

    @relation
    def usage(self) -> FacilityUsage:
        """额度占用 How much of it is drawn, on its way and free."""

    @relation
    def available(self) -> Money:
        """可用额度 What can be drawn now; nothing unless it is ACTIVE."""

    @relation(by="customer_id")
    def customer(self) -> Customer:
        """客户 Who may draw on it."""

    @relation(by="product_id")
    def product(self) -> LoanProduct:
        """产品 The version of the product it is on."""

    @relation(by="maker_id")
    def maker(self) -> Employee:
        """经办 Who asked for it."""

    @relation(by="manager_id")
    def account_manager(self) -> Employee | None:
        """客户经理 Who manages it."""

    @relation(by="co_manager_id")
    def co_manager(self) -> Employee | None:
        """协办客户经理 The second account manager, if there is one."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The latest run of a decision about it."""

    @relation
    def requests(self) -> list[FacilityRequest]:
        """申请记录 What was asked about it, in order."""

    @relation
    def reviews(self) -> list[FacilityReview]:
        """年审记录 Its reviews, in order."""

    @relation
    def drawdowns(self, first: int | None = None, after: str | None = None) -> LoanApplicationConnection:
        """支用申请 What was asked for under it, the latest first."""

    @relation
    def loans(self, first: int | None = None, after: str | None = None) -> LoanConnection:
        """借据 What was drawn, the latest first."""

    @relation
    def history(self, first: int | None = None, after: str | None = None) -> FacilityEventConnection:
        """历史 What happened to it, in order."""


@entity("facility_requests", reading=READING)
class FacilityRequest(Node):
    """授信申请 Something asked about a facility that others decide."""

    kind: RequestKind
    """类型 What was asked."""
    state: RequestState
    """状态 What became of it."""
    limit_before: Money
    """原额度 The limit when it was asked; 0.00 for a new facility."""
    limit_after: Money
    """新额度 The limit asked for; once approved, the one granted."""
    reason: str
    """原因 Why."""
    decided_on: Date | None
    """审批日 The business date of the decision."""
    created_at: DateTime
    """申请时间 When it was asked."""
    requested_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "requested_by"})

    @relation(by="requested_by_id")
    def requested_by(self) -> Employee:
        """申请人 Who asked."""


@entity("facility_reviews", reading=READING)
class FacilityReview(Node):
    """年审 One review of a facility."""

    reviewed_on: Date
    """年审日 The business date of the review."""
    outcome: ReviewOutcome
    """结论 What it says."""
    opinion: str
    """意见 What was found."""
    new_limit: Money | None
    """建议额度 The lower limit that it asks for."""
    next_review_on: Date | None
    """下次年审日 When the next one is due."""
    reviewed_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "reviewed_by"})

    @relation(by="reviewed_by_id")
    def reviewed_by(self) -> Employee:
        """年审人 Who reviewed."""


@entity("facility_events", reading=READING)
class FacilityEvent(Node):
    """授信事件 One thing that happened to a facility; it is never changed."""

    type: FacilityEventType
    """类型 What happened."""
    business_date: Date
    """营业日 On which business day."""
    limit: Money = column("credit_limit")
    """额度 The limit from then on."""
    causes: list[FreezeCause]
    """原因 Why it was frozen."""
    reason: str | None
    """说明 What was said."""
    created_at: DateTime
    """时间 When."""
    actor_id: Hidden[UUID]

    @relation(by="actor_id")
    def actor(self) -> Employee | None:
        """操作人 Who did it; null for the system."""


@strawberry.type(description="授信事件列表 One page of a facility's history.")
class FacilityEventConnection(Connection[FacilityEvent]):
    pass


@strawberry.type(description="授信列表 One page of facilities.")
class CreditFacilityConnection(Connection[CreditFacility]):
    pass


@strawberry.type(description="授信合计 Sums over all facilities that a filter leaves.")
class CreditFacilityTotals:
    count: int
    """笔数 How many facilities."""
    limit: Money
    """授信额度 All limits."""
    used: Money
    """已用 Principal outstanding."""
    in_approval: Money
    """在途 Drawdowns on their way."""
    available: Money
    """可用 What can be drawn now, of ACTIVE facilities."""


@strawberry.type(description="授信结果 The facility, or why nothing changed.")
class CreditFacilityPayload(Payload):
    facility: CreditFacility | None = None
    """授信 The facility."""


@strawberry.type(description="支用结果 The drawdown in approval and its facility, or why nothing changed.")
class DrawDownPayload(Payload):
    application: LoanApplication | None = None
    """支用申请 The application that was made; contract, pay-out and loan follow as for any other."""
    facility: CreditFacility | None = None
    """授信 The facility."""
