"""核销管理 · Write-off (F34): golden A21 over the API, a receipt found late, and what is refused."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.kernel.ports import Ports
from gateways.bank.client import HttpBank
from schema.kernel.node import global_id
from tenancy.provision import Blueprint
from tests.acceptance.journey import Journey
from tests.support.actors import LenderAtWork, a_lender
from tests.support.lenders import Platform
from tests.support.loans import A21, lending_at, provide

PAID_OUT = date(2025, 8, 2)
WRITTEN_OFF = date(2026, 8, 31)
"""394 days later: 30 of the loan and 364 past due, so it is LOSS (> 360, domain.md §3.2)."""
GROUNDS = {
    "condition": "ENFORCEMENT_ENDED", "evidence": ["终结执行裁定书", "财产调查报告"], "responsibility": "无责任人",
}  # fmt: skip


@pytest.fixture
async def lender(place: Platform, ports: Ports, blueprint: Blueprint, bank: HttpBank) -> LenderAtWork:
    """A lender of this test alone, opened on the day on which the loan is written off."""
    return await a_lender(place, replace(ports, bank=bank), blueprint, open_on=WRITTEN_OFF)


async def lost(journey: Journey) -> str:
    """A loan of golden A21 that was paid out 394 days ago, in the lender's account from which the others are paid, too."""
    lending = await lending_at(journey.lender)
    journey.account = global_id("CompanyAccount", lending.account_id)
    journey.serials = itertools.count(100)
    return global_id("Loan", await lending.pay_out(value_date=PAID_OUT, **A21))


async def asked_in_vain(journey: Journey, loan: str) -> Any:
    (refused,) = await journey.refused(
        "post_loan_officer", "requestWriteOff", "writeOff { id }", loanId=loan, **GROUNDS
    )  # fmt: skip
    return refused


async def register(journey: Journey) -> list[Any]:
    data = await journey.by("auditor").data(
        """{ writtenOffRegister(first: 10) { totalCount nodes { writtenOffOn principal interest recoveredPrincipal
             recoveredInterest claimedPrincipal claimedInterest loan { state } writeOff { number condition } } } }"""
    )
    nodes: list[Any] = data["writtenOffRegister"]["nodes"]
    assert data["writtenOffRegister"]["totalCount"] == len(nodes)
    return nodes


async def outstanding(journey: Journey) -> Decimal:
    data = await journey.by("general_manager").data("{ statistics { outstanding } }")
    return Decimal(data["statistics"]["outstanding"])


async def test_a21_and_what_comes_before_and_after(journey: Journey) -> None:
    loan = await lost(journey)
    await provide(journey.lender, "79999.99")
    short = await asked_in_vain(journey, loan)
    assert (short["code"], short["params"]) == (
        "ALLOWANCE_INSUFFICIENT", {"allowance": "79999.99", "principal": "80000.00"},
    )  # fmt: skip
    await provide(journey.lender, "0.01")
    other = await journey.paid("李雷", amount="1000.00")
    before = await outstanding(journey)
    asked = await journey.act(
        "post_loan_officer", "requestWriteOff",
        "writeOff { id number state principal onBalanceInterest offBalanceInterest evidence workflow { state } }",
        loanId=loan, **GROUNDS,
    )  # fmt: skip
    assert asked == {
        "id": asked["id"], "number": "HX-2026-0001", "state": "IN_REVIEW", "principal": "80000.00",
        "onBalanceInterest": "0.00", "offBalanceInterest": "9600.00", "evidence": ["终结执行裁定书", "财产调查报告"],
        "workflow": {"state": "RUNNING"},
    }  # fmt: skip
    assert (await register(journey), await outstanding(journey)) == ([], before)
    await journey.decide("general_manager", asked["id"])
    assert await outstanding(journey) == before - Decimal("80000.00")
    assert (await journey.position(other.id))["principalOutstanding"] == "1000.00"
    assert await register(journey) == [
        {
            "writtenOffOn": "2026-08-31", "principal": "80000.00", "interest": "9600.00", "recoveredPrincipal": "0.00",
            "recoveredInterest": "0.00", "claimedPrincipal": "80000.00", "claimedInterest": "9600.00",
            "loan": {"state": "WRITTEN_OFF"},
            "writeOff": {"number": "HX-2026-0001", "condition": "ENFORCEMENT_ENDED"},
        }
    ]  # fmt: skip

    await journey.close(WRITTEN_OFF)
    keyed = await journey.act(
        "cashier", "recordRecovery", "receipt { id state allocation { component amount } }", loanId=loan,
        amount="85000.00", valueDate="2026-09-01", companyAccountId=journey.account, payerName="王芳",
        bankReference="RECOVERED-1", idempotencyKey="recovered-1",
    )  # fmt: skip
    split = [
        {"component": "WRITTEN_OFF_PRINCIPAL", "amount": "80000.00"},
        {"component": "OFF_BALANCE_INTEREST", "amount": "5000.00"},
    ]
    assert (keyed["state"], keyed["allocation"]) == ("ENTERED", split)
    await journey.act("accountant", "registerReceipt", "receipt { state }", receiptId=keyed["id"])
    (line,) = await register(journey)
    assert (line["recoveredPrincipal"], line["recoveredInterest"], line["claimedInterest"]) == (
        "80000.00", "5000.00", "4600.00",
    )  # fmt: skip

    # 1,000.00 that came in on the day before the write-off, found now: so much less was written off.
    await journey.received(loan, "1000.00", WRITTEN_OFF - timedelta(days=1))
    (line,) = await register(journey)
    assert (line["principal"], line["interest"], line["claimedInterest"]) == ("80000.00", "8600.00", "3600.00")

    undo = await journey.refused(
        "post_loan_officer", "requestWriteOffReversal", "writeOff { id }", writeOffId=asked["id"]
    )
    assert undo[0]["code"] == "INVALID_INPUT"
    await journey.act(
        "post_loan_officer", "requestWriteOffReversal", "writeOff { state }", writeOffId=asked["id"], comment="误核销"
    )
    await journey.decide("general_manager", asked["id"])
    assert await register(journey) == []
    # 8,600.00 of 2026-08-31, 25.00 for one more day, and what the 85,000.00 leave of the principal.
    assert (await journey.position(loan))["principalOutstanding"] == "3625.00"
    closed = await journey.close("2026-09-01")
    assert [day["ledgerBalanced"] for day in closed["days"]] == [True]


async def test_a_loan_in_good_standing_is_refused(journey: Journey) -> None:
    loan = await journey.paid(amount="1000.00")
    refused = await asked_in_vain(journey, loan.id)
    assert (refused["code"], refused["params"]) == ("NOT_LOSS_CLASS", {"five_class": "NORMAL"})
    recovery = await journey.refused(
        "cashier", "recordRecovery", "receipt { id }", loanId=loan.id, amount="1.00", valueDate=str(WRITTEN_OFF),
        companyAccountId=journey.account, payerName="王芳", bankReference="R", idempotencyKey="r",
    )  # fmt: skip
    assert recovery[0]["code"] == "INVALID_STATE"
