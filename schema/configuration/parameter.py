"""业务配置 · Parameters of a lender (F50)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.configuration import parameter
from schema.kernel import ID, JSON, Connection, Date, DateTime, Node, Payload, entity

if TYPE_CHECKING:
    from domain.configuration.parameter import ParameterState as ParameterState
else:
    ParameterState = strawberry.enum(parameter.ParameterState, description="参数状态 Proposed, approved or rejected.")


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
