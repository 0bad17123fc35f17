"""委托手续费: what is due with a pay-out and beside it, paid by transfer or out of the fund, by four eyes and once (F17)."""

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from domain.configuration.company_account import AccountUse
from domain.finance import entrusted_fee
from domain.finance.entrusted_fee import EntrustedFeeState, EntrustedFeeType, FeeWay
from domain.home.pending_task import Task, TaskState
from domain.kernel.refusals import (
    Denied,
    Duplicate,
    EntrustedFundInsufficient,
    IdempotencyKeyReused,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    Refusal,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.lending.entrusted_loan import queries
from tests.support.actors import LenderAtWork
from tests.support.books import balances, differences, set_parameter
from tests.support.desk import a_company_account
from tests.support.entrusting import Trust, a_trust

DUE_ON = date(2024, 12, 1)
"""A loan of this value date has its first interest of 8,333.33 due on the day the lender opens."""


@pytest.fixture
async def trust(lender: LenderAtWork) -> Trust:
    """One million came in, is lent at 10 %, and 3,000.00 are due for it."""
    made = await a_trust(lender)
    await made.came_in("1000000.00")
    await made.lend("1000000.00", value_date=DUE_ON)
    return made


async def refused(trust: Trust, refusal: type[Exception], act: Any, /, **given: Any) -> Any:
    """What was refused, with everything as it was before."""
    before = await trust.all_of_it()
    with pytest.raises(refusal) as found:
        await act(**given)
    assert await trust.all_of_it() == before
    return found.value


async def settle(trust: Trust, fee_id: Any, **given: Any) -> Any:
    """Out of the fund, unless `given` says how."""
    given = {"way": FeeWay.FUND, "idempotency_key": f"fee {fee_id}"} | given
    return await entrusted_fee.settle(trust.lender.cashier, fee_id=fee_id, **given)


async def confirm(trust: Trust, fee_id: Any, **given: Any) -> Any:
    return await entrusted_fee.confirm(trust.lender.accountant, fee_id=fee_id, **given)


async def a_fees_account(trust: Trust) -> Any:
    return await a_company_account(
        trust.lender, "110000000077", uses=(AccountUse.FEES,), opening_balance=D("0.00")
    )  # fmt: skip


async def open_tasks(trust: Trust, fee_id: Any) -> list[str]:
    return [row.type for row in await trust.lender.rows(Task, Task.subject_id == fee_id, Task.state == TaskState.OPEN)]


# ---------------------------------------------------------------- what is owed


async def test_a_pay_out_makes_its_fee_due_and_never_lowers_it(trust: Trust):
    (fee,) = await trust.fees()
    assert (fee.number, fee.type, fee.state, fee.amount) == (
        "WF-2025-0001", EntrustedFeeType.ONE_OFF, EntrustedFeeState.DUE, D("3000.00"),
    )  # fmt: skip
    assert await balances(trust.lender) == {"1321": D("1000000.00"), "2314": D("-1000000.00")}, (
        "no income before it is paid"
    )
    assert await open_tasks(trust, fee.id) == [entrusted_fee.SETTLE]


async def test_a_further_fee_says_what_it_is_for(trust: Trust):
    cashier = trust.lender.cashier
    given: dict[str, Any] = {"entrusted_contract_id": trust.contract.id, "amount": D("0.01"), "reason": "查询费"}
    cases: list[tuple[dict[str, Any], type[Refusal]]] = [
        ({"amount": D("0.00")}, InvalidAmount),
        ({"amount": D("-5.00")}, InvalidAmount),
        ({"reason": " "}, InvalidInput),
        ({"entrusted_contract_id": uuid7()}, NotFound),
    ]
    for changes, refusal in cases:
        await refused(trust, refusal, entrusted_fee.record, ctx=cashier, **given | changes)
    for who in (trust.lender.accountant, trust.lender.account_manager):
        await refused(trust, Denied, entrusted_fee.record, ctx=who, **given)
    made = await entrusted_fee.record(cashier, **given)
    assert (made.type, made.state, made.loan_id) == (EntrustedFeeType.OTHER, EntrustedFeeState.DUE, None)


# ---------------------------------------------------------------- how it is paid


async def test_how_no_fee_is_paid(trust: Trust):
    (fee,) = await trust.fees()
    account = await a_fees_account(trust)
    transfer = {"way": FeeWay.TRANSFER, "company_account_id": account.id, "bank_reference": "F-1"}
    cases: list[tuple[dict[str, Any], type[Refusal]]] = [
        (transfer | {"company_account_id": None}, InvalidInput),
        (transfer | {"company_account_id": uuid7()}, NotFound),
        (transfer | {"company_account_id": trust.account.id}, InvalidInput),
        (transfer | {"bank_reference": None}, InvalidInput),
        ({"company_account_id": account.id}, InvalidInput),
        ({"bank_reference": "F-1"}, InvalidInput),
        ({}, EntrustedFundInsufficient),
    ]
    for given, refusal in cases:
        await refused(trust, refusal, settle, trust=trust, fee_id=fee.id, **given)
    await refused(trust, InvalidState, confirm, trust=trust, fee_id=fee.id)
    assert await open_tasks(trust, fee.id) == [entrusted_fee.SETTLE]


async def test_whoever_entered_the_payment_does_not_confirm_it(trust: Trust):
    (fee,) = await trust.fees()
    account = await a_fees_account(trust)
    given = {"way": FeeWay.TRANSFER, "company_account_id": account.id, "bank_reference": "F-1"}
    await settle(trust, fee.id, **given)
    assert await open_tasks(trust, fee.id) == [entrusted_fee.CONFIRM]
    accountant = trust.lender.accountant
    both = replace(accountant, actor=replace(accountant.actor, id=trust.lender.cashier.actor.id))
    await refused(trust, SamePerson, entrusted_fee.confirm, ctx=both, fee_id=fee.id)
    await refused(trust, Denied, entrusted_fee.confirm, ctx=trust.lender.cashier, fee_id=fee.id)
    await refused(trust, InvalidInput, confirm, trust=trust, fee_id=fee.id, paid=False)
    owed = await confirm(trust, fee.id, paid=False, comment="未到账")
    assert (owed.state, owed.way, owed.company_account_id, owed.bank_reference) == ("DUE", None, None, None)
    assert await open_tasks(trust, fee.id) == [entrusted_fee.SETTLE]
    await settle(trust, fee.id, **given, idempotency_key="again")
    paid = await confirm(trust, fee.id)
    assert (paid.state, paid.decided_by, paid.settled_on) == ("SETTLED", accountant.actor.id, date(2025, 1, 1))
    assert (await open_tasks(trust, fee.id), await trust.balance()) == ([], D("0.00"))
    assert await balances(trust.lender) == {
        "1002": D("3000.00"), "1321": D("1000000.00"), "2314": D("-1000000.00"), "6021": D("-3000.00"),
    }  # fmt: skip
    await refused(trust, InvalidState, settle, trust=trust, fee_id=fee.id, idempotency_key="third")
    await refused(trust, InvalidState, confirm, trust=trust, fee_id=fee.id)


async def test_the_same_key_is_the_same_payment(trust: Trust):
    (fee,) = await trust.fees()
    await trust.came_in("5000.00")
    answers = [await settle(trust, fee.id) for _ in range(2)]
    assert answers[0].id == answers[1].id
    account = await a_fees_account(trust)
    other = {"way": FeeWay.TRANSFER, "company_account_id": account.id, "bank_reference": "F-1"}
    await refused(trust, IdempotencyKeyReused, settle, trust=trust, fee_id=fee.id, **other)
    for _ in range(2):
        await confirm(trust, fee.id, idempotency_key="seen")
    assert (await trust.balance(), (await balances(trust.lender))["6021"]) == (D("2000.00"), D("-3000.00"))


async def test_a_fee_and_a_return_never_both_have_the_last_money(trust: Trust):
    """3,000.00 are left for a fee of 3,000.00 and to go back: whoever is first."""
    (fee,) = await trust.fees()
    await trust.came_in("3000.00")
    answers = await asyncio.gather(settle(trust, fee.id), trust.going_back("0.01"), return_exceptions=True)
    lost = [answer for answer in answers if isinstance(answer, BaseException)]
    assert [type(answer) for answer in lost] == [EntrustedFundInsufficient]
    assert await trust.balance() == D("3000.00"), "nothing is posted before a second person"


async def test_two_confirm_the_same_fee(trust: Trust):
    (fee,) = await trust.fees()
    await trust.came_in("3000.00")
    await settle(trust, fee.id)
    people = (trust.lender.accountant, trust.lender.second_accountant)
    answers = await asyncio.gather(
        *(entrusted_fee.confirm(person, fee_id=fee.id) for person in people), return_exceptions=True
    )
    assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [InvalidState]
    assert (await trust.balance(), (await balances(trust.lender))["6021"]) == (D("0.00"), D("-3000.00"))
    assert await differences(trust.lender) == []


# ---------------------------------------------------------------- one transfer pays one fee


async def a_further_fee(trust: Trust, amount: str) -> Any:
    return await entrusted_fee.record(
        trust.lender.cashier, entrusted_contract_id=trust.contract.id, amount=D(amount), reason="查询费"
    )


async def test_one_transfer_pays_one_fee(trust: Trust):
    """While it waits and when it is booked; on another account it is another transfer, and so is what had not arrived."""
    (fee,) = await trust.fees()
    further = await a_further_fee(trust, "3000.00")
    account = await a_fees_account(trust)
    given = {"way": FeeWay.TRANSFER, "company_account_id": account.id, "bank_reference": "F-1"}
    await settle(trust, fee.id, **given)
    spaced = given | {"bank_reference": " F-1 "}
    for again in (given, spaced):
        found = await refused(trust, Duplicate, settle, trust=trust, fee_id=further.id, **again)
        assert found.params == {"value": "F-1"}
        assert await open_tasks(trust, further.id) == [entrusted_fee.SETTLE]
    await confirm(trust, fee.id, paid=False, comment="未到账")
    await settle(trust, further.id, **given)
    await confirm(trust, further.id)
    retry = {"idempotency_key": "second"}
    await refused(trust, Duplicate, settle, trust=trust, fee_id=fee.id, **given, **retry)
    other = await a_company_account(trust.lender, "110000000078", uses=(AccountUse.FEES,), opening_balance=D("0.00"))
    await settle(trust, fee.id, **given | {"company_account_id": other.id}, **retry)
    await confirm(trust, fee.id)
    assert (await balances(trust.lender))["6021"] == D("-6000.00")
    assert await differences(trust.lender) == []


async def test_two_fees_out_of_the_fund_have_no_reference(trust: Trust):
    (fee,) = await trust.fees()
    further = await a_further_fee(trust, "1.00")
    await trust.came_in("3001.00")
    for one in (fee, further):
        await settle(trust, one.id)
        await confirm(trust, one.id)
    assert await trust.balance() == D("0.00")


async def test_two_claim_the_same_transfer_at_once(trust: Trust):
    (fee,) = await trust.fees()
    further = await a_further_fee(trust, "3000.00")
    account = await a_fees_account(trust)
    given = {"way": FeeWay.TRANSFER, "company_account_id": account.id, "bank_reference": "F-1"}
    answers = await asyncio.gather(*(settle(trust, one.id, **given) for one in (fee, further)), return_exceptions=True)
    assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [Duplicate]
    assert sorted(row.state for row in await trust.fees()) == ["DUE", "SETTLING"]


# ---------------------------------------------------------------- another lender, other fees


@pytest.mark.parametrize(
    ("rates", "once", "share", "passed_on"),
    [
        ({"one_off_fee_rate": D("0.005"), "interest_fee_rate": D("0.03")}, "5000.00", "250.00", "8083.33"),
        ({"one_off_fee_rate": D("0"), "interest_fee_rate": D("0")}, None, "0.00", "8333.33"),
    ],
)
async def test_another_contract_has_other_fees(
    lender: LenderAtWork, rates: dict[str, Any], once: str | None, share: str, passed_on: str
):
    """Of 1,000,000.00 and of 8,333.33: 0.5 % and 3 % (249.9999), or nothing at all; each with its VAT of 6 %."""
    await set_parameter(lender, "vat_rate", "0.06")
    trust = await a_trust(lender, **rates)
    await trust.came_in("1000000.00")
    loan_id = await trust.lend("1000000.00", value_date=DUE_ON)
    assert [fee.amount for fee in await trust.fees()] == ([D(once)] if once else [])
    await trust.lending.receive(loan_id, "8333.33")
    assert await trust.balance() == D(passed_on)
    await trust.went_back(passed_on)
    fees = D(share)
    if once:
        (fee,) = await trust.fees()
        account = await a_fees_account(trust)
        given = {"way": FeeWay.TRANSFER, "company_account_id": account.id, "bank_reference": "F-1"}
        await settle(trust, fee.id, **given)
        await confirm(trust, fee.id)
        fees += fee.amount
    books = await balances(lender)
    # 5,000.00 x 6 / 106 = 283.02 and 250.00 x 6 / 106 = 14.15, each rounded by itself.
    tax = D("297.17") if once else D("0.00")
    expected = {
        "1321": D("1000000.00"),
        "2314": D("-1000000.00"),
        "1002": fees,
        "6021": -fees,
        "602109": tax,
        "222101": -tax,
    }
    assert books == {code: amount for code, amount in expected.items() if amount}
    async with lender.accountant.reading() as ctx:
        (row,) = await queries.entrustors(ctx)
    assert (row.lent, row.balance) == (D("1000000.00"), D("0.00"))
    assert await differences(lender) == []
