"""循环贷款 · A limit of 200,000 is drawn, repaid and drawn again; a frozen one refuses (F11, golden S38)."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.journey import Journey
from tests.support.actors import LenderAtWork, a_lender
from tests.support.lenders import Platform

GOLDEN = Path(__file__).parents[1] / "golden" / "schedules.json"
S38 = next(case for case in json.loads(GOLDEN.read_text("utf-8"))["cases"] if case["id"] == "S38")
GIVEN = S38["input"]
OPENED = date.fromisoformat(GIVEN["line_start"])
STATE = "facility { id state limit available usage { used inApproval available rate } version }"


@pytest.fixture
async def lender(place: Platform, ports: Any, blueprint: Any, bank: Any) -> LenderAtWork:
    """A lender opened on the day on which the golden line begins."""
    from dataclasses import replace

    return await a_lender(place, replace(ports, bank=bank), blueprint, open_on=OPENED)


class Line:
    """A customer's facility, and the people who work with it."""

    def __init__(self, journey: Journey, facility: str, account: str) -> None:
        self.journey, self.id, self.account = journey, facility, account

    async def shown(self) -> Any:
        data = await self.journey.by("account_manager").data(
            "query($id: ID!) { creditFacility(id: $id) { state limit available usage { used inApproval available rate } } }",
            id=self.id,
        )
        return data["creditFacility"]

    async def available(self) -> str:
        return str((await self.shown())["available"])

    async def asked(self, amount: str, **given: Any) -> str:
        """A drawdown in approval."""
        made = await self.journey.act(
            "account_manager", "drawDown", "application { id state }", facilityId=self.id, amount=amount, **given
        )
        return str(made["id"])

    async def drawn(self, amount: str, **given: Any) -> str:
        """A drawdown approved, signed and paid out today; its loan."""
        application = await self.asked(amount, **given)
        await self.journey.decide("business_manager", application)
        return await self.paid(application, amount)

    async def signed(self, application: str) -> str:
        """Its pay-out, reviewed."""
        contract = await self.journey.signed(application)
        disbursement = str(contract["disbursements"][0]["id"])
        await self.journey.act(
            "accountant", "reviewDisbursement", "disbursement { state }", disbursementId=disbursement
        )
        return disbursement

    async def paid(self, application: str, amount: str) -> str:
        disbursement = await self.signed(application)
        await self.journey.pay(disbursement, self.account, amount)
        await self.journey.work()
        found = await self.journey.by("cashier").data(
            "query($id: ID!) { node(id: $id) { ... on Disbursement { state loan { id kind } } } }", id=disbursement
        )
        assert (found["node"]["state"], found["node"]["loan"]["kind"]) == ("PAID", "REVOLVING"), found
        return str(found["node"]["loan"]["id"])


PRODUCT = {
    "kind": "REVOLVING", "name": "循环经营额度", "methods": ["INTEREST_ONLY", "BULLET"],
    "interestBasis": GIVEN["interest_basis"], "settlementDay": GIVEN["settlement_day"], "maxPeriods": 12,
}  # fmt: skip


async def asked_for(journey: Journey, *, product: dict[str, Any] | None = None, **terms: Any) -> tuple[str, str]:
    """A facility of S38 in approval, for a new customer with an account; answers the facility and the account."""
    customer = await journey.customer()
    account = await journey.customer_account(customer)
    made = await journey.act(
        "account_manager", "applyCreditFacility", STATE,
        **{
            "customerId": customer, "productId": await journey.product(**(PRODUCT | (product or {}))),
            "limit": GIVEN["credit_limit"], "annualRate": GIVEN["annual_rate"], "startsOn": GIVEN["line_start"],
            "endsOn": GIVEN["line_end"], "maxPeriods": 12, "lendingMode": "CREDIT", "purposeCode": "WORKING_CAPITAL",
            "purpose": "备货",
        } | terms,
    )  # fmt: skip
    assert made["state"] == "APPROVING"
    return str(made["id"]), account


async def a_line(journey: Journey, **given: Any) -> Line:
    """Granted by the risk officer and the business manager."""
    facility, account = await asked_for(journey, **given)
    await journey.decide("risk_officer", facility)
    await journey.decide("business_manager", facility)
    line = Line(journey, facility, account)
    assert (await line.shown())["state"] == "ACTIVE"
    return line


async def frozen(journey: Journey, line: Line) -> None:
    made = await journey.act("risk_officer", "freezeCreditFacility", STATE, facilityId=line.id, reason="经营异常")
    assert (made["state"], made["available"]) == ("FROZEN", "0.00")


# ---------------------------------------------------------------- the sentence, and S38 to the cent


