"""客户 · What individuals and enterprises have in common, and the list of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.customers import customer
from schema.customers.consent import ConsentRecord
from schema.customers.related_party import RelatedParty
from schema.kernel import ID, Connection, DateTime, Hidden, Node, relation
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount

if TYPE_CHECKING:
    from domain.customers.customer import CustomerKind as CustomerKind
    from schema.lending.loan import LoanConnection
else:
    CustomerKind = strawberry.enum(customer.CustomerKind, description="客户类型 Individual or enterprise.")


@strawberry.interface(description="客户 A customer: an individual or an enterprise.")
class Customer(Node):
    number: str
    """编号 The number people read: KH-2026-0001."""
    name: str
    """姓名、名称 Name."""
    kind: CustomerKind
    """类型 Individual or enterprise."""
    region_code: str | None
    """行政区划 Region (GB/T 2260)."""
    created_at: DateTime
    """建档时间 When the customer was entered."""
    manager_id: Hidden[UUID | None]
    co_manager_id: Hidden[UUID | None]

    @relation
    def mobile(self) -> str | None:
        """手机 Mobile number; masked (138****1234) without customers.personal_data."""

    @relation(by="manager_id")
    def manager(self) -> Employee | None:
        """客户经理 The account manager."""

    @relation(by="co_manager_id")
    def co_manager(self) -> Employee | None:
        """协办客户经理 The second account manager, if there is one."""

    @relation
    def accounts(self) -> list[CustomerAccount]:
        """银行卡 The customer's bank accounts."""

    @relation
    def related_parties(self) -> list[RelatedParty]:
        """关联方 Spouse, controller, shareholders."""

    @relation
    def consents(self) -> list[ConsentRecord]:
        """授权记录 What the customer agreed to."""

    @relation
    def loans(
        self, first: int | None = None, after: str | None = None
    ) -> Annotated[LoanConnection, strawberry.lazy("schema.lending.loan")]:
        """借据 The customer's loans, the latest first."""


@strawberry.type(description="客户列表 One page of customers.")
class CustomerConnection(Connection[Customer]):
    pass


@strawberry.input(description="客户筛选 Only customers that meet all that is given.")
class CustomerFilter:
    search: str | None = None
    """关键字 Part of the name, its pinyin from the start, or the whole number."""
    id_number: str | None = None
    """身份证号 The whole ID number."""
    uscc: str | None = None
    """统一社会信用代码 The whole credit code."""
    manager_id: ID | None = None
    """客户经理 Managed or co-managed by this employee."""
