"""委托资金录入 · Receipts less lent, returned and fees are the balance of every date; it is never below zero (F16)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.finance import entrusted_fund
from domain.finance.entrusted_fund import EntrustedFund, FundState
from domain.kernel.refusals import SamePerson
from tests.acceptance.entrusting import entrusted, ledger
from tests.acceptance.journey import ERRORS, Journey
from tests.support.books import differences

BACK = "fund { id }"


async def test_the_balance_of_every_date_is_the_sum_of_what_moved(journey: Journey) -> None:
    work = await entrusted(journey)
    await work.came_in("1200000.00")
    loan = await work.lent("1000000.00")
    await journey.close("2026-02-14")
    await journey.received(loan, "8333.33", "2026-02-15")
    await work.passed_on("8166.66")
    await journey.close("2026-02-20")
    await work.passed_on("150000.00")
    (fee,) = await work.fees()
    await journey.act(
        "cashier", "settleEntrustedFee", "fee { state }", feeId=fee["id"], way="FUND", idempotencyKey="fee"
    )
    await journey.act("accountant", "confirmEntrustedFee", "fee { state }", feeId=fee["id"])
    assert await work.movements() == [
        ("RECEIVED", "1200000.00", "1200000.00"), ("LENT", "-1000000.00", "200000.00"),
        ("INTEREST", "8333.33", "208333.33"), ("FEE", "-166.67", "208166.66"), ("RETURNED", "-8166.66", "200000.00"),
        ("RETURNED", "-150000.00", "50000.00"), ("FEE", "-3000.00", "47000.00"),
    ]  # fmt: skip
    whole = await work.statement()
    for day in ("2026-01-15", "2026-02-14", "2026-02-15", "2026-02-20", "2026-02-21"):
        moved = sum((Decimal(line["amount"]) for line in whole["lines"] if line["on"] <= day), Decimal(0))
        assert (await work.statement(day))["closing"] == f"{moved:.2f}", day
    assert await ledger(journey) == {
        "1002": "50166.67", "1321": "1000000.00", "2314": "-1047000.00", "6021": "-3166.67",
    }  # fmt: skip
    assert await differences(journey.lender) == []
    assert all(day["ledgerBalanced"] for day in (await journey.close("2026-02-25"))["days"])


async def test_only_the_entrustor_pays_in_and_only_he_gets_it_back(journey: Journey) -> None:
    work = await entrusted(journey)
    given = await work.paid_in("1000.00", payer="王芳")
    refused = await journey.refused("cashier", "recordEntrustedFund", BACK, **given)
    assert (refused[0]["code"], refused[0]["field"]) == ("PAYER_NOT_ENTRUSTOR", ["input", "payerName"])
    own = await journey.company_account("100000.00")
    refused = await journey.refused(
        "cashier", "recordEntrustedFund", BACK, **(await work.paid_in("1000.00") | {"companyAccountId": own})
    )
    assert (refused[0]["code"], refused[0]["field"]) == ("INVALID_INPUT", ["input", "companyAccountId"])
    assert (await work.movements(), await ledger(journey)) == ([], {"1002": "100000.00", "4001": "-100000.00"})
    await work.came_in("1000.00")
    given = await work.going_back("1000.00") | {"customerAccountId": work.borrowers_account}
    refused = await journey.refused("cashier", "returnEntrustedFund", BACK, **given)
    assert (refused[0]["code"], refused[0]["field"]) == ("PAYEE_NOT_BORROWER", ["input", "customerAccountId"])
    for amount, code in (("1000.01", "ENTRUSTED_FUND_INSUFFICIENT"), ("0.00", "INVALID_AMOUNT")):
        refused = await journey.refused("cashier", "returnEntrustedFund", BACK, **await work.going_back(amount))
        assert refused[0]["code"] == code


async def test_a_line_of_the_bank_is_entered_once(journey: Journey) -> None:
    """What was rejected may be entered again; money in and money back are lines of their own."""
    work = await entrusted(journey)
    given = await work.paid_in("1000.00")
    entered = await journey.act("cashier", "recordEntrustedFund", BACK, **given)
    again = given | {"amount": "2000.00", "idempotencyKey": "again"}
    refused = await journey.refused("cashier", "recordEntrustedFund", BACK, **again)
    assert (refused[0]["code"], refused[0]["field"]) == ("DUPLICATE", ["input", "bankReference"])
    assert refused[0]["params"] == {"value": given["bankReference"]}
    await journey.act("accountant", "rejectEntrustedFund", "fund { state }", fundId=entered["id"], comment="金额有误")
    corrected = await journey.act("cashier", "recordEntrustedFund", BACK, **again)
    await work.confirm(corrected["id"])
    refused = await journey.refused("cashier", "recordEntrustedFund", BACK, **given | {"idempotencyKey": "third"})
    assert refused[0]["code"] == "DUPLICATE"
    back = await work.going_back("500.00") | {"bankReference": given["bankReference"]}
    made = await journey.act("cashier", "returnEntrustedFund", BACK, **back)
    await work.confirm(made["id"])
    assert await work.movements() == [("RECEIVED", "2000.00", "2000.00"), ("RETURNED", "-500.00", "1500.00")]


async def test_whoever_entered_it_does_not_confirm_it_and_what_is_rejected_never_was(journey: Journey) -> None:
    work = await entrusted(journey)
    entered = await work.came_in("1000.00", confirmed=False)
    assert await work.movements() == []
    cashier, accountant = journey.lender.cashier, journey.lender.accountant
    (row,) = await journey.lender.rows(EntrustedFund)
    both = replace(accountant, actor=replace(accountant.actor, id=cashier.actor.id))
    with pytest.raises(SamePerson):
        await entrusted_fund.confirm(both, fund_id=row.id)
    await journey.act("accountant", "rejectEntrustedFund", "fund { state }", fundId=entered, comment="未到账")
    (row,) = await journey.lender.rows(EntrustedFund)
    assert (row.state, await work.movements()) == (FundState.REJECTED, [])
    refused = await journey.refused("accountant", "confirmEntrustedFund", "fund { state }", fundId=entered)
    assert refused[0]["code"] == "INVALID_STATE"


async def test_two_who_take_the_same_money_at_once_never_both_get_it(journey: Journey) -> None:
    work = await entrusted(journey)
    await work.came_in("1000.00")
    mutation = (
        f"mutation($i: ReturnEntrustedFundInput!) {{ returnEntrustedFund(input: $i) {{ fund {{ id }} {ERRORS} }} }}"
    )
    asked = [await work.going_back("600.00") for _ in range(4)]
    answers = await asyncio.gather(*(journey.by("cashier").data(mutation, i=one) for one in asked))
    payloads = [answer["returnEntrustedFund"] for answer in answers]
    taken = [payload["fund"]["id"] for payload in payloads if payload["fund"]]
    assert len(taken) == 1
    assert {payload["userErrors"][0]["code"] for payload in payloads if not payload["fund"]} == {
        "ENTRUSTED_FUND_INSUFFICIENT"
    }
    await work.confirm(taken[0])
    assert (await work.statement())["closing"] == "400.00"


async def who_decides(journey: Journey, subject: str) -> str:
    """Who of the lender's people has a task about a thing."""
    for person in ("second_accountant", "general_manager", "business_manager", "risk_officer"):
        if any(task["subject"] and task["subject"]["id"] == subject for task in await journey.tasks(person)):
            return person
    raise AssertionError("nobody has a task about it")


