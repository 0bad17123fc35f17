"""出纳付款 · Paying a disbursement (F15): through the bank link, or by hand with a slip and a second person.

The cashier's command checks everything and hands the order to a job. The job asks the bank what it knows of the order
before it pays, so that an answer that never came, a worker that was killed or a job that runs twice never pay twice. The
order's own key is the bank's reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.configuration import document
from domain.configuration.company_account import AccountUse, CompanyAccount
from domain.customers.customer import Customer
from domain.finance import disbursement
from domain.finance.disbursement import Disbursement, DisbursementState
from domain.finance.remark import remark
from domain.home import pending_task
from domain.kernel import job, personal_data
from domain.kernel.clock import hold_month, machine_now
from domain.kernel.command import command, find, lock
from domain.kernel.refusals import (
    InsufficientAccountBalance,
    InvalidInput,
    InvalidState,
    PayeeNotBorrower,
    SamePerson,
    UpfrontDeduction,
)
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.ledger import journal
from domain.lending import guards
from domain.lending.loan_contract import LoanContract
from domain.post_loan.customer_account import AccountPurpose, CustomerAccount
from gateways.bank.port import Bank, BankRefused, BankUnavailable, PaymentOrder, PaymentResult, PaymentStatus

if TYPE_CHECKING:
    from domain.kernel.context import Context

SOONEST = timedelta(milliseconds=250)
LATEST = timedelta(minutes=1)


class BankOrderState(StrEnum):
    """UNKNOWN: the bank did not answer, so whether it took the order must be asked first."""

    PROCESSING = "PROCESSING"
    UNKNOWN = "UNKNOWN"
    PAID = "PAID"
    FAILED = "FAILED"


SETTLED = (BankOrderState.PAID, BankOrderState.FAILED)


class BankOrder(Keyed):
    """付款指令 · One order to the bank, made once and never changed; a disbursement that failed gets another one."""

    __tablename__ = "bank_orders"
    __table_args__ = (Index("ix_bank_orders_disbursement_id", "disbursement_id"),)
    reach: ClassVar[Reach] = Through("disbursement_id", "disbursements")

    disbursement_id: Mapped[UUID] = mapped_column(ForeignKey("disbursements.id"))
    company_account_id: Mapped[UUID] = mapped_column(ForeignKey("company_accounts.id"))
    customer_account_id: Mapped[UUID] = mapped_column(ForeignKey("customer_accounts.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    value_date: Mapped[date]
    state: Mapped[BankOrderState] = mapped_column(choice(BankOrderState), default=BankOrderState.PROCESSING)
    asked: Mapped[int] = mapped_column(default=0)
    bank_reference: Mapped[str | None] = mapped_column(String(100))
    reason: Mapped[str | None] = mapped_column(String(500))


# ---------------------------------------------------------------- rules


def check_whole(paid: Decimal, amount: Decimal) -> None:
    """不得预扣 · The borrower gets all of the principal, no more and no less (Civil Code 670; golden S31)."""
    if paid != amount:
        raise UpfrontDeduction("amount", amount=amount, paid=paid)


def check_value_date(value_date: date, signed_on: date | None, today: date) -> None:
    """The value date is the day on which the money leaves: not before the signing, not after the open business day."""
    if signed_on is None or not signed_on <= value_date <= today:
        raise InvalidInput(
            "valueDate",
            zh="起息日应在 {earliest} 至 {latest} 之间。",
            en="The value date lies between {earliest} and {latest}.",
            earliest=signed_on,
            latest=today,
        )


def check_payee(account: CustomerAccount, customer_id: UUID, name: str) -> None:
    """The money goes to an account of the borrower that bears the borrower's name."""
    if account.customer_id != customer_id or "".join(account.holder.split()) != "".join(name.split()):
        raise PayeeNotBorrower("customerAccountId")
    if not account.serves(AccountPurpose.DISBURSEMENT):
        raise InvalidInput(
            "customerAccountId", zh="该账户未用于放款。", en="This account is not one for disbursements."
        )


def wait(asked: int) -> timedelta:
    """How long until the bank is asked again: longer each time, at most a minute."""
    return LATEST if asked > 8 else min(SOONEST * 2**asked, LATEST)


def bank_linked(ctx: Context) -> bool:
    """Whether this lender pays through a bank link: sandboxes do, through the simulated bank."""
    return ctx.ports.bank is not None and ctx.lender.sandbox


# ---------------------------------------------------------------- commands


