"""还款计划试算 through the API: every plain golden case to the cent, the limits, and what is no question (S01–S31)."""

import json
from collections.abc import AsyncIterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.configuration import calendar, parameter
from domain.configuration.calendar import DayKind
from tests.support.actors import LenderAtWork
from tests.support.client import Client, KnownPeople, an_app, serving

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "golden/schedules.json").read_text())["cases"]
    if case["id"] <= "S31"
}
FIELDS = {
    "principal", "annual_rate", "periods", "period_unit", "method", "interest_basis", "value_date", "due_dates",
    "settlement_day", "settlement_months", "maturity_date", "term_days", "amortization_periods",
    "principal_grace_periods", "custom_principal", "holiday_rule", "holidays", "makeup_workdays",
}  # fmt: skip
RATES = {
    "period_irr": "periodIrr",
    "apr_nominal": "aprNominal",
    "apr_effective": "aprEffective",
    "xirr_act365": "xirrAct365",
    "simple_apr_act365": "simpleAprAct365",
}
PLAN = """query ($input: RepaymentPlanInput!) { repaymentPlan(input: $input) {
  installments { seq startDate dueDate days principal interest payment balanceAfter }
  totalPrincipal totalInterest totalPayment installmentAmount
  cost { periodIrr aprNominal aprEffective xirrAct365 simpleAprAct365 cap exceedsCap warnAbove exceedsWarning }
} }"""
USUAL = {
    "principal": "100000.00", "annualRate": "0.12", "periods": 12, "method": "EQUAL_INSTALLMENT", "valueDate": "2026-01-15",
}  # fmt: skip


@pytest.fixture(scope="module")
async def calculator(shared_lender: LenderAtWork) -> AsyncIterator[Client]:
    """A clerk without any special right who asks for plans."""
    sessions = KnownPeople()
    async with serving(an_app(shared_lender.ports, sessions, catalog=shared_lender.platform.catalog)) as http:
        yield Client(http, sessions.introduce("archivist", shared_lender.archivist))


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def asked(case: dict[str, Any]) -> dict[str, Any]:
    """The case's input as the API takes it."""
    given = {camel(name): value for name, value in case["input"].items() if name in FIELDS}
    fees = [{name: fee[name] for name in ("date", "amount", "payer")} for fee in case["input"].get("fees", [])]
    return given | ({"fees": fees} if fees else {})


@pytest.mark.parametrize("name", CASES)
async def test_golden(calculator: Client, name: str):
    case = CASES[name]
    found = (await calculator.data(PLAN, input=asked(case)))["repaymentPlan"]
    assert found["installments"] == [{camel(key): value for key, value in row.items()} for row in case["rows"]]
    totals = (found["totalPrincipal"], found["totalInterest"], found["totalPayment"])
    assert totals == tuple(case["totals"][key] for key in ("principal", "interest", "payment"))
    assert found["installmentAmount"] == case.get("installment_amount")
    cost = found["cost"]
    for golden, field in RATES.items():
        wanted = case["rates"].get(golden)
        assert cost[field] is None if wanted is None else Decimal(cost[field]) == Decimal(wanted), field
    measure = Decimal(cost["aprNominal"] or cost["simpleAprAct365"]).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assert cost["exceedsCap"] is (measure > Decimal("0.24"))
    assert cost["exceedsWarning"] is (measure > Decimal("0.12"))


async def test_whole_fen_alone_pass_no_line(calculator: Client):
    """Three installments of 340.00 or so at 24 % cost 24.00-odd per cent only because fen are whole; the guard says the same."""
    for principal in ("1000.00", "1000.01", "999.97", "1234.56", "3333.33"):
        small = USUAL | {"principal": principal, "annualRate": "0.24", "periods": 3}
        cost = (await calculator.data(PLAN, input=small))["repaymentPlan"]["cost"]
        assert abs(Decimal(cost["aprNominal"]) - Decimal("0.24")) < Decimal("0.00005"), cost
        assert cost["exceedsCap"] is False