async def test_the_golden_line_day_by_day(journey: Journey) -> None:
    line = await a_line(journey)
    collected, loans = Decimal(0), {}
    [rejected] = S38["expect"]["rejected"]
    rows = sorted([*S38["rows"], rejected["event"] | {"type": "REJECTED"}], key=lambda row: row["date"])
    for row in rows:
        on = date.fromisoformat(row["date"])
        await journey.close(on - timedelta(days=1))
        if row["type"] == "REJECTED":
            errors = await journey.refused(
                "account_manager", "drawDown", "application { id }", facilityId=line.id, amount=row["amount"]
            )
            assert (errors[0]["code"], errors[0]["params"]["available"]) == ("CREDIT_LIMIT_EXCEEDED", "70000.00")
            continue
        if row["type"] == "DRAWDOWN":
            loans[row["drawdown"]] = await line.drawn(row["principal"])
        else:
            collected += await repaid(journey, loans[row["drawdown"]], row, on)
        shown, position = await line.shown(), await journey.position(loans[row["drawdown"]])
        assert position["principalOutstanding"] == row["drawdown_balance"], row
        assert (shown["usage"]["used"], shown["available"]) == (row["line_used"], row["line_available"]), row
    assert f"{collected:.2f}" == S38["totals"]["interest"] == "2982.00"
    days = (await journey.close(date.fromisoformat(S38["rows"][-1]["date"])))["days"]
    assert all(day["ledgerBalanced"] for day in days)
    await settled(journey, loans.values())


async def repaid(journey: Journey, loan: str, row: dict[str, Any], on: date) -> Decimal:
    """One row of the golden case as a receipt; the interest that it paid, which must be the golden one."""
    mode = None
    if row["type"] == "REPAY":
        mode = {"mode": "SETTLE" if row["drawdown_balance"] == "0.00" else "REDUCE_INSTALLMENT"}
    amount = Decimal(row["principal"]) + Decimal(row["interest"])
    receipt = await journey.received(loan, f"{amount:.2f}", on, prepayment=mode)
    paid = [Decimal(part["amount"]) for part in receipt["allocation"] if part["component"] == "INTEREST"]
    assert sum(paid) == Decimal(row["interest"]), row
    return sum(paid, Decimal(0))


async def settled(journey: Journey, loans: Any) -> None:
    for loan in loans:
        data = await journey.by("accountant").data(
            "query($id: ID!) { loan(id: $id) { state facility { available usage { used rate } } } }", id=loan
        )
        assert data["loan"]["state"] == "SETTLED"
        assert data["loan"]["facility"]["usage"] == {"used": "0.00", "rate": "0"}
        assert data["loan"]["facility"]["available"] == GIVEN["credit_limit"]


async def test_the_golden_line_with_its_repayments_entered_late(journey: Journey) -> None:
    """Both drawdowns, then all days are closed first; what was paid meanwhile is entered afterwards, the latest first.

    Only the interest of 20 March comes in time: unpaid, it would have frozen the line before the second drawdown."""
    line = await a_line(journey)
    loans: dict[str, str] = {}
    late = []
    for row in S38["rows"]:
        on = date.fromisoformat(row["date"])
        if len(loans) == 2:
            late.append(row)
            continue
        await journey.close(on - timedelta(days=1))
        if row["type"] == "DRAWDOWN":
            loans[row["drawdown"]] = await line.drawn(row["principal"])
        else:
            await repaid(journey, loans[row["drawdown"]], row, on)
    last = date.fromisoformat(S38["rows"][-1]["date"])
    await journey.close(last)
    assert (await line.shown())["state"] == "FROZEN", "unpaid interest is overdue by then"
    for row in reversed(late):
        mode = {"mode": "SETTLE" if row["drawdown_balance"] == "0.00" else "REDUCE_INSTALLMENT"}
        amount = Decimal(row["principal"]) + Decimal(row["interest"])
        given = {"prepayment": mode} if row["type"] == "REPAY" else {}
        await journey.received(loans[row["drawdown"]], f"{amount:.2f}", row["date"], **given)
    paid = [part for loan in loans.values() for part in await collected_on(journey, loan)]
    assert {part["component"] for part in paid} == {"INTEREST", "PRINCIPAL"}, "nothing was late after all"
    interest = sum(Decimal(part["amount"]) for part in paid if part["component"] == "INTEREST")
    assert f"{interest:.2f}" == S38["totals"]["interest"]
    usage = (await line.shown())["usage"]
    assert (usage["used"], usage["available"]) == ("0.00", "0.00"), "repaid, and frozen until others agree"
    closed = await journey.close(last + timedelta(days=1))
    assert all(day["ledgerBalanced"] for day in closed["days"])
    errors = await journey.refused(
        "account_manager", "unfreezeCreditFacility", "facility { id }", facilityId=line.id, reason="已结清"
    )
    assert (errors[0]["code"], errors[0]["params"]["causes"]) == ("INVALID_STATE", ["WARNING"]), (
        "nobody saw to the alerts"
    )
    await alerts_closed(journey)
    await journey.act("account_manager", "unfreezeCreditFacility", STATE, facilityId=line.id, reason="已结清")
    await journey.decide("risk_officer", line.id)
    await journey.decide("business_manager", line.id)
    assert await line.available() == GIVEN["credit_limit"]


