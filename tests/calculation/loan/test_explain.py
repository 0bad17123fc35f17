"""What a person reads when he asks where a figure comes from."""

from datetime import date
from fractions import Fraction

import pytest

from domain.calculation.allocation import Component
from domain.calculation.loan.events import Amendment, PrepaymentMode, Waiver
from domain.calculation.loan.explain import LoanFigure, Part, Rule, explain
from domain.calculation.loan.explain_payoff import PayoffFigure, explain_payoff
from domain.calculation.loan.fold import loan
from domain.calculation.schedule import Method
from tests.calculation.loan.cases import eod_case, eod_events, eod_terms, paid, s01_paid, s01_terms


def test_penalty_of_two_installments() -> None:
    """X1: 39.53 + 20.00 after 2,000.00 on the first due date."""
    case = eod_case("E04")
    known = loan(eod_terms(case), eod_events(case)[:2], date(2026, 3, 25))
    formula = "round_half_up(base_1 * annual_rate_1 * multiplier * days_1 / 360 - paid - waived)"
    inputs = {"multiplier": "1.5", "annual_rate_1": "0.12", "paid": "0.00", "waived": "0.00"}
    events = ("pay-out 2026-01-15", "receipt 2026-02-15")
    assert explain(known, LoanFigure.PENALTY, date(2026, 3, 25)) == [
        Part(
            3953,
            Rule.PENALTY,
            formula,
            inputs | {"base_1": "2080.27", "days_1": "38"},
            events,
            1,
        ),
        Part(2000, Rule.PENALTY, formula, inputs | {"base_1": "3999.87", "days_1": "10"}, ("pay-out 2026-01-15",), 2),
    ]


def test_running_interest_after_a_prepayment_inside_the_period() -> None:
    """X6 on its due date's eve: 21 days on 37,984.22 after 10 on the interest of the old plan."""
    on = date(2026, 6, 14)
    events = [*s01_paid(4), paid("2026-05-25", "30000.00", prepayment=PrepaymentMode.REDUCE_INSTALLMENT)]
    [part] = explain(loan(s01_terms(), events, on), LoanFigure.ACCRUED_INTEREST, on)
    assert part.formula == (
        "round_half_up(round_half_up(base_1 * annual_rate_1 * 1 / 12) * days_1 / period_days_1"
        " + base_2 * annual_rate_2 * 1 / 12 * days_2 / period_days_2)"
    )
    assert part.inputs == {
        "days_1": "10",
        "period_days_1": "31",
        "base_1": "67984.22",
        "annual_rate_1": "0.12",
        "days_2": "20",
        "period_days_2": "31",
        "base_2": "37984.22",
        "annual_rate_2": "0.12",
    }
    assert part.events == ("pay-out 2026-01-15", "receipt 2026-05-25")
    assert part.seq == 5


def test_running_interest_after_a_waiver() -> None:
    on = date(2026, 4, 10)
    waiver = Waiver(id="waiver", value_date=on, component=Component.INTEREST, amount=42076, seq=3)
    [part] = explain(loan(s01_terms(), [*s01_paid(2), waiver], on), LoanFigure.ACCRUED_INTEREST, on)
    assert part.formula == (
        "round_half_up((round_half_up(base_1 * annual_rate_1 * 1 / 12) * days_1 / period_days_1 - waived)"
        " * elapsed_days / period_days)"
    )
    assert (part.amount, part.inputs["waived"], part.inputs["elapsed_days"]) == (35289, "420.76", "26")


def test_a_change_of_rate_shows_as_two_stretches() -> None:
    change = Amendment(id="rate", value_date=date(2026, 2, 25), annual_rate=Fraction("0.108"))
    on = date(2026, 3, 2)
    [part] = explain(loan(s01_terms(), [*s01_paid(0), change], on), LoanFigure.PENALTY, on)
    assert (part.amount, part.inputs["annual_rate_2"], part.inputs["days_2"]) == (5717, "0.108", "5")
    assert part.events == ("pay-out 2026-01-15", "rate")


def test_principal_is_what_was_paid_out_less_each_repayment() -> None:
    on = date(2026, 3, 15)
    parts = explain(loan(s01_terms(), s01_paid(2), on), LoanFigure.PRINCIPAL_OUTSTANDING, on)
    assert [(part.rule, part.amount, *part.events) for part in parts] == [
        (Rule.PAID_OUT, 10000000, "pay-out 2026-01-15"),
        (Rule.PRINCIPAL_REPAID, -788488, "receipt 2026-02-15"),
        (Rule.PRINCIPAL_REPAID, -796373, "receipt 2026-03-15"),
    ]


def test_the_other_side_of_the_balance_sheet_has_no_parts() -> None:
    case = eod_case("E02")
    known = loan(eod_terms(case), eod_events(case), date(2026, 5, 31))
    on, off = LoanFigure.ON_BALANCE_INTEREST, LoanFigure.OFF_BALANCE_INTEREST
    assert explain(known, off, date(2026, 5, 10)) == []
    assert explain(known, on, date(2026, 5, 11)) == []
    rules = [part.rule for part in explain(known, off, date(2026, 5, 11))]
    assert rules == [Rule.DUE_INTEREST, Rule.PENALTY, Rule.COMPOUND]


def test_the_price_of_settling() -> None:
    """S35: 59,779.18, ten days at 12 % over 360, and 1 % of what is prepaid."""
    on = date(2026, 6, 25)
    known = loan(s01_terms(prepayment_fee_rate=Fraction(1, 100)), s01_paid(5), on)
    [running] = explain_payoff(known, PayoffFigure.INTEREST, on)
    assert (running.rule, running.amount) == (Rule.INTEREST_BY_DAYS, 19926)
    assert running.formula == "max(0, round_half_up(base_1 * annual_rate_1 * days_1 / 360))"
    assert running.inputs == {"base_1": "59779.18", "annual_rate_1": "0.12", "days_1": "10"}
    [fee] = explain_payoff(known, PayoffFigure.FEE, on)
    assert (fee.rule, fee.amount, fee.inputs["fee_rate"]) == (Rule.PREPAYMENT_FEE, 59779, "0.01")
    [total] = explain_payoff(known, PayoffFigure.TOTAL, on)
    assert (total.amount, total.formula) == (6057623, "principal + interest + penalty + compound + fee")


def test_the_interest_of_a_flat_loan_runs_on_what_was_lent() -> None:
    terms = s01_terms(method=Method.EQUAL_PRINCIPAL_EQUAL_INTEREST)
    on = date(2026, 3, 1)
    [part] = explain(loan(terms, s01_paid(1), on), LoanFigure.ACCRUED_INTEREST, on)
    assert part.inputs["base_1"] == "100000.00"


def test_a_provision_is_not_what_the_fold_says() -> None:
    on = date(2026, 3, 15)
    with pytest.raises(ValueError, match="policy"):
        explain(loan(s01_terms(), s01_paid(2), on), LoanFigure.PROVISION, on)
