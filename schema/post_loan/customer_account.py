"""客户银行卡 · Customer account (F27)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.post_loan import customer_account
from schema.kernel import ID, Hidden, Node, Payload, entity

if TYPE_CHECKING:
    from domain.post_loan.customer_account import AccountPurpose as AccountPurpose
else:
    AccountPurpose = strawberry.enum(
        customer_account.AccountPurpose, description="账户用途 What an account is used for."
    )


@entity("customer_accounts", reading="post_loan.customer_account.read")
class CustomerAccount(Node):
    """客户银行卡 An account a customer is paid on or pays from."""

    holder: str
    """户名 Whose account it is."""
    account_last4: str
    """卡号后四位 The last four digits."""
    bank: str
    """开户行 The bank."""
    purposes: list[AccountPurpose]
    """用途 What it is used for."""
    customer_id: Hidden[UUID]


@strawberry.input(description="新客户银行卡 An account of a customer to enter.")
class CreateCustomerAccountInput:
    customer_id: ID
    """客户 Whose account it is."""
    holder: str
    """户名 Name of the holder; a pay-out goes to the borrower's own account only."""
    account_number: str
    """卡号 A card with a right check digit, for enterprises 8 to 30 digits; stored encrypted."""
    bank: str
    """开户行 The bank."""
    purposes: list[AccountPurpose]
    """用途 What it is used for, at least one."""


@strawberry.type(description="新客户银行卡结果 The account entered.")
class CreateCustomerAccountPayload(Payload):
    account: CustomerAccount | None = None
    """账户 The new account."""
