"""Stories 1, 9, 11 and 13: people who pay. What they owe, month by month, is what their contracts say, to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

from tests.acceptance.journey import Journey
from tests.scenarios.storytelling import (
    NOTHING,
    PAID_OUT,
    amounts,
    books,
    cents,
    level_rows,
    lines_of,
    months_on,
    night_before,
    paid_out,
    pays,
    proved,
    quoted,
    standing,
    to_be_paid,
    total,
)

EMPTY_AT_THE_END = ("1132", "1303", "2241")
"""Interest receivable, loans, money kept for borrowers."""


def due(number: int) -> date:
    return months_on(PAID_OUT, number)


async def test_1_a_model_payer_settles_early(journey: Journey) -> None:
    """王芳 pays two of 24 installments of 300,000.00 at 10.8 % on their days, and all the rest 19 days later."""
    rows = level_rows(D(300000), D("0.009"), 24)
    loan = (await journey.paid(amount="300000.00", periods=24, annualRate="0.108")).id
    shown = await journey.installments(loan)
    assert [amounts(row, "principal", "interest") for row in shown] == rows
    for number, (principal, interest) in enumerate(rows[:2], 1):
        receipt = await pays(journey, loan, principal + interest, due(number))
        assert lines_of(receipt) == [(number, "INTEREST", interest), (number, "PRINCIPAL", principal)]
    left = D(300000) - total(principal for principal, _ in rows[:2])
    leaves = due(2) + timedelta(days=19)
    await night_before(journey, leaves)
    position = await journey.position(loan)
    running = cents(left * D("0.009") * 19 / 31)  # of the 31 days to 15 April
    assert amounts(position, "principalOutstanding", "accruedInterest", "onBalanceInterest") == (left, running, running)
    assert (position["daysPastDue"], position["fiveClass"], position["accrual"]) == (0, "NORMAL", "ACCRUAL")

    interest = cents(left * D("0.108") * 19 / 360)
    quote = await quoted(journey, loan, leaves)
    assert quote == {
        "principal": left, "interest": interest, "penalty": NOTHING, "compound": NOTHING, "fee": NOTHING,
        "total": left + interest, "unapplied": NOTHING, "toPay": left + interest,
    }  # fmt: skip
    receipt = await journey.received(loan, str(quote["toPay"]), leaves, prepayment={"mode": "SETTLE"})
    assert (receipt["unapplied"], total(amount for _, _, amount in lines_of(receipt))) == ("0.00", quote["total"])
    assert await standing(journey, loan) == ("SETTLED", str(leaves))
    await proved(journey, leaves)
    earned = total(interest for _, interest in rows[:2]) + interest
    found = await books(journey)
    assert [account for account in EMPTY_AT_THE_END if account in found] == []
    assert (found["6011"], found["1002"]) == (-earned, D(50000000) + earned)
    assert {row["state"] for row in await journey.installments(loan)} == {"PAID"}


async def test_9_what_was_paid_twice_goes_back_through_the_bank(journey: Journey) -> None:
    """5,000.00 come in once more by mistake; they are kept, refunded two days later, and pay nothing of the next month."""
    rows = level_rows(D(80000), D("0.012"), 12)
    loan = (await journey.paid(amount="80000.00", annualRate="0.144")).id
    first, second = (sum(row, NOTHING) for row in rows[:2])
    await pays(journey, loan, first, due(1))
    twice = await journey.received(loan, "5000.00", due(1))
    assert (twice["unapplied"], twice["allocation"]) == ("5000.00", [])
    assert (await books(journey))["2241"] == D(-5000)
    await night_before(journey, due(1) + timedelta(days=2))
    refused = await journey.refused(
        "cashier", "requestRefund", "refund { id }", receiptId=twice["id"], amount="5000.01"
    )
    assert [error["code"] for error in refused] == ["REFUND_EXCEEDS_BALANCE"]
    assert (await quoted(journey, loan, due(1) + timedelta(days=2)))["unapplied"] == D(5000)

    before = await books(journey)
    refund = await journey.act(
        "cashier", "requestRefund", "refund { id state }", receiptId=twice["id"], amount="5000.00",
        reason="DOUBLE_PAYMENT", note="同日重复转账",
    )  # fmt: skip
    await journey.decide("business_manager", refund["id"])
    assert await books(journey) == before, "agreed, not paid"
    await journey.act(
        "cashier", "payRefund", "refund { state }", refundId=refund["id"], companyAccountId=journey.account,
        idempotencyKey="refund",
    )  # fmt: skip
    await journey.work()
    data = await journey.by("auditor").data(
        "query($id: ID!) { node(id: $id) { ... on Refund { state amount bankReference receipt { unapplied } } } }",
        id=refund["id"],
    )
    done = data["node"]
    assert (done["state"], done["amount"], done["receipt"]["unapplied"]) == ("PAID", "5000.00", "0.00")
    assert done["bankReference"]
    after = await books(journey)
    assert ("2241" in after, after["1002"]) == (False, before["1002"] - 5000)

    await night_before(journey, due(2) + timedelta(days=1))
    assert amounts(await journey.position(loan), "dueUnpaidInterest", "unapplied") == (rows[1][1], NOTHING)
    receipt = await journey.received(loan, str(second), due(2))  # found a day later, paid in time
    assert lines_of(receipt) == [(2, "INTEREST", rows[1][1]), (2, "PRINCIPAL", rows[1][0])]
    await proved(journey, due(2) + timedelta(days=1))


async def test_11_less_than_agreed_is_refused_and_interest_runs_on_all_of_it(journey: Journey) -> None:
    """砍头息 · 90 of 100 thousand cannot be paid out; a day later all of it is, and the months count from there."""
    customer = await journey.customer("李雷")
    account = await journey.customer_account(customer, "李雷")
    pay_out = await to_be_paid(journey, customer, annualRate="0.144", periods=2)
    journey.account = await journey.company_account()
    before, tasks = await books(journey), await journey.tasks("cashier")
    given: dict[str, Any] = {
        "disbursementId": pay_out, "companyAccountId": journey.account, "customerAccountId": account,
        "amount": "90000.00", "valueDate": str(PAID_OUT), "idempotencyKey": "less",
    }  # fmt: skip
    (refused,) = await journey.refused("cashier", "payDisbursement", "disbursement { id }", **given)
    assert (refused["code"], refused["params"]["amount"]) == ("UPFRONT_DEDUCTION", "100000.00")
    assert (await books(journey), await journey.tasks("cashier")) == (before, tasks)
    nothing = await journey.by("auditor").data("{ loans(first: 1) { totalCount } }")
    assert nothing["loans"]["totalCount"] == 0

    paid_on = PAID_OUT + timedelta(days=1)
    await night_before(journey, paid_on)
    await journey.pay(pay_out, account, "100000.00")
    loan = await paid_out(journey, pay_out)
    rows = level_rows(D(100000), D("0.012"), 2)
    shown = await journey.installments(loan)
    assert [(row["dueDate"], *amounts(row, "principal", "interest")) for row in shown] == [
        (str(months_on(paid_on, number)), *row) for number, row in enumerate(rows, 1)
    ]
    for number, row in enumerate(rows, 1):
        await pays(journey, loan, total(row), months_on(paid_on, number))
    assert await standing(journey, loan) == ("SETTLED", str(months_on(paid_on, 2)))
    await proved(journey, months_on(paid_on, 2))
    found = await books(journey)
    earned = total(interest for _, interest in rows)
    assert (found["6011"], found["1002"]) == (-earned, D(50000000) + earned)
    assert [account for account in EMPTY_AT_THE_END if account in found] == []


def yearly_rate(lent: D, payments: list[D]) -> D:
    """Twelve times the monthly rate at which the payments are worth what was lent, by halving."""
    low, high = D(0), D("0.1")
    for _ in range(60):
        middle = (low + high) / 2
        worth = sum((payment / (1 + middle) ** month for month, payment in enumerate(payments, 1)), D(0))
        low, high = (middle, high) if worth > lent else (low, middle)
    return low * 12


async def test_13_what_an_installment_at_9_6_percent_really_costs(journey: Journey) -> None:
    """等本等息 · 50,000.00 at 9.6 % of the first principal: 400.00 a month to the end are 17.27 % a year, and are said so."""
    product = {"methods": ["EQUAL_PRINCIPAL_EQUAL_INTEREST"], "name": "等本等息", "maxRate": "0.096"}
    customer = await journey.customer("韩梅")
    account = await journey.customer_account(customer, "韩梅")
    terms = {"amount": "50000.00", "annualRate": "0.096", "method": "EQUAL_PRINCIPAL_EQUAL_INTEREST"}
    contract = await journey.prepared(await journey.approved(customer, product=product, **terms))
    part = cents(D(50000) / 12)
    rows = [(part, D(400))] * 11 + [(50000 - 11 * part, D(400))]
    true = yearly_rate(D(50000), [sum(row, NOTHING) for row in rows])
    data = await journey.by("auditor").data(
        "query($id: ID!) { node(id: $id) { ... on LoanContract { cost { aprNominal exceedsCap exceedsWarning } } } }",
        id=contract["id"],
    )
    cost = data["node"]["cost"]
    assert abs(D(cost["aprNominal"]) - true) < D("0.000001")
    assert (f"{true:.4f}", cost["exceedsCap"], cost["exceedsWarning"]) == ("0.1727", False, True)

    await journey.act("account_manager", "acknowledgeCostSheet", "contract { state }", contractId=contract["id"])
    await journey.act(
        "account_manager", "signContract", "contract { state }", contractId=contract["id"], signedOn=str(PAID_OUT),
        way="PAPER",
    )  # fmt: skip
    pay_out = contract["disbursements"][0]["id"]
    await journey.act("accountant", "reviewDisbursement", "disbursement { state }", disbursementId=pay_out)
    await journey.pay(pay_out, account, "50000.00")
    loan = await paid_out(journey, pay_out)
    assert [amounts(row, "principal", "interest") for row in await journey.installments(loan)] == rows
    await pays(journey, loan, total(rows[0]), due(1))
    await night_before(journey, due(1) + timedelta(days=10))
    position = await journey.position(loan)
    assert amounts(position, "principalOutstanding", "accruedInterest") == (50000 - part, cents(D(400) * 10 / 28))
    await pays(journey, loan, total(rows[1]), due(2))
    assert (await quoted(journey, loan, due(2)))["toPay"] == 50000 - 2 * part, "what is not yet due costs nothing"
    await journey.received(loan, str(50000 - 2 * part), due(2), prepayment={"mode": "SETTLE"})
    assert await standing(journey, loan) == ("SETTLED", str(due(2)))
    await proved(journey, due(2))
    found = await books(journey)
    assert (found["6011"], found["1002"]) == (D(-800), D(50000800))