@command("finance.disbursement.pay", idempotent=True)
async def pay(
    ctx: Context,
    *,
    disbursement_id: UUID,
    company_account_id: UUID,
    customer_account_id: UUID,
    amount: Decimal,
    value_date: date,
    slip_ids: Sequence[UUID] = (),
    idempotency_key: str,
) -> Disbursement:
    """付款 · Pays a reviewed disbursement. Answers PAYING: the bank says later what became of it.

    With `slip_ids` (uploads) it was paid by hand, and an accountant confirms it. Raises NOT_FOUND, INVALID_STATE,
    UPFRONT_DEDUCTION, INSUFFICIENT_ACCOUNT_BALANCE, PAYEE_NOT_BORROWER, SAME_PERSON, INVALID_INPUT (accounts, value date, no
    bank link and no slip), CLOSED_BUSINESS_DAY (its month is closed), APPROVAL_EXPIRED and what the guards refuse on that day."""
    row = await lock(ctx, Disbursement, disbursement_id, "disbursementId")
    if row.state is not DisbursementState.REVIEWED:
        raise InvalidState("disbursementId", state=row.state)
    contract = await ctx.session.get_one(LoanContract, row.contract_id)
    check_whole(amount, row.amount)
    source = await payer(ctx, company_account_id, amount, use_for(contract.entrusted_contract_id))
    payee = await find(ctx, CustomerAccount, customer_account_id, "customerAccountId")
    check_payee(payee, row.customer_id, await _borrower(ctx, row.customer_id))
    if row.reviewer_id == ctx.actor.id:
        raise SamePerson("disbursementId")
    check_value_date(value_date, contract.signed_on, ctx.today)
    await hold_month(ctx, value_date)
    await guards.check_disbursement(ctx, contract, value_date, row.id)
    row.state, row.failure = DisbursementState.PAYING, None
    row.company_account_id, row.customer_account_id = source.id, payee.id
    row.value_date, row.cashier_id = value_date, ctx.actor.id
    await pending_task.close(ctx, row, disbursement.PAY)
    if slip_ids:
        await document.attach(ctx, slip_ids, row, application_id=contract.application_id)
        await _ask_for_confirmation(ctx, row)
    else:
        await _order(ctx, row)
    ctx.announce("finance.disbursement.paying", row)
    return row


def use_for(entrusted_contract_id: UUID | None) -> AccountUse:
    """What an account must be used for to pay: an entrustor's money is kept apart from the lender's."""
    return AccountUse.DISBURSE if entrusted_contract_id is None else AccountUse.ENTRUSTED


async def payer(
    ctx: Context, account_id: UUID, amount: Decimal, use: AccountUse = AccountUse.DISBURSE
) -> CompanyAccount:
    """The account to pay from, locked, so that two payments never share one balance; what is under way is spoken for."""
    account = await lock(ctx, CompanyAccount, account_id, "companyAccountId")
    if not account.may(use):
        raise InvalidInput("companyAccountId", zh="该账户不能用于放款。", en="This account does not pay out loans.")
    table = Disbursement.__table__.c
    under_way = select(func.coalesce(func.sum(table.amount), journal.ZERO)).where(
        table.company_account_id == account.id, table.state == DisbursementState.PAYING
    )
    balance = await journal.balance(ctx, account.gl_account, sub_id=account.id)
    balance -= (await ctx.connection.execute(under_way)).scalar_one()
    if balance < amount:
        raise InsufficientAccountBalance("companyAccountId", balance=balance, amount=amount)
    return account


async def _borrower(ctx: Context, customer_id: UUID) -> str:
    return (await ctx.session.execute(select(Customer.name).where(Customer.id == customer_id))).scalar_one()


async def _ask_for_confirmation(ctx: Context, row: Disbursement) -> None:
    await pending_task.open(
        ctx,
        type=disbursement.CONFIRM,
        title=f"放款确认 Confirm the pay-out {row.number}",
        subject=row,
        roles=("ACCOUNTANT",),
        exclude=[ctx.actor.id],
        amount=row.amount,
        customer_id=row.customer_id,
    )


async def _order(ctx: Context, row: Disbursement) -> None:
    """Writes the order for the bank and asks for the job that hands it over."""
    if not bank_linked(ctx):
        raise InvalidInput(
            "attachmentIds",
            zh="未接通银行，请上传付款回单。",
            en="There is no bank link: attach the slip of the payment.",
        )
    assert row.company_account_id is not None
    assert row.customer_account_id is not None
    assert row.value_date is not None
    order = ctx.add(
        BankOrder(
            disbursement_id=row.id,
            company_account_id=row.company_account_id,
            customer_account_id=row.customer_account_id,
            amount=row.amount,
            value_date=row.value_date,
            state=BankOrderState.PROCESSING,
            asked=0,
        )
    )
    await job.enqueue(ctx, "finance.disbursement.settle", _job_of(order.id), order_id=order.id)


def _job_of(order_id: UUID) -> str:
    return f"bank_order/{order_id}"


@command("finance.disbursement.confirm")
async def confirm(
    ctx: Context, *, disbursement_id: UUID, paid: bool = True, comment: str | None = None
) -> Disbursement:
    """放款确认 · A second person has seen that a payment by hand has left, or that it has not (`paid` false, with a comment).

    Raises NOT_FOUND, INVALID_STATE (nothing was paid by hand), SAME_PERSON, INVALID_INPUT (no comment)."""
    row = await lock(ctx, Disbursement, disbursement_id, "disbursementId")
    if row.state is not DisbursementState.PAYING or await _open_order(ctx, row.id) is not None:
        raise InvalidState("disbursementId", state=row.state)
    if row.cashier_id == ctx.actor.id:
        raise SamePerson("disbursementId")
    said = remark(comment)
    if paid:
        row.comment = said or row.comment
        await disbursement.paid(ctx, row, None)
    elif said is None:
        raise InvalidInput("comment", zh="请填写理由。", en="Give a reason.")
    else:
        await disbursement.failed(ctx, row, said)
    return row


