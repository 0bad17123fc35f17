"""贷后预警 · Early warnings (F31)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.post_loan import early_warning
from schema.customers.customer import Customer
from schema.kernel import ID, Connection, Cursor, Date, DateTime, Hidden, Node, Payload, column, entity, relation
from schema.kernel.feed import FeedChange
from schema.lending.loan import Loan
from schema.organization.employee import Employee

if TYPE_CHECKING:
    from domain.post_loan.early_warning import AlertLevel as AlertLevel
    from domain.post_loan.early_warning import AlertState as AlertState
else:
    AlertLevel = strawberry.enum(early_warning.AlertLevel, description="预警级别 From the mildest to the gravest.")
    AlertState = strawberry.enum(early_warning.AlertState, description="预警状态 Where its disposal stands.")

READING = "post_loan.early_warning.read"


@entity("alerts", reading=READING)
class Alert(Node):
    """预警 One signal about a loan, raised once per rule and spell of default."""

    rule: str
    """规则 Code of the rule that raised it."""
    level: AlertLevel
    """级别 How grave it is."""
    state: AlertState
    """状态 Where its disposal stands."""
    raised_at: DateTime = column("created_at", "发生时间 When it was raised.")
    business_date: Date
    """营业日 The day at whose close it was raised."""
    message: str
    """提示 What was found, with the number of the loan."""
    value: str
    """数值 What was measured: the days past due."""
    threshold: str
    """阈值 From which value on the rule warns."""
    act_by: Date | None
    """处置期限 Last day to take it up before it goes up to the general manager; null where nobody waits."""
    disposal: str | None
    """处置说明 What was done about it, or why it was false."""
    loan_id: Hidden[UUID | None]
    customer_id: Hidden[UUID | None]
    assignee_id: Hidden[UUID | None]

    @relation(by="loan_id")
    def loan(self) -> Loan | None:
        """借据 The loan."""

    @relation(by="customer_id")
    def customer(self) -> Customer | None:
        """客户 The borrower."""

    @relation(by="assignee_id")
    def assignee(self) -> Employee | None:
        """处置人 Who is to dispose of it."""


@strawberry.type(description="预警列表 One page of alerts.")
class AlertConnection(Connection[Alert]):
    pass


@strawberry.input(description="预警筛选 Only alerts that meet all that is given.")
class AlertFilter:
    levels: list[AlertLevel] | None = None
    """级别 Of one of these levels."""
    open: bool | None = None
    """未结束 True: those that still need somebody; false: those that ended."""


@strawberry.type(description="预警事件 An alert that I am to know of.")
class AlertEvent:
    cursor: Cursor
    """游标 Where to go on: give it as `after`."""
    change: FeedChange
    """变化 ADDED when it was raised, CHANGED when its disposal went on."""
    alert: Alert
    """预警 The alert as it is now."""


@entity("warning_rules", reading=READING)
class WarningRule(Node):
    """预警规则 From how many days past due there is an alert, and who is told."""

    code: str
    """编码 Its code, as alerts show it."""
    name: str
    """名称 Its name."""
    threshold: int
    """阈值 Days past due."""
    level: AlertLevel
    """级别 How grave its alerts are."""
    recipients: list[str]
    """接收人 MANAGER (of the loan) and codes of roles."""
    days_to_act: int | None
    """处置天数 Days within which an alert must be taken up; null where nobody waits."""
    enabled: bool
    """启用 Whether it raises alerts."""


@strawberry.input(description="指派预警 Who is to dispose of an alert.")
class AssignAlertInput:
    alert_id: ID
    """预警 The alert."""
    employee_id: ID
    """处置人 Who has it from here on."""


@strawberry.input(description="处置预警 What was done about an alert.")
class DisposeAlertInput:
    alert_id: ID
    """预警 The alert."""
    state: AlertState
    """结果 DISPOSING, CLOSED or FALSE_ALARM."""
    remark: str
    """说明 What was done; needed to end it."""


@strawberry.type(description="预警结果 The alert, or why nothing changed.")
class AlertPayload(Payload):
    alert: Alert | None = None
    """预警 The alert."""
