"""Every golden loan that a product can express, entered through the API: its schedule, and its days in time and late.

In time: each receipt on its day, each day closed after it. Late: all days closed first, then all receipts entered with
their own value dates, the latest first. Both must show the golden figures for every day (as known now).
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
