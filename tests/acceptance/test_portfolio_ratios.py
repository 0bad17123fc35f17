"""拨备与监管指标 · Ratios of a portfolio (F21): the golden portfolio, its loans aged by end of days, through the API only."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from tests.acceptance.journey import ERRORS, Journey

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent.parent / "golden" / "classification.json").read_text())
CASE = GOLDEN["portfolio"]
MONTH_END = date(2027, 3, 31)
FIGURES = """policy principal nplPrincipal generalRequired specificRequired required additional bookedBefore change booked
             nplRatio provisionCoverageRatio loanProvisionRatio adequacyRatio"""
# Paid out on these days, due a month later and never paid: 409, 320, 136 and 44 days past due at the end; L1 is not due yet.
PAID_OUT = {"L5": "2026-01-15", "L4": "2026-04-15", "L3": "2026-10-15", "L2": "2027-01-15", "L1": "2027-03-25"}


async def test_the_golden_portfolio_of_7_000_000(journey: Journey) -> None:
    await keep_in_addition(journey, "105000.00")
    principal = {loan["id"]: loan["principal"] for loan in CASE["loans"]}
    loans: dict[str, str] = {}
    for name, day in PAID_OUT.items():
        if day != "2026-01-15":
            await journey.close(date.fromordinal(date.fromisoformat(day).toordinal() - 1))
        paid = await journey.paid(amount=principal[name], periods=1, method="BULLET")
        loans[name] = paid.id
    await journey.close(MONTH_END)
    classes = {name: (await journey.position(loan, MONTH_END))["fiveClass"] for name, loan in loans.items()}
    assert classes == {loan["id"]: loan["class"] for loan in CASE["loans"]}

    data = await journey.by("accountant").data(
        f"""query($month: Date!) {{ provisions(month: $month) {{ state requestedBy {{ id }} figures {{ {FIGURES} }}
            items(first: 10) {{ totalCount nodes {{ fiveClass principal general specific loan {{ id }} }} }} }} }}""",
        month="2027-03-15",
    )
    run, expect = data["provisions"], CASE["expect"]
    figures = run["figures"]
    assert (run["state"], run["requestedBy"], figures["policy"]) == ("POSTED", None, CASE["policy"])
    assert (figures["booked"], figures["additional"]) == (CASE["provision_booked"], "105000.00")
    assert {
        "total_principal": figures["principal"],
        "npl_principal": figures["nplPrincipal"],
        "npl_ratio": f"{float(figures['nplRatio']):.4f}",
        "general_required": figures["generalRequired"],
        "specific_required": figures["specificRequired"],
        "required": figures["required"],
        "provision_coverage_ratio": f"{float(figures['provisionCoverageRatio']):.4f}",
        "loan_provision_ratio": f"{float(figures['loanProvisionRatio']):.4f}",
        "adequacy_ratio": f"{float(figures['adequacyRatio']):.4f}",
    } == expect
    assert {item["loan"]["id"]: item["principal"] for item in run["items"]["nodes"]} == {
        loan: principal[name] for name, loan in loans.items()
    }
    trial = await journey.by("accountant").data(
        "query($on: Date) { trialBalance(on: $on) { account debit credit } }", on=str(MONTH_END)
    )
    (allowance,) = [line for line in trial["trialBalance"] if line["account"] == "1304"]
    assert cents(allowance["credit"]) - cents(allowance["debit"]) == cents(CASE["provision_booked"])
    proofs = await journey.by("accountant").data(
        "query($on: Date) { proofs(on: $on) { proof holds } }", on=str(MONTH_END)
    )
    assert {proof["holds"] for proof in proofs["proofs"]} == {True}

    await the_month_is_closed(journey)


async def keep_in_addition(journey: Journey, amount: str) -> None:
    """Golden: 400,000 is booked where 295,000 is required; two persons decide to keep the rest."""
    wish = await journey.act(
        "tenant_admin", "proposeParameter", "parameter { id }", code="provision_additional", value=amount,
        effectiveFrom="2026-01-15", reason="审慎计提",
    )  # fmt: skip
    await journey.act("general_manager", "approveParameter", "parameter { id }", parameterId=wish["id"])


async def the_month_is_closed(journey: Journey) -> None:
    """The months are closed one by one by two persons; then a receipt of March is refused."""
    for month in [date(2026, number, 1) for number in range(1, 13)] + [date(2027, number, 1) for number in range(1, 4)]:
        asked = await journey.act("accountant", "closeMonth", "period { id state }", month=str(month))
        assert asked["state"] == "CLOSING"
        await journey.decide("second_accountant", asked["id"])
    data = await journey.by("accountant").data(
        "{ accountingPeriods(first: 20) { nodes { kind firstDay state decidedBy { id } } } }"
    )
    states = {(node["kind"], node["firstDay"]): node["state"] for node in data["accountingPeriods"]["nodes"]}
    assert (states["MONTH", "2027-03-01"], states["MONTH", "2027-04-01"]) == ("CLOSED", "OPEN")
    refused = await journey.by("cashier").refused(
        f"mutation($i: EnterReceiptInput!) {{ enterReceipt(input: $i) {{ receipt {{ id }} {ERRORS} }} }}",
        i={"loanId": (await a_loan(journey)), "amount": "10.00", "valueDate": "2027-03-31", "companyAccountId": journey.account,
           "payerName": "王芳", "bankReference": "LATE", "idempotencyKey": "late"},
    )  # fmt: skip
    assert (refused[0]["code"], refused[0]["params"]) == (
        "CLOSED_BUSINESS_DAY", {"on": "2027-03-31", "closed_through": "2027-03-31"},
    )  # fmt: skip


async def a_loan(journey: Journey) -> str:
    data = await journey.by("cashier").data("{ loans(first: 1) { nodes { id } } }")
    return str(data["loans"]["nodes"][0]["id"])


def cents(text: str) -> int:
    return int(text.replace(".", ""))
