"""Every golden loan that a product can express, entered through the API: its schedule, and its days in time and late.

In time: each receipt on its day, each day closed after it. Late: all days closed first, then all receipts entered with
their own value dates, the latest first. Both must show the golden figures for every day (as known now). A plain schedule
that was paid on its due dates, and entered when all is over, is settled as if nothing had ever been late.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.journey import Journey
from tests.support.actors import LenderAtWork, a_lender
from tests.support.lenders import Platform

GOLDEN = Path(__file__).parents[1] / "golden"
EOD = json.loads((GOLDEN / "eod.json").read_text("utf-8"))["cases"]
SCHEDULES = json.loads((GOLDEN / "schedules.json").read_text("utf-8"))["cases"]
PLAIN = {"principal", "annual_rate", "periods", "period_unit", "method", "interest_basis", "value_date", "rounding"}
COLUMNS = {
    "principal_outstanding": "principalOutstanding", "overdue_principal": "overduePrincipal",
    "accrued_interest": "accruedInterest", "due_unpaid_interest": "dueUnpaidInterest", "penalty": "penalty",
    "compound": "compound", "dpd": "daysPastDue", "class": "fiveClass", "accrual": "accrual",
    "on_balance_interest": "onBalanceInterest", "off_balance_interest": "offBalanceInterest",
}  # fmt: skip


def plain_schedules() -> Iterator[Any]:
    for case in SCHEDULES:
        given = case["input"]
        if set(given) == PLAIN and given["periods"] <= 60 and Decimal(given["annual_rate"]) <= Decimal("0.24"):
            yield pytest.param(case, id=case["id"])


def lender_day(case: Any) -> date:
    given = case["input"] if "input" in case else case["loan"]
    return date.fromisoformat(given["value_date"])


@pytest.fixture
async def lender(
    request: pytest.FixtureRequest, place: Platform, ports: Any, blueprint: Any, bank: Any
) -> LenderAtWork:
    """A lender opened on the value date of the case."""
    from dataclasses import replace

    opened = lender_day(request.getfixturevalue("case"))
    return await a_lender(
        place, replace(ports, bank=bank), blueprint, open_on=opened, net_assets=Decimal("900000000.00")
    )


def terms_of(given: dict[str, Any], *, unit: str, periods: int, **product: Any) -> dict[str, Any]:
    return {
        "product": {
            "periodUnit": unit,
            "interestBasis": given["interest_basis"],
            "methods": [given["method"]],
            "maxPeriods": 60,
            "minAmount": "100.00",
            "maxRate": given["annual_rate"],
        }
        | product,
        "amount": given["principal"],
        "periods": periods,
        "annualRate": given["annual_rate"],
        "method": given["method"],
    }


@pytest.mark.parametrize("case", list(plain_schedules()))
async def test_the_schedule_of_a_paid_out_loan(journey: Journey, case: Any) -> None:
    given = case["input"]
    loan = await journey.paid(**terms_of(given, unit=given["period_unit"], periods=given["periods"]))
    rows = await journey.installments(loan.id)
    shown = [(r["seq"], r["startDate"], r["dueDate"], r["principal"], r["interest"]) for r in rows]
    assert shown == [(r["seq"], r["start_date"], r["due_date"], r["principal"], r["interest"]) for r in case["rows"]]


FIRST_YEAR = "2027-02-05"


def late_schedules() -> Iterator[Any]:
    """Loans of one lender, who closes their days once for all of them; those that run for years at night."""
    for name, through, marks in (("year", FIRST_YEAR, ()), ("years", "9999-12-31", (pytest.mark.nightly,))):
        chosen = [case for one in plain_schedules() for case in one.values if case["rows"][-1]["due_date"] <= through]
        chosen.sort(key=lambda case: case["input"]["value_date"])
        assert len(chosen) >= 12
        yield pytest.param({"input": chosen[0]["input"], "cases": chosen}, id=name, marks=marks)


PAID = """query($id: ID!) { loan(id: $id) { state settledOn
  receipts(first: 60) { nodes { state unapplied allocation { component amount } } } } }"""


@pytest.mark.parametrize("case", list(late_schedules()))
async def test_schedules_whose_payments_are_all_entered_late(journey: Journey, case: Any) -> None:
    """Nothing is paid until the last of all due dates is closed; then every installment is, the latest first."""
    loans: list[tuple[str, Any]] = []
    for one in case["cases"]:
        given = one["input"]
        if loans and given["value_date"] > loans[-1][1]["input"]["value_date"]:
            await journey.close(lender_day(one) - timedelta(days=1))
        paid = await journey.paid(**terms_of(given, unit=given["period_unit"], periods=given["periods"]))
        loans.append((paid.id, one))
    rows = sorted(((row["due_date"], loan, row) for loan, one in loans for row in one["rows"]), key=lambda row: row[:2])
    end = date.fromisoformat(rows[-1][0])
    await journey.close(end)
    for loan, one in loans:
        before, first_due = await journey.position(loan), date.fromisoformat(one["rows"][0]["due_date"])
        assert before["daysPastDue"] == (end - first_due).days + 1, one["id"]
        assert (Decimal(before["penalty"]) > 0) == (Decimal(one["input"]["annual_rate"]) > 0), one["id"]
    for due, loan, row in reversed(rows):
        await journey.received(loan, str(Decimal(row["principal"]) + Decimal(row["interest"])), due)
    for loan, one in loans:
        await check_settled(journey, loan, one)
    closed = await journey.close(end + timedelta(days=1))
    assert all(day["ledgerBalanced"] for day in closed["days"])


async def check_settled(journey: Journey, loan: str, case: Any) -> None:
    """As if every installment had been entered on its due date: principal and interest collected, and nothing else."""
    rows, name = case["rows"], case["id"]
    found = (await journey.by("accountant").data(PAID, id=loan))["loan"]
    assert (found["state"], found["settledOn"]) == ("SETTLED", rows[-1]["due_date"]), name
    collected: dict[str, Decimal] = {"INTEREST": Decimal(0)}
    for receipt in found["receipts"]["nodes"]:
        assert (receipt["state"], receipt["unapplied"]) == ("REGISTERED", "0.00"), name
        for part in receipt["allocation"]:
            collected[part["component"]] = collected.get(part["component"], Decimal(0)) + Decimal(part["amount"])
    assert collected == {part: Decimal(case["totals"][part.lower()]) for part in ("PRINCIPAL", "INTEREST")}, name
    shown = await journey.installments(loan)
    assert [(r["seq"], r["startDate"], r["dueDate"], r["principal"], r["interest"]) for r in shown] == [
        (r["seq"], r["start_date"], r["due_date"], r["principal"], r["interest"]) for r in rows
    ], name
    open_still = {(r["penalty"], r["compound"], r["unpaidPrincipal"], r["unpaidInterest"]) for r in shown}
    assert open_still == {("0.00",) * 4}, name
    assert [r["paidOn"] for r in shown] == [r["due_date"] for r in rows], name
    after = await journey.position(loan)
    left = ("principalOutstanding", "overduePrincipal", "penalty", "compound", "dueUnpaidInterest", "unapplied")
    assert {after[part] for part in left} == {"0.00"}, name


def days_terms(case: Any) -> dict[str, Any]:
    loan, policy = case["loan"], case["policy"]
    length = (date.fromisoformat(case["installments"][0]["due_date"]) - lender_day(case)).days
    bullet = loan["method"] == "BULLET"
    return terms_of(
        loan,
        unit="DAY" if bullet else "MONTH",
        periods=length if bullet else len(case["installments"]),
        graceDays=policy["grace_days"],
        penaltyMultiplier=policy["penalty_multiplier"],
        compound=policy["compound"],
    )


def receipts(case: Any) -> list[tuple[date, str]]:
    """Money that came in; what is kept from an earlier receipt (UNAPPLIED) is no new receipt. A golden amount includes
    money kept before: none of these cases has both on one day."""
    return [(date.fromisoformat(p["date"]), p["amount"]) for p in case["payments"] if p["source"] == "RECEIPT"]


async def check_days(journey: Journey, loan: str, case: Any) -> None:
    rows = case["rows"]
    for start in range(0, len(rows), 25):
        part = rows[start : start + 25]
        fields = " ".join(COLUMNS.values())
        asked = " ".join(f'd{i}: position(on: "{row["date"]}") {{ {fields} }}' for i, row in enumerate(part))
        data = await journey.by("accountant").data(f"query($id: ID!) {{ loan(id: $id) {{ {asked} }} }}", id=loan)
        for i, row in enumerate(part):
            shown = {name: data["loan"][f"d{i}"][field] for name, field in COLUMNS.items()}
            assert shown == {name: row[name] for name in COLUMNS}, row["date"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in EOD])
async def test_every_golden_day_in_time(journey: Journey, case: Any) -> None:
    loan = await journey.paid(**days_terms(case))
    for on, amount in receipts(case):
        await journey.close(on - timedelta(days=1))
        await journey.received(loan.id, amount, on)
    last = await journey.close(case["rows"][-1]["date"])
    assert all(day["ledgerBalanced"] for day in last["days"])
    await check_days(journey, loan.id, case)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in EOD])
async def test_every_golden_day_late(journey: Journey, case: Any) -> None:
    loan = await journey.paid(**days_terms(case))
    await journey.close(case["rows"][-1]["date"])
    for on, amount in reversed(receipts(case)):
        await journey.received(loan.id, amount, on)
    await check_days(journey, loan.id, case)
    closed = await journey.close(date.fromisoformat(case["rows"][-1]["date"]) + timedelta(days=1))
    assert all(day["ledgerBalanced"] for day in closed["days"])
