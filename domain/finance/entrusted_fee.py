"""委托录入手续费 · Entrusted fees (F17): what the entrustor owes the lender for its work, and what was paid of it.

The one-off fee is due with the pay-out. It is paid by transfer (Dr 1002 / Cr 6021) or taken out of the fund (Dr 2314 / Cr
6021), entered by the cashier and confirmed by an accountant. The share of the interest is no row here: it is taken of each
receipt as it is booked, and restated with it (`domain.calculation.entrusted`).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.entrusted import one_off_fee
from domain.calculation.money import fen, yuan
from domain.calculation.vat import vat
from domain.configuration import parameter
from domain.configuration.company_account import AccountUse, CompanyAccount
from domain.finance.remark import remark
from domain.home import pending_task
from domain.kernel.clock import hold_day
from domain.kernel.command import command, find, lock
from domain.kernel.numbering import numbered
from domain.kernel.refusals import Duplicate, InvalidAmount, InvalidInput, InvalidState, SamePerson
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.ledger import account, journal
from domain.ledger.journal import Entry, Line
from domain.lending.entrusted_loan.tables import EntrustedContract
from domain.lending.loan import Loan, fund
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context

SETTLE = "ENTRUSTED_FEE_SETTLE"
CONFIRM = "ENTRUSTED_FEE_CONFIRM"


class EntrustedFeeType(StrEnum):
    """委托手续费类型 · What it is for."""

    ONE_OFF = "ONE_OFF"
    """一次性手续费 A share of what is paid out, due with the pay-out."""
    OTHER = "OTHER"
    """其他手续费 Agreed apart."""


class EntrustedFeeState(StrEnum):
    """委托手续费状态 · Income is booked when a second person has confirmed the payment."""

    DUE = "DUE"
    """应收 Is to be paid."""
    SETTLING = "SETTLING"
    """结算中 Waits for a second person."""
    SETTLED = "SETTLED"
    """已结算 Paid and booked."""


class FeeWay(StrEnum):
    """委托手续费结算方式 · How it is paid."""

    TRANSFER = "TRANSFER"
    """转账 The entrustor has transferred it."""
    FUND = "FUND"
    """从委托资金扣收 It is taken out of what is left of his money."""


class EntrustedFee(Keyed):
    """委托手续费 · One fee that an entrustor owes. `loan_id`: the pay-out that made it due."""

    __tablename__ = "entrusted_fees"
    __table_args__ = (
        Index("ix_entrusted_fees_contract", "entrusted_contract_id", "id"),
        Index("uq_entrusted_fees_one_off", "loan_id", unique=True, postgresql_where="type = 'ONE_OFF'"),
        # A bank names each credit once: the same one pays one fee. What was not confirmed loses its reference.
        Index("uq_entrusted_fees_bank_reference", "company_account_id", "bank_reference", unique=True),
    )
    reach: ClassVar[Reach] = Through("entrusted_contract_id", "entrusted_contracts")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    type: Mapped[EntrustedFeeType] = mapped_column(choice(EntrustedFeeType))
    state: Mapped[EntrustedFeeState] = mapped_column(choice(EntrustedFeeState), default=EntrustedFeeState.DUE)
    entrusted_contract_id: Mapped[UUID] = mapped_column(ForeignKey("entrusted_contracts.id"))
    loan_id: Mapped[UUID | None] = mapped_column(ForeignKey("loans.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    due_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(500))
    way: Mapped[FeeWay | None] = mapped_column(choice(FeeWay))
    company_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("company_accounts.id"))
    bank_reference: Mapped[str | None] = mapped_column(String(100))
    settled_on: Mapped[date | None]
    entered_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(String(500))


# ---------------------------------------------------------------- what is owed


async def due_at_pay_out(ctx: Context, loan: Loan) -> EntrustedFee | None:
    """一次性手续费 · The fee on what was just paid out under an entrusted contract; none where its rate is nothing. It never
    lowers the pay-out."""
    if loan.entrusted_contract_id is None:
        return None
    contract = await ctx.session.get_one(EntrustedContract, loan.entrusted_contract_id)
    amount = yuan(one_off_fee(fen(loan.principal), Fraction(contract.one_off_fee_rate)))
    if not amount:
        return None
    return await _owe(ctx, contract, EntrustedFeeType.ONE_OFF, amount, f"一次性手续费 {loan.number}", loan.id)


@command("finance.entrusted_fee.record")
async def record(ctx: Context, *, entrusted_contract_id: UUID, amount: Decimal, reason: str) -> EntrustedFee:
    """委托录入手续费 · A further fee that the entrustor owes from today on; `amount` in CNY, VAT in it.

    Raises NOT_FOUND, INVALID_AMOUNT, INVALID_INPUT (reason)."""
    if amount <= 0:
        raise InvalidAmount("amount", amount=amount)
    contract = await find(ctx, EntrustedContract, entrusted_contract_id, "entrustedContractId")
    text = check_text("reason", reason, 500)
    return await _owe(ctx, contract, EntrustedFeeType.OTHER, amount, text, None)


async def _owe(
    ctx: Context,
    contract: EntrustedContract,
    type: EntrustedFeeType,
    amount: Decimal,
    reason: str,
    loan_id: UUID | None,
) -> EntrustedFee:
    row = ctx.add(
        EntrustedFee(
            number=await numbered(ctx, "WF"),
            type=type,
            state=EntrustedFeeState.DUE,
            entrusted_contract_id=contract.id,
            loan_id=loan_id,
            amount=amount,
            due_on=ctx.today,
            reason=reason,
        )
    )
    await pending_task.open(
        ctx,
        type=SETTLE,
        title=f"委托手续费 Settle the fee {row.number}",
        subject=row,
        roles=("CASHIER",),
        amount=row.amount,
        customer_id=contract.entrustor_id,
    )
    ctx.announce("finance.entrusted_fee.due", row, entrusted_contract_id=contract.id)
    return row


# ---------------------------------------------------------------- how it is paid


@command("finance.entrusted_fee.settle", idempotent=True)
async def settle(
    ctx: Context,
    *,
    fee_id: UUID,
    way: FeeWay,
    company_account_id: UUID | None = None,
    bank_reference: str | None = None,
    idempotency_key: str,
) -> EntrustedFee:
    """手续费结算 · Enters how a fee was paid, for a second person to confirm: transferred to an account for fees, or taken out of
    the fund.

    Raises NOT_FOUND, INVALID_STATE, ENTRUSTED_FUND_INSUFFICIENT, INVALID_INPUT (account, bank reference; either given for a fee
    out of the fund), DUPLICATE (the bank reference paid another fee on that account)."""
    row = await lock(ctx, EntrustedFee, fee_id, "feeId")
    if row.state is not EntrustedFeeState.DUE:
        raise InvalidState("feeId", state=row.state)
    if way is FeeWay.TRANSFER:
        await _transferred(ctx, row, company_account_id, bank_reference)
    else:
        if company_account_id is not None or bank_reference is not None:
            raise InvalidInput("way", zh="扣收无须收款账户。", en="Nothing is transferred where the fund pays.")
        await fund.take(ctx, row.entrusted_contract_id, row.amount)
    row.state, row.way, row.entered_by, row.comment = EntrustedFeeState.SETTLING, way, ctx.actor.id, None
    await pending_task.close(ctx, row, SETTLE)
    await pending_task.open(
        ctx,
        type=CONFIRM,
        title=f"手续费确认 Confirm the fee {row.number}",
        subject=row,
        roles=("ACCOUNTANT",),
        exclude=[ctx.actor.id],
        amount=row.amount,
    )
    ctx.announce("finance.entrusted_fee.settling", row)
    return row


async def _transferred(
    ctx: Context, row: EntrustedFee, company_account_id: UUID | None, bank_reference: str | None
) -> None:
    """Notes on which account the fee came in, under a reference that no other fee has there."""
    if company_account_id is None:
        raise InvalidInput("companyAccountId", zh="请填写收款账户。", en="Name the account that it came in on.")
    held = await find(ctx, CompanyAccount, company_account_id, "companyAccountId")
    if not held.may(AccountUse.FEES):
        raise InvalidInput("companyAccountId", zh="该账户不能收取费用。", en="This account takes no fees.")
    named = check_text("bankReference", bank_reference or "")
    row.company_account_id, row.bank_reference = held.id, named
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("bankReference", value=named) from error


@command("finance.entrusted_fee.confirm", idempotent=True)
async def confirm(
    ctx: Context,
    *,
    fee_id: UUID,
    paid: bool = True,
    comment: str | None = None,
    idempotency_key: str | None = None,
) -> EntrustedFee:
    """手续费确认 · A second person has seen the payment: the fee is income of today, with its VAT. `paid` false, with a comment:
    it is owed still.

    Raises NOT_FOUND, INVALID_STATE, SAME_PERSON, ENTRUSTED_FUND_INSUFFICIENT, INVALID_INPUT (no comment)."""
    row = await lock(ctx, EntrustedFee, fee_id, "feeId")
    if row.state is not EntrustedFeeState.SETTLING:
        raise InvalidState("feeId", state=row.state)
    if row.entered_by == ctx.actor.id:
        raise SamePerson("feeId")
    row.decided_by, row.decided_at, row.comment = ctx.actor.id, ctx.now, remark(comment)
    await pending_task.close(ctx, row, CONFIRM)
    if paid:
        await _post(ctx, row)
    elif row.comment is None:
        raise InvalidInput("comment", zh="请填写理由。", en="Give a reason.")
    else:
        await _owed_still(ctx, row)
    return row


async def _post(ctx: Context, row: EntrustedFee) -> None:
    """Dr 1002 or 2314 / Cr 6021, and of it Dr 602109 / Cr 222101."""
    await hold_day(ctx)
    rate: Decimal = await parameter.value(ctx, "vat_rate")
    tax = yuan(vat(fen(row.amount), Fraction(rate)))
    if row.way is FeeWay.FUND:
        await fund.take(ctx, row.entrusted_contract_id, row.amount, but=row.id)
        paid_by = Line(account.ENTRUSTED_FUND, debit=row.amount, sub_id=row.entrusted_contract_id)
    else:
        paid_by = Line(account.BANK, debit=row.amount, sub_id=row.company_account_id)
    row.state, row.settled_on = EntrustedFeeState.SETTLED, ctx.today
    await journal.post(
        ctx,
        Entry(
            kind="ENTRUSTED_FEE",
            reference=row,
            lines=[
                paid_by,
                Line(account.FEE_INCOME, credit=row.amount),
                Line(account.VAT_ON_FEES, debit=tax),
                Line(account.OUTPUT_VAT, credit=tax),
            ],
            summary=f"委托贷款手续费 {row.number}",
        ),
    )
    ctx.announce("finance.entrusted_fee.settled", row)


async def _owed_still(ctx: Context, row: EntrustedFee) -> None:
    row.state, row.way, row.company_account_id, row.bank_reference = EntrustedFeeState.DUE, None, None, None
    await pending_task.open(
        ctx,
        type=SETTLE,
        title=f"委托手续费 Settle the fee {row.number}",
        subject=row,
        roles=("CASHIER",),
        amount=row.amount,
    )
    ctx.announce("finance.entrusted_fee.due", row)