async def alerts_closed(journey: Journey) -> None:
    data = await journey.by("risk_officer").data("{ alerts(filter: {open: true}, first: 50) { nodes { id } } }")
    for alert in data["alerts"]["nodes"]:
        await journey.act(
            "risk_officer", "disposeAlert", "alert { state }", alertId=alert["id"], state="CLOSED", remark="已还清"
        )


async def collected_on(journey: Journey, loan: str) -> list[dict[str, str]]:
    """All parts of all receipts on a loan, which must be settled with nothing left over."""
    data = await journey.by("accountant").data(
        """query($id: ID!) { loan(id: $id) { state receipts(first: 20) { nodes { unapplied
           allocation { component amount } } } } }""",
        id=loan,
    )
    receipts = data["loan"]["receipts"]["nodes"]
    assert data["loan"]["state"] == "SETTLED"
    assert {receipt["unapplied"] for receipt in receipts} == {"0.00"}
    return [part for receipt in receipts for part in receipt["allocation"]]


async def test_a_frozen_line_refuses_a_drawdown_and_a_pay_out(journey: Journey) -> None:
    line = await a_line(journey)
    application = await line.asked("80000.00")
    await journey.decide("business_manager", application)
    disbursement = await line.signed(application)
    await frozen(journey, line)
    errors = await journey.refused(
        "account_manager", "drawDown", "application { id }", facilityId=line.id, amount="1000.00"
    )
    assert errors[0]["code"] == "FACILITY_FROZEN"
    assert errors[0]["field"] == ["input", "facilityId"]
    assert errors[0]["params"] == {"since": str(OPENED), "causes": ["MANUAL"]}
    journey.account = await journey.company_account()
    errors = await journey.refused(
        "cashier", "payDisbursement", "disbursement { id }", disbursementId=disbursement,
        companyAccountId=journey.account, customerAccountId=line.account, amount="80000.00", valueDate=str(OPENED),
        idempotencyKey="while-frozen",
    )  # fmt: skip
    assert errors[0]["code"] == "FACILITY_FROZEN"
    assert (await line.shown())["usage"] == {
        "used": "0.00", "inApproval": "80000.00", "available": "0.00", "rate": "0"
    }  # fmt: skip
    await journey.act("account_manager", "unfreezeCreditFacility", STATE, facilityId=line.id, reason="已核实")
    await journey.decide("risk_officer", line.id)
    await journey.decide("business_manager", line.id)
    await journey.pay(disbursement, line.account, "80000.00")
    await journey.work()
    assert (await line.shown())["usage"]["used"] == "80000.00"


async def insisting(journey: Journey, line: Line, key: str) -> Any:
    """A drawdown of 15,000.00, asked for again under the same key as long as the server is too busy to say what became of it."""
    document = "mutation($i: DrawDownInput!) { drawDown(input: $i) { application { id } userErrors { code params } } }"
    given = {"facilityId": line.id, "amount": "15000.00", "idempotencyKey": key}
    for _ in range(50):
        answer = await journey.by("account_manager").ask(document, i=given)
        if answer.codes not in (["OVERLOADED"], ["TIMEOUT"]):
            break
        await asyncio.sleep(0.2)
    assert not answer.errors, answer.errors
    return answer.data["drawDown"]


async def test_twenty_drawdowns_at_once_never_exceed_the_limit(journey: Journey) -> None:
    line = await a_line(journey)
    answers = await asyncio.gather(*(insisting(journey, line, f"draw-{number}") for number in range(20)))
    taken = [answer["application"]["id"] for answer in answers if answer["application"]]
    codes = [error["code"] for answer in answers for error in answer["userErrors"]]
    assert (len(taken), codes) == (13, ["CREDIT_LIMIT_EXCEEDED"] * 7)
    assert (await line.shown())["usage"] == {
        "used": "0.00", "inApproval": "195000.00", "available": "5000.00", "rate": "0"
    }  # fmt: skip
    await journey.act("account_manager", "withdrawLoanApplication", "application { state }", applicationId=taken[0])
    assert await line.available() == "20000.00"
