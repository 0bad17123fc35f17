"""登录 · Signing in and out, and who is signed in."""

from __future__ import annotations

import strawberry

from schema.customers.customer import Customer
from schema.identity.tenant import Tenant
from schema.kernel import Date, DateTime, Payload
from schema.organization.employee import Employee


@strawberry.type(description="当前用户 Who asks, and what they may do.")
class Viewer:
    employee: Employee | None
    """员工 The person; null for operators of the platform."""
    customer: Customer | None
    """客户 The borrower who signed in; null for staff and operators."""
    tenant: Tenant | None
    """机构 Their lender; null for operators of the platform."""
    permissions: list[str]
    """权限 Names of all permissions held, sorted."""
    business_date: Date | None
    """营业日 The lender's open business day."""


@strawberry.input(description="登录 A user name and its password.")
class SignInInput:
    tenant: str | None = None
    """机构编码 The lender's code; operators of the platform leave it out."""
    username: str
    """用户名 User name; upper and lower case alike."""
    password: str
    """密码 Password."""
    otp: str | None = None
    """动态验证码 One-time code, where the lender asks for a second factor."""


@strawberry.type(description="登录结果 A token, or why there is none.")
class SignInPayload(Payload):
    token: str | None = None
    """令牌 Send it as `Authorization: Bearer …`; it is shown once."""
    expires_at: DateTime | None = None
    """失效时间 When the token ends."""
    viewer: Viewer | None = None
    """当前用户 Who signed in."""


@strawberry.type(description="退出结果 Empty when the session has ended.")
class SignOutPayload(Payload):
    pass
