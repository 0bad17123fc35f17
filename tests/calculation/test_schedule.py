"""Golden schedules S01–S31 to the cent, laws of every plan, and a second computation written apart."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calculation.money import fen, yuan
from domain.calculation.schedule import (
    Basis,
    HolidayRule,
    Method,
    PeriodUnit,
    Plan,
    PlanError,
    PlanTerms,
    level_payment,
    period_rate,
    plan,
)
from tests.calculation.plan_cases import PLAIN, SCHEDULES, any_terms, terms_of


def rows(made: Plan) -> list[dict[str, Any]]:
    return [
        {
            "seq": row.seq,
            "start_date": row.start_date.isoformat(),
            "due_date": row.due_date.isoformat(),
            "days": row.days,
            "principal": str(yuan(row.principal)),
            "interest": str(yuan(row.interest)),
            "payment": str(yuan(row.payment)),
            "balance_after": str(yuan(row.balance_after)),
        }
        for row in made.installments
    ]


@pytest.mark.parametrize("case_id", PLAIN)
def test_golden_schedule(case_id: str) -> None:
    made, case = plan(terms_of(case_id)), SCHEDULES[case_id]
    assert rows(made) == case["rows"]
    assert {
        "principal": str(yuan(made.total_principal)),
        "interest": str(yuan(made.total_interest)),
        "payment": str(yuan(made.total_payment)),
    } == case["totals"]
    if made.installment_amount is None:
        assert "installment_amount" not in case
    else:
        assert str(yuan(made.installment_amount)) == case["installment_amount"]


@pytest.mark.parametrize("case_id", ["S19", "S20", "S21", "S22", "S27"])
def test_due_dates_need_not_be_given(case_id: str) -> None:
    """Settlement days, rolled holidays and a term in days lead to the dates the golden case names."""
    assert rows(plan(terms_of(case_id, without=frozenset({"due_dates"})))) == SCHEDULES[case_id]["rows"]


@pytest.mark.parametrize("case_id", ["S19", "S20"])
def test_settlement_days_decide_the_count(case_id: str) -> None:
    made = plan(terms_of(case_id, without=frozenset({"due_dates", "periods"})))
    assert rows(made) == SCHEDULES[case_id]["rows"]


def test_a_short_first_stub_is_dropped_only_below_the_minimum() -> None:
    terms = terms_of("S19", without=frozenset({"due_dates", "periods"}))
    assert plan(replace(terms, first_settlement_min_days=10)).installments[0].due_date == date(2026, 3, 20)
    assert plan(replace(terms, first_settlement_min_days=11)).installments[0].due_date == date(2026, 4, 20)


def test_interest_passes_to_the_entrustor_from_the_same_plan() -> None:
    """S39: the plan of an entrusted loan is that of an ordinary one."""
    columns = ("seq", "due_date", "principal", "interest", "payment", "balance_after")
    made = [{name: row[name] for name in columns} for row in rows(plan(terms_of("S39")))]
    assert made == [{name: row[name] for name in columns} for row in SCHEDULES["S39"]["rows"]]


def second_computation(terms: PlanTerms) -> list[tuple[date, int, int]]:
    """(due date, principal, interest) straight from the table of the conventions, in fractions of a fen."""
    n = 1 if terms.method is Method.BULLET else terms.periods or 0
    dues = [terms.value_date]
    for k in range(1, n + 1):
        elapsed = (terms.periods or 0) if terms.method is Method.BULLET else k
        dues.append(_rolled(_later(terms.value_date, terms.period_unit, elapsed), terms.holiday_rule))
    share = {PeriodUnit.MONTH: 12, PeriodUnit.QUARTER: 4, PeriodUnit.HALF_YEAR: 2}.get(terms.period_unit)
    repaying = n - terms.principal_grace_periods
    result, left = [], terms.principal
    for k in range(1, n + 1):
        base = terms.principal if terms.method is Method.EQUAL_PRINCIPAL_EQUAL_INTEREST else left
        if terms.basis is Basis.PERIODIC and terms.method not in (Method.BULLET, Method.CUSTOM):
            assert share is not None
            interest = _round(base * terms.annual_rate / share)
        else:
            year = 365 if terms.basis is Basis.ACTUAL_365 else 360
            interest = _round(base * terms.annual_rate * (dues[k] - dues[k - 1]).days / year)
        if k == n:
            part = left
        elif k <= terms.principal_grace_periods or terms.method is Method.INTEREST_ONLY:
            part = 0
        elif terms.method is Method.CUSTOM:
            assert terms.custom_principal is not None
            part = terms.custom_principal[k - 1]
        elif terms.method in (Method.EQUAL_INSTALLMENT, Method.BALLOON):
            assert share is not None
            spread = terms.amortization_periods if terms.method is Method.BALLOON else repaying
            v = 1 / (1 + terms.annual_rate / share)
            annuity = sum((Fraction(v**j) for j in range(1, (spread or 0) + 1)), Fraction(0))
            part = _round(terms.principal / annuity) - interest
        else:
            part = _round(Fraction(terms.principal, repaying))
        part = min(max(part, 0), left)
        left -= part
        result.append((dues[k], part, interest))
    return result


def _round(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


def _later(day: date, unit: PeriodUnit, count: int) -> date:
    if unit in (PeriodUnit.DAY, PeriodUnit.WEEK):
        return day + timedelta(days=count * (1 if unit is PeriodUnit.DAY else 7))
    month = day.month - 1 + count * {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3, PeriodUnit.HALF_YEAR: 6}[unit]
    for last in (day.day, 30, 29, 28):
        try:
            return date(day.year + month // 12, month % 12 + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError(day)


def _rolled(day: date, rule: HolidayRule) -> date:
    weekend = {5: 2, 6: 1}.get(day.weekday(), 0)
    return day + timedelta(days=weekend) if rule is HolidayRule.NEXT_BUSINESS_DAY else day


@settings(max_examples=300, deadline=None)
@given(any_terms())
def test_a_second_computation_gives_the_same_plan(terms: PlanTerms) -> None:
    made = [(row.due_date, row.principal, row.interest) for row in plan(terms).installments]
    assert made == second_computation(terms)


@given(any_terms())
def test_laws_of_every_plan(terms: PlanTerms) -> None:
    made = plan(terms).installments
    assert sum(row.principal for row in made) == terms.principal
    assert all(row.principal >= 0 and row.interest >= 0 and row.days >= 0 for row in made)
    assert [row.seq for row in made] == list(range(1, len(made) + 1))
    assert made[0].start_date == terms.value_date
    assert made[0].principal + made[0].balance_after == terms.principal
    assert made[-1].balance_after == 0
    for row, following in pairwise(made):
        assert following.start_date == row.due_date
        assert following.principal + following.balance_after == row.balance_after


def test_interest_above_the_level_installment_takes_no_principal_back() -> None:
    """30 years at 36 % by actual days: 31 days bear 31.00, the level installment is 30.00."""
    terms = PlanTerms(
        principal=fen("1000.00"),
        annual_rate=Fraction("0.36"),
        method=Method.EQUAL_INSTALLMENT,
        value_date=date(2026, 1, 15),
        basis=Basis.ACTUAL_360,
        periods=360,
    )
    made = plan(terms)
    first = made.installments[0]
    assert made.installment_amount == fen("30.00")
    assert (first.principal, first.interest, first.balance_after) == (0, fen("31.00"), fen("1000.00"))


@given(st.integers(1, 10**12), st.fractions(0, Fraction(1, 20), max_denominator=10_000), st.integers(1, 120))
def test_the_level_payment_is_the_nearest_that_repays(principal: int, rate: Fraction, n: int) -> None:
    """Half a fen less never repays the loan, half a fen more always does."""
    grown = (1 + rate) ** n
    value_of_one = n if rate == 0 else (grown - 1) / rate
    pmt = level_payment(principal, rate, n)
    assert (pmt - Fraction(1, 2)) * value_of_one <= principal * grown < (pmt + Fraction(1, 2)) * value_of_one


def test_the_level_payment_meets_the_published_figure() -> None:
    rate = period_rate(Fraction("0.049"), PeriodUnit.MONTH)
    assert level_payment(fen("1000000.00"), rate, 360) == fen("5307.27")


@pytest.mark.parametrize(
    ("unit", "rate"),
    [(PeriodUnit.MONTH, "0.01"), (PeriodUnit.QUARTER, "0.03"), (PeriodUnit.HALF_YEAR, "0.06")],
)
def test_period_rate(unit: PeriodUnit, rate: str) -> None:
    assert period_rate(Fraction("0.12"), unit) == Fraction(rate)


@pytest.mark.parametrize("unit", [PeriodUnit.DAY, PeriodUnit.WEEK])
def test_days_and_weeks_have_no_period_rate(unit: PeriodUnit) -> None:
    with pytest.raises(PlanError) as refused:
        period_rate(Fraction("0.12"), unit)
    assert refused.value.field == "period_unit"


ORDINARY = PlanTerms(
    principal=10_000_000,
    annual_rate=Fraction("0.12"),
    method=Method.EQUAL_PRINCIPAL,
    value_date=date(2026, 1, 15),
    periods=12,
)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("principal", {"principal": 0}),
        ("annual_rate", {"annual_rate": Fraction(-1, 100)}),
        ("periods", {"periods": 0}),
        ("periods", {"periods": 1201}),
        ("periods", {"periods": None}),
        ("periods", {"due_dates": (date(2026, 3, 1),)}),
        ("periods", {"periods": None, "maturity_date": date(2026, 12, 15)}),
        ("periods", {"settlement_day": 20, "maturity_date": date(2200, 1, 1), "periods": None}),
        ("basis", {"period_unit": PeriodUnit.WEEK}),
        ("period_unit", {"period_unit": PeriodUnit.DAY, "basis": Basis.ACTUAL_360, "method": Method.EQUAL_INSTALLMENT}),
        ("due_dates", {"due_dates": (), "periods": None}),
        ("due_dates", {"due_dates": (date(2026, 1, 15),), "periods": 1}),
        ("due_dates", {"due_dates": (date(2026, 3, 1), date(2026, 2, 1)), "periods": 2}),
        ("due_dates", {"method": Method.BULLET, "due_dates": (date(2026, 3, 1), date(2026, 4, 1)), "periods": 2}),
        ("maturity_date", {"maturity_date": date(2026, 1, 15)}),
        ("maturity_date", {"maturity_date": date(2027, 1, 14)}),
        ("maturity_date", {"maturity_date": date(2027, 1, 14), "term_days": 30}),
        ("term_days", {"term_days": 0}),
        ("settlement_day", {"settlement_day": 32}),
        ("settlement_months", {"settlement_day": 20, "settlement_months": (0,)}),
        ("settlement_months", {"settlement_day": 20, "settlement_months": ()}),
        ("first_settlement_min_days", {"first_settlement_min_days": -1}),
        ("amortization_periods", {"method": Method.BALLOON}),
        ("amortization_periods", {"method": Method.BALLOON, "amortization_periods": 11}),
        ("principal_grace_periods", {"principal_grace_periods": 12}),
        ("principal_grace_periods", {"principal_grace_periods": -1}),
        ("custom_principal", {"method": Method.CUSTOM}),
        ("custom_principal", {"method": Method.CUSTOM, "periods": 2, "custom_principal": (5_000_000, 5_000_001)}),
        ("custom_principal", {"method": Method.CUSTOM, "periods": 2, "custom_principal": (-1, 10_000_001)}),
        ("value_date", {"value_date": date(9999, 6, 1)}),
        ("value_date", {"value_date": date(9999, 12, 31), "method": Method.BULLET, "term_days": 1}),
    ],
)
def test_impossible_terms_are_refused_at_their_field(field: str, changed: dict[str, Any]) -> None:
    assert plan(ORDINARY).total_principal == ORDINARY.principal
    with pytest.raises(PlanError) as refused:
        plan(replace(ORDINARY, **changed))
    assert refused.value.field == field