@command("finance.disbursement.ask_bank_again")
async def ask_bank_again(ctx: Context, *, disbursement_id: UUID) -> Disbursement:
    """再次查询银行 · The bank's word on a payment was given up on, after many failures: it is asked anew, under the same order, so
    nothing is paid twice. Answers PAYING, as the payment did.

    Raises NOT_FOUND, INVALID_STATE (nothing waits for the bank's word, or the bank is being asked still)."""
    row = await lock(ctx, Disbursement, disbursement_id, "disbursementId")
    order_id = await _open_order(ctx, row.id)
    if row.state is not DisbursementState.PAYING or order_id is None:
        raise InvalidState("disbursementId", state=row.state)
    if not await job.resume(ctx, _job_of(order_id)):
        raise InvalidState(
            "disbursementId", zh="正在查询银行，请稍候。", en="The bank is being asked already.", state=row.state
        )
    ctx.announce("finance.disbursement.paying", row)
    return row


async def _open_order(ctx: Context, disbursement_id: UUID) -> UUID | None:
    """The order of a pay-out whose end the bank has not told yet."""
    open_ones = select(BankOrder.id).where(
        BankOrder.disbursement_id == disbursement_id, BankOrder.state.not_in(SETTLED)
    )
    return (await ctx.connection.execute(open_ones)).scalar_one_or_none()


# ---------------------------------------------------------------- the bank's word


@job.job("finance.disbursement.settle")
async def settle(ctx: Context, payload: dict[str, Any]) -> datetime | None:
    """The job behind an order: asks, pays if the bank never got it, writes down the answer; again until it is settled."""
    order_id = UUID(payload["order_id"])
    order = await _order_for_the_bank(ctx, order_id)
    if order is None:
        return None
    row = await answer(ctx, order_id=order_id, result=await hand_over(ctx.ports.bank, order))
    return None if row.state in SETTLED else machine_now() + wait(row.asked)


async def hand_over(bank: Bank, order: PaymentOrder) -> PaymentResult | None:
    """What the bank says of an order, paid only where it says that it never got it. None: nobody knows yet."""
    try:
        known = await bank.query(order.reference)
        return known or await _hand_over_new(bank, order)
    except (BankUnavailable, BankRefused):
        return None


async def _hand_over_new(bank: Bank, order: PaymentOrder) -> PaymentResult:
    try:
        return await bank.pay(order)
    except (
        BankRefused
    ) as refused:  # has failed, unless another worker handed it over in between: then the bank knows it
        failed = PaymentResult(reference=order.reference, status=PaymentStatus.FAILED, reason=str(refused))
        return await bank.query(order.reference) or failed


@command("finance.disbursement.answer")
async def answer(ctx: Context, *, order_id: UUID, result: PaymentResult | None) -> BankOrder:
    """What the bank said of an order; once it is settled, late and repeated answers change nothing. Raises NOT_FOUND."""
    order = await find(ctx, BankOrder, order_id)
    row = await lock(ctx, Disbursement, order.disbursement_id)
    await ctx.session.refresh(order)
    if order.state in SETTLED:
        return order
    order.asked += 1
    order.state = BankOrderState(result.status) if result else BankOrderState.UNKNOWN
    if result is None:
        return order
    order.bank_reference, order.reason = result.bank_reference, result.reason
    if order.state is BankOrderState.PAID:
        await disbursement.paid(ctx, row, result.bank_reference)
    elif order.state is BankOrderState.FAILED:
        await disbursement.failed(ctx, row, result.reason or "–")
    return order


async def _order_for_the_bank(ctx: Context, order_id: UUID) -> PaymentOrder | None:
    """The order with its accounts in plain, for this call only; None once it is settled."""
    async with ctx.writing() as inner:  # personal data is opened from rows of the unit of work
        order = await inner.session.get_one(BankOrder, order_id)
        if order.state in SETTLED:
            return None
        payer = await inner.session.get_one(CompanyAccount, order.company_account_id)
        payee = await inner.session.get_one(CustomerAccount, order.customer_account_id)
        row = await inner.session.get_one(Disbursement, order.disbursement_id)
        return PaymentOrder(
            reference=str(order.id),
            amount=order.amount,
            payer_account=personal_data.unseal(inner, payer, "account") or "",
            payee_name=payee.holder,
            payee_account=personal_data.unseal(inner, payee, "account") or "",
            payee_bank=payee.bank,
            purpose=f"放款 {row.number}",
            value_date=order.value_date,
        )
