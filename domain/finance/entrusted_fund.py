"""委托资金录入 · Entrusted funds (F16): money of an entrustor that comes in, and money that goes back to him.

The cashier enters what the bank's advice says, an accountant confirms it; only then it is posted (Dr 1002 / Cr 2314, and
the other way round). What is to go back is spoken for as soon as it is entered, so nothing else can take it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.configuration import parameter
from domain.configuration.company_account import AccountUse, CompanyAccount
from domain.customers.customer import Customer
from domain.finance import payment
from domain.finance.remark import remark
from domain.home import pending_task
from domain.kernel.clock import hold_month
from domain.kernel.command import command, find, lock
from domain.kernel.numbering import numbered
from domain.kernel.refusals import (
    Duplicate,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    PayeeNotBorrower,
    PayerNotEntrustor,
    SamePerson,
)
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.ledger import account, journal
from domain.ledger.journal import Entry, Line
from domain.lending.entrusted_loan.tables import EntrustedContract
from domain.lending.loan import Loan, fund
from domain.organization.department import check_text
from domain.post_loan.customer_account import CustomerAccount

if TYPE_CHECKING:
    from domain.kernel.context import Context

CONFIRM = "ENTRUSTED_FUND_CONFIRM"
PASS_ON = "ENTRUSTED_PASS_ON"
LIVING = "state in ('ENTERED', 'CONFIRMED')"


class FundKind(StrEnum):
    """委托资金方向 · Into the fund, or back to the entrustor."""

    RECEIVED = "RECEIVED"
    """收到 The entrustor's money came in."""
    RETURNED = "RETURNED"
    """转付 What came in on his loans, or was not lent, goes to him."""


class FundState(StrEnum):
    """委托资金状态 · Nothing is posted before a second person has confirmed it."""

    ENTERED = "ENTERED"
    """已录入 Waits for a second person."""
    CONFIRMED = "CONFIRMED"
    """已确认 Posted."""
    REJECTED = "REJECTED"
    """已拒绝 Never posted."""


