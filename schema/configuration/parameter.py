"""业务配置 · Parameters, purposes, calendar and agreement texts (F50)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.configuration import calendar, parameter, purpose
from schema.customers.customer import ConsentType
from schema.kernel import ID, JSON, Connection, Date, DateTime, Node, Payload, entity

if TYPE_CHECKING:
    from domain.configuration.calendar import DayKind as DayKind
    from domain.configuration.parameter import ParameterState as ParameterState
    from domain.configuration.purpose import PurposeUse as PurposeUse
else:
    DayKind = strawberry.enum(calendar.DayKind, description="日期类型 What a day is against its weekday.")
    ParameterState = strawberry.enum(parameter.ParameterState, description="参数状态 Proposed, approved or rejected.")
    PurposeUse = strawberry.enum(purpose.PurposeUse, description="用途类别 Consumption or business.")


@entity("parameters", reading="configuration.parameter.read")
class Parameter(Node):
    """参数 One value of one parameter from one day on."""

    code: str
    """编码 Which parameter: net_assets, cost_cap …"""
    value: JSON | None
    """取值 Money and rates as strings, counts as numbers; null is no limit."""
    effective_from: Date
    """生效日 First day on which it holds, once approved."""
    state: ParameterState
    """状态 Proposed, approved or rejected."""
    reason: str
    """原因 Why it was proposed."""
    decided_at: DateTime | None
    """审批时间 When another person decided."""


@strawberry.type(description="参数列表 One page of values.")
class ParameterConnection(Connection[Parameter]):
    pass


@strawberry.input(description="参数申请 A value to propose; it holds once another person approves it.")
class ProposeParameterInput:
    code: str
    """编码 Which parameter."""
    value: JSON | None = None
    """取值 Money and rates as strings, counts as numbers; null is no limit where the parameter is one."""
    effective_from: Date
    """生效日 The business date or a later day."""
    reason: str
    """原因 Why."""


@strawberry.input(description="参数审批 A decision on a proposed value, by another person.")
class ApproveParameterInput:
    parameter_id: ID
    """参数 The proposed value."""
    approved: bool = True
    """同意 False rejects it."""


@strawberry.type(description="参数结果 The value proposed or decided.")
class ParameterPayload(Payload):
    parameter: Parameter | None = None
    """参数 The value."""


@entity("purposes", reading="configuration.purpose.read")
class Purpose(Node):
    """贷款用途 A purpose of loans."""

    code: str
    """编码 What applications name."""
    name: str
    """名称 Name."""
    use: PurposeUse
    """类别 Consumption or business."""
    forbidden: bool
    """禁止 True where the law allows no loan for it."""


@strawberry.input(description="贷款用途 A purpose to add, or to change by its code.")
class SavePurposeInput:
    code: str
    """编码 What applications name."""
    name: str
    """名称 Name."""
    use: PurposeUse
    """类别 Consumption or business."""
    forbidden: bool = False
    """禁止 True where the law allows no loan for it."""


@strawberry.type(description="贷款用途结果 The purpose saved.")
class PurposePayload(Payload):
    purpose: Purpose | None = None
    """用途 The purpose."""


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


@entity("agreements", reading="configuration.agreement.read")
class Agreement(Node):
    """授权文本 One version of a text that customers agree to."""

    type: ConsentType
    """类型 What it is about."""
    version: int
    """版本 Version, from 1."""
    title: str
    """标题 Title."""
    text: str
    """正文 The text."""


@strawberry.input(description="授权文本 The next version of a text.")
class PublishAgreementInput:
    type: ConsentType
    """类型 What it is about."""
    title: str
    """标题 Title."""
    text: str
    """正文 The text."""


@strawberry.type(description="授权文本结果 The version published.")
class AgreementPayload(Payload):
    agreement: Agreement | None = None
    """文本 The version."""