async def test_only_s10_is_above_the_cap(calculator: Client):
    above = [
        name
        for name, case in CASES.items()
        if (await calculator.data(PLAN, input=asked(case)))["repaymentPlan"]["cost"]["exceedsCap"]
    ]
    assert above == ["S10"]


@pytest.mark.parametrize("name", ["S19", "S20"])
async def test_settlement_days_lead_to_the_dates_that_the_case_gives(calculator: Client, name: str):
    without = {key: value for key, value in asked(CASES[name]).items() if key not in ("dueDates", "periods")}
    found = (await calculator.data(PLAN, input=without))["repaymentPlan"]
    assert [row["dueDate"] for row in found["installments"]] == [row["due_date"] for row in CASES[name]["rows"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"principal": "0.00"},
        {"principal": "-1.00"},
        {"principal": "100.001"},
        {"principal": "1e30"},
        {"principal": "NaN"},
        {"annualRate": "-0.01"},
        {"annualRate": 0.12},
        {"periods": 0},
        {"periods": 1201},
        {"periods": None},
        {"periods": 2147483647},
        {"periodUnit": "WEEK"},
        {"periodUnit": "YEAR"},
        {"method": "BALLOON"},
        {"method": "CUSTOM", "customPrincipal": ["1.00"]},
        {"valueDate": "9999-12-31"},
        {"valueDate": "2026-02-30"},
        {"dueDates": ["2026-02-15", "2026-02-15"]},
        {"settlementDay": 32, "maturityDate": "2027-01-15"},
        {"principalGracePeriods": 12},
        {"fees": [{"date": "2026-01-15", "amount": "0.00"}]},
        {"fees": [{"date": "2026-01-15", "amount": "-1.00"}]},
    ],
)
async def test_what_gives_no_plan_is_bad_input(calculator: Client, changes: dict[str, Any]):
    answer = await calculator.ask(PLAN, input=USUAL | changes)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["message"]


# ------------------------------------------------------------------ the lender's own limits and calendar


async def test_cap_and_warning_line_are_the_lenders(lender: LenderAtWork, api):
    clerk = api.as_("account_manager")
    cost = (await clerk.data(PLAN, input=USUAL))["repaymentPlan"]["cost"]
    assert (cost["cap"], cost["exceedsCap"], cost["warnAbove"], cost["exceedsWarning"]) == (
        "0.24",
        False,
        "0.12",
        False,
    )
    for code, value in (("cost_cap", "0.11"), ("lpr_1y", "0.025")):
        proposed = await parameter.propose(
            lender.tenant_admin, code=code, value=value, effective_from=date(2025, 1, 1), reason="省内要求"
        )
        await parameter.approve(lender.general_manager, parameter_id=proposed.id)
    cost = (await clerk.data(PLAN, input=USUAL))["repaymentPlan"]["cost"]
    assert (cost["cap"], cost["exceedsCap"], cost["warnAbove"], cost["exceedsWarning"]) == ("0.11", True, "0.1", True)


async def test_due_dates_roll_by_the_lenders_calendar_unless_the_question_brings_its_own(lender: LenderAtWork, api):
    clerk = api.as_("account_manager")
    rolling = USUAL | {"holidayRule": "NEXT_BUSINESS_DAY", "periods": 1, "valueDate": "2026-03-03"}

    async def due(**changes: Any) -> str:
        found = await clerk.data(PLAN, input=rolling | changes)
        return found["repaymentPlan"]["installments"][0]["dueDate"]

    assert await due() == "2026-04-03"
    await calendar.save_day(lender.tenant_admin, on=date(2026, 4, 3), kind=DayKind.HOLIDAY, name="地方节日")
    # 4 and 5 April are a weekend, 6 April is the published day off of Qingming.
    assert await due() == "2026-04-07"
    assert await due(holidays=[]) == "2026-04-03"
    assert await due(holidays=["2026-04-03"]) == "2026-04-06"
    assert await due(holidayRule="NONE") == "2026-04-03"


async def test_a_plan_needs_a_sign_in(api):
    assert (await api.anonymous.ask(PLAN, input=USUAL)).codes == ["UNAUTHENTICATED"]
