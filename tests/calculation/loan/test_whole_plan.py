"""The whole life of an amended loan as one plan: what it costs a year, to the digit of the golden files."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.calculation.cost import cost, measured
from domain.calculation.loan.events import Amendment, Event, Extension, PrepaymentMode
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.whole_plan import new_terms, whole_plan
from domain.calculation.schedule import Method
from tests.calculation.loan.cases import day, golden, paid, pay_out, s01_paid, s01_terms

CASES = {case["id"]: case for case in golden("schedules")["cases"] if case["id"] in ("S32", "S36", "S37")}


def s36_terms() -> Any:
    return s01_terms(principal=20_000_000, method=Method.INTEREST_ONLY, periods=6, value_date=date(2026, 2, 20))


def amended(case_id: str) -> Fold:
    """S32 and S37 on the day of the change; S36 ten days before the maturity."""
    changes: dict[str, Event] = {
        "S32": Amendment(id="change", value_date=day("2026-07-15"), annual_rate=Fraction(108, 1000)),
        "S37": Amendment(id="change", value_date=day("2026-07-15"), method=Method.INTEREST_ONLY),
    }
    if case_id in changes:
        return loan(s01_terms(), [*s01_paid(6), changes[case_id]], day("2026-07-15"))
    dates = ("2026-03-20", "2026-04-20", "2026-05-20", "2026-06-20", "2026-07-20")
    events: list[Any] = [pay_out("2026-02-20", "200000.00"), *(paid(on, "2000.00") for on in dates)]
    added = tuple(map(day, ("2026-09-20", "2026-10-20", "2026-11-20")))
    events.append(
        Extension(id="longer", value_date=day("2026-08-10"), due_dates=added, annual_rate=Fraction(132, 1000))
    )
    return loan(s36_terms(), events, day("2026-08-10"))


@pytest.mark.parametrize("case_id", CASES)
def test_an_amended_loan_costs_what_the_golden_case_says(case_id: str) -> None:
    case = CASES[case_id]
    terms, plan = whole_plan(amended(case_id))
    assert {name: str(rate) for name, rate in asdict(cost(terms, plan)).items()} == case["rates"]
    shown = [(row.seq, str(row.due_date), row.principal, row.interest, row.balance_after) for row in plan.installments]
    assert shown == [
        (row["seq"], row["due_date"], *(int(row[name].replace(".", "")) for name in ("principal", "interest", "balance_after")))
        for row in case["rows"]
    ]  # fmt: skip


@pytest.mark.parametrize(("case_id", "rate"), [("S32", "0.108000"), ("S36", "0.132000"), ("S37", "0.120000")])
def test_the_new_terms_alone_cost_their_rate(case_id: str, rate: str) -> None:
    """Not mixed with the months before: what the cap must look at too. The level installment is rounded to the fen."""
    found = measured(cost(*new_terms(amended(case_id))))
    assert abs(found - Decimal(rate)) <= Decimal("0.00001")


def test_a_flat_rate_for_the_rest_shows_in_the_new_terms_alone() -> None:
    change = Amendment(id="flat", value_date=day("2026-07-15"), method=Method.EQUAL_PRINCIPAL_EQUAL_INTEREST)
    fold = loan(s01_terms(), [*s01_paid(6), change], day("2026-07-15"))
    assert measured(cost(*new_terms(fold))) > Decimal("0.20") > measured(cost(*whole_plan(fold)))


def test_what_was_prepaid_inside_a_period_is_no_longer_in_use() -> None:
    """100,000.00 for 17 days and 50,000.00 for 14, 1 % of which is due at the end of the 31 days."""
    terms = s01_terms(method=Method.INTEREST_ONLY, periods=1)
    money = paid("2026-02-01", "50000.00", prepayment=PrepaymentMode.REDUCE_INSTALLMENT)
    fold = loan(terms, [pay_out("2026-01-15", "100000.00"), money], day("2026-02-01"))
    by_days, plan = whole_plan(fold)
    parts = [(row.seq, row.days, row.principal, row.balance_after) for row in plan.installments]
    assert parts == [(1, 17, 5_000_000, 5_000_000), (1, 14, 5_000_000, 0)]
    interest = plan.total_interest
    assert interest == 77_419  # (1,000.00 x 17 + 500.00 x 14) / 31
    in_use = 10_000_000 * 17 + 5_000_000 * 14
    found = cost(by_days, plan)
    assert found.apr_nominal is None
    assert found.simple_apr_act365 == round(Decimal(interest) * 365 / in_use, 6)


def test_a_bullet_beside_other_installments_is_measured_by_dates() -> None:
    change = Amendment(id="bullet", value_date=day("2026-07-15"), method=Method.BULLET)
    fold = loan(s01_terms(), [*s01_paid(6), change], day("2026-07-15"))
    for terms, plan in (whole_plan(fold), new_terms(fold)):
        found = cost(terms, plan)
        assert found.apr_nominal is None
        assert Decimal("0.11") < found.simple_apr_act365 < Decimal("0.125")


def test_nothing_is_planned_after_the_last_installment() -> None:
    with pytest.raises(ValueError, match="nothing is planned"):
        new_terms(loan(s01_terms(), s01_paid(12), day("2027-01-15")))
