"""公司账户 · Company account (F39)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import strawberry

from domain.configuration import company_account
from schema.kernel import ID, Connection, Money, Node, Payload, entity, relation

if TYPE_CHECKING:
    from domain.configuration.company_account import AccountUse as AccountUse
else:
    AccountUse = strawberry.enum(
        company_account.AccountUse, description="账户用途 What the lender's account may be used for."
    )


@entity("company_accounts", reading="configuration.company_account.read")
class CompanyAccount(Node):
    """公司账户 An account of the lender at a bank."""

    name: str
    """名称 Name."""
    account_last4: str
    """账号后四位 The last four digits."""
    bank: str
    """开户行 The bank."""
    uses: list[AccountUse]
    """用途 What it may be used for."""
    enabled: bool
    """启用 Whether it is in use."""
    version: int
    """版本 Counts the edits; update mutations take it as expectedVersion."""

    @relation
    def balance(self) -> Money:
        """余额 What the ledger says is on it."""


@strawberry.type(description="公司账户列表 One page of company accounts.")
class CompanyAccountConnection(Connection[CompanyAccount]):
    pass


@strawberry.input(description="新公司账户 An account of the lender to enter.")
class CreateCompanyAccountInput:
    name: str
    """名称 Name."""
    account_number: str
    """账号 8 to 30 digits; stored encrypted."""
    bank: str
    """开户行 The bank."""
    uses: list[AccountUse]
    """用途 What it may be used for, at least one."""
    opening_balance: Money = Money(Decimal("0.00"))
    """期初余额 What is on it; booked as paid-in capital."""


@strawberry.type(description="新公司账户结果 The account entered.")
class CreateCompanyAccountPayload(Payload):
    account: CompanyAccount | None = None
    """账户 The new account."""


@strawberry.input(description="修改公司账户 Name, uses and state of an account, all of them as they are to be.")
class UpdateCompanyAccountInput:
    account_id: ID
    """账户 Which account."""
    expected_version: int
    """版本 The version that was read; an older one is CONFLICT."""
    name: str
    """名称 Name."""
    uses: list[AccountUse]
    """用途 What it may be used for, at least one."""
    enabled: bool
    """启用 Whether it is in use."""


@strawberry.type(description="公司账户结果 The account changed.")
class CompanyAccountPayload(Payload):
    account: CompanyAccount | None = None
    """账户 The account as it is now."""
