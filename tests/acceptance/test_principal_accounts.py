"""The principal's accounts day by day over the API: golden E02 and S36, cured, paid late, taken back, written off (decision 0038)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from domain.kernel.ports import Ports
from gateways.bank.client import HttpBank
from schema.kernel.node import global_id
from tenancy.provision import Blueprint
from tests.acceptance.journey import Journey, PaidLoan
from tests.acceptance.test_F28_contract_amendment import EXTENSION, agreed
from tests.acceptance.test_F34_write_off import GROUNDS
from tests.calculation.loan.cases import eod_case
from tests.lending.test_loan_golden_days import terms_of
from tests.support.actors import LenderAtWork, a_lender
from tests.support.amendments import S36
from tests.support.lenders import Platform
from tests.support.loans import A21, Lending, lending_at, provide

E02 = eod_case("E02")
DAY = timedelta(days=1)
OPENED = {"E02": date(2026, 5, 9), "S36": date(2026, 8, 18), "A21": date(2026, 8, 31)}
"""Day 89 of E02; two days before the maturity of S36; day 364 of A21."""


@pytest.fixture
async def lender(
    request: pytest.FixtureRequest, place: Platform, ports: Ports, blueprint: Blueprint, bank: HttpBank
) -> LenderAtWork:
    opened = OPENED[request.node.name.split("_")[1].upper()]
    return await a_lender(place, replace(ports, bank=bank), blueprint, open_on=opened)


@pytest.fixture
async def lending(journey: Journey) -> Lending:
    made = await lending_at(journey.lender)
    journey.account, journey.serials = global_id("CompanyAccount", made.account_id), itertools.count(100)
    return made


async def principal(journey: Journey, on: date | None = None) -> dict[str, str]:
    """What stands in 1303 at the close of a day, by account."""
    data = await journey.by("accountant").data(
        "query($on: Date) { trialBalance(on: $on) { account name debit credit } }", on=str(on) if on else None
    )
    held = {row["account"]: D(row["debit"]) - D(row["credit"]) for row in data["trialBalance"]}
    return {account: str(amount) for account, amount in held.items() if account.startswith("1303") and amount}


async def closed(journey: Journey, through: date) -> None:
    assert all(one["ledgerBalanced"] for one in (await journey.close(through))["days"])


async def taken_back(journey: Journey, receipt: str) -> None:
    await journey.act(
        "accountant", "requestReceiptReversal", "receipt { state }", receiptId=receipt, comment="他人的款项"
    )
    await journey.decide("general_manager", receipt)


def golden(row: dict[str, Any]) -> dict[str, str]:
    """Where E02's principal is to be, told by the golden columns alone: all of it is overdue, and nothing doubtful."""
    assert row["overdue_principal"] == row["principal_outstanding"]
    assert row["class"] in ("SPECIAL_MENTION", "SUBSTANDARD")
    return {"130304" if row["accrual"] == "NON_ACCRUAL" else "130302": row["principal_outstanding"]}


async def test_e02_day_by_day_and_back(journey: Journey, lending: Lending) -> None:
    """Overdue to day 90, then without accrual; 10,000.00 on day 95; all of it found late, and taken back."""
    loan = global_id("Loan", await lending.pay_out(**terms_of(E02), value_date=date(2026, 1, 10)))
    rows = {date.fromisoformat(row["date"]): row for row in E02["rows"]}
    (payment,) = E02["payments"]
    paid_on = date.fromisoformat(payment["date"])
    await closed(journey, paid_on - DAY)
    await journey.received(loan, payment["amount"], paid_on)
    assert await principal(journey) == golden(rows[paid_on]) == {"130304": "43484.20"}
    await closed(journey, paid_on + DAY)
    for on in (OPENED["E02"] + number * DAY for number in range(8)):
        assert await principal(journey, on) == golden(rows[on]), on

    in_time = await journey.received(loan, "50600.00", "2026-02-09")  # what was due on the day on which it was due
    assert await principal(journey) == {}
    await taken_back(journey, in_time["id"])
    assert await principal(journey) == {"130304": "43484.20"}
    assert await principal(journey, date(2026, 5, 10)) == {"130302": "50000.00"}, "a closed day stays as it was"

    quote = await journey.by("account_manager").data(
        "query($id: ID!, $on: Date!) { loan(id: $id) { payoffQuote(on: $on) { toPay } } }", id=loan, on="2026-05-17"
    )
    cure = await journey.received(loan, quote["loan"]["payoffQuote"]["toPay"], "2026-05-17")
    assert await principal(journey) == {}
    await taken_back(journey, cure["id"])
    await closed(journey, date(2026, 5, 17))
    assert await principal(journey) == {"130304": "43484.20"}


async def test_s36_day_by_day_and_back(journey: Journey, lending: Lending) -> None:
    """200,000.00, extended by a month two days before the maturity; overdue after that month; paid late, and taken back."""
    loan_id = await lending.pay_out(**S36, value_date=date(2026, 2, 20))
    for on in (*(date(2026, month, 20) for month in range(3, 8)), OPENED["S36"]):
        await lending.receive(loan_id, "2000.00", on)
    loan = global_id("Loan", loan_id)
    assert await principal(journey) == {"130301": "200000.00"}
    amendment = await agreed(
        journey, PaidLoan(loan, "", "", "", ""), **EXTENSION | {"extensionPeriods": 1, "guarantorConsents": []}
    )
    moved = [(one["account"], one["debit"], one["credit"]) for one in amendment["event"]["entries"]]
    assert moved == [("130303", "200000.00", "0.00"), ("130301", "0.00", "200000.00")]
    await closed(journey, date(2026, 9, 20))
    for on, account in (("08-18", "130303"), ("08-20", "130303"), ("08-21", "130303"), ("09-20", "130303")):
        assert await principal(journey, date.fromisoformat(f"2026-{on}")) == {account: "200000.00"}, on
    assert await principal(journey) == {"130302": "200000.00"}
    late = await journey.received(loan, "202200.00", "2026-09-20")
    assert await principal(journey) == {}
    await taken_back(journey, late["id"])
    await closed(journey, date(2026, 9, 21))
    assert await principal(journey) == {"130302": "200000.00"}


async def test_a21_is_written_off_out_of_the_impaired(journey: Journey, lending: Lending) -> None:
    """80,000.00 are LOSS on day 364, and leave the account in which they stood; undone, they are there again."""
    loan = global_id("Loan", await lending.pay_out(value_date=date(2025, 8, 2), **A21))
    await provide(journey.lender, "80000.00")
    assert await principal(journey) == {"130305": "80000.00"}
    asked = await journey.act("post_loan_officer", "requestWriteOff", "writeOff { id }", loanId=loan, **GROUNDS)
    await journey.decide("general_manager", asked["id"])
    assert await principal(journey) == {}
    data = await journey.by("accountant").data(
        "query($id: ID!) { loan(id: $id) { history(first: 10) { nodes { type entries { account debit credit } } } } }",
        id=loan,
    )
    (event,) = [event for event in data["loan"]["history"]["nodes"] if event["type"] == "WRITE_OFF"]
    entries = {one["account"]: (one["debit"], one["credit"]) for one in event["entries"]}
    assert (entries["1304"], entries["130305"]) == (("80000.00", "0.00"), ("0.00", "80000.00"))
    await journey.act(
        "post_loan_officer", "requestWriteOffReversal", "writeOff { state }", writeOffId=asked["id"], comment="错核"
    )
    await journey.decide("general_manager", asked["id"])
    assert await principal(journey) == {"130305": "80000.00"}
