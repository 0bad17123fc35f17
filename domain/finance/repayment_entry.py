"""还款录入 · Repayment entry (F19): the cashier keys money that came in. Nothing is posted yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from domain.calculation.loan.events import PrepaymentMode
from domain.calculation.loan.replan import NO_TERM_TO_SHORTEN
from domain.calculation.schedule import Method
from domain.configuration.company_account import AccountUse, CompanyAccount
from domain.finance.receipt import Receipt, ReceiptMethod, ReceiptState
from domain.home import pending_task
from domain.kernel.clock import hold_month
from domain.kernel.command import command, find
from domain.kernel.numbering import numbered
from domain.kernel.refusals import Duplicate, InvalidAmount, InvalidInput, InvalidState, ProductRuleViolated
from domain.lending.loan import Loan, LoanState, plans
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context

REGISTER = "RECEIPT_REGISTER"
GONE = (LoanState.TRANSFERRED,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the bank's advice says, and what the payer meant. `amount` in CNY; `prepayment` None: what is not due is kept."""

    amount: Decimal
    value_date: date
    company_account_id: UUID
    payer_name: str
    bank_reference: str
    method: ReceiptMethod = ReceiptMethod.TRANSFER
    prepayment: PrepaymentMode | None = None


# ---------------------------------------------------------------- rules


def check_value_date(value_date: date, began: date, today: date) -> None:
    """Money counts from the day it came in: from the loan's value date to the open business day."""
    if not began <= value_date <= today:
        raise InvalidInput(
            "valueDate",
            zh="入账日应在 {earliest} 至 {latest} 之间。",
            en="The value date lies between {earliest} and {latest}.",
            earliest=began,
            latest=today,
        )


def check_prepayment(mode: PrepaymentMode | None, method: Method) -> None:
    """A loan that pays its principal at the end has no term to shorten (golden X7)."""
    if mode is PrepaymentMode.SHORTEN_TERM and method in NO_TERM_TO_SHORTEN:
        raise ProductRuleViolated(
            "prepayment",
            rule="prepayment",
            value=mode,
            allowed=[PrepaymentMode.REDUCE_INSTALLMENT, PrepaymentMode.SETTLE],
        )


# ---------------------------------------------------------------- command


@command("finance.receipt.enter", idempotent=True)
async def enter(ctx: Context, *, loan_id: UUID, entry: Entry, idempotency_key: str) -> Receipt:
    """Keys a receipt and asks an accountant, another person, to register it.

    Raises NOT_FOUND (loan, account), INVALID_STATE, INVALID_AMOUNT, INVALID_INPUT (account, value date, texts), DUPLICATE (the
    bank reference), PRODUCT_RULE_VIOLATED (prepayment), CLOSED_BUSINESS_DAY (the month of the value date is closed)."""
    loan = await find(ctx, Loan, loan_id, "loanId")
    if loan.state in GONE:
        raise InvalidState("loanId", state=loan.state)
    if entry.amount <= 0:
        raise InvalidAmount("amount", amount=entry.amount)
    check_value_date(entry.value_date, loan.value_date, ctx.today)
    if entry.prepayment is not None:  # the method in force: an amendment may have changed it
        check_prepayment(entry.prepayment, (await plans.current_terms(ctx, [loan.id]))[loan.id].method)
    account = await find(ctx, CompanyAccount, entry.company_account_id, "companyAccountId")
    if not account.may(AccountUse.COLLECT if loan.entrusted_contract_id is None else AccountUse.ENTRUSTED):
        raise InvalidInput("companyAccountId", zh="该账户不能用于收款。", en="This account does not take repayments.")
    await hold_month(ctx, entry.value_date)
    row = ctx.add(
        Receipt(
            number=await numbered(ctx, "HK"),
            state=ReceiptState.ENTERED,
            loan_id=loan.id,
            customer_id=loan.customer_id,
            amount=entry.amount,
            value_date=entry.value_date,
            company_account_id=account.id,
            payer_name=check_text("payerName", entry.payer_name),
            bank_reference=check_text("bankReference", entry.bank_reference),
            method=entry.method,
            prepayment=entry.prepayment,
            entered_by=ctx.actor.id,
        )
    )
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("bankReference", value=row.bank_reference) from error
    await _ask_for_registration(ctx, row)
    ctx.announce("finance.receipt.entered", row, loan_id=loan.id)
    return row


async def _ask_for_registration(ctx: Context, row: Receipt) -> None:
    await pending_task.open(
        ctx,
        type=REGISTER,
        title=f"还款登记 Register the receipt {row.number}",
        subject=row,
        roles=("ACCOUNTANT",),
        exclude=[ctx.actor.id],
        amount=row.amount,
        customer_id=row.customer_id,
    )
