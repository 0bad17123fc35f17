"""委托资金: what comes in and goes back, by four eyes and once; no two take the same money, every day has its balance (F16)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from functools import partial
from typing import Any

import pytest

from domain.finance import entrusted_fund, payment
from domain.finance.disbursement import Disbursement
from domain.finance.entrusted_fund import Advice, EntrustedFund, FundState, check_advice, same_name
from domain.home.pending_task import Task, TaskState
from domain.kernel.refusals import (
    BadInput,
    Denied,
    Duplicate,
    EntrustedFundInsufficient,
    IdempotencyKeyReused,
    InsufficientAccountBalance,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    PayeeNotBorrower,
    PayerNotEntrustor,
    Refusal,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.lending.entrusted_loan.queries import FundMovement
from domain.lending.loan import Loan
from domain.post_loan.customer_account import CustomerAccount
from tests.support.actors import LenderAtWork
from tests.support.books import balances, differences
from tests.support.client import statements
from tests.support.desk import a_company_account, a_key, a_slip
from tests.support.entrusting import OPENED, Trust, a_trust

DAY = timedelta(days=1)


@pytest.fixture
async def trust(lender: LenderAtWork) -> Trust:
    return await a_trust(lender)


async def refused(trust: Trust, refusal: type[Exception], act: Callable[[], Awaitable[Any]]) -> Any:
    """What was refused, with everything as it was before."""
    before = await trust.all_of_it()
    with pytest.raises(refusal) as found:
        await act()
    assert await trust.all_of_it() == before
    return found.value


# ---------------------------------------------------------------- rules


def test_blanks_are_no_part_of_a_name():
    assert same_name("国盛 投资", " 国盛投资")
    assert not same_name("国盛投资", "国盛投资公司")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount": D("0.00")}, InvalidAmount),
        ({"amount": D("-1.00")}, InvalidAmount),
        ({"value_date": OPENED - DAY}, InvalidInput),
        ({"value_date": OPENED + 3 * DAY}, InvalidInput),
    ],
)
def test_what_no_advice_may_say(changes: dict[str, Any], refusal: type[Refusal]):
    given: dict[str, Any] = {
        "amount": D("0.01"), "value_date": OPENED, "company_account_id": uuid7(), "bank_reference": "1", "purpose": "–",
    }  # fmt: skip
    check_advice(Advice(**given), OPENED, OPENED + 2 * DAY)
    check_advice(Advice(**given | {"value_date": OPENED + 2 * DAY}), OPENED, OPENED + 2 * DAY)
    with pytest.raises(refusal):
        check_advice(Advice(**given | changes), OPENED, OPENED + 2 * DAY)


# ---------------------------------------------------------------- what is refused


async def test_only_money_of_the_entrustor_on_an_account_for_it(trust: Trust):
    own = await a_company_account(trust.lender)
    await trust.paid_in("1.00", bank_reference="taken")
    cases: list[tuple[dict[str, Any], type[Refusal]]] = [
        ({"payer_name": trust.payer + "的朋友"}, PayerNotEntrustor),
        ({"payer_name": " "}, InvalidInput),
        ({"company_account_id": own.id}, InvalidInput),
        ({"company_account_id": uuid7()}, NotFound),
        ({"bank_reference": "taken"}, Duplicate),
        ({"bank_reference": ""}, InvalidInput),
        ({"amount": D("0.00")}, InvalidAmount),
        ({"value_date": OPENED + DAY}, InvalidInput),
    ]
    for changes, refusal in cases:
        await refused(trust, refusal, partial(trust.paid_in, **{"amount": "1.00"} | changes))


async def test_only_what_is_there_goes_only_to_him(trust: Trust):
    await trust.came_in("1000.00")
    cases: list[tuple[str, dict[str, Any], type[Refusal]]] = [
        ("1000.01", {}, EntrustedFundInsufficient),
        ("1.00", {"customer_account_id": trust.borrowers_card.id}, PayeeNotBorrower),
        ("1.00", {"customer_account_id": uuid7()}, NotFound),
        ("1.00", {"company_account_id": uuid7()}, NotFound),
        ("0.00", {}, InvalidAmount),
    ]
    for amount, changes, refusal in cases:
        await refused(trust, refusal, partial(trust.going_back, amount, **changes))
    other = await a_trust(trust.lender, serial=2)
    poor = {"company_account_id": other.account.id}
    found = await refused(trust, InsufficientAccountBalance, lambda: trust.going_back("1000.00", **poor))
    assert found.params == {"balance": "0.00", "amount": "1000.00"}
    assert (await trust.balance(), await other.balance()) == (D("1000.00"), D("0.00"))


async def test_nobody_else_enters_and_nobody_else_confirms(trust: Trust):
    row = await trust.paid_in("1000.00")
    lender = trust.lender
    for who in (lender.cashier, lender.account_manager, lender.general_manager):
        await refused(trust, Denied, partial(entrusted_fund.confirm, who, fund_id=row.id))
    advice = await trust.advice("1.00")
    given: dict[str, Any] = {"entrusted_contract_id": trust.contract.id, "advice": advice, "idempotency_key": a_key()}
    record: dict[str, Any] = {"payer_name": trust.payer, "source_proof": "–"}
    for who in (lender.accountant, lender.account_manager):
        await refused(trust, Denied, partial(entrusted_fund.record, who, **given, **record))


# ---------------------------------------------------------------- four eyes, once


@pytest.mark.parametrize("decide", [entrusted_fund.confirm, entrusted_fund.reject])
async def test_whoever_entered_it_does_not_decide_on_it(trust: Trust, decide: Any):
    row = await trust.paid_in("1000.00")
    accountant = trust.lender.accountant
    both = replace(accountant, actor=replace(accountant.actor, id=trust.lender.cashier.actor.id))
    await refused(trust, SamePerson, lambda: decide(both, fund_id=row.id, comment="–"))
    await refused(trust, InvalidInput, lambda: entrusted_fund.reject(accountant, fund_id=row.id, comment=" "))
    made = await decide(accountant, fund_id=row.id, comment="已核对")
    assert (made.decided_by, made.comment) == (accountant.actor.id, "已核对")
    for again in (entrusted_fund.confirm, entrusted_fund.reject):
        await refused(trust, InvalidState, partial(again, accountant, fund_id=row.id, comment="–"))
    assert await trust.balance() == (D("1000.00") if decide is entrusted_fund.confirm else D("0.00"))
    open_ones = await trust.lender.rows(Task, Task.subject_id == row.id, Task.state == TaskState.OPEN)
    assert open_ones == []


async def test_what_was_rejected_may_be_entered_anew_and_is_spoken_for_no_more(trust: Trust):
    await trust.came_in("1000.00")
    row = await trust.going_back("1000.00", bank_reference="B-1")
    await refused(trust, EntrustedFundInsufficient, lambda: trust.going_back("0.01"))
    await entrusted_fund.reject(trust.lender.accountant, fund_id=row.id, comment="账号有误")
    await trust.went_back("1000.00", bank_reference="B-1")
    assert await trust.balance() == D("0.00")
    assert await balances(trust.lender) == {}


async def test_the_same_key_is_the_same_money(trust: Trust):
    advice = await trust.advice("1000.00")
    given: dict[str, Any] = {
        "entrusted_contract_id": trust.contract.id, "payer_name": trust.payer, "source_proof": "–", "idempotency_key": "in",
    }  # fmt: skip
    cashier, accountant = trust.lender.cashier, trust.lender.accountant
    entered = {(await entrusted_fund.record(cashier, advice=advice, **given)).id for _ in range(3)}
    more = replace(advice, amount=D("1000.01"))
    await refused(trust, IdempotencyKeyReused, lambda: entrusted_fund.record(cashier, advice=more, **given))
    (fund_id,) = entered
    for _ in range(2):
        await entrusted_fund.confirm(accountant, fund_id=fund_id, idempotency_key="seen")
    assert await trust.balance() == D("1000.00")
    back = await trust.advice("400.00")
    given = {
        "entrusted_contract_id": trust.contract.id, "customer_account_id": trust.card.id, "idempotency_key": "out",
    }  # fmt: skip
    returned = [await entrusted_fund.give_back(cashier, advice=back, **given) for _ in range(2)]
    assert returned[0].id == returned[1].id
    assert len(await trust.lender.rows(EntrustedFund)) == 2


# ---------------------------------------------------------------- two at once


async def both(*acts: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*acts, return_exceptions=True)


def one_won(answers: list[Any]) -> Any:
    """What the winner got; the other was refused for want of money."""
    (won,) = [answer for answer in answers if not isinstance(answer, BaseException)]
    (lost,) = [answer for answer in answers if isinstance(answer, BaseException)]
    assert isinstance(lost, EntrustedFundInsufficient | InsufficientAccountBalance), lost
    return won


async def test_two_give_the_same_money_back(trust: Trust):
    await trust.came_in("1000.00")
    won = one_won(await both(trust.going_back("600.00"), trust.going_back("600.00")))
    await entrusted_fund.confirm(trust.lender.accountant, fund_id=won.id)
    assert await trust.balance() == D("400.00")


async def test_two_confirm_the_same_return(trust: Trust):
    await trust.came_in("1000.00")
    row = await trust.going_back("600.00")
    people = (trust.lender.accountant, trust.lender.second_accountant)
    answers = await both(*(entrusted_fund.confirm(person, fund_id=row.id) for person in people))
    assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [InvalidState]
    assert (await trust.balance(), await balances(trust.lender)) == (
        D("400.00"), {"1002": D("400.00"), "2314": D("-400.00")},
    )  # fmt: skip


def locked(seen: list[str]) -> list[str]:
    """Which of the two rows that everybody needs were locked, in the order of the first time."""
    tables = ("company_accounts", "entrusted_contracts")
    found = [table for text in seen for table in tables if f"FROM {table}" in text and "FOR UPDATE" in text]
    return list(dict.fromkeys(found))


async def test_a_return_locks_the_account_before_the_fund_as_a_pay_out_does(trust: Trust):
    """The other way round two of them would wait for each other, until the database ends one."""
    await trust.came_in("1000.00")
    with statements() as seen:
        row = await trust.going_back("1000.00")
    assert locked(seen) == ["company_accounts", "entrusted_contracts"]
    with statements() as seen:
        await entrusted_fund.confirm(trust.lender.accountant, fund_id=row.id)
    assert locked(seen) == ["company_accounts", "entrusted_contracts"]


async def test_a_pay_out_and_a_return_of_the_same_money(trust: Trust):
    """Whoever is first has it, the fund is never below zero, and the loser changed nothing."""
    await trust.came_in("1000000.00")
    made = await trust.to_be_paid("1000000.00")
    (card,) = await trust.lender.rows(CustomerAccount, CustomerAccount.id == trust.borrowers_card.id)
    paying = payment.pay(
        trust.lender.cashier, disbursement_id=made.id, company_account_id=trust.account.id, customer_account_id=card.id,
        amount=made.amount, value_date=OPENED, slip_ids=[await a_slip(trust.lender)], idempotency_key="pay",
    )  # fmt: skip
    returning = entrusted_fund.give_back(
        trust.lender.cashier, entrusted_contract_id=trust.contract.id, advice=await trust.advice("1000000.00"),
        customer_account_id=trust.card.id, idempotency_key="back",
    )  # fmt: skip
    one_won(await both(paying, returning))
    (pay_out,) = await trust.lender.rows(Disbursement)
    returns = await trust.lender.rows(EntrustedFund, EntrustedFund.kind == "RETURNED")
    assert (pay_out.state == "PAYING") != (len(returns) == 1)
    accountant = trust.lender.accountant
    if returns:
        assert (pay_out.state, pay_out.cashier_id) == ("REVIEWED", None)
        await entrusted_fund.confirm(accountant, fund_id=returns[0].id)
    else:
        await payment.confirm(accountant, disbursement_id=made.id)
    assert await trust.balance() == D("0.00")
    assert len(await trust.lender.rows(Loan)) == (0 if returns else 1)
    assert await differences(trust.lender) == []


# ---------------------------------------------------------------- the balance of every day


async def test_every_day_of_the_past_has_its_statement(trust: Trust):
    await trust.came_in("1200000.00")
    loan_id = await trust.lend("1000000.00", value_date=date(2024, 12, 3))
    lending = trust.lending
    await lending.close(date(2025, 1, 2))
    receipt = await lending.receive(loan_id, "8333.33")
    await lending.close(date(2025, 1, 4))
    await trust.went_back("150000.00")
    await lending.close(date(2025, 1, 6))
    await lending.reverse(loan_id, receipt)
    await lending.receive(loan_id, "8333.33", date(2025, 1, 3))
    whole = await trust.statement()
    moved = [(line.on, line.movement, line.amount) for line in whole.lines]
    first, second, third = date(2025, 1, 3), date(2025, 1, 5), date(2025, 1, 7)
    assert moved == [
        (OPENED, FundMovement.RECEIVED, D("1200000.00")), (OPENED, FundMovement.LENT, D("-1000000.00")),
        (first, FundMovement.INTEREST, D("8333.33")), (first, FundMovement.FEE, D("-166.67")),
        (second, FundMovement.RETURNED, D("-150000.00")),
        (third, FundMovement.INTEREST, D("-8333.33")), (third, FundMovement.FEE, D("166.67")),
        (third, FundMovement.INTEREST, D("8333.33")), (third, FundMovement.FEE, D("-166.67")),
    ]  # fmt: skip
    assert (whole.opening, whole.closing) == (D("0.00"), D("58166.66"))
    day = OPENED - DAY
    while day <= third:
        expected = sum((amount for on, _, amount in moved if on <= day), D("0.00"))
        shown = await trust.statement(last=day)
        assert (shown.closing, await trust.balance(day)) == (expected, expected), day
        assert all(line.on <= day for line in shown.lines)
        day += DAY
    part = await trust.statement(first, second - DAY)
    assert (part.opening, part.closing, len(part.lines)) == (D("200000.00"), D("208166.66"), 2)
    assert [line.value_date for line in whole.lines][-2:] == [first, first], "entered late, it counts from its own day"
    assert await differences(trust.lender) == []


async def test_a_statement_is_of_days_that_were_and_of_a_year_at_most(trust: Trust):
    for first, last in ((OPENED, OPENED - DAY), (None, OPENED + DAY), (OPENED - 366 * DAY, OPENED)):
        with pytest.raises(BadInput):
            await trust.statement(first, last)
    assert (await trust.statement(OPENED - 300 * DAY, OPENED)).lines == ()


async def test_nothing_goes_back_before_it_came(trust: Trust):
    """Entered days later, it counts from its own day: what left on an earlier day left without it."""
    await trust.lending.close(date(2025, 1, 9))
    row = await trust.came_in("1000.00", value_date=date(2025, 1, 3))
    assert (row.state, row.value_date) == (FundState.CONFIRMED, date(2025, 1, 3))
    found = await refused(
        trust, EntrustedFundInsufficient, lambda: trust.going_back("1000.00", value_date=date(2025, 1, 2))
    )
    assert found.params == {"available": "0.00", "amount": "1000.00"}, "nothing had come in by then"
    await trust.went_back("1000.00", value_date=date(2025, 1, 3))
