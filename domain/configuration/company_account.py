"""公司账户 · Company account (F39): the lender's own bank accounts.

What an account may be used for is said on it; money for lending goes through special accounts (放贷资金专户,
金规〔2024〕26号). Its balance is the ledger's balance of 1002 for this account, never a figure of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import LargeBinary, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel import personal_data
from domain.kernel.command import check_version, command, lock, query
from domain.kernel.feed import Json
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.refusals import Duplicate, InvalidAmount, InvalidBankCard, InvalidInput
from domain.kernel.scope import Everyone, Reach, scope
from domain.kernel.table import Keyed
from domain.ledger import journal
from domain.ledger.account import BANK, CAPITAL
from domain.ledger.journal import Entry, Line
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context


class AccountUse(StrEnum):
    """放款, 收款, 委托资金, 费用."""

    DISBURSE = "DISBURSE"
    """放款 Loans are paid out from it."""
    COLLECT = "COLLECT"
    """收款 Repayments arrive on it."""
    ENTRUSTED = "ENTRUSTED"
    """委托资金 Holds the money of entrustors."""
    FEES = "FEES"
    """费用 Fees are received and paid here."""


class CompanyAccount(Keyed):
    """One account at a bank. The number is sealed; people see its last four digits."""

    __tablename__ = "company_accounts"
    reach: ClassVar[Reach] = Everyone()

    name: Mapped[str] = mapped_column(String(100))
    bank: Mapped[str] = mapped_column(String(100))
    account_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    account_fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_last4: Mapped[str] = mapped_column(String(4))
    uses: Mapped[list[str]] = mapped_column(Json)
    gl_account: Mapped[str] = mapped_column(String(10), default=BANK)
    enabled: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    def may(self, use: AccountUse) -> bool:
        """Whether the account is in use and may be used for this."""
        return self.enabled and use in self.uses


# --------------------------------------------------------------------------- rules

# A company's account at a bank (对公账户) has no check digit, unlike a card.
ACCOUNT_NUMBER = re.compile(r"[0-9]{8,30}")


def check_account_number(text: str) -> str:
    """An account number without spaces and hyphens: 8 to 30 digits. Raises InvalidBankCard."""
    number = re.sub(r"[\s-]", "", text)
    if not ACCOUNT_NUMBER.fullmatch(number):
        raise InvalidBankCard("accountNumber", zh="银行账号无效。", en="The account number has 8 to 30 digits.")
    return number


def check_uses(uses: Sequence[AccountUse]) -> list[str]:
    """The uses as they are stored. Raises InvalidInput for none, one named twice, or entrusted money beside the lender's."""
    if not uses or len(set(uses)) != len(uses):
        raise InvalidInput("uses", zh="请选择用途，且不重复。", en="Name at least one use, and each once.")
    if AccountUse.ENTRUSTED in uses and len(uses) > 1:
        raise InvalidInput(
            "uses", zh="委托资金须专户存放。", en="The money of entrustors has an account for nothing else."
        )
    return [str(use) for use in uses]


# --------------------------------------------------------------------------- commands


@command("configuration.company_account.create")
async def create(
    ctx: Context, *, name: str, account_number: str, bank: str, uses: Sequence[AccountUse], opening_balance: Decimal
) -> CompanyAccount:
    """Enters an account with what is on it, booked as paid-in capital (Dr 1002 / Cr 4001).

    Raises InvalidInput, InvalidBankCard, InvalidAmount (negative balance), Duplicate.
    """
    number = check_account_number(account_number)
    if opening_balance < 0:
        raise InvalidAmount("openingBalance", amount=opening_balance)
    account = CompanyAccount(
        name=check_text("name", name), bank=check_text("bank", bank), uses=check_uses(uses), gl_account=BANK
    )
    personal_data.seal(ctx, account, "account", number)
    ctx.add(account)
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("accountNumber", value=account.account_last4) from error
    entry = Entry(
        kind="OPENING_BALANCE",
        reference=account,
        lines=[
            Line(account.gl_account, debit=opening_balance, sub_id=account.id),
            Line(CAPITAL, credit=opening_balance),
        ],
        summary=f"公司账户期初余额 {account.name}",
    )
    await journal.post(ctx, entry)
    return account


@command("configuration.company_account.update")
async def update(
    ctx: Context, *, account_id: UUID, expected_version: int, name: str, uses: Sequence[AccountUse], enabled: bool
) -> CompanyAccount:
    """Changes name, uses, or whether the account is in use. Raises NotFound, Conflict, InvalidInput."""
    account = await lock(ctx, CompanyAccount, account_id, "accountId")
    check_version(account, expected_version)
    account.name, account.uses, account.enabled = check_text("name", name), check_uses(uses), enabled
    return account


# --------------------------------------------------------------------------- queries


@query("configuration.company_account.read")
async def accounts(ctx: Context, *, columns: list[Any], window: Window) -> Page:
    """The lender's accounts by name."""
    table = CompanyAccount.__table__.c
    statement = select(*columns).where(scope(ctx, CompanyAccount))
    return await page(ctx, statement, [Order(table.name), Order(table.id)], window)


async def balances(ctx: Context, account_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """What the ledger says is on each account, in CNY."""
    return await journal.balances_by_sub(ctx, BANK, account_ids)
