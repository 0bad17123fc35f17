"""Golden rates of S01–S31, and the roots proved by changing sign around their last digit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calculation.cost import Cost, Fee, FeePayer, cost, measured
from domain.calculation.money import fen
from domain.calculation.schedule import Basis, HolidayRule, Method, PeriodUnit, PlanTerms, plan
from tests.calculation.plan_cases import PLAIN, SCHEDULES, any_terms, fees_of, terms_of

NAMES = ("period_irr", "apr_nominal", "apr_effective", "xirr_act365", "simple_apr_act365")


def cost_of(terms: PlanTerms, *fees: Fee) -> Cost:
    return cost(terms, plan(terms), fees)


def shown(made: Cost) -> dict[str, str]:
    return {name: f"{rate:f}" for name in NAMES if (rate := getattr(made, name)) is not None}


@pytest.mark.parametrize("case_id", [*PLAIN, "S39"])
def test_golden_rates(case_id: str) -> None:
    """To the last digit, and absent where the golden case has none."""
    assert shown(cost_of(terms_of(case_id), *fees_of(case_id))) == SCHEDULES[case_id]["rates"]


@pytest.mark.parametrize(("case_id", "exceeds"), [("S10", True), ("S29", False)])
def test_the_cap_of_24_percent(case_id: str, exceeds: bool) -> None:
    assert SCHEDULES[case_id]["expect"]["exceeds_24pct"] is exceeds
    assert (measured(cost_of(terms_of(case_id), *fees_of(case_id))) > Decimal("0.24")) is exceeds


def test_the_simple_rate_is_measured_where_periods_are_unequal() -> None:
    assert measured(cost_of(terms_of("S27"))) == Decimal("0.182500")


def test_fees_of_entrustor_and_lender_cost_the_borrower_nothing() -> None:
    terms = terms_of("S01")
    others = [Fee(terms.value_date, fen("3000.00"), payer) for payer in (FeePayer.ENTRUSTOR, FeePayer.LENDER)]
    assert cost_of(terms, *others) == cost_of(terms)


def test_a_fee_between_due_dates_joins_the_next_period() -> None:
    terms = terms_of("S01")
    between, on_the_day = (cost_of(terms, Fee(date(2026, 3, day), fen("500.00"))) for day in (1, 15))
    assert between.period_irr == on_the_day.period_irr
    assert between.simple_apr_act365 == on_the_day.simple_apr_act365
    assert between.xirr_act365 is not None
    assert on_the_day.xirr_act365 is not None
    assert between.xirr_act365 > on_the_day.xirr_act365


def test_fees_outside_the_term_count_on_its_first_and_last_day() -> None:
    terms = terms_of("S01")
    last_due = plan(terms).installments[-1].due_date
    early, first = (cost_of(terms, Fee(day, 50_000)) for day in (date(2025, 12, 1), terms.value_date))
    late, last = (cost_of(terms, Fee(day, 50_000)) for day in (last_due + timedelta(days=9), last_due))
    assert early == first
    assert late.period_irr == last.period_irr


def test_fees_that_eat_up_the_pay_out_leave_only_the_simple_rate() -> None:
    terms = terms_of("S01")
    made = cost_of(terms, Fee(terms.value_date, terms.principal))
    assert (made.period_irr, made.apr_nominal, made.apr_effective, made.xirr_act365) == (None, None, None, None)
    assert measured(made) == made.simple_apr_act365 > 1


def test_an_absurd_rate_is_none() -> None:
    """30 % of the pay-out as fee for one day: a rate of 57 digits, while the simple one is 10,968 %."""
    terms = replace(terms_of("S27"), due_dates=(date(2026, 6, 2),), term_days=1)
    made = cost_of(terms, Fee(terms.value_date, terms.principal * 3 // 10))
    assert made.xirr_act365 is None
    assert measured(made) == Decimal("109.682500")


def test_a_bullet_by_periods_is_paid_after_all_of_them() -> None:
    """Six months at 18 %: 181 days by 360 make 9.05 %, that is 1.4544 % a month, not 9.05 % a month."""
    terms = replace(terms_of("S07"), periods=6, period_unit=PeriodUnit.MONTH, basis=Basis.PERIODIC)
    made = cost_of(terms)
    assert made.period_irr is not None
    assert abs((1 + made.period_irr) ** 6 - Decimal("1.0905")) < Decimal("1e-6")


def test_actual_days_have_a_period_rate_only_on_regular_dates() -> None:
    """S22 rolls over weekends, so its periods differ; without rolling they are equal again."""
    terms = terms_of("S22", without=frozenset({"due_dates"}))
    assert cost_of(terms).period_irr is None
    assert cost_of(replace(terms, holiday_rule=HolidayRule.NONE)).period_irr is not None


def test_half_a_digit_goes_up() -> None:
    """365 days at exactly 11.99965 % read 0.119997, though the computed root is 0.1199964999…"""
    terms = PlanTerms(
        principal=2 * 10**11,
        annual_rate=Fraction("0.1199965"),
        method=Method.BULLET,
        value_date=date(2026, 1, 15),
        basis=Basis.ACTUAL_365,
        term_days=365,
    )
    assert cost_of(terms).xirr_act365 == Decimal("0.119997")


@settings(deadline=None)
@given(any_terms(), st.integers(0, 30))
def test_present_value_changes_sign_within_the_last_digit(terms: PlanTerms, fee_percent: int) -> None:
    made = plan(terms)
    fee = terms.principal * fee_percent // 100
    rates = cost(terms, made, [Fee(terms.value_date, fee)])
    if rates.period_irr is not None and terms.method is not Method.BULLET:

        def by_period(rate: Decimal) -> Fraction:
            discount = 1 / (1 + Fraction(rate))
            present = (row.payment * Fraction(discount**row.seq) for row in made.installments)
            return sum(present, Fraction(fee - terms.principal))

        half = Decimal("0.5e-8")
        assert by_period(rates.period_irr + half) <= 0 <= by_period(rates.period_irr - half)

    def by_day(rate: Decimal) -> Decimal:
        with localcontext(prec=40):
            discounted = (
                row.payment * (1 + rate) ** (Decimal((terms.value_date - row.due_date).days) / 365)
                for row in made.installments
            )
            return sum(discounted, Decimal(fee - terms.principal))

    if rates.xirr_act365 is None:
        assert by_day(Decimal("1e10")) > 0
        return
    half, noise = Decimal("0.5e-6"), Decimal("1e-20") * terms.principal
    assert by_day(rates.xirr_act365 + half) - noise <= 0 <= by_day(rates.xirr_act365 - half) + noise


@pytest.mark.parametrize("case_id", ["S02", "S03"])
def test_thirty_years_cost_little_more_than_their_plan(case_id: str) -> None:
    """Every preview computes both: the four measures take four times as long as the schedule they are of."""
    terms = terms_of(case_id)
    made = plan(terms)

    def seconds(act: Callable[[], object]) -> float:
        begun = process_time()
        act()
        return process_time() - begun

    planned, measured_all = zip(
        *((seconds(lambda: plan(terms)), seconds(lambda: cost(terms, made))) for _ in range(9)), strict=True
    )
    assert min(measured_all) < 12 * min(planned)