async def test_what_was_passed_on_cannot_be_unreceived(journey: Journey) -> None:
    work = await entrusted(journey)
    await work.came_in("1000000.00")
    loan = await work.lent("1000000.00")
    await journey.close("2026-02-14")
    receipt = await journey.received(loan, "8333.33", "2026-02-15")
    (task,) = [task for task in await journey.tasks("cashier") if task["type"] == "ENTRUSTED_PASS_ON"]
    assert task["subject"]["id"] == work.id
    await work.passed_on("8166.66")
    assert [task for task in await journey.tasks("cashier") if task["type"] == "ENTRUSTED_PASS_ON"] == []
    await journey.act("accountant", "requestReceiptReversal", "receipt { state }", receiptId=receipt["id"])
    before = await ledger(journey)
    decide = f"mutation($i: DecideTaskInput!) {{ decideTask(input: $i) {{ task {{ id }} {ERRORS} }} }}"
    decision = {"decision": "APPROVE", "opinion": "同意"}
    person = await who_decides(journey, receipt["id"])
    task_id = await journey.task_on(person, receipt["id"])
    refused = await journey.by(person).refused(decide, i={"taskId": task_id} | decision)
    assert (refused[0]["code"], refused[0]["params"]["available"]) == ("ENTRUSTED_FUND_INSUFFICIENT", "-8166.66")
    assert await ledger(journey) == before
    await work.came_in("8166.66")
    await journey.by(person).run(decide, i={"taskId": task_id} | decision)
    assert (await work.statement())["closing"] == "0.00"
    assert "6021" not in await ledger(journey)
    assert await differences(journey.lender) == []
