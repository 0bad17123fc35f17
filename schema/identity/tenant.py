"""租户 · Lenders as the operators of the platform see them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import strawberry

from schema.kernel import ID, Connection, Date, DateTime, Money, Node, Payload


@strawberry.enum(description="机构状态 A lender that is not ACTIVE can do nothing.")
class TenantStatus(StrEnum):
    PROVISIONING = "PROVISIONING"
    """开户中 Being made."""
    ACTIVE = "ACTIVE"
    """正常 At work."""
    SUSPENDED = "SUSPENDED"
    """停用 Stopped by the platform; nothing is lost."""
    CLOSED = "CLOSED"
    """关闭 Ended."""


@strawberry.enum(description="牌照类型 Which limits of the law apply.")
class LicenceType(StrEnum):
    TRADITIONAL = "TRADITIONAL"
    """小额贷款 Traditional micro-lender."""
    ONLINE = "ONLINE"
    """网络小额贷款 Online micro-lender."""
    AGRICULTURAL = "AGRICULTURAL"
    """涉农小额贷款 Agricultural micro-lender."""


@strawberry.type(description="机构 A lender: a micro-lending company (小额贷款公司) on this platform.")
class Tenant(Node):
    code: str
    """机构编码 What its staff name when they sign in."""
    name: str
    """名称 Full name of the company."""
    licence_type: LicenceType
    """牌照类型 Kind of licence."""
    status: TenantStatus
    """状态 Whether it is at work."""
    business_date: Date
    """营业日 The open business day."""
    created_at: DateTime
    """开户时间 When it was made."""


@strawberry.type(description="机构列表 One page of lenders.")
class TenantConnection(Connection[Tenant]):
    @strawberry.field(description="总数 How many lenders there are.")
    async def total_count(self, info: strawberry.Info[Any, None]) -> int:
        return await self.page.total(None)


@strawberry.input(description="新机构 A lender to provision.")
class ProvisionTenantInput:
    code: str
    """机构编码 2 to 31 of a-z, 0-9 and "_", a letter first; it cannot be changed later."""
    name: str
    """名称 Full name of the company."""
    licence_type: LicenceType = LicenceType.TRADITIONAL
    """牌照类型 Kind of licence."""
    net_assets: Money
    """净资产 Net assets, for the concentration limits."""
    open_on: Date
    """首个营业日 First business day."""
    admin_username: str
    """管理员用户名 User name of the first administrator."""
    admin_password: str
    """管理员密码 Their password: at least 12 characters."""
    sandbox: bool = False
    """沙箱 A sandbox may move its clock and be reset."""


@strawberry.type(description="新机构结果 The lender, ready when this answers.")
class ProvisionTenantPayload(Payload):
    tenant: Tenant | None = None
    """机构 The new lender."""


@strawberry.input(description="机构操作 A lender to suspend or resume.")
class TenantActionInput:
    tenant_id: ID
    """机构 Which lender."""
    reason: str | None = None
    """原因 Why; kept in the trail of the operators."""


@strawberry.type(description="机构操作结果 The lender as it is now.")
class TenantPayload(Payload):
    tenant: Tenant | None = None
    """机构 The lender."""