class EntrustedFund(Keyed):
    """委托资金 · One amount that came in or goes back. `customer_account_id` is the entrustor's account that it goes to."""

    __tablename__ = "entrusted_funds"
    __table_args__ = (
        Index("ix_entrusted_funds_contract", "entrusted_contract_id", "id"),
        Index(
            "uq_entrusted_funds_bank_reference", "company_account_id", "kind", "bank_reference", unique=True,
            postgresql_where=LIVING,
        ),
    )  # fmt: skip
    reach: ClassVar[Reach] = Through("entrusted_contract_id", "entrusted_contracts")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[FundKind] = mapped_column(choice(FundKind))
    state: Mapped[FundState] = mapped_column(choice(FundState), default=FundState.ENTERED)
    entrusted_contract_id: Mapped[UUID] = mapped_column(ForeignKey("entrusted_contracts.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    value_date: Mapped[date]
    company_account_id: Mapped[UUID] = mapped_column(ForeignKey("company_accounts.id"))
    customer_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("customer_accounts.id"))
    payer_name: Mapped[str | None] = mapped_column(String(100))
    bank_reference: Mapped[str] = mapped_column(String(100))
    source_proof: Mapped[str | None] = mapped_column(String(500))
    purpose: Mapped[str] = mapped_column(String(500))
    entered_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(String(500))


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What the bank's advice says. `amount` in CNY."""

    amount: Decimal
    value_date: date
    company_account_id: UUID
    bank_reference: str
    purpose: str


# ---------------------------------------------------------------- rules


def same_name(one: str, other: str) -> bool:
    """Whether two names are one: blanks do not count."""
    return "".join(one.split()) == "".join(other.split())


def check_advice(advice: Advice, signed_on: date, today: date) -> None:
    """Raises INVALID_AMOUNT, INVALID_INPUT: money of a contract moves between its signing and today."""
    if advice.amount <= 0:
        raise InvalidAmount("amount", amount=advice.amount)
    if not signed_on <= advice.value_date <= today:
        raise InvalidInput(
            "valueDate",
            zh="入账日应在 {earliest} 至 {latest} 之间。",
            en="The value date lies between {earliest} and {latest}.",
            earliest=signed_on,
            latest=today,
        )


# ---------------------------------------------------------------- entering


@command("finance.entrusted_fund.record", idempotent=True)
async def record(
    ctx: Context,
    *,
    entrusted_contract_id: UUID,
    advice: Advice,
    payer_name: str,
    source_proof: str,
    idempotency_key: str,
) -> EntrustedFund:
    """委托资金录入 · Enters money that the entrustor has paid in, for a second person to confirm.

    Raises NOT_FOUND, PAYER_NOT_ENTRUSTOR, INVALID_AMOUNT, INVALID_INPUT (account, day, texts), DUPLICATE (bank reference),
    CLOSED_BUSINESS_DAY (the month of the value date is closed)."""
    contract = await find(ctx, EntrustedContract, entrusted_contract_id, "entrustedContractId")
    check_advice(advice, contract.signed_on, ctx.today)
    await hold_month(ctx, advice.value_date)
    entrustor = await ctx.session.get_one(Customer, contract.entrustor_id)
    payer = check_text("payerName", payer_name)
    if not same_name(payer, entrustor.name):
        raise PayerNotEntrustor("payerName")
    held = await find(ctx, CompanyAccount, advice.company_account_id, "companyAccountId")
    if not held.may(AccountUse.ENTRUSTED):
        raise InvalidInput(
            "companyAccountId", zh="该账户不是委托资金专户。", en="This account does not hold entrusted money."
        )
    proof = check_text("sourceProof", source_proof, 500)
    return await _enter(ctx, FundKind.RECEIVED, contract, advice, payer_name=payer, source_proof=proof)


@command("finance.entrusted_fund.return", idempotent=True)
async def give_back(
    ctx: Context,
    *,
    entrusted_contract_id: UUID,
    advice: Advice,
    customer_account_id: UUID,
    idempotency_key: str,
) -> EntrustedFund:
    """转付 · Enters money of a fund that goes to the entrustor's own account, for a second person to confirm.

    Raises NOT_FOUND, ENTRUSTED_FUND_INSUFFICIENT, PAYEE_NOT_BORROWER (not an account of the entrustor),
    INSUFFICIENT_ACCOUNT_BALANCE, INVALID_AMOUNT, INVALID_INPUT, DUPLICATE, CLOSED_BUSINESS_DAY."""
    contract = await find(ctx, EntrustedContract, entrusted_contract_id, "entrustedContractId")
    check_advice(advice, contract.signed_on, ctx.today)
    await hold_month(ctx, advice.value_date)
    payee = await find(ctx, CustomerAccount, customer_account_id, "customerAccountId")
    entrustor = await ctx.session.get_one(Customer, contract.entrustor_id)
    if payee.customer_id != entrustor.id or not same_name(payee.holder, entrustor.name):
        raise PayeeNotBorrower("customerAccountId", zh="收款人不是委托人。", en="The payee is not the entrustor.")
    # The account before the fund, as a pay-out has them: the other way round two would wait for each other.
    await lock(ctx, CompanyAccount, advice.company_account_id, "companyAccountId")
    await fund.take(ctx, contract.id, advice.amount, since=advice.value_date)
    await payment.payer(ctx, advice.company_account_id, advice.amount, AccountUse.ENTRUSTED)
    return await _enter(ctx, FundKind.RETURNED, contract, advice, customer_account_id=payee.id)


async def _enter(
    ctx: Context,
    kind: FundKind,
    contract: EntrustedContract,
    advice: Advice,
    *,
    payer_name: str | None = None,
    source_proof: str | None = None,
    customer_account_id: UUID | None = None,
) -> EntrustedFund:
    row = ctx.add(
        EntrustedFund(
            number=await numbered(ctx, "WZ"),
            kind=kind,
            state=FundState.ENTERED,
            entrusted_contract_id=contract.id,
            amount=advice.amount,
            value_date=advice.value_date,
            company_account_id=advice.company_account_id,
            customer_account_id=customer_account_id,
            payer_name=payer_name,
            bank_reference=check_text("bankReference", advice.bank_reference),
            source_proof=source_proof,
            purpose=check_text("purpose", advice.purpose, 500),
            entered_by=ctx.actor.id,
        )
    )
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("bankReference", value=row.bank_reference) from error
    await pending_task.open(
        ctx,
        type=CONFIRM,
        title=f"委托资金确认 Confirm the entrusted money {row.number}",
        subject=row,
        roles=("ACCOUNTANT",),
        exclude=[ctx.actor.id],
        amount=row.amount,
        customer_id=contract.entrustor_id,
    )
    ctx.announce("finance.entrusted_fund.entered", row, entrusted_contract_id=contract.id)
    return row


# ---------------------------------------------------------------- confirming


@command("finance.entrusted_fund.confirm", idempotent=True)
async def confirm(
    ctx: Context, *, fund_id: UUID, comment: str | None = None, idempotency_key: str | None = None
) -> EntrustedFund:
    """委托资金确认 · A second person has seen the money on the bank's statement: it is posted today.

    Raises NOT_FOUND, INVALID_STATE, SAME_PERSON, ENTRUSTED_FUND_INSUFFICIENT, INSUFFICIENT_ACCOUNT_BALANCE, INVALID_INPUT
    (comment), CLOSED_BUSINESS_DAY."""
    row = await _waiting(ctx, fund_id, comment)
    await hold_month(ctx, row.value_date)
    contract_id, coming = row.entrusted_contract_id, row.kind is FundKind.RECEIVED
    if coming:
        await fund.lock(ctx, contract_id)
    else:
        await lock(ctx, CompanyAccount, row.company_account_id)
        await fund.take(ctx, contract_id, row.amount, but=row.id, since=row.value_date)
        await payment.payer(ctx, row.company_account_id, row.amount, AccountUse.ENTRUSTED)
    row.state = FundState.CONFIRMED
    amount = row.amount if coming else -row.amount
    await journal.post(
        ctx,
        Entry(
            kind=f"ENTRUSTED_{row.kind.value}",
            reference=row,
            lines=[
                Line(account.BANK, debit=amount, sub_id=row.company_account_id),
                Line(account.ENTRUSTED_FUND, credit=amount, sub_id=contract_id),
            ],
            summary=f"{'收到委托资金' if coming else '转付委托资金'} {row.number}",
            value_date=row.value_date,
        ),
    )
    if not coming:
        await pending_task.close(ctx, EntrustedContract(id=contract_id), PASS_ON)
    ctx.announce("finance.entrusted_fund.confirmed", row, entrusted_contract_id=contract_id)
    return row


@command("finance.entrusted_fund.reject")
async def reject(ctx: Context, *, fund_id: UUID, comment: str) -> EntrustedFund:
    """拒绝 · It is not on the bank's statement, or was entered wrongly; nothing is posted and nothing stays spoken for.

    Raises NOT_FOUND, INVALID_STATE, SAME_PERSON, INVALID_INPUT (no comment)."""
    row = await _waiting(ctx, fund_id, comment)
    if row.comment is None:
        raise InvalidInput("comment", zh="请填写理由。", en="Give a reason.")
    row.state = FundState.REJECTED
    ctx.announce("finance.entrusted_fund.rejected", row, entrusted_contract_id=row.entrusted_contract_id)
    return row


async def _waiting(ctx: Context, fund_id: UUID, comment: str | None) -> EntrustedFund:
    """The row, locked, with who decides on it now."""
    row = await lock(ctx, EntrustedFund, fund_id, "fundId")
    if row.state is not FundState.ENTERED:
        raise InvalidState("fundId", state=row.state)
    if row.entered_by == ctx.actor.id:
        raise SamePerson("fundId")
    row.decided_by, row.decided_at, row.comment = ctx.actor.id, ctx.now, remark(comment)
    await pending_task.close(ctx, row, CONFIRM)
    return row


# ---------------------------------------------------------------- what came in goes on


async def ask_to_pass_on(ctx: Context, loan: Loan) -> None:
    """转付 · Money came in on an entrusted loan: the cashiers pass it on within the lender's days. One task for a contract."""
    if loan.entrusted_contract_id is None:
        return
    contract = await ctx.session.get_one(EntrustedContract, loan.entrusted_contract_id)
    tasks = pending_task.Task.__table__.c
    open_one = select(tasks.id).where(
        tasks.subject_id == contract.id, tasks.type == PASS_ON, tasks.state == pending_task.TaskState.OPEN
    )
    if (await ctx.connection.execute(open_one)).first() is not None:
        return
    days: int = await parameter.value(ctx, "entrusted_pass_on_days")
    await pending_task.open(
        ctx,
        type=PASS_ON,
        title=f"转付委托资金 Pass on what came in under {contract.number}",
        subject=contract,
        roles=("CASHIER",),
        customer_id=contract.entrustor_id,
        due_at=ctx.now + timedelta(days=days),
    )
