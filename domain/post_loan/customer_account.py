"""客户银行卡 · Customer account (F27): where a customer is paid and pays from.

The holder is free here (a relative may repay); that the borrower himself is paid is checked at the pay-out.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Row, String, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.identifiers import check_bank_card
from domain.configuration.company_account import check_account_number
from domain.customers.customer import Customer, CustomerKind
from domain.kernel import personal_data
from domain.kernel.command import command, lock
from domain.kernel.feed import Json
from domain.kernel.refusals import Duplicate, InvalidBankCard, InvalidInput
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context


class AccountPurpose(StrEnum):
    """放款, 还款, 代扣, 退款."""

    DISBURSEMENT = "DISBURSEMENT"
    """放款 Loans are paid out to it."""
    REPAYMENT = "REPAYMENT"
    """还款 Repayments come from it."""
    WITHHOLDING = "WITHHOLDING"
    """代扣 Repayments are drawn from it."""
    REFUND = "REFUND"
    """退款 What was paid too much goes back to it."""


class CustomerAccount(Keyed):
    """One account of a customer. The number is sealed; people see its last four digits."""

    __tablename__ = "customer_accounts"
    __table_args__ = (UniqueConstraint("customer_id", "account_fingerprint"),)
    reach: ClassVar[Reach] = Through("customer_id", "customers")

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    holder: Mapped[str] = mapped_column(String(100))
    bank: Mapped[str] = mapped_column(String(100))
    account_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    account_fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    account_last4: Mapped[str] = mapped_column(String(4))
    purposes: Mapped[list[str]] = mapped_column(Json)

    def serves(self, purpose: AccountPurpose) -> bool:
        """Whether the account may be used for this."""
        return purpose in self.purposes


def plain_account(text: str, kind: CustomerKind) -> str:
    """A person's card has a check digit (Luhn), a company's account has none. Raises InvalidBankCard."""
    if kind is CustomerKind.ENTERPRISE:
        return check_account_number(text)
    try:
        return check_bank_card(text)
    except ValueError as error:
        raise InvalidBankCard("accountNumber") from error


@command("post_loan.customer_account.create")
async def create(
    ctx: Context, *, customer_id: UUID, holder: str, account_number: str, bank: str, purposes: Sequence[AccountPurpose]
) -> CustomerAccount:
    """Enters an account of a customer. Raises NotFound, InvalidBankCard, InvalidInput (no purpose), Duplicate."""
    customer = await lock(ctx, Customer, customer_id, "customerId")
    if not purposes or len(set(purposes)) != len(purposes):
        raise InvalidInput("purposes")
    account = CustomerAccount(
        customer_id=customer.id,
        holder=check_text("holder", holder),
        bank=check_text("bank", bank),
        purposes=[str(purpose) for purpose in purposes],
    )
    personal_data.seal(ctx, account, "account", plain_account(account_number, customer.kind))
    ctx.add(account)
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("accountNumber", value=account.account_last4) from error
    return account


async def by_customer(ctx: Context, customer_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Row[Any]]]:
    """The accounts of each customer, oldest first. `columns` must hold `customer_id`."""
    statement = select(*columns).where(CustomerAccount.customer_id.in_(customer_ids)).order_by(CustomerAccount.id)
    found: dict[UUID, list[Row[Any]]] = {customer_id: [] for customer_id in customer_ids}
    for row in (await ctx.connection.execute(statement)).all():
        found[row.customer_id].append(row)
    return found
