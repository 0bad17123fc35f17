"""还款录入与登记: keyed by one, posted by another, undone by a third; what it pays is what the fold says (F19, F20)."""

import asyncio
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from domain.calculation.loan.events import PrepaymentMode
from domain.calculation.schedule import Method
from domain.configuration.company_account import AccountUse
from domain.finance import receipt, repayment_registration
from domain.finance.receipt import Receipt, ReceiptState
from domain.finance.repayment_entry import Entry, check_prepayment, check_value_date, enter
from domain.home.pending_task import Task, TaskState
from domain.kernel.command import lock
from domain.kernel.paging import Window
from domain.kernel.refusals import (
    BadInput,
    Denied,
    Duplicate,
    IdempotencyKeyReused,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    ProductRuleViolated,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.ledger import journal
from domain.ledger.account import BANK, KEPT_MONEY, LOAN_OVERDUE
from domain.ledger.journal import Voucher
from domain.ledger.proof import differences
from domain.lending.loan import Loan, LoanState
from domain.lending.loan_contract import ContractState, LoanContract
from domain.workflow.instance import Decision
from tenancy.connections import Overloaded
from tests.support import desk
from tests.support.actors import LenderAtWork, a_lender
from tests.support.desk import a_company_account, a_key, receive
from tests.support.lending import decide
from tests.support.loans import Lending, lending_at

TODAY = date(2025, 1, 1)
TWENTY_DAYS_LATE = date(2024, 11, 12)
"""A loan of this value date has its first installment due on 2024-12-12."""


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


async def balance(lender: LenderAtWork, account: str, sub: UUID | None = None) -> D:
    async with lender.system.reading() as ctx:
        return await journal.balance(ctx, account, sub_id=sub)


async def allocation(lender: LenderAtWork, receipt_id: UUID) -> tuple[list[tuple[int | None, str, str]], D]:
    async with lender.system.reading() as ctx:
        found = (await receipt.allocations(ctx, [receipt_id]))[receipt_id]
    return [(line.seq, str(line.component), str(line.amount)) for line in found.lines], found.unapplied


async def vouchers(lender: LenderAtWork) -> int:
    async with lender.system.reading() as ctx:
        return int((await ctx.connection.execute(select(func.count()).select_from(Voucher))).scalar_one())


async def open_tasks(lender: LenderAtWork) -> list[str]:
    return [task.type for task in await lender.rows(Task, Task.state == TaskState.OPEN)]


async def row(lender: LenderAtWork, receipt_id: UUID) -> Any:
    (found,) = await lender.rows(Receipt, Receipt.id == receipt_id)
    return found


# ---------------------------------------------------------------- rules


def test_money_counts_from_the_value_date_of_the_loan_to_today():
    for day in (date(2025, 1, 1), date(2025, 1, 3)):
        check_value_date(day, date(2025, 1, 1), date(2025, 1, 3))
    for day in (date(2024, 12, 31), date(2025, 1, 4)):
        with pytest.raises(InvalidInput):
            check_value_date(day, date(2025, 1, 1), date(2025, 1, 3))


@pytest.mark.parametrize("method", [Method.INTEREST_ONLY, Method.BULLET])
def test_what_is_paid_at_the_end_has_no_term_to_shorten(method: Method):
    with pytest.raises(ProductRuleViolated):
        check_prepayment(PrepaymentMode.SHORTEN_TERM, method)
    for mode in (None, PrepaymentMode.SETTLE, PrepaymentMode.REDUCE_INSTALLMENT):
        check_prepayment(mode, method)
    check_prepayment(PrepaymentMode.SHORTEN_TERM, Method.EQUAL_INSTALLMENT)


# ---------------------------------------------------------------- entry

LATE = [
    (1, "PENALTY", "78.85"),
    (1, "COMPOUND", "10.00"),
    (1, "INTEREST", "1000.00"),
    (1, "PRINCIPAL", "7796.03"),
]


async def test_an_entered_receipt_changes_nothing_and_shows_what_it_would_pay(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    before = await lending.figures(loan_id), await vouchers(lender), await lending.loan(loan_id)
    entered = await desk.enter(lender, loan_id, lending.account_id, "8884.88", TODAY)
    assert (entered.number, entered.state) == ("HK-2025-0001", ReceiptState.ENTERED)
    assert await allocation(lender, entered.id) == (LATE, D("0.00"))
    assert (await lending.figures(loan_id), await vouchers(lender), await lending.loan(loan_id)) == before
    assert await open_tasks(lender) == ["RECEIPT_REGISTER"]


async def test_twenty_days_late_posts_penalty_compound_interest_and_principal(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    assert (await lending.loan(loan_id)).state is LoanState.OVERDUE
    paid = await receive(lender, loan_id, lending.account_id, "8884.88", TODAY)
    assert paid.state is ReceiptState.REGISTERED
    assert await allocation(lender, paid.id) == (LATE, D("0.00"))
    figures = await lending.figures(loan_id)
    assert (figures.overdue_principal, figures.penalty, figures.compound) == (8885, 0, 0)
    assert await balance(lender, LOAN_OVERDUE) == D("88.85")
    assert await open_tasks(lender) == []
    assert await differences_of(lender) == []


async def differences_of(lender: LenderAtWork) -> list[str]:
    async with lender.system.reading() as ctx:
        return [str(found) for found in await differences(ctx)]


async def test_what_nothing_takes_is_kept(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out()
    paid = await receive(lender, loan_id, lending.account_id, "500.00", TODAY)
    assert await allocation(lender, paid.id) == ([], D("500.00"))
    assert await balance(lender, KEPT_MONEY) == D("-500.00")


async def test_refused_entries(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=date(2024, 12, 1))
    paying_only = await a_company_account(lender, "110000000002", uses=(AccountUse.DISBURSE,))

    async def refused(error: type[Exception], amount: str = "1.00", on: date = TODAY, **more: Any) -> None:
        account_id = more.pop("account_id", lending.account_id)
        with pytest.raises(error):
            await desk.enter(lender, more.pop("loan_id", loan_id), account_id, amount, on, **more)

    for amount in ("0.00", "-1.00"):
        await refused(InvalidAmount, amount)
    for on in (date(2024, 11, 30), date(2025, 1, 2)):
        await refused(InvalidInput, on=on)
    await refused(InvalidInput, account_id=paying_only.id)
    await refused(NotFound, account_id=uuid7())
    await refused(NotFound, loan_id=uuid7())
    await refused(InvalidInput, payer_name=" ")
    await refused(InvalidInput, bank_reference="")
    bullet = await lending.pay_out(method=Method.BULLET)
    await refused(ProductRuleViolated, loan_id=bullet, prepayment=PrepaymentMode.SHORTEN_TERM)
    assert await lender.rows(Receipt) == []


async def test_a_credit_is_keyed_once_on_an_account(lender: LenderAtWork, lending: Lending):
    loan_id, other = await lending.pay_out(), await a_company_account(lender, "110000000002")
    first = await desk.enter(lender, loan_id, lending.account_id, "1.00", TODAY, bank_reference="B-1")
    with pytest.raises(Duplicate):
        await desk.enter(lender, loan_id, lending.account_id, "2.00", TODAY, bank_reference="B-1")
    await desk.enter(lender, loan_id, other.id, "2.00", TODAY, bank_reference="B-1")
    await repayment_registration.reject(lender.accountant, receipt_id=first.id, comment="金额有误")
    await desk.enter(lender, loan_id, lending.account_id, "1.50", TODAY, bank_reference="B-1")


async def test_who_may_key_and_who_may_register(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out()
    entry = Entry(amount=D("1.00"), value_date=TODAY, company_account_id=lending.account_id, payer_name="张三",
                  bank_reference="B-1")  # fmt: skip
    for person in (lender.accountant, lender.account_manager, lender.tenant_admin, lender.general_manager):
        with pytest.raises(Denied):
            await enter(person, loan_id=loan_id, entry=entry, idempotency_key=a_key())
    entered = await enter(lender.cashier, loan_id=loan_id, entry=entry, idempotency_key=a_key())
    for person in (lender.cashier, lender.account_manager, lender.tenant_admin, lender.business_manager):
        for command in (repayment_registration.register, repayment_registration.reject):
            with pytest.raises(Denied):
                await command(person, receipt_id=entered.id)


async def test_the_enterer_does_not_register(lender: LenderAtWork, lending: Lending):
    """Even if his roles changed in between: four eyes is by person."""
    entered = await desk.enter(lender, await lending.pay_out(), lending.account_id, "1.00", TODAY)
    async with lender.system.writing() as ctx:
        (await lock(ctx, Receipt, entered.id)).entered_by = lender.accountant.actor.id
    for command in (repayment_registration.register, repayment_registration.reject):
        with pytest.raises(SamePerson):
            await command(lender.accountant, receipt_id=entered.id)
    async with lender.accountant.reading() as ctx:
        offered = await repayment_registration.to_register(ctx, columns=[Receipt.__table__.c.id], window=Window())
        assert offered.rows == []
    async with lender.second_accountant.reading() as ctx:
        offered = await repayment_registration.to_register(ctx, columns=[Receipt.__table__.c.id], window=Window())
        assert [found.id for found in offered.rows] == [entered.id]


async def test_a_rejected_receipt_pays_nothing_and_is_final(lender: LenderAtWork, lending: Lending):
    entered = await desk.enter(lender, await lending.pay_out(), lending.account_id, "1.00", TODAY)
    rejected = await repayment_registration.reject(lender.accountant, receipt_id=entered.id, comment="未到账")
    assert (rejected.state, rejected.comment) == (ReceiptState.REJECTED, "未到账")
    assert await allocation(lender, entered.id) == ([], D("0.00"))
    assert await open_tasks(lender) == []
    with pytest.raises(InvalidState):
        await repayment_registration.register(lender.accountant, receipt_id=entered.id)


async def test_the_preview_says_what_registering_does(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    async with lender.cashier.reading() as ctx:
        told = await receipt.preview(ctx, loan_id=loan_id, amount=D("9000.00"), value_date=TODAY)
        assert told is not None
        assert await receipt.preview(ctx, loan_id=uuid7(), amount=D("9000.00"), value_date=TODAY) is None
        for amount, day in ((D(0), TODAY), (D(1), date(2025, 1, 2)), (D(1), date(2024, 11, 11))):
            with pytest.raises(BadInput):
                await receipt.preview(ctx, loan_id=loan_id, amount=amount, value_date=day)
    paid = await receive(lender, loan_id, lending.account_id, "9000.00", TODAY)
    lines, unapplied = await allocation(lender, paid.id)
    assert [(line.seq, str(line.component), str(line.amount)) for line in told.lines] == lines
    assert told.unapplied == unapplied


# ---------------------------------------------------------------- prepayment, settlement, reversal


async def test_settling_ends_loan_and_contract_and_a_reversal_restores_both(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out()
    before = await lending.figures(loan_id), await balance(lender, BANK, lending.account_id)
    paid = await receive(lender, loan_id, lending.account_id, "100000.00", TODAY, prepayment=PrepaymentMode.SETTLE)
    (loan,) = await lender.rows(Loan)
    (contract,) = await lender.rows(LoanContract)
    assert (loan.state, contract.state) == (LoanState.SETTLED, ContractState.SETTLED)
    lines = await allocation(lender, paid.id)
    count = await vouchers(lender)
    await repayment_registration.request_reversal(lender.accountant, receipt_id=paid.id, comment="串户")
    await decide(lender.second_accountant, paid.id)
    (loan,) = await lender.rows(Loan)
    (contract,) = await lender.rows(LoanContract)
    assert (loan.state, contract.state) == (LoanState.ACTIVE, ContractState.EFFECTIVE)
    assert (await lending.figures(loan_id), await balance(lender, BANK, lending.account_id)) == before
    assert (await row(lender, paid.id)).state is ReceiptState.REVERSED
    assert await allocation(lender, paid.id) == lines, "it keeps the lines it had"
    assert await vouchers(lender) == count + 1, "both entries are kept"
    assert await differences_of(lender) == []


async def test_prepaying_makes_a_new_plan(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out()
    await receive(lender, loan_id, lending.account_id, "30000.00", TODAY, prepayment=PrepaymentMode.REDUCE_INSTALLMENT)
    assert (await lending.figures(loan_id)).principal_outstanding == 7_000_000


async def test_with_arrears_a_prepayment_is_kept(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    paid = await receive(
        lender, loan_id, lending.account_id, "8000.00", TODAY, prepayment=PrepaymentMode.REDUCE_INSTALLMENT
    )
    lines, unapplied = await allocation(lender, paid.id)
    assert {seq for seq, _, _ in lines} == {1}
    assert unapplied == D("0.00")


async def test_a_reversal_is_decided_by_somebody_else(lender: LenderAtWork, lending: Lending):
    paid = await receive(lender, await lending.pay_out(), lending.account_id, "500.00", TODAY)
    with pytest.raises(Denied):
        await repayment_registration.request_reversal(lender.cashier, receipt_id=paid.id)
    asked = await repayment_registration.request_reversal(lender.second_accountant, receipt_id=paid.id)
    assert asked.state is ReceiptState.REGISTERED
    with pytest.raises(InvalidState):
        await repayment_registration.request_reversal(lender.accountant, receipt_id=paid.id)
    for person in (lender.accountant, lender.second_accountant):  # who registered it, who asked
        with pytest.raises(SamePerson):
            await decide(person, paid.id)
    await decide(lender.business_manager, paid.id, Decision.REJECT, opinion="不是串户")
    assert (await row(lender, paid.id)).state is ReceiptState.REGISTERED
    await repayment_registration.request_reversal(lender.accountant, receipt_id=paid.id)
    await decide(lender.general_manager, paid.id)
    assert (await row(lender, paid.id)).state is ReceiptState.REVERSED
    with pytest.raises(InvalidState):
        await repayment_registration.request_reversal(lender.accountant, receipt_id=paid.id)


async def test_only_what_is_posted_is_reversed(lender: LenderAtWork, lending: Lending):
    entered = await desk.enter(lender, await lending.pay_out(), lending.account_id, "1.00", TODAY)
    with pytest.raises(InvalidState):
        await repayment_registration.request_reversal(lender.accountant, receipt_id=entered.id)


async def test_any_receipt_may_be_reversed_not_only_the_last(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    first = await receive(lender, loan_id, lending.account_id, "8884.88", date(2024, 12, 12))
    second = await receive(lender, loan_id, lending.account_id, "8884.88", TODAY)
    assert await allocation(lender, second.id) == ([], D("8884.88"))
    await repayment_registration.request_reversal(lender.accountant, receipt_id=first.id)
    await decide(lender.second_accountant, first.id)
    assert await allocation(lender, second.id) == (LATE, D("0.00")), "what is left is allocated anew"


# ---------------------------------------------------------------- once


async def test_the_same_key_keys_and_posts_once(lender: LenderAtWork, lending: Lending):
    loan_id, key = await lending.pay_out(), a_key()
    rows = await asyncio.gather(
        *(desk.enter(lender, loan_id, lending.account_id, "100.00", TODAY, idempotency_key=key) for _ in range(20))
    )
    (receipt_id,) = {entered.id for entered in rows}
    with pytest.raises(IdempotencyKeyReused):
        await desk.enter(lender, loan_id, lending.account_id, "100.01", TODAY, idempotency_key=key)
    other = a_key()
    register = repayment_registration.register
    posted = await asyncio.gather(
        *(register(lender.accountant, receipt_id=receipt_id, idempotency_key=other) for _ in range(20))
    )
    assert {(found.id, found.state) for found in posted} == {(receipt_id, ReceiptState.REGISTERED)}
    assert await balance(lender, KEPT_MONEY) == D("-100.00")
    with pytest.raises(InvalidState):
        await register(lender.accountant, receipt_id=receipt_id)


async def test_twenty_receipts_at_once_lose_nothing(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    ids = [(await desk.enter(lender, loan_id, lending.account_id, "500.00", TODAY)).id for _ in range(20)]
    people = (lender.accountant, lender.second_accountant)

    async def register(person: Any, key: Any) -> None:
        """Asks again where all connections are taken for too long, as a screen does."""
        try:
            await repayment_registration.register(person, receipt_id=key)
        except Overloaded:
            await register(person, key)

    await asyncio.gather(*(register(people[n % 2], key) for n, key in enumerate(ids)))
    assert await balance(lender, BANK, lending.account_id) == D("9910000.00")
    async with lender.system.reading() as ctx:
        found = await receipt.allocations(ctx, ids)
    whole = sum(line.amount for paid in found.values() for line in paid.lines)
    assert whole + sum(paid.unapplied for paid in found.values()) == D("10000.00")
    assert await differences_of(lender) == []


async def test_a_foreign_lender_finds_nothing(
    lender: LenderAtWork, lending: Lending, place: Any, ports: Any, blueprint: Any
):
    entered = await desk.enter(lender, await lending.pay_out(), lending.account_id, "1.00", TODAY)
    other = await a_lender(place, ports, blueprint)
    for command in (
        repayment_registration.register,
        repayment_registration.reject,
        repayment_registration.request_reversal,
    ):
        with pytest.raises(NotFound):
            await command(other.accountant, receipt_id=entered.id)
