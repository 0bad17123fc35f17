"""企业客户 · Enterprise customers (F07)."""

from __future__ import annotations

import strawberry

from schema.customers.customer import Customer
from schema.kernel import Money, Payload, entity


@entity("customers", "enterprise_customers", reading="customers.customer.read")
class EnterpriseCustomer(Customer):
    """企业客户 A company or other organization."""

    uscc: str
    """统一社会信用代码 Unified social credit code."""
    legal_representative: str
    """法定代表人 Who represents the enterprise."""
    industry_code: str | None
    """行业 Industry (GB/T 4754)."""
    registered_capital: Money | None
    """注册资本 Registered capital, CNY."""


@strawberry.input(description="新企业客户 An enterprise customer to enter.")
class CreateEnterpriseCustomerInput:
    name: str
    """名称 Name."""
    uscc: str
    """统一社会信用代码 18 characters with a right check character."""
    legal_representative: str
    """法定代表人 Name of the legal representative."""
    legal_representative_id_number: str | None = None
    """法定代表人身份证号 Stored encrypted."""
    mobile: str
    """手机 Mobile number; stored encrypted."""
    region_code: str | None = None
    """行政区划 Region (GB/T 2260, six digits)."""
    industry_code: str | None = None
    """行业 Industry (GB/T 4754)."""
    registered_capital: Money | None = None
    """注册资本 Registered capital, CNY."""
    controller_name: str | None = None
    """实际控制人 Name of the ultimate controller; becomes a related party."""


@strawberry.type(description="新企业客户结果 The customer entered.")
class CreateEnterpriseCustomerPayload(Payload):
    customer: EnterpriseCustomer | None = None
    """客户 The new customer."""
